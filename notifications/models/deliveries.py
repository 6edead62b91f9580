"""How notifications travel over the channels that leave the building."""

from typing import ClassVar

from django.db import models
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import Account, Membership
from notifications.models.events import Event


class DeliveryStatus(models.TextChoices):
    DUE = "due", _("waiting")
    CLAIMED = "claimed", _("taken up")
    SENDING = "sending", _("being handed over")
    SENT = "sent", _("sent")
    FAILED = "failed", _("failed")
    DROPPED = "dropped", _("not sent any more")  # nobody wanted it when it was about to leave; `error` says why
    CAPPED = "capped", _("held back")  # the address had all it gets of this type that day; see caps
    HELD = "held", _("held for later")  # quiet hours or a pause, until `due_at`; `error` says which
    SUMMED = "summed", _("told in a summary")  # it was held, and one summary told it afterwards
    MERGED = "merged", _("told in another one’s e-mail")  # see merging; the mail is that of the first of its `merge`


class Merge(models.Model):
    """One mail for several notifications of a type that come in one thread within seconds (N-064, see merging).

    Open while others may join it: until it is full, its time is over, or the mail is about to leave.
    """

    member = models.ForeignKey(Membership, models.CASCADE, related_name="+", db_constraint=False, db_index=False)
    channel = models.CharField(max_length=20)  # a key of notifications.channels
    type = models.CharField(max_length=80)  # a key of notifications.types
    thread = models.CharField(max_length=64)  # a hash, see merging.thread_of
    count = models.SmallIntegerField(default=1)
    is_open = models.BooleanField(default=True)
    until = models.DateTimeField()  # what happened later opens the next one

    class Meta:
        verbose_name = _("merge")
        verbose_name_plural = _("merges")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["member", "thread", "type", "channel"],
                name="one_open_merge",
                condition=models.Q(is_open=True),
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.pk} {self.type} for {self.member_id}"


class Delivery(models.Model):
    """One notification on its way over one channel that leaves the building.

    A worker claims it until `claimed_until`; if it dies, the sweeper gives it back. One that was being handed
    over may have arrived already: it goes again and `is_repeat_possible` says so.
    """

    member = models.ForeignKey(Membership, models.CASCADE, related_name="deliveries", db_constraint=False)
    event = models.ForeignKey(Event, models.CASCADE, related_name="deliveries", db_constraint=False, db_index=False)
    channel = models.CharField(_("channel"), max_length=20)  # a key of notifications.channels
    status = models.CharField(_("status"), max_length=10, choices=DeliveryStatus.choices, default=DeliveryStatus.DUE)
    attempts = models.SmallIntegerField(_("attempts"), default=0, db_default=0)
    due_at = models.DateTimeField(_("due"), db_default=Now())
    claimed_until = models.DateTimeField(null=True)
    claim = models.CharField(max_length=32, default="", db_default="")  # whose claim it is
    is_repeat_possible = models.BooleanField(_("may have gone twice"), default=False, db_default=False)
    sent_to = models.CharField(_("sent to"), max_length=320, default="", db_default="")
    error = models.TextField(_("what went wrong"), default="", db_default="")
    place = models.ForeignKey(  # where it was counted; nothing enforces it, because old counts are removed
        "DailyCount", models.DO_NOTHING, null=True, related_name="+", db_constraint=False, db_index=False
    )
    merge = models.ForeignKey(  # nothing enforces it, so that the other deliveries cost no more
        Merge, models.DO_NOTHING, null=True, related_name="deliveries", db_constraint=False, db_index=False
    )
    created_at = models.DateTimeField(_("made"), db_default=Now())
    released_at = models.DateTimeField(null=True)  # it was held until then
    sent_at = models.DateTimeField(_("sent"), null=True)

    class Meta:
        verbose_name = _("delivery")
        verbose_name_plural = _("deliveries")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["event", "member", "channel"], name="one_delivery_per_channel"),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["channel", "due_at"],
                name="delivery_due",
                condition=models.Q(status=DeliveryStatus.DUE),
            ),
            models.Index(
                fields=["claimed_until"],
                name="delivery_claimed",
                condition=models.Q(status__in=[DeliveryStatus.CLAIMED, DeliveryStatus.SENDING]),
            ),
            models.Index(
                fields=["channel", "created_at", "id"],
                name="delivery_failed",
                condition=models.Q(status=DeliveryStatus.FAILED),
            ),
            models.Index(fields=["member"], name="delivery_held", condition=models.Q(status=DeliveryStatus.HELD)),
            models.Index(fields=["due_at"], name="delivery_held_until", condition=models.Q(status=DeliveryStatus.HELD)),
            models.Index(fields=["merge"], name="delivery_merge", condition=models.Q(merge__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"#{self.pk} {self.channel} for {self.member_id}"


class Redrive(models.Model):
    """What failed on one channel in a range of time, sent again: who asked for it, and how far it has come.

    It is worked off in bites, in the order of (created_at, id) of the deliveries, so it goes on where it was cut off
    and passes each delivery once.
    """

    account = models.ForeignKey(Account, models.CASCADE, related_name="redrives", verbose_name=_("account"))
    channel = models.CharField(_("channel"), max_length=20)  # a key of notifications.channels
    type = models.CharField(_("notification"), max_length=80, blank=True)  # a key of notifications.types; empty: all
    begins_at = models.DateTimeField(_("from"))
    ends_at = models.DateTimeField(_("to"))
    may_repeat = models.BooleanField(_("also what may have arrived"), default=False, db_default=False)
    failed = models.IntegerField(_("failed ones"))  # when it was asked for
    sent_again = models.IntegerField(_("sent again"), default=0)  # so far
    cursor_at = models.DateTimeField()
    cursor_id = models.BigIntegerField(default=0)
    made_by = models.ForeignKey(Membership, models.SET_NULL, null=True, related_name="+", verbose_name=_("by"))
    made_at = models.DateTimeField(_("when"), default=timezone.now)
    finished_at = models.DateTimeField(_("finished"), null=True)

    class Meta:
        verbose_name = _("re-drive")
        verbose_name_plural = _("delivery board")  # the page that lists them
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["account", "channel"], name="one_redrive_at_a_time", condition=models.Q(finished_at=None)
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.pk} {self.channel}"


class DailyCount(models.Model):
    """How many of one type one address was to get over one channel on one of the account's days (see caps)."""

    account = models.ForeignKey(Account, models.CASCADE, related_name="+", db_constraint=False, db_index=False)
    channel = models.CharField(max_length=20)  # a key of notifications.channels
    type = models.CharField(max_length=80)  # a key of notifications.types
    address = models.CharField(max_length=320)  # in lower case
    day = models.DateField()  # in the account's time zone
    asked = models.IntegerField()  # deliveries that wanted to leave
    capped = models.IntegerField()  # of these, the ones that were held back
    told_by = models.ForeignKey(  # the delivery that names what was held back, on a later day
        Delivery, models.DO_NOTHING, null=True, related_name="+", db_constraint=False, db_index=False
    )

    class Meta:
        verbose_name = _("daily count")
        verbose_name_plural = _("daily counts")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["day", "account", "channel", "type", "address"], name="one_count_per_day"),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["account", "channel", "type", "address"],
                name="count_capped",
                condition=models.Q(capped__gt=0),
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.pk} {self.type} {self.day}"

    @property
    def left(self) -> int:
        """How many were let through."""
        return self.asked - self.capped
