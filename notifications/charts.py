"""What was sent, opened and turned off, by type and week: from the rows themselves, bounded, and told where cut.

Sent is what the fan-out decided (`Event.outcome`); what failed on its way is on the delivery board. Opened is what
the member has read in the application, wherever it reached them. Turned off is what members' own acts are on record
with (see choices).
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db import connection
from django.utils import formats, timezone
from django.utils.translation import gettext as _

from accounts.models import Account
from notifications import channels, drawing, looking_back, types
from notifications.channels.base import Channel
from notifications.drawing import Chart
from notifications.models import Held, How
from notifications.types.base import NotificationType

WEEKS = 12
FIRST = 20  # types that are shown unfolded
CHOICES = 250_000  # acts of members that are read, the newest first


@dataclass(frozen=True)
class About:
    """Which part of it: all types or some, all channels or one."""

    kinds: tuple[NotificationType, ...]
    channel: Channel | None = None

    @property
    def bits(self) -> int:
        return self.channel.bit if self.channel else sum(channels.BITS)


@dataclass
class Line:
    """One type, week by week."""

    kind: NotificationType
    sent: list[int] = field(default_factory=lambda: [0] * WEEKS)
    opened: list[int] = field(default_factory=lambda: [0] * WEEKS)
    off: list[int] = field(default_factory=lambda: [0] * WEEKS)
    chart: Chart | None = None
    off_chart: Chart | None = None

    @property
    def totals(self) -> tuple[int, int, int]:
        return sum(self.sent), sum(self.opened), sum(self.off)

    @property
    def share(self) -> int | None:
        """How many of a hundred were opened."""
        return round(100 * min(1, sum(self.opened) / sum(self.sent))) if any(self.sent) else None


@dataclass(frozen=True)
class Charts:
    """The answer. `lines` has only types of which there is something to tell, what was sent most first."""

    about: About
    weeks: list[datetime]
    lines: list[Line]
    switched_off: int  # times that a whole channel was switched off
    ways: list[tuple[How, int]]  # where members turned something off
    chart: Chart
    off_chart: Chart
    sent_since: datetime | None  # nothing older was counted, because there was too much
    opened_since: datetime | None
    off_since: datetime | None

    @property
    def first_lines(self) -> list[Line]:
        """Those that a page shows unfolded."""
        return self.lines[:FIRST]

    @property
    def other_lines(self) -> list[Line]:
        return self.lines[FIRST:]


def about(*, topic: str = "", type_key: str = "", channel: str = "") -> About:
    """What a page or program asks for by key. Keys that name nothing limit nothing."""
    kinds = tuple(
        kind
        for kind in types.TYPES.values()
        if (not topic or kind.topic.key == topic) and (not type_key or kind.key == type_key)
    )
    return About(kinds or tuple(types.TYPES.values()), channels.CHANNELS.get(channel))


def look(account: Account, asked: About) -> Charts:
    """Twelve weeks, this one included, in three statements. Weeks begin on Monday by the account's clock."""
    zone = ZoneInfo(account.time_zone)
    weeks = _weeks(zone)
    lines = {kind.key: Line(kind) for kind in asked.kinds}
    sent_since = _read_sent(account, asked, weeks, lines)
    opened_since = _read_opened(account, asked, weeks, lines)
    ways, switched_off, off_since = _read_off(account, asked, weeks, lines)
    labels = [formats.date_format(week.astimezone(zone), "j M") for week in weeks]
    told = sorted((line for line in lines.values() if any(line.totals)), key=lambda line: line.totals, reverse=True)
    for line in told:
        line.chart, line.off_chart = _sent_chart(labels, [line]), _off_chart(labels, [line])
    return Charts(
        about=asked,
        weeks=weeks,
        lines=told,
        switched_off=switched_off,
        ways=[(How(way), count) for way, count in ways.most_common()],
        chart=_sent_chart(labels, told),
        off_chart=_off_chart(labels, told),
        sent_since=sent_since,
        opened_since=opened_since,
        off_since=off_since,
    )


def _weeks(zone: ZoneInfo) -> list[datetime]:
    today = timezone.now().astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
    monday = today - timedelta(days=today.weekday())
    return [monday - timedelta(weeks=back) for back in reversed(range(WEEKS))]


