"""What is in a delivery: read at the moment it is about to leave, with the reason where it must not leave any more."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson
from django.db import connection
from django.db.backends.utils import CursorWrapper
from django.utils.translation import gettext_noop

from notifications import caps, holding, merging, personal, rendering, types
from notifications.caps import Key
from notifications.channels.base import Carrier, Channel, Drop, Hold, Judge, Missed, Parcel, Wait
from notifications.merging import Told
from notifications.personal import Personal, Recipient
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


@dataclass(frozen=True)
class Packed:
    """Claimed deliveries: those that may leave, those that may not any more, and those that may not yet: for a moment,
    or for as long as their member wants to be left alone."""

    ready: list[int]
    dropped: list[Dropped]
    put_off: dict[int, Wait]
    held: dict[int, Hold]
    _rows: Mapping[int, Mapping[str, Any]]
    _events: Mapping[int, Mapping[str, Any]]
    _carrier: Carrier
    _merged: Mapping[int, Sequence[Told]] = field(default_factory=dict)  # by their merge
    _words: dict[tuple[int, str], Message] = field(default_factory=dict)
    _personal: dict[str, Mapping[Recipient, Personal]] = field(default_factory=dict)

    def key(self, delivery_id: int) -> Key:
        """Where one that may leave counts today."""
        row = self._rows[delivery_id]
        event = self._events[row["event_id"]]
        return caps.key(event["account_id"], event["time_zone"], event["type"], row["email"])

    def parcel(self, delivery_id: int, missed: Missed | None = None) -> Parcel:
        """The parcel of one that may leave. Its words are made now, once per event and language, or for each member."""
        row = self._rows[delivery_id]
        event = self._events[row["event_id"]]
        language = row["language"] or event["account_language"]
        message = self._message_for(row, language) or self._words.get((event["pk"], language))
        if message is None:
            message = rendering.render(event["type"], event["data"], language=language)
            self._words[event["pk"], language] = message
        return Parcel(
            delivery_id=delivery_id,
            event_id=event["pk"],
            member_id=row["member_id"],
            type_key=event["type"],
            name=row["name"],
            email=row["email"],
            hub_id=event["hub_id"],
            account_name=event["account_name"],
            language=language,
            message=message,
            attempt=row["attempts"],
            may_turn_off=not (row["locked_on"] or is_required(event["type"], self._carrier)),
            missed=missed,
            occurred_at=event["occurred_at"],
            data=event["data"],
        )

    def _message_for(self, row: Mapping[str, Any], language: str) -> Message | None:
        """What only this member is told, read for all that are ready at once. None: what the event says."""
        event = self._events[row["event_id"]]
        kind = types.TYPES.get(event["type"])
        if kind is not None and (told := self._merged.get(row["merge_id"])):
            return merging.message(kind, told, language=language)
        if kind is None or not kind.each:
            return None
        if kind.key not in self._personal:
            alike = [self._recipient(id_) for id_ in self.ready if self._rows[id_]["type"] == kind.key]
            self._personal[kind.key] = personal.read(kind.key, alike)
        own = self._personal[kind.key].get(Recipient(row["event_id"], row["member_id"], language))
        if own is None:
            return None
        return rendering.render(kind.key, {**event["data"], **own.data}, language=language, sections=own.sections)

    def _recipient(self, delivery_id: int) -> Recipient:
        row = self._rows[delivery_id]
        language = row["language"] or self._events[row["event_id"]]["account_language"]
        return Recipient(row["event_id"], row["member_id"], language)


def pack(carrier: Carrier, ids: Sequence[int]) -> Packed:
    """Read what claimed deliveries carry and whether they may still leave: two queries, however many.

    A mail that is shared by several notifications is closed here: who comes later opens the next one. What a member, or
    an administrator for all, turned off since the fan-out does not leave; what they turned on
    since does not come back.
    """
    rows = {row["id"]: row for row in _read(carrier, ids)}
    events = _events({row["event_id"] for row in rows.values()})
    dropped = [Dropped(id_, why) for id_, row in rows.items() if (why := objection(row, carrier))]
    objected = {one.delivery_id for one in dropped}
    held = {id_: hold for id_, row in rows.items() if id_ not in objected and (hold := _hold(row, carrier))}
    ready = [id_ for id_ in rows if id_ not in objected and id_ not in held]
    put_off: dict[int, Wait] = {}
    if ready and isinstance(carrier, Judge):
        verdicts = carrier.judge(ready)
        dropped += [Dropped(id_, said.why) for id_ in ready if isinstance(said := verdicts.get(id_), Drop)]
        put_off = {id_: said for id_ in ready if isinstance(said := verdicts.get(id_), Wait)}
        ready = [id_ for id_ in ready if verdicts.get(id_) is None]
    merges = {row["merge_id"] for id_, row in rows.items() if row["merge_id"] and id_ not in held}
    merged = merging.close(merges) if merges else {}
    return Packed(ready, dropped, put_off, held, rows, events, carrier, merged)


def _events(ids: set[int]) -> dict[int, dict[str, Any]]:
    """What these events hold, in one query: its data as text, which is read here faster than by the model's field."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT e.id AS pk, e.type, e.data::text AS data, e.occurred_at, e.account_id, a.time_zone, a.hub_id,
                   a.name AS account_name, a.language AS account_language
            FROM notifications_event e JOIN accounts_account a ON a.id = e.account_id WHERE e.id = ANY(%s)
            """,
            [list(ids)],
        )
        found = {event["pk"]: event for event in _named(cursor)}
    for event in found.values():
        event["data"] = orjson.loads(event["data"])
    return found


def _named(cursor: CursorWrapper) -> list[dict[str, Any]]:
    """All rows, with the names of their columns."""
    names = [column.name for column in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def _read(carrier: Carrier, ids: Sequence[int]) -> list[dict[str, Any]]:
    """Everything about these deliveries but the events' contents, which many of them share."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT d.id, d.event_id, d.member_id, d.attempts, d.merge_id, e.type,
                   m.id IS NOT NULL AS is_member, m.is_active AND u.is_active AS is_active, m.language,
                   coalesce(nullif(u.name, ''), u.email) AS name, u.email,
                   p.chosen & ~p."on" AS turned_off, s.switched_off, l.is_on AS locked_on, {holding.UNTIL_SQL}
            FROM unnest(%(ids)s::bigint[]) AS wanted(id)
            JOIN notifications_delivery d ON d.id = wanted.id
            LEFT JOIN notifications_event e ON e.id = d.event_id
            LEFT JOIN accounts_membership m ON m.id = d.member_id
            LEFT JOIN accounts_user u ON u.id = m.user_id
            LEFT JOIN notifications_preference p ON p.member_id = d.member_id AND p.type = e.type
            LEFT JOIN notifications_membersettings s ON s.member_id = d.member_id
            LEFT JOIN notifications_silence q ON q.member_id = d.member_id
            LEFT JOIN notifications_lock l ON l.account_id = e.account_id AND l.type = e.type
                 AND l.channel = %(channel)s AND (l.ends_at IS NULL OR l.ends_at > statement_timestamp())
            ORDER BY d.event_id, d.id
            """,
            {"ids": list(ids), "channel": carrier.key},
        )
        return _named(cursor)


def _hold(row: Mapping[str, Any], carrier: Carrier) -> Hold | None:
    return None if is_required(row["type"], carrier) else holding.held_until(row, carrier)


def objection(row: Mapping[str, Any], channel: Channel) -> str:
    """Why this must not leave now, or nothing. The order is that of the preference layers."""
    if row["type"] is None or not row["is_member"]:
        return GONE
    if not row["is_active"]:
        return INACTIVE
    if row["locked_on"] or is_required(row["type"], channel):
        return ""
    if row["locked_on"] is False:
        return LOCKED
    if (row["switched_off"] or 0) & channel.bit:
        return SWITCHED_OFF
    if (row["turned_off"] or 0) & channel.bit:
        return TURNED_OFF
    return ""


def is_required(type_key: str, channel: Channel) -> bool:
    kind = types.TYPES.get(type_key)
    return kind is not None and channel.key in kind.required
