"""What is in a task digest: a member's open tasks that are overdue, due today, or due in the next seven days (N-141).

One statement computes and writes the digests of a whole batch of members. A task is somebody's when they are its
owner or named in one of its custom user properties.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import connection

from accounts.models import Account
from crm import paths
from crm.digests import emitting, timing
from crm.digests.slots import Slot, wanting
from crm.models import DigestKind, DigestOutcome
from notifications.types import tasks as types

TYPE = types.DIGEST
MOST = 20  # tasks named as overdue, and as due today; the rest is counted
MOST_UPCOMING = 10
UNSAID = "…"  # the event is the same for many members: what differs is read for each when it is told

# The conditions are those of the indexes task_open and task_shared.
OPEN = "r.deleted_at IS NULL AND r.kind = 'tasks' AND r.completed_at IS NULL AND r.due_at IS NOT NULL"
SHARED = "(cardinality(r.people) > 1 OR (r.owner_id IS NULL AND cardinality(r.people) > 0))"

MINE = f"""
    horizons AS (
        SELECT * FROM unnest(%(slots)s::integer[], %(todays)s::timestamptz[], %(ends)s::timestamptz[])
            AS h(place, today_ends, ends)
    ), asked AS MATERIALIZED (
        SELECT w.member_id, h.today_ends, h.ends FROM wanting w JOIN horizons h USING (place)
    ), mine AS (
        SELECT a.member_id, a.today_ends, r.id, r.due_at
        FROM asked a JOIN crm_record r ON r.owner_id = a.member_id AND r.due_at < a.ends AND {OPEN}
        UNION ALL
        SELECT a.member_id, a.today_ends, r.id, r.due_at
        FROM crm_record r CROSS JOIN unnest(r.people) AS named(member_id)
        JOIN asked a ON a.member_id = named.member_id AND r.due_at < a.ends
        WHERE r.account_id = %(account)s AND {OPEN} AND {SHARED} AND named.member_id IS DISTINCT FROM r.owner_id
    ), counted AS (
        SELECT member_id, (count(*) FILTER (WHERE due_at < %(now)s))::integer AS overdue,
               (count(*) FILTER (WHERE due_at >= %(now)s AND due_at < today_ends))::integer AS today,
               count(*)::integer AS everything, array_agg(id ORDER BY due_at, id) AS ids
        FROM mine GROUP BY member_id
    )
"""
NAMED = f"""
    ids[1 : least(overdue, {MOST})]
    || ids[overdue + 1 : overdue + least(today, {MOST})]
    || ids[overdue + today + 1 : overdue + today + {MOST_UPCOMING}]
"""


def write(account: Account, slots: Sequence[Slot], now: datetime, *, turn: int = 0) -> None:
    """Write the digests of these members and have them told. Nothing due or overdue: a row that says so, no mail."""
    event_id = emitting.next_event()
    told = _write_runs(account, slots, now, turn=turn, event_id=event_id)
    if not told:
        return
    data = {"due": UNSAID, "overdue": UNSAID, "tasks": UNSAID, "url": paths.tasks(account)}
    emitting.emit(TYPE, account, told, data=data, event_id=event_id, now=now)


def _write_runs(account: Account, slots: Sequence[Slot], now: datetime, *, turn: int, event_id: int) -> list[int]:
    """The run rows; returns the members who are to be told."""
    members = wanting(account, TYPE, slots)
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            WITH {members.sql}, {MINE}, written AS (
                INSERT INTO crm_digestrun (member_id, kind, "on", turn, due_at, ran_at, outcome, event_id, overdue,
                                           today, upcoming, tasks)
                SELECT w.member_id, '{DigestKind.TASKS}', w."on", %(turn)s, w.at, %(now)s,
                       CASE WHEN overdue + today > 0 THEN '{DigestOutcome.TOLD}' ELSE '{DigestOutcome.EMPTY}' END,
                       CASE WHEN overdue + today > 0 THEN %(event)s END,
                       coalesce(overdue, 0), coalesce(today, 0), coalesce(everything - overdue - today, 0),
                       CASE WHEN overdue + today > 0 THEN {NAMED} ELSE '{{}}' END
                FROM wanting w LEFT JOIN counted c USING (member_id)
                ON CONFLICT DO NOTHING
                RETURNING member_id, outcome
            )
            SELECT coalesce(array_agg(member_id ORDER BY member_id), '{{}}') FROM written
            WHERE outcome = '{DigestOutcome.TOLD}'
            """,
            {**members.values, **_horizons(slots, now), "now": now, "turn": turn, "event": event_id},
        )
        (told,) = cursor.fetchone()
        return list(told)


def _horizons(slots: Sequence[Slot], now: datetime) -> dict[str, Any]:
    horizons = [timing.horizon(slot.zone, now) for slot in slots]
    return {"todays": [one.today_ends for one in horizons], "ends": [one.ends for one in horizons]}
