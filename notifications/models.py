"""What happened, who has it, how it travelled, and who wants what where.

Channel sets are bit masks (see `channels.bits`), so that one SQL statement resolves thousands of recipients.
"""

from datetime import timedelta
from hashlib import sha256
from typing import ClassVar

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models.functions import Now
from django.db.models.lookups import Exact
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import Account, Membership, Role, Team, User

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


class Cells(models.Model):
    """What one layer says of one type: the channels it answers for, and which of those are on."""

    type = models.CharField(max_length=80)  # a key of notifications.types
    chosen = models.SmallIntegerField(default=0)
    on = models.SmallIntegerField(default=0)

    class Meta:
        abstract = True


class Preference(Cells):
    """What a member chose for one type. No row, or a bit not chosen: the layer below decides."""

    member = models.ForeignKey(Membership, models.CASCADE, related_name="preferences", db_index=False)

    class Meta:
        verbose_name = _("preference")
        verbose_name_plural = _("preferences")
        constraints: ClassVar = [models.UniqueConstraint(fields=["member", "type"], name="one_preference_per_type")]

    def __str__(self) -> str:
        return f"#{self.pk} {self.type}"


class How(models.TextChoices):
    """Where a member turned something off or on."""

    SETTINGS = "settings", _("on the settings page")
    MENU = "menu", _("“Don’t show me these anymore”")
    MAIL = "mail", _("the link in a mail")
    CLEAR = "clear", _("“Clear all preferences”")
    UNDO = "undo", _("taken back")
    API = "api", _("through the API")


class ChoiceRecord(models.Model):
    """What a member's own act turned off and on, at one moment, of one type. Rows are only added.

    Only what became different for the member is on record. An empty type: a channel's master switch.
    """

    account = models.ForeignKey(Account, models.CASCADE, related_name="+", db_index=False)
    member = models.ForeignKey(Membership, models.CASCADE, related_name="choice_records", db_constraint=False)
    type = models.CharField(max_length=80, blank=True)  # a key of notifications.types
    turned_off = models.IntegerField(default=0)  # bits of notifications.channels
    turned_on = models.IntegerField(default=0)
    how = models.CharField(max_length=10, choices=How.choices)
    made_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name = _("choice")
        verbose_name_plural = _("charts")  # the page that draws them
        indexes: ClassVar = [models.Index(fields=["account", "made_at"], name="choice_by_time")]

    def __str__(self) -> str:
        return f"#{self.pk} {self.type}"


class AccountDefault(Cells):
    """What an account's super admins set for everybody who has not chosen (N-003, N-004)."""

    account = models.ForeignKey(Account, models.CASCADE, related_name="notification_defaults", db_index=False)

    class Meta:
        verbose_name = _("account default")
        verbose_name_plural = _("account defaults")
        constraints: ClassVar = [models.UniqueConstraint(fields=["account", "type"], name="one_default_per_type")]

    def __str__(self) -> str:
        return f"#{self.pk} {self.type}"


class Profile(models.Model):
    """Defaults for one role or one team. Where several apply to a member, the lowest position answers first."""

    account = models.ForeignKey(Account, models.CASCADE, related_name="profiles", verbose_name=_("account"))
    name = models.CharField(_("name"), max_length=120)
    role = models.CharField(_("role"), max_length=20, choices=Role.choices, blank=True)
    team = models.ForeignKey(Team, models.CASCADE, null=True, blank=True, verbose_name=_("team"))
    position = models.PositiveSmallIntegerField(_("position"), default=0)

    class Meta:
        verbose_name = _("profile")
        verbose_name_plural = _("profiles")
        ordering: ClassVar = ["position", "id"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["account", "name"], name="one_profile_per_name"),
            models.CheckConstraint(
                condition=models.Q(role="", team__isnull=False) | (~models.Q(role="") & models.Q(team=None)),
                name="profile_is_for_a_role_or_a_team",
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.pk} {self.name}"


class ProfileCells(Cells):
    """What a profile says of one type."""

    profile = models.ForeignKey(Profile, models.CASCADE, related_name="cells", db_index=False)

    class Meta:
        verbose_name = _("profile cells")
        verbose_name_plural = _("profile cells")
        constraints: ClassVar = [models.UniqueConstraint(fields=["profile", "type"], name="one_profile_row_per_type")]

    def __str__(self) -> str:
        return f"#{self.pk} {self.type}"


class Lock(models.Model):
    """One cell that a super admin fixed for the whole account, with the reason members read."""

    account = models.ForeignKey(Account, models.CASCADE, related_name="locks", verbose_name=_("account"))
    type = models.CharField(_("notification"), max_length=80)
    channel = models.CharField(_("channel"), max_length=20)
    is_on = models.BooleanField(_("on"), default=True)
    reason = models.CharField(_("reason"), max_length=300)
    ends_at = models.DateTimeField(_("ends"), null=True, blank=True)
    locked_by = models.ForeignKey(Membership, models.SET_NULL, null=True, related_name="+")

    class Meta:
        verbose_name = _("lock")
        verbose_name_plural = _("locks")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["account", "type", "channel"], name="one_lock_per_cell")
        ]

    def __str__(self) -> str:
        return f"#{self.pk} {self.type} {self.channel}"


