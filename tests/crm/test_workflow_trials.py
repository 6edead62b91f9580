"""Trying a workflow on one record says what would happen, and nothing does."""

import pytest

from accounts.models import Membership
from crm.models import ActionRun, Change, Enrolment, Happening, Record, Rotation
from crm.workflows import testing
from crm.workflows.errors import CannotEnrol
from notifications.models import Event
from tests.crm.workflows import NOTIFY, build, follow

HIGH = [{"property": "priority", "operator": "is", "value": "high"}]


def facts():
    everything = (Record, Change, Event, Happening, Enrolment, ActionRun, Rotation)
    return [list(one.objects.order_by("pk").values_list()) for one in everything]


def test_a_trial_says_what_each_step_would_do_and_changes_nothing(alice, bob, make):
    steps = [
        {"id": "give", "do": "rotate", "members": [bob.pk]},
        {"id": "tell", **NOTIFY, "owner": True},
        {"id": "wait", "do": "wait", "amount": 2, "unit": "hours"},
        {"id": "same", "do": "set", "property": "priority", "value": "high"},
        {
            "id": "way", "do": "branch", "conditions": HIGH,
            "yes": [{"id": "task", "do": "task", "name": "Call", "due_in_days": 0, "member": "owner"}],
            "no": [{"id": "never", "do": "set", "property": "name", "value": "Never"}],
        },
    ]  # fmt: skip
    workflow = build(alice, steps=steps)
    ticket = make("tickets", priority="high")
    follow()
    before = facts()

    for _again in range(2):
        tried = testing.try_on(workflow, ticket)

    assert facts() == before
    assert [(one.step_id, one.would_happen) for one in tried] == [
        ("give", True), ("tell", True), ("wait", True), ("same", False), ("way", True), ("task", True),
    ]  # fmt: skip
    said = {one.step_id: one.words for one in tried}
    assert said["give"] == "Bob was made the owner."
    assert said["tell"] == "1 member was told: “Look at this”.", "who would have become the owner"
    assert said["same"] == "Priority was “High” already."
    assert said["task"] == "The task “Call” was made for Bob."


def test_a_trial_ends_where_a_step_would_fail(alice, bob, make):
    workflow = build(alice, steps=[{"do": "assign", "member": bob.pk}, {**NOTIFY, "owner": True}])
    Membership.objects.filter(pk=bob.pk).update(is_active=False)

    (tried,) = testing.try_on(workflow, make("tickets"))

    assert not tried.would_happen
    assert tried.words == "This step would fail: There is no such active member in the account."


def test_whether_a_record_would_come_in(alice, make):
    workflow = build(alice, conditions=HIGH)

    assert testing.matches(workflow, make("tickets", priority="high"))
    assert not testing.matches(workflow, make("tickets", priority="low"))
    with pytest.raises(CannotEnrol):
        testing.try_on(workflow, make("deals"))