def _read_sent(account: Account, asked: About, weeks: list[datetime], lines: Mapping[str, Line]) -> datetime | None:
    values = _values(asked, weeks)
    chosen = looking_back.events_sql(account, values, since=weeks[0], is_by_recipient=False)
    rows = _read(
        f"""
        WITH {chosen}
        SELECT e.type, width_bucket(e.created_at, %(weeks)s::timestamptz[]), sum((o->>5)::int)::bigint, NULL
        FROM chosen e CROSS JOIN LATERAL jsonb_array_elements(e.outcome) AS o
        WHERE e.type = ANY(%(types)s) AND (o->>4)::int = {Held.NOT.value} AND (o->>0)::int & %(bits)s > 0
        GROUP BY 1, 2
        UNION ALL SELECT '', 0, 0, {looking_back.cut_sql()}
        """,  # noqa: S608
        values,
    )
    return _put(rows, {key: line.sent for key, line in lines.items()})


def _read_opened(account: Account, asked: About, weeks: list[datetime], lines: Mapping[str, Line]) -> datetime | None:
    """Through the members, because a notification is found by its member and the number of the event."""
    values = _values(asked, weeks)
    chosen = looking_back.events_sql(account, values, since=weeks[0])
    rows = _read(
        f"""
        WITH {chosen}
        SELECT e.type, width_bucket(e.created_at, %(weeks)s::timestamptz[]), count(*), NULL
        FROM accounts_membership m
        JOIN notifications_notification n ON n.member_id = m.id AND n.event_id >= (SELECT min(id) FROM chosen)
        JOIN chosen e ON e.id = n.event_id
        WHERE m.account_id = %(lb_account)s AND e.type = ANY(%(types)s)
          AND n.read_at IS NOT NULL AND n.held = {Held.NOT.value} AND n.channels & %(bits)s > 0
        GROUP BY 1, 2
        UNION ALL SELECT '', 0, 0, {looking_back.cut_sql()}
        """,  # noqa: S608
        values,
    )
    return _put(rows, {key: line.opened for key, line in lines.items()})


def _read_off(
    account: Account, asked: About, weeks: list[datetime], lines: Mapping[str, Line]
) -> tuple[Counter[str], int, datetime | None]:
    """Times that a member turned a type off on at least one of the channels; and whole channels."""
    rows = _read(
        """
        WITH newest AS MATERIALIZED (
            SELECT type, turned_off, how, made_at FROM notifications_choicerecord
            WHERE account_id = %(account)s AND made_at >= %(since)s ORDER BY made_at DESC LIMIT %(most)s
        )
        SELECT type, width_bucket(made_at, %(weeks)s::timestamptz[]), how, count(*), NULL
        FROM newest WHERE turned_off & %(bits)s > 0 AND (type = ANY(%(types)s) OR type = '') GROUP BY 1, 2, 3
        UNION ALL
        SELECT NULL, 0, '', 0, CASE WHEN count(*) >= %(most)s THEN min(made_at) END FROM newest
        """,
        _values(asked, weeks) | {"account": account.pk, "since": weeks[0], "most": CHOICES},
    )
    ways: Counter[str] = Counter()
    switched_off, cut_at = 0, None
    for type_key, week, way, count, cut in rows:
        if type_key is None:
            cut_at = cut
        elif type_key:
            lines[type_key].off[week - 1] += count
            ways[way] += count
        else:
            switched_off += count
    return ways, switched_off, cut_at


def _values(asked: About, weeks: list[datetime]) -> dict[str, Any]:
    return {"weeks": weeks, "types": [kind.key for kind in asked.kinds], "bits": asked.bits}


def _put(rows: Iterable[tuple[Any, ...]], into: Mapping[str, list[int]]) -> datetime | None:
    """Each count to its week. Returns what the last row says of where it was cut."""
    cut_at = None
    for type_key, week, count, cut in rows:
        if not type_key:
            cut_at = cut
        elif week:  # numbers and times of events may cross by a moment
            into[type_key][week - 1] += count
    return cut_at


def _read(statement: str, values: dict[str, Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return list(cursor.fetchall())


def _sent_chart(labels: list[str], lines: list[Line]) -> Chart:
    """What was opened stands on the ground, the rest of what was sent on top of it."""
    sent, opened = _sum(line.sent for line in lines), _sum(line.opened for line in lines)
    return drawing.stacked(
        _("Sent per week"),
        (("opened", _("opened")), ("sent", _("not opened"))),
        [(label, (read, max(0, all_ - read))) for label, read, all_ in zip(labels, opened, sent, strict=True)],
    )


def _off_chart(labels: list[str], lines: list[Line]) -> Chart:
    off = _sum(line.off for line in lines)
    return drawing.stacked(
        _("Turned off per week"),
        (("off", _("turned off")),),
        [(label, (count,)) for label, count in zip(labels, off, strict=True)],
    )


def _sum(rows: Iterable[list[int]]) -> list[int]:
    counts: defaultdict[int, int] = defaultdict(int)
    for row in rows:
        for week, count in enumerate(row):
            counts[week] += count
    return [counts[week] for week in range(WEEKS)]
