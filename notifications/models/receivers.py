"""What notifications reach besides the page: browsers, phones, and other apps with what became of each post."""

from datetime import timedelta
from hashlib import sha256
from typing import ClassVar

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import Account, Membership, User
from notifications.models.events import Event


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
