"""Telling open tabs at once. Hints only: what is lost heals when the tab asks for the state.

One Redis channel carries the hints; every web process listens once and hands them to its own sockets. A hint
already holds what the tab shows (unread count, the pop-up's words), so that a broadcast causes no stampede.
Each state carries `at`, the database's clock from before it was read: whatever was committed before then is in
it, so a tab that keeps the state with the highest `at` is never behind one that it saw before.
"""

import hashlib
import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import orjson
from django.conf import settings
from django.db import connection
from redis import Redis, RedisError

from notifications import presence, rendering, sounds
from notifications.models import BELL, Event

VERSION = 1
INSIDE = 3  # bell and pop-up
POPUP = 2
FEW = 50  # up to this many recipients are told without asking who is present
AT_ONCE = 500  # recipients in one hint
MOST_UNREAD = 100  # counted no further: the badge says 99+
LOOK_BACK = 5_000  # events that `just_told` looks at

log = logging.getLogger(__name__)


def channel() -> str:
    return f"{settings.REDIS_PREFIX}hints"


@cache
def client() -> Redis:
    """One connection pool per process. Short time-outs: a hint is never worth a wait."""
    return Redis.from_url(settings.REDIS_URL, socket_timeout=1, socket_connect_timeout=1)


def tell_new(event: Event, *, among: list[int] | None, first: int, last: int) -> None:
    """Tell the open tabs of an event's recipients: those `among`, or all that are present in (first, last]."""
    if among is not None and not among:
        return
    try:
        if among is None:
            among = [m for m in presence.of(client(), event.account_id) if first < m <= last]
        for start in range(0, len(among), AT_ONCE):
            rows = _told(event, among[start : start + AT_ONCE])
            words = {row["lang"]: _words(event, row["lang"]) for row in rows if row["popup"]}
            _publish({"kind": "new", "event": event.pk, "words": words, "to": rows})
    except RedisError as error:
        log.warning("open tabs were not told of event %s (%s): they will ask", event.pk, type(error).__name__)


@dataclass(frozen=True)
class Marks:
    """What happened to single notifications, so that lists that are open elsewhere can follow."""

    read: Sequence[int] = ()
    read_up_to: int = 0
    unread: Sequence[int] = ()  # again
    archived: Sequence[int] = ()
    unarchived: Sequence[int] = ()

    def as_json(self) -> dict[str, Any]:
        """Only what there is: most hints name one event."""
        return {name: value if isinstance(value, int) else list(value) for name, value in vars(self).items() if value}


NO_MARKS = Marks()


def tell_state(member_ids: Sequence[int], *, marks: Marks = NO_MARKS) -> None:
    """Tell a member's tabs that their state changed, and which notifications were marked how."""
    try:
        _publish({"kind": "state", "marks": marks.as_json(), "to": state_of(member_ids)})
    except RedisError as error:
        log.warning("open tabs were not told of a new state (%s): they will ask", type(error).__name__)


def close(*, members: Iterable[int] = (), session_key: str | None = None) -> None:
    """End the sockets of members who lost their access, or of one sign-in that ended."""
    try:
        _publish({"kind": "close", "members": list(members), "session": session_digest(session_key)})
    except RedisError as error:
        log.warning("sockets were not closed at once (%s): their heartbeat will", type(error).__name__)


def session_digest(session_key: str | None) -> str:
    """How a sign-in is named in hints: never by its key. Nothing for no session."""
    return hashlib.sha256(session_key.encode()).hexdigest()[:32] if session_key else ""


