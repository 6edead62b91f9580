"""What becomes of a delivery: each outcome turned into the words and times on its row."""

from collections.abc import Sequence
from dataclasses import dataclass

import orjson
from django.db import connection

from notifications.channels.base import Outcome, Sent, TryLater
from notifications.models import DeliveryStatus

BACK_OFF = [30, 120, 600, 3600, 6 * 3600]  # seconds before the second, third … attempt; then it has failed
LONGEST_WAIT = 24 * 3600  # seconds; no other side makes us wait longer
ERROR_KEPT = 1000  # characters


@dataclass(frozen=True)
class Entry:
    """What is written on one delivery."""

    delivery_id: int
    status: DeliveryStatus
    error: str = ""
    sent_to: str = ""
    wait: float = 0  # seconds until it is due again
    may_have_arrived: bool = False


def entry_of(outcome: Outcome) -> Entry:
    """What an outcome means for its delivery: sent, failed for ever, or due again after its back-off."""
    id_ = outcome.parcel.delivery_id
    if isinstance(outcome, Sent):
        return Entry(id_, DeliveryStatus.SENT, sent_to=outcome.to)
    if not isinstance(outcome, TryLater):
        return Entry(id_, DeliveryStatus.FAILED, outcome.why)
    tried = outcome.parcel.attempt
    if tried > len(BACK_OFF):
        return Entry(id_, DeliveryStatus.FAILED, outcome.why, may_have_arrived=outcome.may_have_arrived)
    wait = max(BACK_OFF[max(tried, 1) - 1], min(outcome.seconds or 0, LONGEST_WAIT))
    return Entry(id_, DeliveryStatus.DUE, outcome.why, wait=wait, may_have_arrived=outcome.may_have_arrived)


def write_down(entries: Sequence[Entry], *, claim: str) -> None:
    """Write entries on the deliveries that are still under this claim, in one statement."""
    if not entries:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE notifications_delivery d SET status = given.status, error = given.error, claim = '',
                sent_to = given.sent_to,
                sent_at = CASE given.status WHEN 'sent' THEN statement_timestamp() END,
                due_at = CASE given.status WHEN 'due' THEN statement_timestamp() + make_interval(secs => given.wait)
                         ELSE d.due_at END,
                is_repeat_possible = d.is_repeat_possible OR given.may_have_arrived
            FROM json_to_recordset(%s) AS given(id bigint, status text, error text, sent_to text, wait float8,
                                                may_have_arrived bool)
            WHERE d.id = given.id AND d.claim = %s
            """,
            [orjson.dumps([_row(entry) for entry in entries]).decode(), claim],
        )


def storable(text: str) -> str:
    """Words from outside as PostgreSQL takes them: no NUL, no lone surrogates."""
    if text.isascii() and text.isprintable():
        return text
    return text.replace("\x00", "").encode(errors="replace").decode()


def _row(entry: Entry) -> dict[str, object]:
    return {
        "id": entry.delivery_id,
        "status": entry.status.value,
        "error": storable(entry.error)[:ERROR_KEPT],
        "sent_to": storable(entry.sent_to)[:320],
        "wait": entry.wait,
        "may_have_arrived": entry.may_have_arrived,
    }
