"""What happened, once, and the thin row of it that each recipient has.

Channel sets are bit masks (see `channels.bits`), so that one SQL statement resolves thousands of recipients.
"""

from typing import ClassVar

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models.functions import Now
from django.db.models.lookups import Exact
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import Account, Membership

BELL = 1  # the bell's bit; it stands in an index, so it is a constant here


class Event(models.Model):
    """Something that happened, once. The payload is stored here only; recipients get thin rows.

    The fan-out keeps its place in `cursor` and what it decided by in `layers`, so that any worker can go on
    where another one died, and so that "why" can be answered later.
    """

    account = models.ForeignKey(Account, models.CASCADE, related_name="events")
    type = models.CharField(max_length=80)  # a key of notifications.types
    actor = models.ForeignKey(Membership, models.SET_NULL, null=True, related_name="+", db_index=False)
    data = models.JSONField(encoder=DjangoJSONEncoder)
    audience = models.JSONField()  # see events.Audience
    tells_actor = models.BooleanField(default=False)
    key = models.CharField(max_length=200, null=True)  # noqa: DJ001 (no key is not an empty key)
    fingerprint = models.CharField(max_length=64, blank=True)  # of what came with the key
    occurred_at = models.DateTimeField(default=timezone.now)
    created_at = models.DateTimeField(db_default=Now())
    layers = models.JSONField(null=True)  # see resolution.Layers; written when the fan-out begins
    cursor = models.BigIntegerField(default=0)  # the last member id that was decided
    recipients = models.IntegerField(default=0)
    outcome = models.JSONField(default=list)  # see outcomes: how many recipients got the same answer
    fanned_out_at = models.DateTimeField(null=True)

    is_replay = False  # set on what `emit` returns for a key that had made this event before

    class Meta:
        verbose_name = _("event")
        verbose_name_plural = _("events")
        constraints: ClassVar = [models.UniqueConstraint(fields=["account", "key"], name="one_event_per_key")]
        indexes: ClassVar = [
            models.Index(fields=["id"], name="event_to_fan_out", condition=models.Q(fanned_out_at=None)),
            models.Index(fields=["account", "-id"], name="event_newest"),
        ]

    def __str__(self) -> str:
        return f"#{self.pk} {self.type}"


class Held(models.IntegerChoices):
    """Why a recipient gets nothing at all, whatever the preferences say."""

    NOT = 0, _("not held back")
    OWN_ACT = 1, _("your own act")
    NOT_FOR = 2, _("this kind of notification is not for your role or permissions")
    INACTIVE = 3, _("the member is deactivated")


class Hushed(models.IntegerChoices):
    """Whether a notification came while its member was left alone (see holding), and whether that is over."""

    NOT = 0, _("not held")
    QUIET = 1, _("quiet hours")
    PAUSED = 2, _("a pause")
    QUIET_OVER = 3, _("quiet hours")
    PAUSED_OVER = 4, _("a pause")


class Notification(models.Model):
    """An event for one recipient: the line under the bell. A thin row; its text is on the event.

    `channels` is what the preferences allowed. The other masks are the evidence: which cells the member's own
    choice answered, which channels the member had switched off, which profiles applied (bits into
    `Event.layers`). No foreign key is enforced by the database here: each one makes the fan-out markedly slower.
    """

    pk = models.CompositePrimaryKey("member_id", "event_id")
    member = models.ForeignKey(
        Membership, models.CASCADE, related_name="notifications", db_constraint=False, db_index=False
    )
    event = models.ForeignKey(Event, models.CASCADE, related_name="notifications", db_constraint=False, db_index=False)
    channels = models.SmallIntegerField()
    waiting = models.SmallIntegerField()  # channels that leave the building and have no Delivery yet
    own = models.SmallIntegerField()
    off = models.SmallIntegerField()
    profiles = models.IntegerField()
    held = models.SmallIntegerField(choices=Held.choices)
    hushed = models.SmallIntegerField(choices=Hushed.choices, default=Hushed.NOT, db_default=0)
    read_at = models.DateTimeField(null=True)
    archived_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("notification")
        verbose_name_plural = _("notifications")
        indexes: ClassVar = [
            models.Index(
                fields=["member", "event"],
                name="notification_unread",
                condition=models.Q(Exact(models.F("channels").bitand(BELL), BELL), read_at=None, archived_at=None),
            ),
            models.Index(fields=["event", "member"], name="notification_waiting", condition=models.Q(waiting__gt=0)),
            models.Index(fields=["member"], name="notification_hushed", condition=models.Q(hushed__in=[1, 2])),
        ]

    def __str__(self) -> str:
        return f"#{self.event_id} for {self.member_id}"
