"""Carrying what leaves the building: found from the notifications' masks, claimed, handed over, recorded.

Nothing is lost when a worker dies: what it had claimed falls back when the claim ends. What it was just handing
over may have arrived; it goes again and is marked, because a mail twice is better than none.
"""

import logging
import secrets
import time
from collections.abc import Iterable, Sequence
from datetime import timedelta

from django.db import connection, transaction
from django.db.models import F, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.errors import DomainError
from notifications import rendering
from notifications.channels.base import Carrier, Outcome, Parcel, Sent, TryLater, Unreachable
from notifications.models import Delivery, DeliveryStatus, Notification

BATCH = 500
AT_ONCE = 100  # so many are marked as being handed over together, and may at worst go twice
RECORD_EVERY = 0.25  # seconds
CLAIM = 300  # seconds
BACK_OFF = [30, 120, 600, 3600, 6 * 3600]  # seconds before the second, third … attempt; then it has failed

log = logging.getLogger(__name__)


class NotRetryable(DomainError):
    code = "delivery_not_retryable"


def run_due(carrier: Carrier, *, limit: int = BATCH) -> int:
    """Carry all that is due on one channel. Returns how many were sent.

    Rows are claimed with SKIP LOCKED, so several of these share the work and never the same row.
    """
    sent = 0
    while True:
        write_deliveries(carrier, limit=limit)
        claim = secrets.token_hex(16)
        ids = claim_due(carrier, limit=limit, claim=claim)
        if not ids:
            return sent
        sent += _carry(carrier, _parcels(ids), claim=claim)


def write_deliveries(carrier: Carrier, *, limit: int) -> int:
    """Give a Delivery row to notifications that wait for this channel, and take them off the waiting list."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH picked AS (
                SELECT member_id, event_id FROM notifications_notification
                WHERE waiting > 0 AND waiting & %(bit)s > 0
                ORDER BY event_id, member_id LIMIT %(limit)s FOR UPDATE SKIP LOCKED
            ), taken AS (
                UPDATE notifications_notification n SET waiting = n.waiting & ~%(bit)s
                FROM picked WHERE n.member_id = picked.member_id AND n.event_id = picked.event_id
            )
            INSERT INTO notifications_delivery (member_id, event_id, channel, status)
            SELECT member_id, event_id, %(channel)s, 'due' FROM picked
            ON CONFLICT DO NOTHING
            """,
            {"bit": carrier.bit, "limit": limit, "channel": carrier.key},
        )
        return int(cursor.rowcount)


def claim_due(carrier: Carrier, *, limit: int, claim: str) -> list[int]:
    """Make the oldest due deliveries of a channel ours until the claim ends."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE notifications_delivery SET status = 'claimed', claim = %(claim)s,
                claimed_until = statement_timestamp() + make_interval(secs => %(lease)s), attempts = attempts + 1
            WHERE id IN (
                SELECT id FROM notifications_delivery
                WHERE channel = %(channel)s AND status = 'due' AND due_at <= statement_timestamp()
                ORDER BY due_at, id LIMIT %(limit)s FOR UPDATE SKIP LOCKED
            ) RETURNING id
            """,
            {"claim": claim, "lease": CLAIM, "channel": carrier.key, "limit": limit},
        )
        return sorted(id_ for (id_,) in cursor.fetchall())


def give_back_expired() -> int:
    """Return what a dead worker had claimed. What it was handing over may go twice, and says so."""
    expired = Delivery.objects.filter(
        status__in=[DeliveryStatus.CLAIMED, DeliveryStatus.SENDING], claimed_until__lt=timezone.now()
    )
    ambiguous = expired.filter(status=DeliveryStatus.SENDING).update(
        status=DeliveryStatus.DUE, due_at=timezone.now(), is_repeat_possible=True, claim=""
    )
    if ambiguous:
        log.warning("%s deliveries were cut off while being handed over: they go again", ambiguous)
    return ambiguous + expired.filter(status=DeliveryStatus.CLAIMED).update(
        status=DeliveryStatus.DUE, due_at=timezone.now(), claim=""
    )


def retry(deliveries: Iterable[Delivery]) -> int:
    """Send failed deliveries again now, with a fresh count of attempts. Refuses when none of them has failed."""
    count = Delivery.objects.filter(
        pk__in=[delivery.pk for delivery in deliveries], status=DeliveryStatus.FAILED
    ).update(status=DeliveryStatus.DUE, due_at=timezone.now(), attempts=0, error="")
    if not count:
        raise NotRetryable(_("Only failed deliveries can be sent again."))
    _wake()
    return count


