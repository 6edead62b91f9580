"""Following what happens to records: what is to be posted is written with the rest that follows, once."""

from collections.abc import Sequence
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet

from accounts.models import Account
from crm.models import Happening, Record, RecordList, Webhook, WebhookPost, What
from crm.webhooks import payload


def listens(account_id: int, kind: str) -> QuerySet[Any]:
    """The endpoints that want to hear of this kind."""
    return Webhook.objects.hearing_of(account_id, kind)


def listens_to_list(account_id: int, list_id: int) -> QuerySet[Any]:
    """The endpoints that want to hear who joins this list: it may fill with millions at once."""
    kind = RecordList.objects.filter(pk=list_id, account=account_id).values_list("kind", flat=True).first()
    wants = Q(whats=[]) | Q(whats__contains=[What.JOINED])
    return Webhook.objects.hearing_of(account_id, kind or "").filter(wants)


def heard(account: Account, batch: Sequence[Happening]) -> None:
    """Write a post for each happening and endpoint, oldest first. Three queries, however many."""
    webhooks = list(Webhook.objects.filter(account=account, is_on=True).order_by("pk"))
    wanted = [(one, webhook) for one in batch for webhook in webhooks if _wants(webhook, one)]
    if not wanted:
        return
    records = Record.objects.in_bulk({one.record_id for one, _webhook in wanted})
    for record in records.values():
        record.account = account
    wanted = [(one, webhook) for one, webhook in wanted if one.record_id in records]  # else erased a moment ago
    bodies = {one.pk: payload.of(one, records[one.record_id], account) for one, _webhook in wanted}
    WebhookPost.objects.bulk_create(
        WebhookPost(
            webhook=webhook,
            record_id=one.record_id,
            kind=one.kind,
            what=one.what,
            title=records[one.record_id].title,
            body=bodies[one.pk],
        )
        for one, webhook in wanted
    )
    transaction.on_commit(_wake, robust=True)


def _wants(webhook: Webhook, one: Happening) -> bool:
    is_kind = not webhook.kinds or one.kind in webhook.kinds
    return is_kind and (not webhook.whats or one.what in webhook.whats)


def _wake() -> None:
    from crm.tasks import post_webhooks  # domain modules know no Celery
    from notifications.tasks import wake

    wake(post_webhooks)