class MemberSettings(models.Model):
    """What a member set for all types at once. No row: nothing is switched off."""

    member = models.OneToOneField(Membership, models.CASCADE, primary_key=True, related_name="notification_settings")
    switched_off = models.SmallIntegerField(default=0, db_default=0)  # channels off for everything that may be off
    has_tab_dot = models.BooleanField(default=True, db_default=True)  # N-021
    hears_own_acts = models.BooleanField(default=False, db_default=False)
    plays_sound = models.BooleanField(default=True, db_default=True)  # N-024
    sound = models.CharField(max_length=20, default="", db_default="")  # a key of sounds; none chosen: the built-in one
    pushes_when_closed = models.BooleanField(default=False, db_default=False)  # D4: also with no tab open

    class Meta:
        verbose_name = _("member settings")
        verbose_name_plural = _("member settings")

    def __str__(self) -> str:
        return f"#{self.pk}"


class SoundChoice(models.Model):
    """The sound a member chose for the pop-ups of one type (N-025). No row: their default sound."""

    member = models.ForeignKey(Membership, models.CASCADE, related_name="sound_choices", db_index=False)
    type = models.CharField(max_length=80)  # a key of notifications.types
    sound = models.CharField(max_length=20)  # a key of sounds, or none

    class Meta:
        verbose_name = _("sound")
        verbose_name_plural = _("sounds")
        constraints: ClassVar = [models.UniqueConstraint(fields=["member", "type"], name="one_sound_per_type")]

    def __str__(self) -> str:
        return f"#{self.pk} {self.type}"


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


def digest_of(endpoint: str) -> str:
    return sha256(endpoint.encode()).hexdigest()


class BrowserSubscription(models.Model):
    """A browser in which a person allowed notifications (N-029): where its pushes go and what they are sealed with.

    It belongs to the person, because a browser has one subscription for all accounts; a person has several.
    """

    SILENT = timedelta(days=7)

    user = models.ForeignKey(User, models.CASCADE, related_name="browser_subscriptions")
    endpoint = models.CharField(max_length=2000, unique=True)  # whoever knows it could ask for pushes: never shown
    p256dh = models.CharField(max_length=130)
    auth = models.CharField(max_length=40)
    browser = models.CharField(_("browser"), max_length=120, blank=True)  # “Firefox on Linux”
    is_phone = models.BooleanField(default=False, db_default=False)  # the installed application: the mobile channel
    session = models.CharField(max_length=32, blank=True, db_index=True)  # live.session_digest of the sign-in there
    created_at = models.DateTimeField(_("allowed"), default=timezone.now)
    seen_at = models.DateTimeField(_("last seen"), default=timezone.now)
    last_success_at = models.DateTimeField(_("last success"), null=True)
    last_error = models.CharField(_("what went wrong"), max_length=300, blank=True)
    last_error_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("browser")
        verbose_name_plural = _("browsers")

    def __str__(self) -> str:
        return f"#{self.pk} {self.browser}"

    @property
    def digest(self) -> str:
        """By this the page finds its own browser in the list, without the address being shown."""
        return digest_of(self.endpoint)

    @property
    def is_silent(self) -> bool:
        """Whether nothing has got through for a week."""
        return (self.last_success_at or self.created_at) < timezone.now() - self.SILENT


class ForgottenBrowser(models.Model):
    """A browser that a person forgot: what its pages say by themselves does not bring it back, only a click there does.

    One whose row was lost without anybody's wish is not in here, and comes back by itself.
    """

    user = models.ForeignKey(User, models.CASCADE, related_name="+")
    digest = models.CharField(max_length=64)  # sha256 of the endpoint, of which nothing else is kept
    forgotten_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name = _("forgotten browser")
        verbose_name_plural = _("forgotten browsers")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["user", "digest"], name="forgotten_once"),
        ]

    def __str__(self) -> str:
        return f"#{self.pk} {self.digest[:8]}"


class Platform(models.TextChoices):
    FCM = "fcm", _("Firebase Cloud Messaging")
    APNS = "apns", _("Apple Push Notification service")


class Device(models.Model):
    """A phone on which a native application registered itself (N-037). It belongs to the person, as a browser does.

    One that a program of an account registered hears of that account alone.
    """

    user = models.ForeignKey(User, models.CASCADE, related_name="devices")
    account = models.ForeignKey(Account, models.CASCADE, null=True, related_name="+")  # whose program registered it
    platform = models.CharField(_("platform"), max_length=10, choices=Platform.choices)
    token_digest = models.CharField(max_length=64)  # sha256 of the token: by this it is found
    token = models.TextField()  # sealed: whoever knows it could ask for pushes
    name = models.CharField(_("name"), max_length=120, blank=True)  # “Ann’s iPhone”
    app = models.CharField(_("application"), max_length=200, blank=True)  # its bundle or package id
    created_at = models.DateTimeField(_("registered"), default=timezone.now)
    seen_at = models.DateTimeField(_("last seen"), default=timezone.now)
    last_success_at = models.DateTimeField(_("last success"), null=True)
    last_error = models.CharField(_("what went wrong"), max_length=300, blank=True)
    last_error_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("phone")
        verbose_name_plural = _("phones")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["platform", "token_digest"], name="one_device_per_token"),
        ]

    def __str__(self) -> str:
        return f"#{self.pk} {self.platform} {self.name}"