def has_due(carrier: Carrier) -> bool:
    """Whether a channel has anything to carry now."""
    return (
        Delivery.objects.filter(channel=carrier.key, status=DeliveryStatus.DUE, due_at__lte=timezone.now()).exists()
        or Notification.objects.filter(waiting__gt=0)
        .annotate(bit=F("waiting").bitand(carrier.bit))
        .filter(bit__gt=0)
        .exists()
    )


def _wake() -> None:
    from notifications import tasks  # the task module knows everything; nothing below it may

    transaction.on_commit(lambda: tasks.wake_deliveries(), robust=True)


def _parcels(ids: Sequence[int]) -> list[Parcel]:
    rows = Delivery.objects.filter(pk__in=ids).select_related("event", "member__user", "member__account")
    rendered: dict[tuple[int, str], rendering.Message] = {}
    parcels = []
    for row in rows.order_by("event_id", "id"):
        member, event = row.member, row.event
        words = (event.pk, member.spoken_language)
        if words not in rendered:
            rendered[words] = rendering.render(event.type, event.data, language=member.spoken_language)
        parcels.append(
            Parcel(
                delivery_id=row.pk,
                event_id=event.pk,
                member_id=member.pk,
                type_key=event.type,
                name=member.name,
                email=member.email,
                hub_id=member.account.hub_id,
                account_name=member.account.name,
                language=member.spoken_language,
                message=rendered[words],
                attempt=row.attempts,
            )
        )
    return parcels


def _carry(carrier: Carrier, parcels: Sequence[Parcel], *, claim: str) -> int:
    """Hand parcels over, some at a time, and write each outcome down soon after it is known."""
    sent = 0
    for start in range(0, len(parcels), AT_ONCE):
        ours = _mark_sending(parcels[start : start + AT_ONCE], claim=claim)
        outcomes: list[Outcome] = []
        recorded_at = time.monotonic()
        for outcome in carrier.send_many(ours):
            outcomes.append(outcome)
            if time.monotonic() - recorded_at > RECORD_EVERY:
                sent += _record(outcomes, claim=claim)
                outcomes, recorded_at = [], time.monotonic()
        sent += _record(outcomes, claim=claim)
    return sent


def _mark_sending(parcels: Sequence[Parcel], *, claim: str) -> list[Parcel]:
    """Mark what is about to be handed over, and renew the claim. What was lost meanwhile is left out."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE notifications_delivery SET status = 'sending', claimed_until = statement_timestamp() + make_interval(secs => %s)
            WHERE id = ANY(%s) AND claim = %s AND status = 'claimed' RETURNING id
            """,
            [CLAIM, [parcel.delivery_id for parcel in parcels], claim],
        )
        ours = {id_ for (id_,) in cursor.fetchall()}
    return [parcel for parcel in parcels if parcel.delivery_id in ours]


def _record(outcomes: Sequence[Outcome], *, claim: str) -> int:
    """Write outcomes on their rows. Returns how many were sent."""
    now = timezone.now()
    sent = [outcome for outcome in outcomes if isinstance(outcome, Sent)]
    if sent:
        with connection.cursor() as cursor:
            cursor.execute(
                """
                UPDATE notifications_delivery d SET status = 'sent', sent_at = %s, sent_to = given.sent_to,
                    error = '', claim = ''
                FROM unnest(%s::bigint[], %s::text[]) AS given(id, sent_to)
                WHERE d.id = given.id AND d.claim = %s
                """,
                [now, [o.parcel.delivery_id for o in sent], [o.to[:320] for o in sent], claim],
            )
    for outcome in outcomes:
        row = Delivery.objects.filter(pk=outcome.parcel.delivery_id, claim=claim)
        if isinstance(outcome, Unreachable):
            row.update(status=DeliveryStatus.FAILED, error=outcome.why, claim="")
        elif isinstance(outcome, TryLater):
            _postpone(row, outcome)
    return len(sent)


def _postpone(row: QuerySet[Delivery], outcome: TryLater) -> None:
    """Try again later, as long as there is a back-off left; then it has failed."""
    attempts = outcome.parcel.attempt
    if attempts > len(BACK_OFF):
        row.update(status=DeliveryStatus.FAILED, error=outcome.why, claim="")
        return
    seconds = max(BACK_OFF[attempts - 1], outcome.seconds or 0)
    row.update(
        status=DeliveryStatus.DUE,
        due_at=timezone.now() + timedelta(seconds=seconds),
        error=outcome.why,
        claim="",
    )
