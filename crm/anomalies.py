"""Days on which a property was emptied, changed or filled unusually often (N-077): told to who looks after the data.

When an account's day is over, the history of that day is counted once, per kind and property, for all accounts of the
same zone in one statement. Each count is held against those of the four weeks before; `unusual` is the whole rule.
Rows are the truth: an account's `AnomalyWatch` moves on in the transaction that writes the counts and the events.
"""

import zoneinfo
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from statistics import median
from typing import Any

from django.db import connection, transaction
from django.utils import formats, timezone, translation
from django.utils.translation import gettext as _

from accounts.models import Account, Membership, Role
from crm import paths, schema
from crm.kinds import Kind, Property
from crm.models import Anomaly, AnomalyWatch, Change, Move, PropertyDay, What
from crm.models.records import RecordQuerySet
from notifications import events
from notifications.types import data_quality

WEEKS = timedelta(days=28)  # a day is held against so many before it
FEWEST = 20  # on fewer records nothing is unusual
FEWEST_DAYS = 7  # known before a day can be judged
SPREADS = 6  # so many times the usual spread above the median
TIMES = 3  # and at least so many times the median
SPREAD_OF_MAD = 1.4826  # what turns a median deviation into a standard one
SETTLE = timedelta(minutes=10)  # after midnight: who was just saving is done
AT_ONCE = 500  # accounts
KEPT = timedelta(days=60)


@dataclass(frozen=True)
class Finding:
    """A count that is unlike those before."""

    move: Move
    number: int
    usual: float
    times: float  # the limit


def unusual(number: int, before: Sequence[int]) -> float:
    """How many times the limit a day's number is, or 0 when it is nothing unusual. `before`: the days before it.

    The limit is the largest of: 20; three times the median; the median and six times the usual spread (from the median
    absolute deviation, so that a single wild day moves it little); half as much again as the second largest day, so
    that what happens every week is no news.
    """
    if len(before) < FEWEST_DAYS:
        return 0
    middle = median(before)
    spread = SPREAD_OF_MAD * median(abs(one - middle) for one in before)
    limit = max(FEWEST - 1, TIMES * middle, middle + SPREADS * spread, 1.5 * sorted(before)[-2])
    return number / limit if number > limit else 0


def judged(today: Mapping[Move, int], before: Mapping[Move, Sequence[int]]) -> Finding | None:
    """The most striking thing about one property's day, if anything is."""
    found = [
        Finding(move, today[move], median(before[move]), times)
        for move in Move
        if (times := unusual(today[move], before[move]))
    ]
    return max(found, key=lambda one: one.times, default=None)


def adopt() -> int:
    """Watch the accounts that nobody watches yet, from four weeks back, so that there is something to compare with."""
    new = list(Account.objects.exclude(pk__in=AnomalyWatch.objects.values("account")).order_by("pk")[:AT_ONCE])
    now = timezone.now()
    rows = [AnomalyWatch(account=one, next_day=_today(one.time_zone, now) - WEEKS, due_at=now) for one in new]
    AnomalyWatch.objects.bulk_create(rows, ignore_conflicts=True)
    return len(rows)


def has_due() -> bool:
    return AnomalyWatch.objects.filter(due_at__lte=timezone.now()).exists()


@transaction.atomic
def step(now: datetime | None = None) -> bool:
    """Count and judge one day that is over, for accounts that share it. False: nothing is due, or others are at it.

    Safe to run twice and at once.
    """
    now = now or timezone.now()
    due = AnomalyWatch.objects.select_for_update(of=("self",), skip_locked=True).filter(due_at__lte=now)
    first = due.select_related("account").order_by("due_at", "pk").first()
    if first is None:
        return False
    zone, day = first.account.time_zone, first.next_day
    rows = list(due.filter(next_day=day, account__time_zone=zone).select_related("account").order_by("pk")[:AT_ONCE])
    yesterday = _today(zone, now) - timedelta(days=1)
    if yesterday - WEEKS <= day <= yesterday:
        _count([row.pk for row in rows], day, zone)
    if day == yesterday:  # what was caught up with is only counted: nobody wants the news of last week
        _judge({row.pk: row.account for row in rows}, day)
    is_over = day <= yesterday  # it may not be, where the account moved to another zone
    following = max(day + timedelta(days=1), yesterday - WEEKS) if is_over else day
    due_at = _begin(following + timedelta(days=1), zone) + SETTLE
    AnomalyWatch.objects.filter(pk__in=[row.pk for row in rows]).update(next_day=following, due_at=due_at)
    return True


def _count(accounts: list[int], day: date, zone: str) -> None:
    """Write the numbers of a day: one statement, which reads the history of that day only."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO crm_propertyday (account_id, kind, property, day, emptied, changed, filled)
            SELECT r.account_id, r.kind, c.what, %(day)s,
                   count(DISTINCT c.record_id) FILTER (WHERE c.has_before AND NOT c.has_after),
                   count(DISTINCT c.record_id) FILTER (WHERE c.has_before AND c.has_after),
                   count(DISTINCT c.record_id) FILTER (WHERE NOT c.has_before AND c.has_after)
            FROM (
                SELECT record_id, what, coalesce(before, 'null') <> 'null' AS has_before,
                       coalesce(after, 'null') <> 'null' AS has_after
                FROM crm_change WHERE at >= %(begin)s AND at < %(end)s AND what <> ALL(%(others)s)
            ) c
            JOIN crm_record r ON r.id = c.record_id
            WHERE r.account_id = ANY(%(accounts)s)
            GROUP BY r.account_id, r.kind, c.what
            ON CONFLICT DO NOTHING
            """,
            {
                "day": day,
                "begin": _begin(day, zone),
                "end": _begin(day + timedelta(days=1), zone),
                "others": list(What.values),
                "accounts": accounts,
            },
        )
    PropertyDay.objects.filter(account__in=accounts, day__lt=day - KEPT).delete()