class Connection(models.Model):
    """Another app that a member connected (N-039): where on it they are reached, and what opens it to us.

    One per member and app. A broken one says what to do and carries nothing until it is connected again.
    """

    account = models.ForeignKey(Account, models.CASCADE, related_name="+", db_index=False)  # the member's: see reaching
    member = models.ForeignKey(Membership, models.CASCADE, related_name="connections", db_index=False)
    channel = models.CharField(_("app"), max_length=20)  # a key of notifications.channels
    label = models.CharField(_("where"), max_length=200)  # “Ann in Acme’s Slack”; no secret in it
    secret = models.TextField()  # sealed JSON: tokens, addresses; what is in it is the channel's own
    created_at = models.DateTimeField(_("connected"), default=timezone.now)
    broken_at = models.DateTimeField(_("broken since"), null=True)
    last_success_at = models.DateTimeField(_("last success"), null=True)
    last_error = models.CharField(_("what went wrong"), max_length=300, blank=True)
    last_error_at = models.DateTimeField(null=True)
    tested_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("connection")
        verbose_name_plural = _("connections")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["member", "channel"], name="one_connection_per_app"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["account", "member"], name="connection_working", condition=models.Q(broken_at=None)),
        ]

    def __str__(self) -> str:
        return f"#{self.pk} {self.channel}"


class WebhookAttempt(models.Model):
    """One attempt to post to a member's webhook, as the delivery log shows it. Removed after some weeks."""

    connection = models.ForeignKey(
        Connection, models.CASCADE, related_name="attempts", db_constraint=False, db_index=False
    )
    event = models.ForeignKey(  # none: a test
        Event, models.CASCADE, null=True, related_name="+", db_constraint=False, db_index=False
    )
    type = models.CharField(max_length=80)  # a key of notifications.types, or that of the test
    number = models.SmallIntegerField(_("attempt"))
    is_taken = models.BooleanField()
    status = models.SmallIntegerField(null=True)  # none: there was no answer
    words = models.CharField(_("answer"), max_length=300, blank=True)
    milliseconds = models.IntegerField(null=True)
    made_at = models.DateTimeField(_("when"), default=timezone.now)

    class Meta:
        verbose_name = _("webhook attempt")
        verbose_name_plural = _("webhook attempts")
        indexes: ClassVar = [
            models.Index(fields=["connection", "-id"], name="attempt_newest"),
            models.Index(fields=["made_at"], name="attempt_oldest"),
        ]

    def __str__(self) -> str:
        return f"#{self.pk} {self.type}"


class PreferenceChange(models.Model):
    """A change a super admin made to a layer: what stood before and after, whom it touched, and its undoing."""

    account = models.ForeignKey(Account, models.CASCADE, related_name="preference_changes")
    layer = models.CharField(_("layer"), max_length=20)  # default, profile, lock
    profile = models.ForeignKey(Profile, models.SET_NULL, null=True, blank=True)
    summary = models.CharField(_("what"), max_length=300)
    before = models.JSONField()
    after = models.JSONField()
    members_affected = models.IntegerField(_("members"), default=0)
    cells_affected = models.IntegerField(_("cells"), default=0)
    made_by = models.ForeignKey(Membership, models.SET_NULL, null=True, related_name="+", verbose_name=_("by"))
    made_at = models.DateTimeField(_("when"), default=timezone.now)
    undoes = models.OneToOneField("self", models.SET_NULL, null=True, blank=True, related_name="undone_by")
    preset = models.CharField(max_length=40, blank=True, default="")  # a key of presets: what the draft began from

    class Meta:
        verbose_name = _("preference change")
        verbose_name_plural = _("preference changes")

    def __str__(self) -> str:
        return f"#{self.pk} {self.summary}"


class SandboxMail(models.Model):
    """A mail as it would have gone out, kept because no mail server is set up."""

    sent_to = models.CharField(max_length=1000)
    subject = models.CharField(max_length=1000)
    raw = models.BinaryField()
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name = _("sandbox mail")
        verbose_name_plural = _("sandbox mails")

    def __str__(self) -> str:
        return f"#{self.pk} {self.subject}"


class Canary(models.Model):
    """When somebody was last seen at work: see `notifications.canary`."""

    name = models.CharField(max_length=40, primary_key=True)
    seen_at = models.DateTimeField()

    class Meta:
        verbose_name = _("canary")
        verbose_name_plural = _("canaries")

    def __str__(self) -> str:
        return f"#{self.pk} {self.seen_at}"
