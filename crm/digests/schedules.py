"""What a member chose about their timed mails, and the rows that say when the next one is due.

Every member has a row of each kind, made by the tick (`adopt`) or when somebody looks (`of`). Changes of hour and
frequency look for the next turn from now on; a change of zone keeps the day that comes next and moves its moment, so
that no day is told twice and none is lost.
"""

from datetime import datetime
from typing import Final

from django.db import connection, transaction
from django.db.models import Max
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.errors import DomainError
from accounts.models import Account, Membership
from crm.digests import running, task_lists, timing
from crm.digests.slots import Slot
from crm.models import DigestKind, DigestRun, DigestSchedule, Frequency
from notifications import preferences

OFF: Final = "off"
FIRST_HOUR: Final = 8
USUAL: Final = {DigestKind.TASKS: Frequency.WEEKDAYS, DigestKind.WORKFLOWS: Frequency.FRIDAYS}
FREQUENCIES: Final = (Frequency.WEEKDAYS, Frequency.WEEKLY)  # of the task digest
CELL: Final = (task_lists.TYPE.key, "email")

ADOPTED_AT_ONCE = 2_000  # new members at one look; the next look is seconds away


class InvalidDigest(DomainError):
    code = "invalid_digest"
    status = 422


class NothingToSkip(DomainError):
    code = "nothing_to_skip"


# --- The member's choices


@transaction.atomic
def choose(member: Membership, *, frequency: str | None = None, hour: int | None = None) -> DigestSchedule:
    """Change when the task digest comes; off turns its e-mail off. The hour is that of the Friday mail, too.

    Refuses (`InvalidDigest`) an unknown frequency or hour, and as `preferences.choose` does what is locked.
    """
    _check(frequency, hour)
    row = locked(member, DigestKind.TASKS)
    is_on = cell_of(member).is_kept_on
    if frequency and is_on != (frequency != OFF):
        preferences.choose(member, {CELL: frequency != OFF})
    if frequency and frequency != OFF:
        row.frequency = frequency
    _plan(row, hour)
    if hour is not None:
        _plan(locked(member, DigestKind.WORKFLOWS), hour)
    return row


@transaction.atomic
def change(
    member: Membership, *, frequency: str | None = None, hour: int | None = None, skips_next: bool | None = None
) -> None:
    """Choose and skip at once, all or nothing."""
    if frequency is not None or hour is not None:
        choose(member, frequency=frequency, hour=hour)
    if skips_next is not None:
        skip(member, on=skips_next)


def cell_of(member: Membership) -> preferences.CellState:
    """The member's e-mail preference for the task digest."""
    cells = preferences.standing(member, [task_lists.TYPE]).cells(task_lists.TYPE)
    return next(cell for cell in cells if cell.channel.key == CELL[1])


def _check(frequency: str | None, hour: int | None) -> None:
    problems: dict[str, list[str]] = {}
    if frequency is not None and frequency not in (OFF, *FREQUENCIES):
        problems["frequency"] = [_("Choose off, every weekday or every Monday.")]
    if hour is not None and hour not in timing.HOURS:
        problems["hour"] = [_("Choose a whole hour from 0 to 23.")]
    if problems:
        raise InvalidDigest(_("The task digest was not changed."), fields=problems)


def _plan(row: DigestSchedule, hour: int | None) -> None:
    """Find the next turn of a row that is held, from now on. A day that had its turn has no second one."""
    row.hour = row.hour if hour is None else hour
    row.zone = zone_name(row.member)
    last = DigestRun.objects.filter(member=row.member, kind=row.kind, turn=0).aggregate(on=Max("on"))["on"]
    turn = timing.upcoming(row.frequency, row.hour, row.zone, now=timezone.now(), after=last)
    row.next_on, row.next_at = turn.on, turn.at
    row.save()


@transaction.atomic
def skip(member: Membership, *, on: bool = True, day: str = "") -> DigestSchedule:
    """Leave the next task digest out; `on=False` takes that back. Twice is once.

    `day` is the one that was meant (2026-11-23). Refuses (`NothingToSkip`) when another one is next by now.
    """
    row = locked(member, DigestKind.TASKS)
    if day and day != row.next_on.isoformat():
        raise NothingToSkip(_("The next digest is another one by now. Nothing was changed."))
    row.skip_on = row.next_on if on else None
    row.save(update_fields=["skip_on"])
    return row


