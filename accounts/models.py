"""People, the accounts they work in, and the keys that programs use."""

import zoneinfo
from typing import ClassVar, Self

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.plans import Plan


def check_zone(value: str) -> None:
    """Refuse what is not an IANA time zone."""
    if value not in zoneinfo.available_timezones():
        raise ValidationError(
            _("“%(zone)s” is not an IANA time zone such as Europe/Stockholm."), params={"zone": value}
        )


class UserManager(BaseUserManager["User"]):
    def create_user(self, email: str, password: str | None = None, **facts: object) -> "User":
        user = self.model(email=self.normalize_email(email).lower(), **facts)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **facts: object) -> "User":
        return self.create_user(email, password, is_superuser=True, **facts)


class User(AbstractBaseUser, PermissionsMixin):
    """A person: signs in once, with an e-mail address, and may be a member of several accounts."""

    email = models.EmailField(_("e-mail address"), unique=True, error_messages={"unique": _("This address is taken.")})
    name = models.CharField(_("name"), max_length=150, blank=True)
    is_active = models.BooleanField(_("may sign in"), default=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []
    objects: ClassVar[UserManager] = UserManager()

    class Meta:
        verbose_name = _("person")
        verbose_name_plural = _("people")
        constraints = [models.UniqueConstraint(Lower("email"), name="one_person_per_address")]
        indexes = [models.Index(fields=["id"], name="person_inactive", condition=models.Q(is_active=False))]

    def __str__(self) -> str:
        return f"#{self.pk} {self.email}"

    @property
    def is_staff(self) -> bool:
        """Whether Django admin opens at all: the operator, and super admins of an account for that account."""
        return self.is_superuser or self.super_admin_of.exists()

    @property
    def super_admin_of(self) -> models.QuerySet["Membership"]:
        return self.memberships.active().filter(role=Role.SUPER_ADMIN)

    def get_full_name(self) -> str:
        return self.name or self.email

    def get_short_name(self) -> str:
        return self.name.split(" ")[0] or self.email


class Account(models.Model):
    """A tenant. Nothing of one account is ever visible, countable or guessable from another."""

    hub_id = models.PositiveBigIntegerField(_("Hub ID"), unique=True)
    name = models.CharField(_("name"), max_length=120)
    domain = models.CharField(_("domain"), max_length=253)
    plan = models.CharField(_("plan"), max_length=20, choices=Plan.choices, default=Plan.FREE)
    time_zone = models.CharField(_("time zone"), max_length=60, default="UTC", validators=[check_zone])
    language = models.CharField(_("language"), max_length=10, default="en")
    brand_colour = models.CharField(
        _("brand colour"),
        max_length=7,
        default="#2f5bd0",
        validators=[RegexValidator(r"^#[0-9a-fA-F]{6}$", _("Write a colour as #rrggbb."))],
    )
    has_data_privacy = models.BooleanField(_("data-privacy settings"), default=False)
    needs_legal_basis = models.BooleanField(_("only send with a legal basis"), default=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("account")
        verbose_name_plural = _("accounts")

    def __str__(self) -> str:
        return f"#{self.pk} {self.name}"


class Team(models.Model):
    """A group of members. Some have it as their primary team, some belong to it besides."""

    account = models.ForeignKey(Account, models.CASCADE, related_name="teams", verbose_name=_("account"))
    name = models.CharField(_("name"), max_length=120)

    class Meta:
        verbose_name = _("team")
        verbose_name_plural = _("teams")
        constraints = [models.UniqueConstraint(fields=["account", "name"], name="one_team_per_name")]

    def __str__(self) -> str:
        return f"#{self.pk} {self.name}"


class Role(models.TextChoices):
    SUPER_ADMIN = "super_admin", _("Super admin")
    MEMBER = "member", _("Member")


class Permission(models.TextChoices):
    ACCOUNT_ACCESS = "account_access", _("Account access")
    EDIT_ACCOUNT_DEFAULTS = "edit_account_defaults", _("Edit account defaults")
    FORMS = "forms", _("Forms")
    MARKETING = "marketing", _("Marketing")
    AVAILABILITY_MANAGEMENT = "availability_management", _("Manage availability")


class Seat(models.TextChoices):
    PAID = "paid", _("Paid")
    FREE = "free", _("Free")


class Availability(models.TextChoices):
    AVAILABLE = "available", _("Available")
    AWAY = "away", _("Away")


class MembershipQuerySet(models.QuerySet["Membership"]):
    def active(self) -> Self:
        return self.filter(is_active=True, user__is_active=True)

    def of(self, account: Account) -> Self:
        return self.filter(account=account)


class Membership(models.Model):
    """A person in an account: what they may do there, and how they work."""

    account = models.ForeignKey(Account, models.CASCADE, related_name="members", verbose_name=_("account"))
    user = models.ForeignKey(User, models.CASCADE, related_name="memberships", verbose_name=_("person"))
    role = models.CharField(_("role"), max_length=20, choices=Role.choices, default=Role.MEMBER)
    permissions = ArrayField(
        models.CharField(max_length=40, choices=Permission.choices),
        default=list,
        blank=True,
        verbose_name=_("permissions"),
    )
    seat = models.CharField(_("seat"), max_length=10, choices=Seat.choices, default=Seat.FREE)
    time_zone = models.CharField(
        _("time zone"),
        max_length=60,
        blank=True,
        validators=[check_zone],
        help_text=_("Empty: the account's."),
    )
    language = models.CharField(_("language"), max_length=10, blank=True, help_text=_("Empty: the account's."))
    working_hours = models.JSONField(_("working hours"), default=dict, blank=True)
    availability = models.CharField(
        _("availability"), max_length=10, choices=Availability.choices, default=Availability.AVAILABLE
    )
    primary_team = models.ForeignKey(
        Team,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="primary_members",
        verbose_name=_("primary team"),
    )
    extra_teams = models.ManyToManyField(Team, blank=True, related_name="extra_members", verbose_name=_("extra teams"))
    is_active = models.BooleanField(_("active"), default=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = MembershipQuerySet.as_manager()

    class Meta:
        verbose_name = _("member")
        verbose_name_plural = _("members")
        constraints = [models.UniqueConstraint(fields=["account", "user"], name="one_membership_per_account")]

    def __str__(self) -> str:
        return f"#{self.pk} {self.name}"

    @property
    def name(self) -> str:
        return self.user.get_full_name()

    @property
    def email(self) -> str:
        return self.user.email

    @property
    def is_super_admin(self) -> bool:
        return self.role == Role.SUPER_ADMIN

    def has(self, permission: str) -> bool:
        """Whether the member holds a permission. Super admins hold all of them."""
        return self.is_super_admin or permission in self.permissions

    @property
    def spoken_language(self) -> str:
        return self.language or self.account.language

    @property
    def zone(self) -> zoneinfo.ZoneInfo:
        return zoneinfo.ZoneInfo(self.time_zone or self.account.time_zone)


class SignIn(models.Model):
    """A person signed in: when, from where, in which browser. Later ones are judged by these (N-112)."""

    class Answer(models.TextChoices):
        NONE = "", _("not answered")
        MINE = "mine", _("it was me")
        NOT_MINE = "not_mine", _("it was not me")

    user = models.ForeignKey(User, models.CASCADE, related_name="sign_ins", db_index=False)
    at = models.DateTimeField(_("when"), default=timezone.now)
    device = models.CharField(max_length=64)  # sha256 of the browser's own mark
    browser = models.CharField(_("browser"), max_length=120)  # “Firefox on Linux”
    network = models.CharField(_("network"), max_length=50)  # the part of the address that a provider keeps
    country = models.CharField(_("country"), max_length=2, blank=True)  # ISO 3166; only where a GeoLite file says it
    place = models.CharField(_("place"), max_length=200)  # for people: “Valparaíso, Chile”
    session = models.CharField(max_length=64)  # sha256 of the session key, to end that session
    risks = ArrayField(models.CharField(max_length=20), default=list)  # sign_ins.Risk
    answer = models.CharField(_("answer"), max_length=10, choices=Answer.choices, blank=True)
    answered_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("sign-in")
        verbose_name_plural = _("sign-ins")
        indexes = [models.Index(fields=["user", "-at"], name="sign_in_newest")]

    def __str__(self) -> str:
        return f"#{self.pk} {self.browser}"


class ApiKeyQuerySet(models.QuerySet["ApiKey"]):
    def live(self) -> Self:
        return self.filter(revoked_at=None)


class ApiKey(models.Model):
    """What a program shows to act for an account. Only its hash is kept; the key itself is shown once."""

    account = models.ForeignKey(Account, models.CASCADE, related_name="api_keys", verbose_name=_("account"))
    name = models.CharField(_("name"), max_length=120)
    prefix = models.CharField(_("begins with"), max_length=16, editable=False)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    scopes = ArrayField(models.CharField(max_length=60), default=list, verbose_name=_("scopes"))
    created_by = models.ForeignKey(
        Membership, models.SET_NULL, null=True, editable=False, related_name="+", verbose_name=_("made by")
    )
    created_at = models.DateTimeField(_("made"), default=timezone.now, editable=False)
    last_used_at = models.DateTimeField(_("last used"), null=True, editable=False)
    revoked_at = models.DateTimeField(_("revoked"), null=True, editable=False)

    objects = ApiKeyQuerySet.as_manager()

    class Meta:
        verbose_name = _("API key")
        verbose_name_plural = _("API keys")

    def __str__(self) -> str:
        return f"#{self.pk} {self.name} ({self.prefix}…)"
