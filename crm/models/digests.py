"""Timed mails: when the next one goes to each member, and what became of each."""

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models import Membership
from notifications.models import Event


class DigestKind(models.TextChoices):
    """What a timed mail is about."""

    TASKS = "tasks", _("your tasks")  # N-141
    WORKFLOWS = "workflows", _("workflows whose enrolment changed")  # N-156


class Frequency(models.TextChoices):
    WEEKDAYS = "weekdays", _("Every weekday")
    WEEKLY = "weekly", _("Every Monday")
    FRIDAYS = "fridays", _("Every Friday")


class DigestSchedule(models.Model):
    """When the next mail of a kind is due for a member: a day on their clocks, and the moment that is.

    Every member has a row of each kind; whether they want the mail is their e-mail preference for its type, so that
    defaults, profiles, locks and the link in the mail need no second truth. Nobody but them reads `skip_on`.
    """

    pk = models.CompositePrimaryKey("member_id", "kind")
    member = models.ForeignKey(Membership, models.CASCADE, related_name="digest_schedules", db_index=False)
    kind = models.CharField(max_length=10, choices=DigestKind.choices)
    frequency = models.CharField(max_length=10, choices=Frequency.choices)
    hour = models.SmallIntegerField(default=8)
    zone = models.CharField(max_length=60)  # the one `next_at` was computed in
    next_on = models.DateField()
    next_at = models.DateTimeField()
    skip_on = models.DateField(null=True)  # the day the member wants none

    class Meta:
        verbose_name = _("schedule of a timed mail")
        verbose_name_plural = _("schedules of timed mails")
        indexes: ClassVar = [models.Index(fields=["next_at"], name="digest_due")]

    def __str__(self) -> str:
        return f"#{self.member_id} {self.kind} on {self.next_on}"


class DigestOutcome(models.TextChoices):
    """What became of a timed mail. Told: handed to the notifications, whose delivery says the rest."""

    TOLD = "told", _("told")
    EMPTY = "empty", _("there was nothing to say")
    SKIPPED = "skipped", _("skipped, as you wished")
    LATE = "late", _("skipped, because Bellhop was not running at its time")


class DigestRun(models.Model):
    """What became of the mail of one kind for one member on one day of their clocks: at most one row (D1).

    `turn` 0 is the scheduled one; 1, 2, … are those the member asked for that day. Of the tasks only ids are kept, in
    the order of the mail; their words are read when it is written. As with notifications, the database checks no
    foreign keys here: the rows are many and written at once.
    """

    pk = models.CompositePrimaryKey("member_id", "kind", "on", "turn")
    member = models.ForeignKey(
        Membership, models.CASCADE, related_name="digest_runs", db_constraint=False, db_index=False
    )
    kind = models.CharField(max_length=10, choices=DigestKind.choices)
    on = models.DateField()
    turn = models.SmallIntegerField(default=0)
    due_at = models.DateTimeField()
    ran_at = models.DateTimeField()
    outcome = models.CharField(max_length=8, choices=DigestOutcome.choices)
    event = models.ForeignKey(Event, models.SET_NULL, null=True, related_name="+", db_constraint=False, db_index=False)
    overdue = models.IntegerField(default=0)
    today = models.IntegerField(default=0)
    upcoming = models.IntegerField(default=0)
    tasks = ArrayField(models.BigIntegerField(), default=list)

    class Meta:
        verbose_name = _("timed mail")
        verbose_name_plural = _("timed mails")

    def __str__(self) -> str:
        return f"#{self.member_id} {self.kind} on {self.on}: {self.outcome}"
