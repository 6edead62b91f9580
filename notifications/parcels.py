"""What is in a delivery: read at the moment it is about to leave, with the reason where it must not leave any more."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.utils.translation import gettext_noop

from notifications import rendering, types
from notifications.channels.base import Carrier, Parcel
from notifications.models import Event
from notifications.rendering import Message

# Why a delivery is dropped. Stored as these words and translated when they are read.
GONE = gettext_noop("The event or the member no longer exists.")
INACTIVE = gettext_noop("The member was deactivated before it was sent.")
LOCKED = gettext_noop("An administrator turned this off before it was sent.")
SWITCHED_OFF = gettext_noop("The member switched the whole channel off before it was sent.")
TURNED_OFF = gettext_noop("The member turned this off before it was sent.")


@dataclass(frozen=True)
class Dropped:
    """A delivery that must not leave any more, and why."""

    delivery_id: int
    why: str


def pack(carrier: Carrier, ids: Sequence[int]) -> tuple[list[Parcel], list[Dropped]]:
    """Turn claimed deliveries into parcels: two queries, however many. The rest is dropped, with the reason.

    What a member, or an administrator for all, turned off since the fan-out does not leave; what they turned on
    since does not come back.
    """
    rows = _read(carrier, ids)
    events = {
        event.pk: event
        for event in Event.objects.filter(pk__in={row["event_id"] for row in rows})
        .select_related("account")
        .only("type", "data", "account__hub_id", "account__name", "account__language")
    }
    words: dict[tuple[int, str], Message] = {}
    parcels, dropped = [], []
    for row in rows:
        event = events.get(row["event_id"])
        if event is None or (why := _objection(row, event, carrier)) == GONE:
            dropped.append(Dropped(row["id"], GONE))
        elif why:
            dropped.append(Dropped(row["id"], why))
        else:
            parcels.append(_parcel(row, event, carrier, words))
    return parcels, dropped


def _read(carrier: Carrier, ids: Sequence[int]) -> list[dict[str, Any]]:
    """Everything about these deliveries but the events' contents, which many of them share."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT d.id, d.event_id, d.member_id, d.attempts, e.type,
                   m.id IS NOT NULL AS is_member, m.is_active AND u.is_active AS is_active, m.language,
                   coalesce(nullif(u.name, ''), u.email) AS name, u.email,
                   p.chosen & ~p."on" AS turned_off, s.switched_off, l.is_on AS locked_on
            FROM unnest(%(ids)s::bigint[]) AS wanted(id)
            JOIN notifications_delivery d ON d.id = wanted.id
            LEFT JOIN notifications_event e ON e.id = d.event_id
            LEFT JOIN accounts_membership m ON m.id = d.member_id
            LEFT JOIN accounts_user u ON u.id = m.user_id
            LEFT JOIN notifications_preference p ON p.member_id = d.member_id AND p.type = e.type
            LEFT JOIN notifications_membersettings s ON s.member_id = d.member_id
            LEFT JOIN notifications_lock l ON l.account_id = e.account_id AND l.type = e.type
                 AND l.channel = %(channel)s AND (l.ends_at IS NULL OR l.ends_at > statement_timestamp())
            ORDER BY d.event_id, d.id
            """,
            {"ids": list(ids), "channel": carrier.key},
        )
        names = [column.name for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def _objection(row: Mapping[str, Any], event: Event, carrier: Carrier) -> str:
    """Why this must not leave now, or nothing. The order is that of the preference layers."""
    if not row["is_member"]:
        return GONE
    if not row["is_active"]:
        return INACTIVE
    if _is_required(event, carrier) or row["locked_on"]:
        return ""
    if row["locked_on"] is False:
        return LOCKED
    if (row["switched_off"] or 0) & carrier.bit:
        return SWITCHED_OFF
    if (row["turned_off"] or 0) & carrier.bit:
        return TURNED_OFF
    return ""


def _parcel(row: Mapping[str, Any], event: Event, carrier: Carrier, words: dict[tuple[int, str], Message]) -> Parcel:
    language = row["language"] or event.account.language
    if (event.pk, language) not in words:
        words[event.pk, language] = rendering.render(event.type, event.data, language=language)
    return Parcel(
        delivery_id=row["id"],
        event_id=event.pk,
        member_id=row["member_id"],
        type_key=event.type,
        name=row["name"],
        email=row["email"],
        hub_id=event.account.hub_id,
        account_name=event.account.name,
        language=language,
        message=words[event.pk, language],
        attempt=row["attempts"],
        may_turn_off=not (_is_required(event, carrier) or row["locked_on"]),
    )


def _is_required(event: Event, carrier: Carrier) -> bool:
    kind = types.TYPES.get(event.type)
    return kind is not None and carrier.key in kind.required
