"""What waits for its time: windows of assignments, tasks that fall due."""

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import Membership
from crm.models.records import Record, Source


class AssignmentOutcome(models.TextChoices):
    """What became of one assignment: told, or why not (D9)."""

    WAITING = "waiting", _("waiting for the end of the five minutes")
    TOLD = "told", _("told")
    SELF = "self", _("you assigned it to yourself")
    TAKEN_BACK = "taken_back", _("taken back within the five minutes")
    DELETED = "deleted", _("the record was deleted")
    COMPLETED = "completed", _("the task was completed")
    OPENED = "opened", _("you opened the record after it was assigned")
    THROUGH_API = "through_api", _("the task was created through the API, which did not ask to tell anybody")
    INACTIVE = "inactive", _("the member is deactivated")
    MAY_NOT_SEE = "may_not_see", _("the member may not see the record")
    TURNED_OFF = "turned_off", _("you turned off assignments of this kind on every channel")


class AssignmentWindow(models.Model):
    """Five minutes in which a member's assignments are gathered. At most one is open per member (N-082)."""

    recipient = models.ForeignKey(Membership, models.CASCADE, related_name="assignment_windows")
    opened_at = models.DateTimeField(default=timezone.now, editable=False)
    due_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        verbose_name = _("assignment window")
        verbose_name_plural = _("assignment windows")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["recipient"], condition=Q(closed_at=None), name="one_open_window"),
        ]
        indexes: ClassVar = [models.Index(fields=["due_at"], condition=Q(closed_at=None), name="window_due")]

    def __str__(self) -> str:
        return f"#{self.pk} for {self.recipient_id}"


class Assignment(models.Model):
    """Somebody was named in the owner property or a custom user property of a record, and what came of it.

    Without a window it was decided at once that nobody is told.
    """

    window = models.ForeignKey(AssignmentWindow, models.CASCADE, null=True, related_name="assignments")
    recipient = models.ForeignKey(Membership, models.CASCADE, related_name="assignments")
    record = models.ForeignKey(Record, models.CASCADE, related_name="assignments")
    property = models.CharField(max_length=60)
    by = models.ForeignKey(Membership, models.SET_NULL, null=True, related_name="+", db_index=False)
    source = models.CharField(max_length=10, choices=Source.choices)
    at = models.DateTimeField(default=timezone.now, editable=False)
    outcome = models.CharField(max_length=12, choices=AssignmentOutcome.choices, default=AssignmentOutcome.WAITING)

    class Meta:
        verbose_name = _("assignment")
        verbose_name_plural = _("assignments")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["window", "record", "property"],
                name="one_assignment_per_window",
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.pk} {self.record_id} to {self.recipient_id}: {self.outcome}"


class DueNotice(models.Model):
    """A task's due time or reminder, to be told once (N-139). The time is part of it: a new time is a new row."""

    record = models.ForeignKey(Record, models.CASCADE, related_name="due_notices", db_index=False)
    what = models.CharField(max_length=10, choices=[("due_at", _("due")), ("remind_at", _("reminder"))])
    at = models.DateTimeField()
    settled_at = models.DateTimeField(null=True, editable=False)
    outcome = models.CharField(max_length=12, blank=True)  # told, changed, completed, deleted, nobody, late

    class Meta:
        verbose_name = _("due notice")
        verbose_name_plural = _("due notices")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["record", "what", "at"], name="one_notice_per_time"),
        ]
        indexes: ClassVar = [models.Index(fields=["at"], condition=Q(settled_at=None), name="notice_due")]

    def __str__(self) -> str:
        return f"#{self.pk} {self.record_id} {self.what}"
