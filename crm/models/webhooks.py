"""Endpoints outside that hear what happens to records, what is to be posted there, and how each attempt went."""

from typing import ClassVar, Self

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import Account, Membership
from crm.models.happenings import What


class WebhookQuerySet(models.QuerySet["Webhook"]):
    def hearing_of(self, account_id: int, kind: str) -> Self:
        """Those that want to hear what happens to records of a kind."""
        wanted = Q(kinds=[]) | Q(kinds__contains=[kind])
        return self.filter(wanted, account=account_id, is_on=True)


class Webhook(models.Model):
    """An endpoint of an account. No kinds: all of them; no happenings: everything.

    Before `again_at` nothing is posted: somebody is at it, or it rests because nothing gets through (`failing_since`).
    Who turned it off: a super admin, or nobody did and `off_because` says why it stopped by itself.
    """

    account = models.ForeignKey(Account, models.CASCADE, related_name="webhooks", db_index=False)
    url = models.CharField(max_length=2000)
    kinds = ArrayField(models.CharField(max_length=60), default=list)
    whats = ArrayField(models.CharField(max_length=10, choices=What.choices), default=list)
    secret = models.TextField()  # sealed: see crm.webhooks.registering
    is_on = models.BooleanField(default=True)
    off_because = models.CharField(max_length=300, blank=True)
    off_at = models.DateTimeField(null=True, editable=False)
    failing_since = models.DateTimeField(null=True, editable=False)
    failures = models.PositiveIntegerField(default=0, editable=False)  # in a row, counted by the turn
    again_at = models.DateTimeField(null=True, editable=False)
    touched_at = models.DateTimeField(default=timezone.now, editable=False)  # whose turn it is: the longest untouched
    last_success_at = models.DateTimeField(null=True, editable=False)
    tested_at = models.DateTimeField(null=True, editable=False)
    created_by = models.ForeignKey(Membership, models.SET_NULL, null=True, related_name="+", db_index=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = WebhookQuerySet.as_manager()

    class Meta:
        verbose_name = _("webhook for records")
        verbose_name_plural = _("webhooks for records")
        indexes: ClassVar = [models.Index(fields=["account", "id"], name="webhook_of_account")]

    def __str__(self) -> str:
        return f"#{self.pk} {self.url}"


class PostState(models.TextChoices):
    DUE = "due", _("on its way")
    TAKEN = "taken", _("taken")
    FAILED = "failed", _("failed")


class WebhookPost(models.Model):
    """One happening for one endpoint. Its id is in every attempt's `webhook-id`; `body` is what is posted.

    The record's id alone: it may be erased meanwhile.
    """

    webhook = models.ForeignKey(Webhook, models.CASCADE, related_name="posts", db_index=False)
    record_id = models.BigIntegerField()
    kind = models.CharField(max_length=60)
    what = models.CharField(max_length=10, choices=What.choices)
    title = models.CharField(max_length=300)
    body = models.TextField()
    state = models.CharField(max_length=6, choices=PostState.choices, default=PostState.DUE)
    attempts = models.PositiveSmallIntegerField(default=0)
    due_at = models.DateTimeField(default=timezone.now)
    claimed_until = models.DateTimeField(null=True)  # somebody is at it; after that they are dead
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("post of a webhook")
        verbose_name_plural = _("posts of webhooks")
        indexes: ClassVar = [
            models.Index(fields=["webhook", "due_at", "id"], condition=Q(state="due"), name="webhook_post_due"),
            models.Index(fields=["webhook", "-id"], name="webhook_post_newest"),
            models.Index(fields=["created_at"], name="webhook_post_old"),
        ]

    def __str__(self) -> str:
        return f"#{self.pk} {self.kind} {self.record_id} {self.what}: {self.state}"


class WebhookTry(models.Model):
    """One attempt and its answer, kept for some weeks. Without a post it was a test."""

    webhook = models.ForeignKey(Webhook, models.CASCADE, related_name="tries", db_index=False)
    post = models.ForeignKey(WebhookPost, models.CASCADE, null=True, related_name="tries")
    number = models.PositiveSmallIntegerField()
    is_taken = models.BooleanField()
    status = models.PositiveSmallIntegerField(null=True)  # None: no answer
    words = models.CharField(max_length=300, blank=True)
    milliseconds = models.PositiveIntegerField(null=True)
    at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("attempt of a webhook for records")
        verbose_name_plural = _("attempts of webhooks for records")
        indexes: ClassVar = [
            models.Index(fields=["webhook", "-id"], name="webhook_try_newest"),
            models.Index(fields=["at"], name="webhook_try_old"),
        ]

    def __str__(self) -> str:
        return f"#{self.pk} attempt {self.number}: {self.status}"
