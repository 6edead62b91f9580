"""When a member is left alone, and what they put off."""

from typing import ClassVar

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import Membership
from notifications.models.events import Event


class QuietHours(models.Model):
    """Quiet hours that begin on one weekday, on the member's own clocks. See moments.Hours."""

    member = models.ForeignKey(Membership, models.CASCADE, related_name="quiet_hours", db_index=False)
    weekday = models.SmallIntegerField()  # 0 is Monday
    starts = models.TimeField()
    ends = models.TimeField()  # not later than the start: on the next day

    class Meta:
        verbose_name = _("quiet hours")
        verbose_name_plural = _("quiet hours")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["member", "weekday"], name="one_quiet_time_per_day"),
            models.CheckConstraint(condition=models.Q(weekday__range=(0, 6)), name="quiet_weekday"),
            models.CheckConstraint(
                condition=~models.Q(starts=models.F("ends")) | models.Q(starts="00:00"), name="quiet_hours_have_an_end"
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.pk} {self.weekday} {self.starts}–{self.ends}"


class Silence(models.Model):
    """When a member is left alone, as moments: their quiet window that lasts or comes next, and their pause.

    Computed from their quiet hours and their zone (see quiet), so that the fan-out only compares moments. At
    `due_at` somebody looks again: what is over is released (see catching_up) and the next window is written.
    """

    member = models.OneToOneField(Membership, models.CASCADE, primary_key=True, related_name="silence")
    starts_at = models.DateTimeField(null=True)
    ends_at = models.DateTimeField(null=True)
    paused_until = models.DateTimeField(null=True)
    due_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("silence")
        verbose_name_plural = _("silences")
        indexes: ClassVar = [
            models.Index(fields=["due_at"], name="silence_due", condition=models.Q(due_at__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"


class Snooze(models.Model):
    """A notification that a member put off: at `due_at` it comes back as a new event, and this row is closed."""

    member = models.ForeignKey(Membership, models.CASCADE, related_name="snoozes", db_index=False)
    event = models.ForeignKey(Event, models.CASCADE, related_name="+", db_index=False)
    was_read = models.BooleanField(default=False)  # before, for the undo
    due_at = models.DateTimeField()
    made_at = models.DateTimeField(default=timezone.now)
    woken_at = models.DateTimeField(null=True)
    returned = models.OneToOneField(Event, models.SET_NULL, null=True, related_name="woken_from")

    class Meta:
        verbose_name = _("snooze")
        verbose_name_plural = _("snoozes")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["member", "event"], name="one_open_snooze", condition=models.Q(woken_at=None)
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["due_at"], name="snooze_due", condition=models.Q(woken_at=None)),
            models.Index(fields=["member", "due_at"], name="snooze_of_member", condition=models.Q(woken_at=None)),
            models.Index(fields=["event"], name="snooze_of_event"),
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"
