"""The log of an endpoint: each attempt for some weeks, a test, and sending again what failed."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.errors import DomainError
from accounts.members import require_super_admin
from accounts.models import Membership
from crm.models import PostState, Webhook, WebhookPost, WebhookTry
from crm.webhooks import carrying, payload, registering
from notifications import standard_webhooks
from notifications.posting import Verdict, poster

TEST_EVERY = timedelta(seconds=10)
SHOWN = 50


class TriedJustNow(DomainError):
    code = "tried_just_now"
    status = 429


class NotDelivered(DomainError):
    """A test did not get through; the words say why."""

    code = "test_not_delivered"


class NothingToSend(DomainError):
    code = "nothing_to_send"


@dataclass(frozen=True)
class Line:
    """One attempt as the page shows it."""

    attempt: WebhookTry
    may_go_again: bool  # its post has failed for good, and this was the last attempt


@dataclass(frozen=True)
class Log:
    """`next`: where the older ones begin; None: there are none."""

    lines: Sequence[Line]
    next: int | None


def log_of(webhook: Webhook, *, before: int | None = None) -> Log:
    """The newest attempts, or those before one. One query."""
    rows = WebhookTry.objects.filter(webhook=webhook).select_related("post").order_by("-pk")
    found = list((rows.filter(pk__lt=before) if before else rows)[: SHOWN + 1])
    lines = [Line(one, _may_go_again(one)) for one in found[:SHOWN]]
    return Log(lines, found[SHOWN - 1].pk if len(found) > SHOWN else None)


def waiting(webhook: Webhook) -> int:
    """How many posts are on their way."""
    return WebhookPost.objects.filter(webhook=webhook, state=PostState.DUE).count()


def failed(webhook: Webhook) -> int:
    """How many posts failed for good, also those that waited when it was turned off."""
    return WebhookPost.objects.filter(webhook=webhook, state=PostState.FAILED).count()


def send_again(webhook: Webhook, post_id: int, *, by: Membership | None) -> WebhookPost:
    """Send what failed once more, with a fresh count of attempts and the same `webhook-id`."""
    _send(webhook, WebhookPost.objects.filter(pk=post_id), by=by)
    return WebhookPost.objects.get(pk=post_id)


def send_all_again(webhook: Webhook, *, by: Membership | None) -> int:
    """The same for everything that failed. Returns how many there are."""
    return _send(webhook, WebhookPost.objects.all(), by=by)


@transaction.atomic
def _send(webhook: Webhook, rows: QuerySet[WebhookPost], *, by: Membership | None) -> int:
    require_super_admin(webhook.account, by)
    webhook = Webhook.objects.select_for_update(no_key=True).get(pk=webhook.pk)
    if not webhook.is_on:
        raise NothingToSend(_("Turn the webhook on first."))
    mine = rows.filter(webhook=webhook, state=PostState.FAILED)
    number = mine.update(state=PostState.DUE, attempts=0, due_at=timezone.now(), claimed_until=None)
    if not number:
        raise NothingToSend(_("This message has not failed, or is not in the list any more."))
    transaction.on_commit(_wake, robust=True)
    return number


def send_test(webhook: Webhook, *, by: Membership | None) -> WebhookTry:
    """Send a test and wait for the answer. Refuses in words when it does not get through. One in ten seconds.

    One that gets through ends the rest that an endpoint takes while it fails.
    """
    require_super_admin(webhook.account, by)
    now = timezone.now()
    is_first = Q(tested_at=None) | Q(tested_at__lte=now - TEST_EVERY)
    if not Webhook.objects.filter(is_first, pk=webhook.pk).update(tested_at=now):
        raise TriedJustNow(_("A test was sent just now. Wait ten seconds."))
    secret, body = registering.opened(webhook), payload.of_test(webhook.account, now)
    id_ = f"rec_test_{secrets.token_hex(8)}"
    answer = poster().ask(carrying.post(webhook, secret, id_, body, None))
    carrying.write([answer])
    if answer.verdict is not Verdict.TAKEN:
        raise NotDelivered(_("The test did not get through: %(why)s.") % {"why": answer.words.rstrip(".")})
    Webhook.objects.filter(pk=webhook.pk).update(
        last_success_at=timezone.now(), failing_since=None, failures=0, again_at=None
    )
    return WebhookTry.objects.filter(webhook=webhook, post=None).latest("pk")


def forget_old() -> None:
    """Remove what is too old to be shown."""
    oldest = timezone.now() - timedelta(days=settings.WEBHOOK_LOG_DAYS)
    WebhookTry.objects.filter(at__lt=oldest).delete()
    WebhookPost.objects.filter(created_at__lt=oldest).exclude(state=PostState.DUE).delete()


def where(webhook: Webhook) -> str:
    """Where it leads, without what may be secret in its address."""
    return standard_webhooks.where(webhook.url)


def _may_go_again(one: WebhookTry) -> bool:
    return one.post is not None and one.post.state == PostState.FAILED and one.number == one.post.attempts


def _wake() -> None:
    from crm.tasks import post_webhooks  # domain modules know no Celery
    from notifications.tasks import wake

    wake(post_webhooks)
