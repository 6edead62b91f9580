"""How often each property is emptied, changed and filled on a day, and the days on which that was unusual (N-077)."""

from typing import ClassVar

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import Account


class Move(models.TextChoices):
    """What happens to a property of a record."""

    EMPTIED = "emptied", _("emptied")
    CHANGED = "changed", _("changed")
    FILLED = "filled", _("filled")


class PropertyDay(models.Model):
    """On how many records of a kind a property was emptied, changed and filled on one of the account's days."""

    account = models.ForeignKey(Account, models.CASCADE, related_name="+", db_index=False)
    kind = models.CharField(max_length=60)
    property = models.CharField(max_length=60)
    day = models.DateField()
    emptied = models.IntegerField()
    changed = models.IntegerField()
    filled = models.IntegerField()

    class Meta:
        verbose_name = _("day of a property")
        verbose_name_plural = _("days of properties")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["account", "kind", "property", "day"], name="one_row_per_property_and_day"),
        ]
        indexes: ClassVar = [models.Index(fields=["account", "day"], name="property_day")]

    def __str__(self) -> str:
        return f"#{self.pk} {self.kind}.{self.property} {self.day}"


class Anomaly(models.Model):
    """A property of a kind had a day that is unlike those of the weeks before. At most one per property and day."""

    account = models.ForeignKey(Account, models.CASCADE, related_name="anomalies", db_index=False)
    kind = models.CharField(max_length=60)
    property = models.CharField(max_length=60)
    day = models.DateField()
    move = models.CharField(max_length=10, choices=Move.choices)
    number = models.IntegerField()
    usual = models.FloatField()  # the median of the weeks before
    found_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("anomaly")
        verbose_name_plural = _("anomalies")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["account", "kind", "property", "day"], name="one_anomaly_per_day"),
        ]
        indexes: ClassVar = [models.Index(fields=["account", "-id"], name="anomaly_newest")]

    def __str__(self) -> str:
        return f"#{self.pk} {self.kind}.{self.property} {self.day}"


class AnomalyWatch(models.Model):
    """Which day of an account is counted next, and from when on: after its last moment, in the account's zone."""

    account = models.OneToOneField(Account, models.CASCADE, related_name="+", primary_key=True)
    next_day = models.DateField()
    due_at = models.DateTimeField()

    class Meta:
        verbose_name = _("watch for anomalies")
        verbose_name_plural = _("watches for anomalies")
        indexes: ClassVar = [models.Index(fields=["due_at"], name="anomaly_watch_due")]

    def __str__(self) -> str:
        return f"#{self.pk} {self.next_day}"
