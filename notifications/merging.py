"""What comes in one thread within seconds is one mail, not several (N-064): see `NotificationType.merges`.

The first one opens a `Merge` for its recipient, and its delivery waits until that is over; those that follow join it
and point to it. When the mail is about to leave the merge is closed, and only then is read who is in it: whoever comes
after that opens the next one. Nothing waits in a process: each of these steps is rows, written in one transaction.
"""

import hashlib
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import connection, transaction
from django.utils import translation
from django.utils.translation import gettext_noop

from notifications import channels, rendering
from notifications.models import Event
from notifications.rendering import Gaps, Line, Message, Section
from notifications.types.base import Merging, NotificationType

LOCK = 0x6265_0004  # one worker at a time writes who joins whom in a thread
GRACE = timedelta(seconds=2)  # what came in the last moment is still being told

# Why a delivery waits. Stored as these words and translated when they are read.
GATHERING = gettext_noop("What follows within a minute is told in the same e-mail.")


@dataclass(frozen=True)
class Told:
    """One of the events that a mail tells together."""

    event_id: int
    data: Mapping[str, Any]


def thread_of(data: Mapping[str, Any]) -> str:
    """What is one thread: all that leads to the same page, wherever on it."""
    page = str(data.get("url", "")).partition("#")[0]
    return hashlib.sha256(page.encode("utf-8", "replace")).hexdigest()


def gather(event: Event, rule: Merging) -> None:
    """Give those who wait for this event's mail a delivery: its own, or one that joins an open merge.

    In the transaction of the fan-out, so that it happens once for each recipient, whoever dies.
    """
    values: dict[str, Any] = {
        "event": event.pk,
        "channel": rule.channel,
        "bit": channels.CARRIER[rule.channel].bit,
        "type": event.type,
        "thread": thread_of(event.data),
        "at": event.created_at,
        "until": event.created_at + rule.within,
        "due": event.created_at + rule.within + GRACE,
        "most": rule.most,
        "why": GATHERING,
    }
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(%s, hashtext(%s))",
            [LOCK, f"{event.account_id}:{event.type}:{values['thread']}"],
        )
        cursor.execute(END, values)
        cursor.execute(JOIN, values)


WAITING = """
    SELECT member_id FROM notifications_notification
    WHERE event_id = %(event)s AND waiting > 0 AND waiting & %(bit)s > 0
"""
OPEN = f"""
    is_open AND channel = %(channel)s AND type = %(type)s AND thread = %(thread)s AND member_id IN ({WAITING})
"""
END = f"UPDATE notifications_merge SET is_open = false WHERE {OPEN} AND until <= %(at)s"
JOIN = f"""
    WITH picked AS MATERIALIZED ({WAITING}),
    taken AS (
        UPDATE notifications_notification n SET waiting = n.waiting & ~%(bit)s
        FROM picked WHERE n.event_id = %(event)s AND n.member_id = picked.member_id
    ), joined AS (
        UPDATE notifications_merge SET count = count + 1, is_open = count + 1 < %(most)s
        WHERE {OPEN} RETURNING id, member_id, count
    ), opened AS (
        INSERT INTO notifications_merge (member_id, channel, type, thread, count, is_open, until)
        SELECT member_id, %(channel)s, %(type)s, %(thread)s, 1, true, %(until)s
        FROM picked WHERE member_id NOT IN (SELECT member_id FROM joined)
        RETURNING id, member_id
    ), full_ones AS (
        UPDATE notifications_delivery d SET due_at = statement_timestamp()
        FROM joined WHERE d.merge_id = joined.id AND d.status = 'due' AND joined.count = %(most)s
    )
    INSERT INTO notifications_delivery (member_id, event_id, channel, status, due_at, error, merge_id)
    SELECT member_id, %(event)s, %(channel)s, 'due', %(due)s, %(why)s, id FROM opened
    UNION ALL
    SELECT member_id, %(event)s, %(channel)s, 'merged', %(at)s, '', id FROM joined
    ON CONFLICT DO NOTHING
"""


def close(merge_ids: Collection[int]) -> dict[int, list[Told]]:
    """Let nobody join these any more, and say what each of them tells, in its order; not those that tell one thing."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE notifications_merge SET is_open = false WHERE id = ANY(%s) RETURNING id, count", [list(merge_ids)]
        )
        several = [id_ for id_, count in cursor.fetchall() if count > 1]
        cursor.execute(
            """
            SELECT d.merge_id, d.event_id FROM notifications_delivery d
            WHERE d.merge_id = ANY(%s) ORDER BY d.merge_id, d.event_id
            """,
            [several],
        )
        rows = cursor.fetchall()
    data = dict(Event.objects.filter(pk__in={event_id for _merge, event_id in rows}).values_list("pk", "data"))
    found: defaultdict[int, list[Told]] = defaultdict(list)
    for merge_id, event_id in rows:
        if event_id in data:
            found[merge_id].append(Told(event_id, data[event_id]))
    return dict(found)


@transaction.atomic
def dissolve(delivery_ids: Collection[int]) -> None:
    """Let what had joined these held deliveries be held itself: a pause ends with a summary that names each."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE notifications_merge SET is_open = false
            WHERE id IN (SELECT merge_id FROM notifications_delivery WHERE id = ANY(%s) AND merge_id IS NOT NULL)
            RETURNING id
            """,
            [list(delivery_ids)],
        )
        merges = [id_ for (id_,) in cursor.fetchall()]
        if not merges:
            return
        cursor.execute(
            """
            UPDATE notifications_delivery d SET status = 'held', due_at = lead.due_at, error = lead.error
            FROM notifications_delivery lead
            WHERE d.merge_id = ANY(%(merges)s) AND d.status = 'merged'
              AND lead.merge_id = d.merge_id AND lead.id = ANY(%(ids)s)
            """,
            {"merges": merges, "ids": list(delivery_ids)},
        )
        cursor.execute("UPDATE notifications_delivery SET merge_id = NULL WHERE merge_id = ANY(%s)", [merges])


def message(kind: NotificationType, told: Sequence[Told], *, language: str) -> Message | None:
    """One message that names all of these. None: they are told as ever."""
    rule = kind.merges
    if rule is None or len(told) < len("ab"):
        return None
    first = rendering.render(kind.key, told[0].data, language=language)
    with translation.override(language):
        title, heading, line = str(rule.title), str(rule.heading), str(rule.line)
    lines = tuple(
        Line(line.format_map(Gaps(one.data)), "", rendering.absolute(str(one.data.get("url", "/")))) for one in told
    )
    return Message(
        title=" ".join(title.format_map(Gaps({**told[0].data, "count": len(told)})).split()),
        body="",
        url=first.url,
        topic=first.topic,
        label=first.label,
        sections=(Section(heading, lines),),
    )
