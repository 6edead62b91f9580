"""The tick: rows whose time has come are claimed, each becomes a run row, and the schedule moves on, in one commit.

Two ticks at once never hold the same row (SKIP LOCKED), and the run row's key admits no second mail of a day. What a
run tells goes through the notifications, from their fan-out to their delivery. Everything is set-based: members of an
account whose clocks agree are a `Slot`, and the statements name members by thousands.
"""

import logging
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime

from django.db import connection, transaction
from django.utils import timezone

from accounts.models import Account
from crm.digests import enrolments, task_lists, timing
from crm.digests.slots import Slot, wanting
from crm.models import DigestKind, DigestOutcome, DigestSchedule

BATCH = 10_000
KEPT = 90  # days that run rows are kept

log = logging.getLogger(__name__)

WRITERS = {DigestKind.TASKS: task_lists.write, DigestKind.WORKFLOWS: enrolments.write}
TYPES = {DigestKind.TASKS: task_lists.TYPE, DigestKind.WORKFLOWS: enrolments.TYPE}


def run_due(now: datetime | None = None, *, batch: int = BATCH) -> int:
    """Let everything happen whose time has come. Returns how many schedule rows moved. Safe to run twice and at once.

    After a downtime a row has several turns behind it: they are taken one after the other.
    """
    now = now or timezone.now()
    moved = 0
    while step := run_step(now, batch=batch):
        moved += step
    return moved


def has_due() -> bool:
    """Whether the time of anything has come."""
    return DigestSchedule.objects.filter(next_at__lte=timezone.now()).exists()


@transaction.atomic
def run_step(now: datetime, *, batch: int = BATCH) -> int:
    """Claim some rows that are due and settle their turn. Returns how many there were."""
    slots = _claim(now, batch)
    moved = [slot for slot in slots if slot.zone != slot.computed_in]  # a change of zone that nobody told us of
    due = [slot for slot in slots if slot.zone == slot.computed_in]
    for (account_id, kind), together in _by_account(due).items():
        _settle(Account.objects.get(pk=account_id), DigestKind(kind), together, now)
    move_on(due, [timing.following(s.frequency, s.hour, s.zone, after=s.on) for s in due])
    move_on(moved, [timing.moved(timing.Turn(s.on, s.at), s.hour, s.zone, now=now) for s in moved])
    return sum(len(slot.members) for slot in slots)


def _settle(account: Account, kind: DigestKind, slots: Sequence[Slot], now: datetime) -> None:
    late = [slot for slot in slots if timing.is_too_late(slot.at, now)]
    skipped = [slot for slot in slots if slot.is_skipped and slot not in late]
    rest = [slot for slot in slots if slot not in late and slot not in skipped]
    _note(account, kind, late, DigestOutcome.LATE, now)
    _note(account, kind, skipped, DigestOutcome.SKIPPED, now)
    if rest:
        WRITERS[kind](account, rest, now)


def _note(account: Account, kind: DigestKind, slots: Sequence[Slot], outcome: DigestOutcome, now: datetime) -> None:
    """Say of those who wanted this mail why there is none."""
    if not slots:
        return
    members = wanting(account, TYPES[kind], slots)
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            WITH {members.sql}
            INSERT INTO crm_digestrun (member_id, kind, "on", turn, due_at, ran_at, outcome, overdue, today, upcoming,
                                       tasks)
            SELECT member_id, %(kind)s, "on", 0, at, %(now)s, %(outcome)s, 0, 0, 0, '{{}}' FROM wanting
            ON CONFLICT DO NOTHING
            """,
            {**members.values, "kind": kind.value, "now": now, "outcome": outcome.value},
        )
    if outcome is DigestOutcome.LATE:
        log.warning("timed mails of account %s were skipped: more than six hours late", account.pk)


def _claim(now: datetime, batch: int) -> list[Slot]:
    """The next rows that are due and that nobody else holds, grouped by what their members have in common."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH picked AS MATERIALIZED (
                SELECT member_id, kind, frequency, hour, zone, next_on, next_at,
                       coalesce(skip_on = next_on, false) AS is_skipped
                FROM crm_digestschedule WHERE next_at <= %(now)s
                ORDER BY next_at, member_id LIMIT %(batch)s FOR UPDATE SKIP LOCKED
            )
            SELECT p.kind, m.account_id, p.frequency, p.hour, coalesce(nullif(m.time_zone, ''), a.time_zone), p.zone,
                   p.next_on, p.next_at, p.is_skipped, array_agg(p.member_id ORDER BY p.member_id)
            FROM picked p JOIN accounts_membership m ON m.id = p.member_id
            JOIN accounts_account a ON a.id = m.account_id
            GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9
            """,
            {"now": now, "batch": batch},
        )
        return [Slot(*row) for row in cursor.fetchall()]


def move_on(slots: Sequence[Slot], turns: Sequence[timing.Turn]) -> int:
    """Give the rows of each slot its next turn, unless somebody else did meanwhile. One statement for all."""
    if not slots:
        return 0
    numbered = [(member, i) for i, slot in enumerate(slots) for member in slot.members]
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE crm_digestschedule s SET next_on = t.next_on, next_at = t.next_at, zone = t.zone
            FROM unnest(%(members)s::bigint[], %(places)s::integer[]) AS g(member_id, place)
            JOIN unnest(%(all)s::integer[], %(kinds)s::text[], %(before)s::date[], %(ons)s::date[],
                        %(ats)s::timestamptz[], %(zones)s::text[]) AS t(place, kind, before, next_on, next_at, zone)
                USING (place)
            WHERE s.member_id = g.member_id AND s.kind = t.kind AND s.next_on = t.before
            """,
            {
                "members": [member for member, _place in numbered],
                "places": [place for _member, place in numbered],
                "all": list(range(len(slots))),
                "kinds": [slot.kind for slot in slots],
                "before": [slot.on for slot in slots],
                "ons": [turn.on for turn in turns],
                "ats": [turn.at for turn in turns],
                "zones": [slot.zone for slot in slots],
            },
        )
        return int(cursor.rowcount)


def forget_old(today: date) -> int:
    """Remove runs of which nobody asks any more."""
    with connection.cursor() as cursor:
        cursor.execute('DELETE FROM crm_digestrun WHERE "on" < %s', [today - KEPT * timing.DAY])
        return int(cursor.rowcount)


def _by_account(slots: Iterable[Slot]) -> Mapping[tuple[int, str], list[Slot]]:
    found: defaultdict[tuple[int, str], list[Slot]] = defaultdict(list)
    for slot in slots:
        found[slot.account_id, slot.kind].append(slot)
    return found
