"""Telling a batch of members with one event whose runs name it: both are written in one commit."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from django.db import connection

from accounts.models import Account
from notifications import events
from notifications.events import Audience, Known
from notifications.types.base import NotificationType


def next_event() -> int:
    """The id that the event will have: the runs name it, and it has to know whom it is for."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval(pg_get_serial_sequence('notifications_event', 'id'))")
        (found,) = cursor.fetchone()
        return int(found)


def emit(
    type: NotificationType,  # noqa: A002 (as events.emit calls it)
    account: Account,
    members: Sequence[int],
    *,
    data: Mapping[str, str | int],
    event_id: int,
    now: datetime,
) -> None:
    """Have these members of the account told. The run rows, not a key, see to it that it happens once."""
    event = events.drafted(
        type,
        audience=Audience(members=tuple(members)),
        data=data,
        account=account,
        known=Known(members=frozenset(members), teams=frozenset()),
        occurred_at=now,
    )
    event.pk = event_id
    event.save(force_insert=True)
    events.wake()
