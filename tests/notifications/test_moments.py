"""Local times as moments: tables over clock changes and odd zones, and a property over all of them."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from notifications import moments
from notifications.moments import Hours, Window, covers_the_week, current_or_next, instant

STOCKHOLM, KATHMANDU, LORD_HOWE = "Europe/Stockholm", "Asia/Kathmandu", "Australia/Lord_Howe"
NEW_YORK, APIA = "America/New_York", "Pacific/Apia"


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("zone", "day", "at", "moment"),
    [
        (STOCKHOLM, date(2027, 1, 12), time(22), "2027-01-12T21:00"),
        (KATHMANDU, date(2027, 1, 12), time(22), "2027-01-12T16:15"),
        # Stockholm's clocks jump from 02:00 to 03:00 on 28 March 2027, New York's on 14 March
        (STOCKHOLM, date(2027, 3, 28), time(1, 59), "2027-03-28T00:59"),
        (STOCKHOLM, date(2027, 3, 28), time(2), "2027-03-28T01:00"),
        (STOCKHOLM, date(2027, 3, 28), time(2, 30), "2027-03-28T01:00"),
        (STOCKHOLM, date(2027, 3, 28), time(3), "2027-03-28T01:00"),
        (NEW_YORK, date(2027, 3, 14), time(2, 15), "2027-03-14T07:00"),
        # and back from 03:00 to 02:00 on 31 October: the first of two
        (STOCKHOLM, date(2027, 10, 31), time(2, 30), "2027-10-31T00:30"),
        (STOCKHOLM, date(2027, 10, 31), time(3), "2027-10-31T02:00"),
        (NEW_YORK, date(2027, 11, 7), time(1, 30), "2027-11-07T05:30"),
        # half an hour on Lord Howe: 02:00 to 02:30 on 3 October, back at 02:00 on 4 April
        (LORD_HOWE, date(2027, 10, 3), time(2, 10), "2027-10-02T15:30"),
        (LORD_HOWE, date(2027, 10, 3), time(2, 30), "2027-10-02T15:30"),
        (LORD_HOWE, date(2027, 4, 4), time(1, 45), "2027-04-03T14:45"),
        # a day that Samoa never had
        (APIA, date(2011, 12, 30), time(12), "2011-12-30T10:00"),
    ],
)
def test_a_local_time_is_one_moment(zone, day, at, moment):
    assert instant(day, at, ZoneInfo(zone)) == utc(moment)


NIGHTS = [Hours(day, time(22), time(7)) for day in range(7)]
WEEKEND = [Hours(4, time(18), time(0)), Hours(5, time(0), time(0)), Hours(6, time(0), time(0))]


@pytest.mark.parametrize(
    ("hours", "zone", "now", "window"),
    [
        ([], STOCKHOLM, "2027-01-12T21:30", None),
        (NIGHTS, STOCKHOLM, "2027-01-12T12:00", ("2027-01-12T21:00", "2027-01-13T06:00")),
        (NIGHTS, STOCKHOLM, "2027-01-12T21:00", ("2027-01-12T21:00", "2027-01-13T06:00")),
        (NIGHTS, STOCKHOLM, "2027-01-13T05:59", ("2027-01-12T21:00", "2027-01-13T06:00")),  # began yesterday
        (NIGHTS, STOCKHOLM, "2027-01-13T06:00", ("2027-01-13T21:00", "2027-01-14T06:00")),  # the end is not in it
        (NIGHTS, STOCKHOLM, "2027-03-27T22:00", ("2027-03-27T21:00", "2027-03-28T05:00")),  # an hour shorter
        (NIGHTS, STOCKHOLM, "2027-10-30T22:00", ("2027-10-30T20:00", "2027-10-31T06:00")),  # an hour longer
        (NIGHTS, KATHMANDU, "2027-01-12T16:15", ("2027-01-12T16:15", "2027-01-13T01:15")),
        ([Hours(6, time(2, 15), time(2, 45))], STOCKHOLM, "2027-03-28T00:30", ("2027-04-04T00:15", "2027-04-04T00:45")),
        ([Hours(6, time(2, 15), time(3, 30))], STOCKHOLM, "2027-03-28T00:30", ("2027-03-28T01:00", "2027-03-28T01:30")),
        (WEEKEND, STOCKHOLM, "2027-01-16T12:00", ("2027-01-15T17:00", "2027-01-17T23:00")),  # what touches is one
        ([Hours(0, time(9), time(10))], STOCKHOLM, "2027-01-11T10:00", ("2027-01-18T08:00", "2027-01-18T09:00")),
    ],
)
def test_the_window_that_lasts_or_comes_next(hours, zone, now, window):
    expected = Window(utc(window[0]), utc(window[1])) if window else None

    assert current_or_next(hours, ZoneInfo(zone), utc(now)) == expected


def test_hours_that_leave_no_minute_are_seen():
    assert not covers_the_week(NIGHTS)
    assert covers_the_week([Hours(day, time(0), time(0)) for day in range(7)])
    assert covers_the_week([Hours(day, time(12), time(11)) for day in range(7)]) is False


HOURS = st.builds(
    Hours, st.integers(0, 6), st.times().map(lambda t: t.replace(second=0, microsecond=0)), st.just(time(0))
) | st.builds(
    Hours,
    st.integers(0, 6),
    st.integers(0, 1439).map(lambda m: time(m // 60, m % 60)),
    st.integers(0, 1439).map(lambda m: time(m // 60, m % 60)),
).filter(lambda one: one.starts != one.ends)


@settings(max_examples=150, deadline=None)
@given(
    hours=st.lists(HOURS, max_size=7, unique_by=lambda one: one.weekday),
    zone=st.sampled_from([STOCKHOLM, KATHMANDU, LORD_HOWE, NEW_YORK, APIA, "UTC"]),
    now=st.integers(0, 3 * 365 * 24 * 60).map(lambda minutes: utc("2026-01-01T00:00") + timedelta(minutes=minutes)),
)
def test_a_window_is_quiet_exactly_where_the_clocks_say_so(hours, zone, now):
    """The twin asks the other way round: what do the clocks show now, and do any hours cover that?"""
    local = now.astimezone(ZoneInfo(zone))
    if any((local + timedelta(hours=shift)).utcoffset() != local.utcoffset() for shift in range(-30, 31, 2)):
        return  # days with a clock change have their table
    today, clock = local.weekday(), local.time()
    expected = any(
        (one.weekday == today and one.starts <= clock and (one.days or clock < one.ends))
        or (one.weekday == (today - 1) % 7 and one.days and clock < one.ends)
        for one in hours
    )

    window = current_or_next(hours, ZoneInfo(zone), now)

    assert (window is not None and window.holds(now)) is expected
    assert window is None or window.ends_at > now
    assert bool(hours) is (window is not None)


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        (
            "2027-01-12T12:00",  # a Tuesday
            {
                "hour": "2027-01-12T13:00",
                "evening": "2027-01-12T17:00",
                "tomorrow": "2027-01-13T07:00",
                "monday": "2027-01-18T07:00",
            },
        ),
        (
            "2027-01-12T17:00",
            {"hour": "2027-01-12T18:00", "tomorrow": "2027-01-13T07:00", "monday": "2027-01-18T07:00"},
        ),
        (
            "2027-01-17T12:00",  # a Sunday: next Monday is tomorrow
            {"hour": "2027-01-17T13:00", "evening": "2027-01-17T17:00", "tomorrow": "2027-01-18T07:00"},
        ),
        (
            "2027-01-18T06:00",
            {
                "hour": "2027-01-18T07:00",
                "evening": "2027-01-18T17:00",
                "tomorrow": "2027-01-19T07:00",
                "monday": "2027-01-25T07:00",
            },
        ),
    ],
)
def test_what_people_call_a_moment(now, expected):
    found = dict(moments.offered(utc(now), ZoneInfo(STOCKHOLM)))

    assert found == {key: utc(text) for key, text in expected.items()}


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2027-01-12T17:30", "2027-01-12T16:30"),
        (" 2027-01-12T17:30:00+05:45 ", "2027-01-12T11:45"),
        ("2027-03-28T02:30", "2027-03-28T01:00"),
        ("2027-02-30T10:00", None),
        ("tomorrow", None),
        ("0001-01-01T00:00+14:00", None),
        ("9999-12-31T23:59-10:00", None),
        ("", None),
    ],
)
def test_what_is_typed_is_on_the_members_clocks(text, moment):
    assert moments.typed(text, ZoneInfo(STOCKHOLM)) == (utc(moment) if moment else None)
