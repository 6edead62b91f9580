"""Pairs of records that look like one."""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from crm.models.records import Record


class Why(models.TextChoices):
    """What two records have in common."""

    ADDRESS = "address", _("the same address")
    NAME = "name", _("the same name")
    DOMAIN = "domain", _("the same domain")


class Duplicate(models.Model):
    """Two records of one kind that seem to be the same, found once per pair; merged or dismissed by a member."""

    low = models.ForeignKey(Record, models.CASCADE, related_name="duplicates_higher", db_index=False)
    high = models.ForeignKey(Record, models.CASCADE, related_name="duplicates_lower")
    why = models.CharField(max_length=10, choices=Why.choices)
    found_at = models.DateTimeField(default=timezone.now, editable=False)
    settled_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        verbose_name = _("duplicate")
        verbose_name_plural = _("duplicates")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["low", "high"], name="one_duplicate_per_pair"),
            models.CheckConstraint(condition=Q(low__lt=F("high")), name="duplicate_low_first"),
        ]

    def __str__(self) -> str:
        return f"#{self.pk} {self.low_id}={self.high_id}"
