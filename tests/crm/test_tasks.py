"""The ticks: what is due is in rows, so a tick may come twice, late or never."""

from datetime import timedelta

import pytest
from django.utils import timezone

from crm import records, tasks
from crm.models import ActionRun, AssignmentWindow, DueNotice, Duplicate, Enrolment, Record, Workflow
from crm.room import Room
from crm.workflows import enrolling, running
from notifications import live
from tests.crm.workflows import build


@pytest.fixture
def started(monkeypatch):
    """What was put in the queue of two of the long tasks."""
    queue: list[str] = []
    for task in (tasks.carry_workflows, tasks.settle):
        monkeypatch.setattr(task, "delay", lambda name=task.__name__: queue.append(name))
    for key in live.client().keys("*asked:*"):
        live.client().delete(key)
    return queue


@pytest.mark.req("N-082", "N-139")
def test_one_tick_tells_what_is_due(make, told, bob):
    make("deals", owner=bob.pk)
    make("tasks", due_at=(timezone.now() + timedelta(hours=1)).isoformat(), owner=bob.pk)
    make("companies", domain="oak.example")
    make("companies", domain="oak.example")
    late = timezone.now() - timedelta(seconds=1)
    AssignmentWindow.objects.update(due_at=late)
    DueNotice.objects.update(at=late)
    Record.objects.filter(kind="tasks").update(due_at=late)

    for _tick in range(2):
        tasks.sweep()

    assert sorted(kind for kind, *_rest in told()) == ["general.records_assigned", "tasks.due"]
    assert Duplicate.objects.count() == 1


def test_a_tick_starts_the_workflows_whose_hour_has_come(make, alice):
    ticket = make("tickets")
    workflow = build(alice, trigger={"on": "schedule", "every": "day", "at": "08:00"})
    Workflow.objects.update(next_at=timezone.now() - timedelta(seconds=1))

    for _tick in range(2):
        tasks.sweep()
        tasks.carry_workflows()

    assert list(workflow.enrolments.values_list("record", "state")) == [(ticket.pk, "done")]


def test_the_bin_is_emptied(make, alice):
    records.delete(make("deals"), by=alice)
    Record.objects.update(deleted_at=timezone.now() - timedelta(days=100))
    tasks.empty_bin()

    assert not Record.objects.exists()


# --- Long tasks


def test_a_crowd_is_carried_for_a_slice_and_then_handed_over_behind_other_work(make, alice, started, monkeypatch):
    workflow = build(alice)
    for _one in range(running.IN_A_TURN + 1):
        enrolling.enrol(workflow, make("tickets"), alice)
    monkeypatch.setattr(tasks, "A_SLICE", -1)

    tasks.carry_workflows()

    assert ActionRun.objects.count() == running.IN_A_TURN
    assert started == ["carry_workflows"]
    tasks.carry_workflows()
    assert not Enrolment.objects.filter(state="waiting").exists()


def test_long_tasks_leave_a_thread_free_and_room_for_each_other():
    room, called = Room(at_once=3, of_each=2), []

    came = ["crowd", "crowd", "crowd", "import", "export", "crowd"]
    entered = [room.enter(name, again=lambda name=name: called.append(name)) for name in came]
    assert entered == [True, True, False, True, False, False]

    for again in room.leave("crowd"):
        again()
    assert called == ["crowd", "export"], "once each, the longest refused first"
    assert room.enter("export", again=lambda: None)
    assert room.leave("import") == []


def test_a_long_task_that_finds_no_room_is_called_when_one_is_done(make, alice, started, monkeypatch):
    enrolling.enrol(build(alice), make("tickets"), alice)
    monkeypatch.setattr(tasks, "ROOM", Room(at_once=1))

    def comes_meanwhile():
        tasks.carry_workflows()
        assert not ActionRun.objects.exists()
        assert started == []
        return False

    tasks._for_a_while(comes_meanwhile, tasks.settle)

    assert started == ["carry_workflows"]
    tasks.carry_workflows()
    assert ActionRun.objects.count() == 1


def test_a_long_task_that_fails_holds_no_room(started, monkeypatch):
    monkeypatch.setattr(tasks, "ROOM", Room(at_once=1))

    for _time in range(2):
        with pytest.raises(ZeroDivisionError):
            tasks._for_a_while(lambda: 1 // 0, tasks.settle)
