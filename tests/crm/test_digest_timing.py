"""When a timed mail is due: both changes of the clocks, odd zones, and a year in which no day comes twice."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crm.digests import timing
from crm.models import Frequency

ZONES = sorted(name for name in available_timezones() if "/" in name and not name.startswith(("Etc/", "SystemV/")))


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.req("N-141")
@pytest.mark.parametrize(
    ("zone", "day", "hour", "moment"),
    [
        ("Europe/Stockholm", "2026-03-27", 8, "2026-03-27T07:00"),
        ("Europe/Stockholm", "2026-03-30", 8, "2026-03-30T06:00"),
        ("Europe/Stockholm", "2026-03-29", 2, "2026-03-29T01:00"),  # 02:00 does not exist: 03:00 is the next
        ("Europe/Stockholm", "2026-10-25", 2, "2026-10-25T00:00"),  # 02:00 comes twice: the first one
        ("Europe/Stockholm", "2026-10-26", 8, "2026-10-26T07:00"),
        ("America/New_York", "2027-03-14", 2, "2027-03-14T07:00"),
        ("America/New_York", "2027-03-15", 8, "2027-03-15T12:00"),
        ("America/New_York", "2026-11-01", 1, "2026-11-01T05:00"),
        ("America/New_York", "2026-11-02", 8, "2026-11-02T13:00"),
        ("Asia/Kathmandu", "2026-11-23", 8, "2026-11-23T02:15"),
        ("Australia/Lord_Howe", "2026-10-04", 2, "2026-10-03T15:30"),  # half an hour is left out: 02:30 is the next
        ("Australia/Lord_Howe", "2027-04-05", 8, "2027-04-04T21:30"),
        ("Australia/Lord_Howe", "2026-11-23", 8, "2026-11-22T21:00"),
        ("America/Nuuk", "2027-03-27", 23, "2027-03-28T01:00"),  # the hour before midnight is left out
        ("Nowhere/Gone", "2026-11-23", 8, "2026-11-23T08:00"),  # UTC
    ],
)
def test_a_local_hour_is_this_moment(zone, day, hour, moment):
    assert timing.turn(date.fromisoformat(day), hour, zone).at == at(moment)


@pytest.mark.parametrize(
    ("frequency", "now", "on"),
    [
        (Frequency.WEEKDAYS, "2026-11-20T06:59", "2026-11-20"),  # a Friday, before eight
        (Frequency.WEEKDAYS, "2026-11-20T07:00", "2026-11-20"),  # at eight sharp
        (Frequency.WEEKDAYS, "2026-11-20T07:01", "2026-11-23"),
        (Frequency.WEEKDAYS, "2026-11-21T12:00", "2026-11-23"),
        (Frequency.WEEKLY, "2026-11-20T12:00", "2026-11-23"),
        (Frequency.WEEKLY, "2026-11-23T07:30", "2026-11-30"),
        (Frequency.FRIDAYS, "2026-11-23T12:00", "2026-11-27"),
    ],
)
def test_the_next_one_is_on_this_day(frequency, now, on):
    assert timing.upcoming(frequency, 8, "Europe/Stockholm", now=at(now)).on == date.fromisoformat(on)


def test_a_day_that_had_its_turn_has_no_second_one():
    now = at("2026-11-23T05:00")

    found = timing.upcoming(Frequency.WEEKDAYS, 8, "Europe/Stockholm", now=now, after=date(2026, 11, 23))

    assert found.on == date(2026, 11, 24)


def test_six_hours_are_too_late_and_a_second_less_is_not():
    due = at("2026-11-23T07:00")

    assert not timing.is_too_late(due, due + timedelta(hours=6) - timedelta(seconds=1))
    assert timing.is_too_late(due, due + timedelta(hours=6))


def test_today_ends_at_the_members_midnight():
    found = timing.horizon("Asia/Kathmandu", at("2026-11-22T18:30"))  # 00:15 on the 23rd there

    assert found.today_ends == at("2026-11-23T18:15")
    assert found.ends == at("2026-11-30T18:15")


@pytest.mark.req("N-141")
@settings(max_examples=150, deadline=None)
@given(
    zones=st.lists(st.sampled_from(ZONES), min_size=1, max_size=6),
    hour=st.integers(0, 23),
    frequency=st.sampled_from(list(Frequency)),
    moves=st.lists(st.integers(0, 364), max_size=6),
)
def test_over_a_year_no_local_date_comes_twice_and_none_is_lost(zones, hour, frequency, moves):
    """A member who wanders through zones, as `schedules.zone_changed` and the tick move their row."""
    zone, home = zones[0], zip(sorted(moves), zones[1:], strict=False)
    moving = dict(home)
    start = datetime(2026, 6, 1, tzinfo=UTC)
    turn = timing.upcoming(frequency, hour, zone, now=start)
    seen: list[date] = []
    for day in range(365):
        if day in moving:  # the day that comes next stays; its moment is another one
            zone = moving[day]
            turn = timing.turn(turn.on, hour, zone)
        while turn.at < start + timedelta(days=day + 1):
            seen.append(turn.on)
            assert turn.at.astimezone(ZoneInfo(zone)).date() - turn.on <= timedelta(days=1)
            turn = timing.following(frequency, hour, zone, after=turn.on)

    wanted = [seen[0] + timedelta(days=i) for i in range((seen[-1] - seen[0]).days + 1)]
    assert seen == [day for day in wanted if day.weekday() in timing.WEEKDAYS[frequency]]