def of(member: Membership, kind: DigestKind = DigestKind.TASKS) -> DigestSchedule:
    """A member's row, made now if the tick did not come by yet."""
    row = DigestSchedule.objects.filter(member=member, kind=kind).first()
    if row is None:
        _make(kind, {zone_name(member): [member.pk]}, timezone.now())
        row = DigestSchedule.objects.get(member=member, kind=kind)
    row.member = member
    return row


def locked(member: Membership, kind: DigestKind) -> DigestSchedule:
    """A member's row, held until the transaction ends."""
    of(member, kind)
    row = DigestSchedule.objects.select_for_update().get(member=member, kind=kind)
    row.member = member
    return row


def zone_name(member: Membership) -> str:
    return member.time_zone or member.account.time_zone


# --- Rows for everybody


def adopt(now: datetime | None = None, *, everybody: bool = False) -> int:
    """Give members who came since the last look their rows, some thousands at a time, so that an account that grows by
    many holds nobody up; with `everybody` all who have none. Safe to run twice."""
    now = now or timezone.now()
    made = 0
    for kind in DigestKind:
        with connection.cursor() as cursor:
            cursor.execute(
                f"""
                SELECT coalesce(nullif(m.time_zone, ''), a.time_zone), array_agg(m.id ORDER BY m.id)
                FROM (SELECT m.id, m.time_zone, m.account_id FROM accounts_membership m
                      WHERE {_NEW if not everybody else _WITHOUT} ORDER BY m.id LIMIT %(most)s) m
                JOIN accounts_account a ON a.id = m.account_id GROUP BY 1
                """,
                {"kind": kind.value, "most": None if everybody else ADOPTED_AT_ONCE},
            )
            by_zone = dict(cursor.fetchall())
        made += _make(kind, by_zone, now)
    return made


_NEW = "m.id > coalesce((SELECT max(member_id) FROM crm_digestschedule WHERE kind = %(kind)s), 0)"
_WITHOUT = "NOT EXISTS (SELECT FROM crm_digestschedule s WHERE s.member_id = m.id AND s.kind = %(kind)s)"


def _make(kind: DigestKind, by_zone: dict[str, list[int]], now: datetime) -> int:
    made = 0
    for zone, members in by_zone.items():
        turn = timing.upcoming(USUAL[kind], FIRST_HOUR, zone, now=now)
        with connection.cursor() as cursor:
            cursor.execute(
                """
                INSERT INTO crm_digestschedule (member_id, kind, frequency, hour, zone, next_on, next_at)
                SELECT member_id, %s, %s, %s, %s, %s, %s FROM unnest(%s::bigint[]) AS m(member_id)
                ON CONFLICT DO NOTHING
                """,
                [kind.value, USUAL[kind].value, FIRST_HOUR, zone, turn.on, turn.at, members],
            )
            made += cursor.rowcount
    return made


# --- Zones


def zone_changed(*, member: Membership | None = None, account: Account | None = None) -> int:
    """The clocks of a member, or of all members of an account without their own zone, are others now.

    The day that comes next stays; it comes at its hour on the new clocks, at once if that is over there.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT s.kind, m.account_id, s.frequency, s.hour, coalesce(nullif(m.time_zone, ''), a.time_zone), '',
                   s.next_on, s.next_at, false, array_agg(s.member_id)
            FROM crm_digestschedule s JOIN accounts_membership m ON m.id = s.member_id
            JOIN accounts_account a ON a.id = m.account_id
            WHERE {"m.id = %(id)s" if member else "a.id = %(id)s"}
              AND s.zone <> coalesce(nullif(m.time_zone, ''), a.time_zone)
            GROUP BY 1, 2, 3, 4, 5, 7, 8
            """,
            {"id": member.pk if member else account.pk if account else 0},
        )
        slots = [Slot(*row) for row in cursor.fetchall()]
    now = timezone.now()
    turns = [timing.moved(timing.Turn(slot.on, slot.at), slot.hour, slot.zone, now=now) for slot in slots]
    return running.move_on(slots, turns)