def _judge(accounts: Mapping[int, Account], day: date) -> None:
    """Hold the numbers of a day against those before, for each property that had many; tell what is unusual."""
    many = [row for row in PropertyDay.objects.filter(account__in=accounts, day=day) if max(_moves(row)) >= FEWEST]
    if not many:
        return
    past: defaultdict[tuple[int, str, str], list[PropertyDay]] = defaultdict(list)
    before = PropertyDay.objects.filter(
        account__in={row.account_id for row in many},
        property__in={row.property for row in many},
        day__gte=day - WEEKS,
        day__lt=day,
    )
    for row in before:
        past[row.account_id, row.kind, row.property].append(row)
    for row in many:
        account = accounts[row.account_id]
        known = _days_known(account, day)
        finding = judged(_by_move(row), _filled_up(past[row.account_id, row.kind, row.property], known))
        kind = schema.of(account).get(row.kind) if finding else None
        one = kind.find(row.property) if kind else None
        if finding and kind and one:
            _tell(row, finding, account, kind, one)


def _days_known(account: Account, day: date) -> int:
    """How many days before this one the account has lived through, four weeks at most."""
    begun = account.created_at.astimezone(_zone(account.time_zone)).date()
    return max(0, min(WEEKS.days, (day - begun).days))


def _filled_up(rows: Sequence[PropertyDay], days: int) -> dict[Move, list[int]]:
    """The numbers of so many days: those on which nothing happened have no row."""
    still = [0] * max(0, days - len(rows))
    return {move: [*(getattr(row, move.value) for row in rows), *still] for move in Move}


def _by_move(row: PropertyDay) -> dict[Move, int]:
    return {move: getattr(row, move.value) for move in Move}


def _moves(row: PropertyDay) -> tuple[int, int, int]:
    return row.emptied, row.changed, row.filled


def _tell(row: PropertyDay, finding: Finding, account: Account, kind: Kind, one: Property) -> None:
    """Write an anomaly and tell the super admins, once per property and day."""
    made, is_new = Anomaly.objects.get_or_create(
        account=account,
        kind=row.kind,
        property=row.property,
        day=row.day,
        defaults={"move": finding.move, "number": finding.number, "usual": finding.usual},
    )
    admins = list(Membership.objects.active().of(account).filter(role=Role.SUPER_ADMIN))
    if not (is_new and admins):
        return
    with translation.override(account.language):
        data = {
            "property": f"{kind.plural}: {one.label}",
            "finding": in_words(made, kind),
            "url": paths.anomaly(made),
        }
    events.emit(
        data_quality.ANOMALY_DETECTED,
        audience=admins,
        account=account,
        data=data,
        key=f"crm.anomaly:{row.kind}:{row.property}:{row.day}",
    )


def in_words(anomaly: Anomaly, kind: Kind) -> str:
    """ "Emptied on 1,240 contacts on 21 November; 15 a day are usual.", in the language that is set."""
    words = {
        Move.EMPTIED: _("Emptied on %(records)s on %(day)s; %(usual)s a day are usual."),
        Move.CHANGED: _("Changed on %(records)s on %(day)s; %(usual)s a day are usual."),
        Move.FILLED: _("Filled on %(records)s on %(day)s; %(usual)s a day are usual."),
    }[Move(anomaly.move)]
    return words % {
        "records": kind.count(anomaly.number),
        "day": formats.date_format(anomaly.day, "DATE_FORMAT"),
        "usual": formats.number_format(round(anomaly.usual), force_grouping=True),
    }


def numbers_around(anomaly: Anomaly) -> list[tuple[date, int]]:
    """How often the same happened on each day of the weeks before and on the day itself."""
    rows = PropertyDay.objects.filter(
        account=anomaly.account_id,
        kind=anomaly.kind,
        property=anomaly.property,
        day__gte=anomaly.day - WEEKS,
        day__lte=anomaly.day,
    )
    by_day = {row.day: int(getattr(row, anomaly.move)) for row in rows}
    days = [anomaly.day - WEEKS + timedelta(days=number) for number in range(WEEKS.days + 1)]
    return [(day, by_day.get(day, 0)) for day in days]


def concerned(anomaly: Anomaly, records: RecordQuerySet) -> RecordQuerySet:
    """Those of these records to which it happened on that day."""
    begin, end = (_begin(anomaly.day + timedelta(days=more), anomaly.account.time_zone) for more in (0, 1))
    lines = Change.objects.filter(
        at__gte=begin, at__lt=end, what=anomaly.property, record__account=anomaly.account_id, record__kind=anomaly.kind
    )
    lines = lines.filter(before__isnull=anomaly.move == Move.FILLED, after__isnull=anomaly.move == Move.EMPTIED)
    return records.filter(pk__in=lines.values("record"))


def visible(account: Account, kinds: Iterable[str]) -> Any:
    """The anomalies of these kinds, newest first."""
    return Anomaly.objects.filter(account=account, kind__in=list(kinds)).select_related("account").order_by("-pk")


def _today(zone: str, now: datetime) -> date:
    return now.astimezone(_zone(zone)).date()


def _begin(day: date, zone: str) -> datetime:
    """The first moment of a day in a zone, whatever its clocks do that night."""
    return datetime.combine(day, time(), tzinfo=_zone(zone))


@lru_cache
def _zone(name: str) -> zoneinfo.ZoneInfo:
    """A zone; one that nobody knows here holds nobody up."""
    try:
        return zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        return zoneinfo.ZoneInfo("UTC")
