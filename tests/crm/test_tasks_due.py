"""Tasks that fall due: told once per task and time, in the words and the zone of who has to do them."""

import datetime as dt
from datetime import timedelta
from functools import partial

import pytest
from django.utils import timezone

from crm import records, tasks_due
from crm.models import DueNotice
from notifications.models import Event
from tests.crm.conftest import at_once

NOON = dt.datetime(2027, 3, 2, 12, 0, tzinfo=dt.UTC)
TO_COME = NOON.isoformat()


@pytest.fixture
def due(make, bob):
    return make("tasks", owner=bob.pk, due_at=TO_COME)


@pytest.mark.req("N-139")
def test_a_task_is_told_at_its_time_and_once(due, told, bob):
    assert tasks_due.tell_due(NOON - timedelta(seconds=1)) == 0
    assert tasks_due.tell_due(NOON) == 1
    assert tasks_due.tell_due(NOON + timedelta(hours=1)) == 0

    assert told() == [
        ("tasks.due", [bob.pk], {"task": due.title, "due": "today, noon", "url": f"/1001/tasks/{due.pk}/"})
    ]


@pytest.mark.req("N-139")
@pytest.mark.parametrize(
    ("zone", "words"),
    [
        ("Europe/Stockholm", "today, 1 p.m."),
        ("America/New_York", "today, 7 a.m."),
        ("Asia/Kathmandu", "today, 5:45 p.m."),
        ("Pacific/Kiritimati", "today, 2 a.m."),
    ],
)
def test_the_time_is_that_of_who_has_to_do_it(due, told, bob, zone, words):
    bob.time_zone = zone
    bob.save()
    tasks_due.tell_due(NOON)

    assert told("tasks.due")[0][1]["due"] == words


@pytest.mark.req("N-139")
@pytest.mark.parametrize(
    ("zone", "written", "moment"),
    [
        ("Europe/Stockholm", "2027-03-28 09:00", "2027-03-28T07:00:00+00:00"),  # the day the clocks change
        ("Europe/Stockholm", "2027-03-28 02:30", "2027-03-28T01:30:00+00:00"),  # an hour that does not exist
        ("America/New_York", "2027-03-14", "2027-03-14T13:00:00+00:00"),
        ("Australia/Lord_Howe", "2027-04-04 01:45", "2027-04-03T14:45:00+00:00"),  # one that exists twice: the first
    ],
)
def test_a_time_without_a_zone_is_meant_where_the_assignee_is(make, alice, bob, zone, written, moment):
    bob.time_zone = zone
    bob.save()
    task = records.change(make("tasks", owner=bob.pk), {"due_at": written}, by=alice)
    assert make("tasks", owner=bob.pk, due_at=written).due_at == task.due_at

    assert task.due_at.isoformat() == moment


def completed(task, alice):
    records.complete(task, by=alice)


def deleted(task, alice):
    records.delete(task, by=alice)


def handed_to_nobody(task, alice):
    records.assign(task, to=None, by=alice)


def put_off(task, alice):
    records.change(task, {"due_at": (NOON + timedelta(days=1)).isoformat()}, by=alice)


def emptied(task, alice):
    records.change(task, {"due_at": None}, by=alice)


@pytest.mark.parametrize(
    ("happening", "outcomes"),
    [
        (completed, []),  # the row went with the change
        (deleted, ["deleted"]),
        (handed_to_nobody, ["nobody"]),
        (put_off, []),
        (emptied, []),
    ],
)
def test_what_makes_it_untold(due, told, alice, happening, outcomes):
    happening(due, alice)
    tasks_due.tell_due(NOON)

    assert told("tasks.due") == []
    assert list(DueNotice.objects.exclude(settled_at=None).values_list("outcome", flat=True)) == outcomes


def test_a_task_put_off_is_told_at_its_new_time_and_a_time_that_was_told_is_not_told_again(due, told, alice):
    put_off(due, alice)
    assert tasks_due.tell_due(NOON + timedelta(days=1)) == 1
    records.change(due, {"due_at": (NOON + timedelta(days=2)).isoformat()}, by=alice)
    put_off(due, alice)
    tasks_due.tell_due(NOON + timedelta(days=3))

    assert len(told("tasks.due")) == 1


def test_a_reminder_comes_before(make, told, bob):
    make("tasks", owner=bob.pk, due_at=TO_COME, remind_at=(NOON - timedelta(days=1)).isoformat())
    tasks_due.tell_due(NOON - timedelta(days=1))

    assert [data["due"] for _to, data in told("tasks.due")] == ["tomorrow, noon"]


def test_after_a_long_downtime_old_times_are_not_told(due, told):
    tasks_due.tell_due(NOON + timedelta(hours=25))

    assert told() == []
    assert DueNotice.objects.get().outcome == "late"


def test_a_time_that_lies_behind_when_it_is_written_is_not_told(make, bob):
    make("tasks", owner=bob.pk, due_at=(timezone.now() - timedelta(hours=1)).isoformat())

    assert not DueNotice.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_two_workers_tell_once(make, bob):
    for _time in range(5):
        make("tasks", owner=bob.pk, due_at=TO_COME)
    outcomes = at_once(*[partial(tasks_due.tell_due, NOON)] * 3)

    assert sum(outcomes) == 5
    assert Event.objects.count() == 5
