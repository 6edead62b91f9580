"""When a timed mail is due: a local hour on certain weekdays. Pure: values and `now` in, moments out.

A local hour that does not exist that day is the next valid moment; one that occurs twice is the first (D1).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from crm.models import Frequency
from notifications.moments import instant

WEEKDAYS: Final[Mapping[str, frozenset[int]]] = {  # 0 is Monday
    Frequency.WEEKDAYS: frozenset(range(5)),
    Frequency.WEEKLY: frozenset({0}),
    Frequency.FRIDAYS: frozenset({4}),
}
HOURS: Final = range(24)
TOO_LATE: Final = timedelta(hours=6)
AHEAD: Final = 7  # days after today that a digest looks ahead
DAY: Final = timedelta(days=1)


@dataclass(frozen=True)
class Turn:
    """One mail to come: the day on the member's clocks, and the moment."""

    on: date
    at: datetime


def turn(on: date, hour: int, zone: str) -> Turn:
    return Turn(on, instant(on, time(hour), zone_of(zone)))


def moved(was: Turn, hour: int, zone: str, *, now: datetime) -> Turn:
    """The turn of the same day on other clocks; at once if its hour is over there.

    It is as late as it was on the old clocks, never later: that the clocks jumped is nobody's delay.
    """
    there = turn(was.on, hour, zone)
    return Turn(there.on, max(there.at, min(was.at, now)))


def following(frequency: str, hour: int, zone: str, *, after: date) -> Turn:
    """The first turn on a later day."""
    on = after + DAY
    while on.weekday() not in WEEKDAYS[frequency]:
        on += DAY
    return turn(on, hour, zone)


def upcoming(frequency: str, hour: int, zone: str, *, now: datetime, after: date | None = None) -> Turn:
    """The first turn that is not over, on a day later than `after`: the one that was last."""
    yesterday = now.astimezone(zone_of(zone)).date() - DAY
    found = following(frequency, hour, zone, after=max(yesterday, after or yesterday))
    while found.at < now:
        found = following(frequency, hour, zone, after=found.on)
    return found


def is_too_late(at: datetime, now: datetime) -> bool:
    return now - at >= TOO_LATE


@dataclass(frozen=True)
class Horizon:
    """Where today ends on a member's clocks, and the days that are looked at besides."""

    today_ends: datetime
    ends: datetime


def horizon(zone: str, now: datetime) -> Horizon:
    here = zone_of(zone)
    today = now.astimezone(here).date()
    midnights = (instant(today + timedelta(days=days), time(0), here) for days in (1, 1 + AHEAD))
    return Horizon(*midnights)


@lru_cache(maxsize=1024)
def zone_of(name: str) -> ZoneInfo:
    """A zone by its name; one that is no longer known is UTC: late is better than never."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ZoneInfo("UTC")
