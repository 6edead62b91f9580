"""The delivery log of webhooks: each attempt a row, kept for some weeks, and what failed sent again."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

import orjson
from django.conf import settings
from django.db import connection
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.errors import DomainError
from accounts.models import Membership
from notifications import delivering, types
from notifications.models import Connection, Delivery, DeliveryStatus, WebhookAttempt
from notifications.other_apps.speaking import Answer
from notifications.posting import Verdict
from notifications.recording import storable

KEY = "webhook"
SHOWN = 50
WORDS_KEPT = 300  # characters


class UnknownAttempt(DomainError):
    code = "unknown_attempt"
    status = 404


@dataclass(frozen=True)
class Line:
    """One attempt as the page shows it."""

    attempt: WebhookAttempt
    may_go_again: bool  # its delivery has failed for good, and this was the last attempt

    @property
    def label(self) -> str:
        kind = types.TYPES.get(self.attempt.type)
        if self.attempt.event_id is None:
            return _("Test")
        return str(kind.label) if kind else self.attempt.type


def write(answers: Sequence[Answer]) -> None:
    """Log attempts, in one statement."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO notifications_webhookattempt
                (connection_id, event_id, type, number, is_taken, status, words, milliseconds, made_at)
            SELECT *, statement_timestamp() FROM json_to_recordset(%s) AS given(
                connection bigint, event bigint, type text, number smallint, is_taken bool, status smallint, words text,
                milliseconds int)
            """,
            [orjson.dumps([_row(answer) for answer in answers]).decode()],
        )


def lines(of: Connection) -> list[Line]:
    """The newest attempts. Two queries."""
    attempts = list(WebhookAttempt.objects.filter(connection=of).order_by("-pk")[:SHOWN])
    failed = set(
        Delivery.objects.filter(
            member_id=of.member_id,
            channel=KEY,
            event_id__in={attempt.event_id for attempt in attempts if attempt.event_id},
            status=DeliveryStatus.FAILED,
        ).values_list("event_id", flat=True)
    )
    found = []
    for attempt in attempts:
        found.append(Line(attempt, attempt.event_id in failed))
        failed.discard(attempt.event_id or 0)
    return found


def send_again(member: Membership, attempt_id: int) -> None:
    """Send what failed again, with a fresh count of attempts. Refuses what is not the member's, or has not failed."""
    attempt = WebhookAttempt.objects.filter(pk=attempt_id, connection__member=member).first()
    if attempt is None or attempt.event_id is None:
        raise UnknownAttempt(_("This attempt is not in your list any more."))
    delivering.retry(Delivery.objects.filter(event_id=attempt.event_id, member=member, channel=KEY))


def forget_old() -> None:
    """Remove what is too old to be shown."""
    oldest = timezone.now() - timedelta(days=settings.WEBHOOK_LOG_DAYS)
    WebhookAttempt.objects.filter(made_at__lt=oldest).delete()


def _row(answer: Answer) -> dict[str, object]:
    parcel = answer.job.parcel
    return {
        "connection": answer.job.connection_id,
        "event": parcel.event_id or None,
        "type": parcel.type_key,
        "number": parcel.attempt,
        "is_taken": answer.verdict is Verdict.TAKEN,
        "status": answer.status,
        "words": storable(answer.words)[:WORDS_KEPT],
        "milliseconds": None if answer.took is None else round(answer.took * 1000),
    }
