"""The ticks: what is due is in rows, so a tick may come twice, late or never."""

from datetime import timedelta

import pytest
from django.utils import timezone

from crm import records, tasks
from crm.models import AssignmentWindow, DueNotice, Duplicate, Record, Workflow
from tests.crm.workflows import build


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
