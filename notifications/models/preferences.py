"""Who wants what where: what members chose, and the layers below."""

from typing import ClassVar

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import Account, Membership, Role, Team


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