def state_of(member_ids: Sequence[int]) -> list[dict[str, Any]]:
    """The absolute state of each member's bell: unread (at most 100), the newest event, and as of when.

    `dot` says whether unread ones show in the browser tab (N-021); `silence` whether the member is left alone: "p"
    (everything is paused) or "q" (quiet hours) with the second of its end, or nothing.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT id, {_UNREAD.format(member='id')}, {_NEWEST.format(member='id')}, {_AT}, {_DOT}, {_SILENCE} "
            "FROM unnest(%s::bigint[]) AS given(id)",
            [list(member_ids)],
        )
        return [
            {"id": id_, "unread": unread, "newest": newest, "at": at, "dot": dot, "silence": silence}
            for id_, unread, newest, at, dot, silence in cursor.fetchall()
        ]


def just_told() -> list[int]:
    """Events that reached some bell in the last half minute, so that a hint at them should have come."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT e.id FROM notifications_event e
            WHERE e.id > (SELECT max(id) FROM notifications_event) - {LOOK_BACK}
              AND e.fanned_out_at BETWEEN now() - interval '30 seconds' AND now() - interval '1 second'
              AND EXISTS (SELECT 1 FROM jsonb_array_elements(e.outcome) o WHERE (o->>0)::int & {BELL} > 0)
            """,
        )
        return [id_ for (id_,) in cursor.fetchall()]


def recipients_among(member_ids: Sequence[int], event_ids: Sequence[int]) -> list[int]:
    """Those of some members who have one of these events under their bell."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT DISTINCT n.member_id FROM notifications_notification n
            WHERE n.member_id = ANY(%s) AND n.event_id = ANY(%s) AND n.channels & {BELL} > 0
            """,
            [list(member_ids), list(event_ids)],
        )
        return [id_ for (id_,) in cursor.fetchall()]


_UNREAD = f"""(SELECT count(*) FROM (SELECT 1 FROM notifications_notification n
    WHERE n.member_id = {{member}} AND n.channels & 1 = 1 AND n.read_at IS NULL AND n.archived_at IS NULL
    LIMIT {MOST_UNREAD}) few)"""
_NEWEST = """coalesce((SELECT n.event_id FROM notifications_notification n
    WHERE n.member_id = {member} AND n.channels & 1 = 1 ORDER BY n.event_id DESC LIMIT 1), 0)"""
_AT = "(extract(epoch FROM statement_timestamp()) * 1000)::bigint"
_DOT = "coalesce((SELECT s.has_tab_dot FROM notifications_membersettings s WHERE s.member_id = given.id), true)"
_SILENCE = """coalesce((SELECT CASE
    WHEN q.paused_until > statement_timestamp() THEN 'p' || ceil(extract(epoch FROM q.paused_until))::bigint
    WHEN q.starts_at <= statement_timestamp() AND statement_timestamp() < q.ends_at
    THEN 'q' || ceil(extract(epoch FROM q.ends_at))::bigint
    END FROM notifications_silence q WHERE q.member_id = given.id), '')"""

_SOUND = f"""CASE WHEN s.plays_sound IS NOT FALSE THEN coalesce(c.sound, nullif(s.sound, ''), '{sounds.BUILT_IN}')
    ELSE '{sounds.NONE}' END"""


def _told(event: Event, member_ids: Sequence[int]) -> list[dict[str, Any]]:
    """For each recipient with bell or pop-up on: their language, the sound they chose for this type, and the state
    their tabs should show. Who is left alone now gets no pop-up (see holding)."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT x.member_id, x.channels & {POPUP} > 0 AND (x.hushed NOT IN (1, 2) OR %s),
                   coalesce(nullif(m.language, ''), a.language), {_UNREAD.format(member="x.member_id")},
                   {_NEWEST.format(member="x.member_id")}, {_AT}, {_SOUND}
            FROM notifications_notification x
            JOIN accounts_membership m ON m.id = x.member_id
            JOIN accounts_account a ON a.id = m.account_id
            LEFT JOIN notifications_membersettings s ON s.member_id = x.member_id
            LEFT JOIN notifications_soundchoice c ON c.member_id = x.member_id AND c.type = %s
            WHERE x.event_id = %s AND x.member_id = ANY(%s) AND x.channels & {INSIDE} > 0
            """,
            [_is_required(event), event.type, event.pk, list(member_ids)],
        )
        return [
            {
                "id": id_,
                "popup": popup,
                "lang": lang,
                "unread": unread,
                "newest": newest,
                "at": at,
                "sound": None if sound == sounds.NONE else sounds.known(sound),
            }
            for id_, popup, lang, unread, newest, at, sound in cursor.fetchall()
        ]


def _is_required(event: Event) -> bool:
    """Whether nothing holds the pop-up of this event back."""
    return bool((event.layers or {}).get("required", 0) & POPUP)


def _words(event: Event, language: str) -> dict[str, str]:
    message = rendering.render(event.type, event.data, language=language)
    return {"title": message.title, "body": message.body, "topic": message.topic, "type": event.type}


def _publish(hint: dict[str, Any]) -> None:
    client().publish(channel(), orjson.dumps({"v": VERSION, **hint}))
