"""Local times as moments: quiet windows, and what “this evening” means. Pure: values and `now` in, moments out.

A local time that does not exist that day is the next valid moment; one that occurs twice is the first.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from django_stubs_ext import StrPromise

DAY = 24 * 60  # minutes
WEEK = 7 * DAY
EVENING, MORNING = time(18), time(8)
LONGEST = timedelta(days=366)  # nothing is put off for longer


@dataclass(frozen=True)
class Hours:
    """Quiet hours that begin on a weekday (0 is Monday). An end that is not later than the start is the next day's."""

    weekday: int
    starts: time
    ends: time

    @property
    def is_whole_day(self) -> bool:
        return self.starts == self.ends

    @property
    def days(self) -> int:
        """How many days after its start it ends."""
        return int(self.ends <= self.starts)


@dataclass(frozen=True)
class Window:
    """From a moment up to another one, which is not in it."""

    starts_at: datetime
    ends_at: datetime

    def holds(self, now: datetime) -> bool:
        return self.starts_at <= now < self.ends_at


def instant(day: date, at: time, zone: ZoneInfo) -> datetime:
    """The moment, in UTC, at which the clocks of a zone show a time on a day."""
    naive = datetime.combine(day, at)
    first, second = (naive.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    if first.astimezone(zone).replace(tzinfo=None) == naive:
        return first
    return _change_between(second, first, zone)


def on_clocks(moment: datetime, zone: tzinfo) -> datetime:
    """A moment as the clocks of a zone show it; where the calendar ends before that, as it is."""
    try:
        return moment.astimezone(zone)
    except OverflowError:
        return moment


def _change_between(before: datetime, after: datetime, zone: ZoneInfo) -> datetime:
    """The moment, to the second, at which a zone's clocks jumped."""
    offset = after.astimezone(zone).utcoffset()
    while after - before > timedelta(seconds=1):
        middle = before + timedelta(seconds=int((after - before).total_seconds()) // 2)
        if middle.astimezone(zone).utcoffset() == offset:
            after = middle
        else:
            before = middle
    return after


def current_or_next(hours: Iterable[Hours], zone: ZoneInfo, now: datetime) -> Window | None:
    """The quiet window that lasts now, or the next one. Windows that touch are one."""
    found: list[Window] = []
    for window in sorted(_windows(list(hours), zone, now), key=lambda one: one.starts_at):
        if found and window.starts_at <= found[-1].ends_at:
            ends_at = max(found[-1].ends_at, window.ends_at)
            found[-1] = Window(found[-1].starts_at, ends_at)
        else:
            found.append(window)
    return next((window for window in found if window.ends_at > now), None)


def _windows(hours: Sequence[Hours], zone: ZoneInfo, now: datetime) -> Iterable[Window]:
    """All that begin between a week ago and in a week and a day: what touches is found whole."""
    today = now.astimezone(zone).date()
    for offset in range(-8, 9):
        day = today + timedelta(days=offset)
        for one in hours:
            if one.weekday == day.weekday():
                window = Window(instant(day, one.starts, zone), instant(day + timedelta(days=one.days), one.ends, zone))
                if window.starts_at < window.ends_at:  # a clock change can swallow a short one
                    yield window


def covers_the_week(hours: Iterable[Hours]) -> bool:
    """Whether no minute of a week is left."""
    quiet: set[int] = set()
    for one in hours:
        begin = one.weekday * DAY + _minute(one.starts)
        end = (one.weekday + one.days) * DAY + _minute(one.ends)
        quiet.update(minute % WEEK for minute in range(begin, end))
    return len(quiet) == WEEK


def _minute(at: time) -> int:
    return at.hour * 60 + at.minute


# --- What people call a moment

LATER: dict[str, "StrPromise"] = {
    "hour": _("For an hour"),
    "evening": _("Until this evening"),
    "tomorrow": _("Until tomorrow morning"),
    "monday": _("Until next Monday"),
}


def named(key: str, now: datetime, zone: ZoneInfo) -> datetime | None:
    """The moment behind a key of LATER; None for an unknown one, and for an evening that has begun."""
    local = now.astimezone(zone)
    today = local.date()
    if key == "hour":
        return now + timedelta(hours=1)
    if key == "evening":
        return instant(today, EVENING, zone) if local.time() < EVENING else None
    if key == "tomorrow":
        return instant(today + timedelta(days=1), MORNING, zone)
    if key == "monday":
        return instant(today + timedelta(days=7 - today.weekday()), MORNING, zone)
    return None


def offered(now: datetime, zone: ZoneInfo) -> list[tuple[str, datetime]]:
    """The named moments that can be chosen now, each once: on a Sunday next Monday is tomorrow."""
    found: dict[datetime, str] = {}
    for key in LATER:
        moment = named(key, now, zone)
        if moment is not None:
            found.setdefault(moment, key)
    return [(key, moment) for moment, key in found.items()]


def typed(text: str, zone: ZoneInfo) -> datetime | None:
    """What a date and time field sent, on the clocks of a zone; None where it makes no sense."""
    try:
        given = datetime.fromisoformat(text.strip())
        return instant(given.date(), given.time(), zone) if given.tzinfo is None else given.astimezone(UTC)
    except (ValueError, OverflowError):  # no date, or one that the calendar of UTC does not have
        return None
