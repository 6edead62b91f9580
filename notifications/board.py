"""The delivery board of an account: per channel what waits, how long it takes, what failed and why.

Read from the rows themselves, with a fixed number of statements; how far back is bounded (see looking_back), and the
board says so where it is cut.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from django.db import connection
from django.utils import formats, timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import Account
from notifications import channels, drawing, looking_back, reasons
from notifications.channels.base import Carrier
from notifications.drawing import Chart
from notifications.reasons import Reason

if TYPE_CHECKING:
    from django_stubs_ext import StrPromise

MINUTE = timedelta(minutes=1)
EARLIER = timedelta(days=1)  # an event may be so much older than its deliveries
WAITING = 100_000  # waiting rows that are looked at for each channel, the oldest first
ERRORS = 200  # different errors that are read for each channel
REASONS = 5  # that are named


@dataclass(frozen=True)
class Span:
    """How far back, and in which steps."""

    key: str
    label: "StrPromise"
    steps: int
    is_hourly: bool

    @property
    def unit(self) -> str:
        return _("Hour") if self.is_hourly else _("Day")

    def starts(self, zone: ZoneInfo, now: datetime) -> list[datetime]:
        """Where each step begins, the last one still going on. Days are those of the account."""
        if self.is_hourly:
            hour = now.replace(minute=0, second=0, microsecond=0)
            return [hour - timedelta(hours=back) for back in reversed(range(self.steps))]
        today = now.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
        return [today - timedelta(days=back) for back in reversed(range(self.steps))]


SPANS = {
    span.key: span
    for span in (
        Span("day", gettext_lazy("Last 24 hours"), 24, is_hourly=True),
        Span("week", gettext_lazy("Last 7 days"), 7, is_hourly=False),
    )
}


@dataclass(frozen=True)
class Step:
    """One hour or day."""

    begins_at: datetime
    sent: int
    failed: int


@dataclass
class Lane:
    """One channel on the board. What waits is counted now; everything else is of the span."""

    channel: Carrier
    due: int = 0
    oldest: datetime | None = None  # when the oldest of those was made
    retrying: int = 0  # wait for their next attempt
    held: int = 0  # wait for their time
    is_more: bool = False  # at least so many wait
    under_way: int = 0
    sent: int = 0
    failed: int = 0
    capped: int = 0
    dropped: int = 0
    retries: int = 0
    median: float | None = None  # seconds from made to sent
    slowest: float | None = None  # 95 of 100 took no longer
    reasons: list[Reason] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    chart: Chart | None = None

    @property
    def backlog(self) -> int:
        """All that waits."""
        return self.due + self.retrying + self.held

    @property
    def chart_id(self) -> str:
        return f"chart-{self.channel.key}"

    @property
    def is_quiet(self) -> bool:
        """Whether there is nothing to tell."""
        past = self.sent or self.failed or self.capped or self.dropped
        return not (self.backlog or self.is_more or self.under_way or past)


@dataclass(frozen=True)
class Board:
    account: Account
    span: Span
    since: datetime
    lanes: list[Lane]
    cut_at: datetime | None  # nothing older was counted, because there was too much


def look(account: Account, span: Span) -> Board:
    """The board as it is now: four statements, whatever the number of channels and rows."""
    now, zone = timezone.now(), ZoneInfo(account.time_zone)
    starts = span.starts(zone, now)
    lanes = {carrier.key: Lane(carrier) for carrier in channels.CARRIERS}
    errors: dict[str, list[tuple[str, int]]] = {key: [] for key in lanes}
    counts: dict[str, dict[int, tuple[int, int]]] = {key: {} for key in lanes}
    cut_at = _read_past(account, starts, lanes, errors, counts)
    _read_waiting(account, lanes, now)
    _read_unwritten(account, lanes)
    _read_under_way(account, lanes)
    for key, lane in lanes.items():
        lane.reasons = reasons.most_common(errors[key], most=REASONS)
        lane.steps = [Step(start.astimezone(zone), *counts[key].get(i, (0, 0))) for i, start in enumerate(starts)]
        lane.chart = _chart(lane, span)
    return Board(account, span, starts[0], list(lanes.values()), cut_at)


def _read_past(
    account: Account,
    starts: list[datetime],
    lanes: Mapping[str, Lane],
    errors: Mapping[str, list[tuple[str, int]]],
    counts: Mapping[str, dict[int, tuple[int, int]]],
) -> datetime | None:
    """What was made within the span, from one pass over it."""
    values: dict[str, Any] = {"starts": starts, "since": starts[0], "errors": ERRORS}
    chosen = looking_back.events_sql(account, values, since=starts[0] - EARLIER)
    none = ", ".join(["NULL::bigint"] * 3)
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            WITH {chosen}, seen AS MATERIALIZED (
                SELECT d.channel, d.status, d.attempts, d.error,
                       width_bucket(d.created_at, %(starts)s::timestamptz[]) AS step,
                       extract(epoch FROM d.sent_at - d.created_at)::float8 AS took
                FROM chosen JOIN notifications_delivery d ON d.event_id = chosen.id
                WHERE d.created_at >= %(since)s
            )
            SELECT 'total', channel, NULL::int, NULL, count(*) FILTER (WHERE status = 'sent'),
                   count(*) FILTER (WHERE status = 'failed'), count(*) FILTER (WHERE status = 'capped'),
                   count(*) FILTER (WHERE status = 'dropped'), sum(greatest(attempts - 1, 0))::bigint,
                   percentile_cont(0.5) WITHIN GROUP (ORDER BY took) FILTER (WHERE status = 'sent'),
                   percentile_cont(0.95) WITHIN GROUP (ORDER BY took) FILTER (WHERE status = 'sent'), NULL::timestamptz
            FROM seen GROUP BY channel
            UNION ALL
            SELECT 'step', channel, step, NULL, count(*) FILTER (WHERE status = 'sent'),
                   count(*) FILTER (WHERE status = 'failed'), {none}, NULL, NULL, NULL
            FROM seen GROUP BY channel, step
            UNION ALL
            (SELECT 'error', channel, NULL, error, 0, count(*), {none}, NULL, NULL, NULL
             FROM seen WHERE status = 'failed' GROUP BY channel, error ORDER BY count(*) DESC LIMIT %(errors)s)
            UNION ALL
            SELECT 'cut', NULL, NULL, NULL, 0, 0, {none}, NULL, NULL, {looking_back.cut_sql()}
            """,  # noqa: S608
            values,
        )
        rows = cursor.fetchall()
    cut_at = None
    for what, key, step, error, sent, failed, capped, dropped, retries, median, slowest, cut in rows:
        lane = lanes.get(key)
        if what == "cut":
            cut_at = cut
        elif lane is None:
            continue
        elif what == "total":
            lane.sent, lane.failed, lane.capped, lane.dropped, lane.retries = sent, failed, capped, dropped, retries
            lane.median, lane.slowest = median, slowest
        elif what == "step":
            counts[key][step - 1] = (sent, failed)
        else:
            errors[key].append((error, failed))
    return cut_at


