"""Whose a delivery is: written from the waiting notifications, claimed for a while, marked as being handed over, and
given back when its worker died.

Rows are taken with SKIP LOCKED, so several workers share them and none is taken twice at once.
"""

import logging

from django.conf import settings
from django.db import connection, transaction
from django.db.models import F
from django.utils import timezone

from notifications.channels.base import Carrier
from notifications.models import Delivery, DeliveryStatus
from notifications.recording import BACK_OFF

CLAIM = settings.DELIVERY_CLAIM_SECONDS

log = logging.getLogger(__name__)


def write_deliveries(
    carrier: Carrier, *, limit: int, claim: str = "", status: DeliveryStatus = DeliveryStatus.DUE
) -> list[int]:
    """Give a Delivery row to notifications that wait for this channel, and take them off the waiting list.

    With a claim, and the status that goes with it, they are ours from the beginning; otherwise they are due.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH picked AS MATERIALIZED (
                SELECT member_id, event_id FROM notifications_notification
                WHERE waiting > 0 AND waiting & %(bit)s > 0
                ORDER BY event_id, member_id LIMIT %(limit)s FOR UPDATE SKIP LOCKED
            ), taken AS (
                UPDATE notifications_notification n SET waiting = n.waiting & ~%(bit)s
                FROM picked WHERE n.member_id = picked.member_id AND n.event_id = picked.event_id
            )
            INSERT INTO notifications_delivery (member_id, event_id, channel, status, claim, claimed_until, attempts)
            SELECT member_id, event_id, %(channel)s, %(status)s, %(claim)s,
                   CASE WHEN %(claim)s <> '' THEN statement_timestamp() + make_interval(secs => %(lease)s) END,
                   CASE WHEN %(claim)s <> '' THEN 1 ELSE 0 END
            FROM picked ON CONFLICT DO NOTHING RETURNING id
            """,
            {
                "bit": carrier.bit,
                "limit": limit,
                "channel": carrier.key,
                "status": status.value,
                "claim": claim,
                "lease": CLAIM,
            },
        )
        return sorted(id_ for (id_,) in cursor.fetchall())


def take(carrier: Carrier, *, limit: int, claim: str, status: DeliveryStatus = DeliveryStatus.CLAIMED) -> list[int]:
    """Claim what is due, the oldest first, and then what only waits to be written."""
    ids = claim_due(carrier, limit=limit, claim=claim, status=status)
    if len(ids) < limit:
        ids += write_deliveries(carrier, limit=limit - len(ids), claim=claim, status=status)
    return ids


def claim_due(
    carrier: Carrier, *, limit: int, claim: str, status: DeliveryStatus = DeliveryStatus.CLAIMED
) -> list[int]:
    """Make the oldest due deliveries of a channel ours until the claim ends."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH picked AS MATERIALIZED (
                SELECT id FROM notifications_delivery
                WHERE channel = %(channel)s AND status = 'due' AND due_at <= statement_timestamp()
                ORDER BY due_at, id LIMIT %(limit)s FOR UPDATE SKIP LOCKED
            )
            UPDATE notifications_delivery d SET status = %(status)s, claim = %(claim)s,
                claimed_until = statement_timestamp() + make_interval(secs => %(lease)s), attempts = attempts + 1
            FROM picked WHERE d.id = picked.id RETURNING d.id
            """,
            {"claim": claim, "lease": CLAIM, "channel": carrier.key, "limit": limit, "status": status.value},
        )
        return sorted(id_ for (id_,) in cursor.fetchall())


def mark_sending(ids: list[int], *, claim: str) -> list[int]:
    """Mark what is about to be handed over and is still under this claim."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE notifications_delivery SET status = 'sending',
                claimed_until = statement_timestamp() + make_interval(secs => %s)
            WHERE id = ANY(%s) AND claim = %s AND status = 'claimed' RETURNING id
            """,
            [CLAIM, ids, claim],
        )
        ours = {id_ for (id_,) in cursor.fetchall()}
    return [id_ for id_ in ids if id_ in ours]


@transaction.atomic
def give_back_expired() -> int:
    """Return what a dead worker had claimed. What it was handing over may go twice, and says so.

    One that was cut off at every attempt has failed: it is not tried for ever.
    """
    expired = (
        Delivery.objects.select_for_update(skip_locked=True)
        .filter(
            status__in=[DeliveryStatus.CLAIMED, DeliveryStatus.SENDING],
            claimed_until__lt=timezone.now(),
        )
        .order_by("pk")
        .values_list("pk", "status", "attempts")
    )
    ambiguous: list[int] = []
    untouched: list[int] = []
    hopeless: list[int] = []
    for pk, status, attempts in expired:
        if status == DeliveryStatus.CLAIMED:
            untouched.append(pk)
        else:
            (hopeless if attempts > len(BACK_OFF) else ambiguous).append(pk)
    if ambiguous:
        log.warning(
            "%s deliveries were cut off while being handed over. They go again, so some may arrive twice: %s",
            len(ambiguous),
            ", ".join(str(pk) for pk in ambiguous[:20]) + (", …" if len(ambiguous) > 20 else ""),
        )
    now = timezone.now()
    Delivery.objects.filter(pk__in=untouched).update(
        status=DeliveryStatus.DUE, due_at=now, claim="", attempts=F("attempts") - 1
    )
    Delivery.objects.filter(pk__in=ambiguous).update(
        status=DeliveryStatus.DUE, due_at=now, claim="", is_repeat_possible=True
    )
    Delivery.objects.filter(pk__in=hopeless).update(
        status=DeliveryStatus.FAILED, claim="", is_repeat_possible=True, error="cut off at every attempt"
    )
    return len(untouched) + len(ambiguous)