def _read_waiting(account: Account, lanes: Mapping[str, Lane], now: datetime) -> None:
    """What has a delivery and waits. The oldest come first, so those are never missed."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT c.key, count(*) FILTER (WHERE e.id IS NOT NULL AND d.due_at <= %(now)s),
                   min(d.created_at) FILTER (WHERE e.id IS NOT NULL AND d.due_at <= %(now)s),
                   count(*) FILTER (WHERE e.id IS NOT NULL AND d.due_at > %(now)s AND d.attempts > 0),
                   count(*) FILTER (WHERE e.id IS NOT NULL AND d.due_at > %(now)s AND d.attempts <= 0),
                   count(*) >= %(most)s
            FROM unnest(%(channels)s::text[]) AS c(key)
            CROSS JOIN LATERAL (
                SELECT event_id, due_at, created_at, attempts FROM notifications_delivery
                WHERE channel = c.key AND status = 'due' ORDER BY due_at LIMIT %(most)s
            ) AS d
            LEFT JOIN notifications_event e ON e.id = d.event_id AND e.account_id = %(account)s
            GROUP BY c.key
            """,
            {"now": now, "most": WAITING, "channels": list(lanes), "account": account.pk},
        )
        for key, due, oldest, retrying, held, is_more in cursor.fetchall():
            lane = lanes[key]
            lane.due, lane.oldest, lane.retrying, lane.held, lane.is_more = due, oldest, retrying, held, is_more


def _read_unwritten(account: Account, lanes: Mapping[str, Lane]) -> None:
    """What waits and has no delivery yet: it is due as well."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT n.waiting, count(*), min(e.created_at)
            FROM (SELECT event_id, waiting FROM notifications_notification WHERE waiting > 0
                  ORDER BY event_id LIMIT %(most)s) AS n
            JOIN notifications_event e ON e.id = n.event_id AND e.account_id = %(account)s
            GROUP BY n.waiting
            """,
            {"most": WAITING, "account": account.pk},
        )
        for waiting, count, oldest in cursor.fetchall():
            for lane in lanes.values():
                if waiting & lane.channel.bit:
                    lane.due += count
                    lane.oldest = min(lane.oldest or oldest, oldest)
                    lane.is_more = lane.is_more or count >= WAITING


def _read_under_way(account: Account, lanes: Mapping[str, Lane]) -> None:
    """What a worker has in its hands: never many."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT d.channel, count(*) FROM notifications_delivery d
            JOIN notifications_event e ON e.id = d.event_id AND e.account_id = %s
            WHERE d.status IN ('claimed', 'sending') GROUP BY d.channel
            """,
            [account.pk],
        )
        for key, count in cursor.fetchall():
            if key in lanes:
                lanes[key].under_way = count


def _chart(lane: Lane, span: Span) -> Chart:
    form = "H:i" if span.is_hourly else "D j M"
    title = _("%(channel)s: sent and failed per hour") if span.is_hourly else _("%(channel)s: sent and failed per day")
    return drawing.stacked(
        title % {"channel": lane.channel.label},
        (("sent", _("sent")), ("failed", _("failed"))),
        [(formats.date_format(step.begins_at, form), (step.sent, step.failed)) for step in lane.steps],
    )
