"""What a workflow may be made of: every bad part is named, nothing half-written remains. And the order of its steps."""

from datetime import UTC, datetime

import pytest

from crm.models import Enrolment, Workflow, WorkflowVersion
from crm.workflows import actions, flow, running, scheduling, writing
from crm.workflows.actions.rotate import following
from crm.workflows.actions.wait import until
from crm.workflows.errors import InvalidWorkflow
from tests.crm.workflows import NOTIFY, SET, build, carry

HIGH = [{"property": "priority", "operator": "is", "value": "high"}]


@pytest.fixture
def workflow(alice):
    return writing.create(alice.account, "tickets", "Urgent tickets", alice)


def refused(act):
    with pytest.raises(InvalidWorkflow) as refusal:
        act()
    return set(refusal.value.fields)


# --- Steps


@pytest.mark.parametrize(
    ("step", "problems"),
    [
        ({"do": "dance"}, {"do"}),
        ({}, {"do"}),
        ({"do": "notify"}, {"subject", "message", "members"}),
        ({**NOTIFY, "members": ["nobody"]}, {"members"}),
        ({**NOTIFY, "members": [0]}, {"members"}),
        ({**NOTIFY, "teams": [987654], "owner": True}, {"teams"}),
        ({**NOTIFY, "owner": "perhaps"}, {"owner", "members"}),
        ({**NOTIFY, "subject": "x" * 121, "owner": True}, {"subject"}),
        ({**NOTIFY, "message": "a\0b", "owner": True}, {"message"}),
        ({**NOTIFY, "message": "\ud800", "owner": True}, {"message"}),
        ({"do": "assign"}, {"member"}),
        ({"do": "assign", "member": 2**70}, {"member"}),
        ({"do": "assign", "member": True}, {"member"}),
        ({"do": "rotate", "members": []}, {"members"}),
        ({"do": "rotate", "members": "1"}, {"members"}),
        ({"do": "set", "property": "colour", "value": "red"}, {"property"}),
        ({"do": "set", "property": ["name"], "value": "red"}, {"property"}),
        ({"do": "set", "property": "priority", "value": "huge"}, {"value"}),
        ({"do": "set", "property": "name", "value": ""}, {"value"}),
        ({"do": "set", "property": "owner", "value": 987654}, {"value"}),
        ({"do": "set", "property": "stage", "value": 987654}, {"value"}),
        ({"do": "set", "property": "stage", "value": None}, {"value"}),
        ({"do": "task", "name": "", "due_in_days": -1, "member": "somebody"}, {"name", "due_in_days", "member"}),
        ({"do": "task", "name": "x" * 301, "due_in_days": 1, "member": "owner"}, {"name"}),
        ({"do": "wait", "amount": 0, "unit": "days"}, {"amount"}),
        ({"do": "wait", "amount": 366, "unit": "days"}, {"amount"}),
        ({"do": "wait", "amount": 1, "unit": "years"}, {"unit"}),
        ({"do": "branch"}, {"conditions"}),
        ({"do": "branch", "conditions": "high"}, {"conditions"}),
        ({"do": "branch", "conditions": [{"property": "priority"}]}, {"conditions"}),
        ({"do": "branch", "conditions": [*HIGH, {"property": "colour", "operator": "is_empty"}]}, {"conditions[1]"}),
        ({"do": "branch", "conditions": [{"property": "priority", "operator": "is", "value": "x"}]}, {"conditions[0]"}),
    ],
)
def test_a_step_that_cannot_be_is_refused_field_by_field(workflow, alice, step, problems):
    steps = [SET, {"id": "odd", **step}]

    assert refused(lambda: writing.save_steps(workflow, steps, alice)) == {f"steps.odd.{name}" for name in problems}
    assert not WorkflowVersion.objects.exists()


def test_strangers_are_unknown(workflow, alice, mallory):
    for step in ({"do": "assign", "member": mallory.pk}, {"do": "rotate", "members": [mallory.pk, alice.pk]}):
        assert refused(lambda step=step: writing.save_steps(workflow, [{"id": "s", **step}], alice))


@pytest.mark.parametrize("steps", [None, "s1", {"do": "wait"}, ["wait"], [SET] * 51, [{**SET, "id": "a"}] * 2])
def test_what_is_no_list_of_steps_is_refused(workflow, alice, steps):
    assert refused(lambda: writing.save_steps(workflow, steps, alice)) <= {"steps", "steps.a"}


@pytest.mark.parametrize(("deep", "is_fine"), [(5, True), (6, False), (500, False)])
def test_branches_stand_in_branches_five_deep(workflow, alice, deep, is_fine):
    steps = [SET]
    for _level in range(deep):
        steps = [{"do": "branch", "conditions": HIGH, "yes": steps, "no": []}]

    if is_fine:
        assert writing.save_steps(workflow, steps, alice)
    else:
        assert refused(lambda: writing.save_steps(workflow, steps, alice))


def test_steps_get_ids_that_none_had_before_and_the_same_again_is_no_new_version(workflow, alice):
    first = writing.save_steps(workflow, [SET, {**NOTIFY, "owner": True}], alice)
    assert flow.ids(first.steps) == ["s1", "s2"]

    second = writing.save_steps(workflow, [first.steps[0]], alice)
    third = writing.save_steps(workflow, [*second.steps, SET], alice)

    assert flow.ids(third.steps) == ["s1", "s3"], "s2 was another one"
    assert writing.save_steps(workflow, third.steps, alice) == third
    assert [one.number for one in (first, second, third)] == [1, 2, 3]


def test_what_is_kept_is_what_was_meant(workflow, alice, bob):
    steps = [
        {"do": "notify", "subject": "  Two\nlines ", "message": "Text", "members": [str(bob.pk)], "surplus": 1},
        {"do": "branch", "conditions": HIGH, "yes": [{"do": "wait", "amount": "2", "unit": "days"}]},
    ]

    assert writing.save_steps(workflow, steps, alice).steps == [
        {
            "id": "s1", "do": "notify", "subject": "Two lines", "message": "Text",
            "members": [bob.pk], "teams": [], "owner": False,
        },
        {
            "id": "s2", "do": "branch", "conditions": HIGH,
            "yes": [{"id": "s3", "do": "wait", "amount": 2, "unit": "days"}], "no": [],
        },
    ]  # fmt: skip


# --- Trigger and conditions


@pytest.mark.parametrize(
    ("trigger", "problems"),
    [
        ({}, {"on"}),
        ({"on": "sunrise"}, {"on"}),
        ({"on": ["created"]}, {"on"}),
        ({"on": "changed"}, {"property"}),
        ({"on": "changed", "property": "colour"}, {"property"}),
        ({"on": "changed", "property": "priority", "to": "huge"}, {"to"}),
        ({"on": "changed", "property": "stage", "to": 987654}, {"to"}),
        ({"on": "changed", "property": "owner", "to": 987654}, {"to"}),
        ({"on": "joined"}, {"list"}),
        ({"on": "joined", "list": 987654}, {"list"}),
        ({"on": "submitted", "form": 5}, {"form"}),
        ({"on": "schedule"}, {"every", "at"}),
        ({"on": "schedule", "every": "week", "weekday": 7, "at": "08:00"}, {"weekday"}),
        ({"on": "schedule", "every": "day", "at": "24:00"}, {"at"}),
        ({"on": "schedule", "every": "day", "at": "8"}, {"at"}),
    ],
)
def test_a_trigger_that_cannot_be_is_refused(workflow, alice, trigger, problems):
    found = refused(lambda: writing.change(workflow, trigger=trigger, name="Other", by=alice))

    assert found == {f"trigger.{name}" for name in problems}
    assert Workflow.objects.values_list("name", "trigger").get() == ("Urgent tickets", {})


@pytest.mark.parametrize(
    "trigger",
    [
        {"on": "created"},
        {"on": "changed", "property": "priority"},
        {"on": "changed", "property": "priority", "to": "high"},
        {"on": "submitted", "form": ""},
        {"on": "schedule", "every": "day", "at": "08:00"},
        {"on": "schedule", "every": "week", "weekday": 6, "at": "23:59"},
        {"on": "manual"},
    ],
)
def test_a_trigger_is_kept_as_it_was_meant(workflow, alice, trigger):
    changed = writing.change(workflow, trigger={**trigger, "surplus": 1}, by=alice)

    assert changed.trigger == trigger


def test_conditions_that_cannot_be_are_named_by_their_place(workflow, alice):
    wanted = [*HIGH, {"property": "owner", "operator": "is", "value": 987654}]

    assert refused(lambda: writing.change(workflow, conditions=wanted, by=alice)) == {"conditions[1]"}


def test_what_runs_keeps_a_trigger_and_steps(alice):
    workflow = build(alice)

    assert refused(lambda: writing.save_steps(workflow, [], alice)) == {"steps"}


# --- The order of steps


TREE = [
    {"id": "a", "do": "set"},
    {
        "id": "b", "do": "branch",
        "yes": [{"id": "c", "do": "set"}, {"id": "d", "do": "branch", "yes": [{"id": "e", "do": "set"}], "no": []}],
        "no": [],
    },
    {"id": "f", "do": "set"},
]  # fmt: skip


@pytest.mark.parametrize(
    ("step", "side", "following"),
    [
        ("a", "", "b"),
        ("b", "yes", "c"),
        ("b", "no", "f"),
        ("c", "", "d"),
        ("d", "yes", "e"),
        ("d", "no", "f"),
        ("e", "", "f"),
        ("f", "", ""),
        ("x", "", ""),
    ],
)
def test_what_follows_what(step, side, following):
    assert flow.after(TREE, step, side) == following


@pytest.mark.parametrize(
    ("step", "there", "found"),
    [
        ("a", ["a", "b"], "a"),
        ("a", ["c", "f"], "c"),  # its branch was removed, and what stood in it is left
        ("b", ["f"], "f"),
        ("c", ["e", "f"], "e"),
        ("e", ["a", "f"], "f"),
        ("f", ["a"], ""),
    ],
)
def test_where_it_goes_on_once_steps_are_gone(step, there, found):
    assert flow.still(TREE, step, there) == found


def test_a_tree_is_read_from_top_to_bottom():
    assert flow.ids(TREE) == ["a", "b", "c", "d", "e", "f"]
    assert flow.first(TREE) == "a"
    assert flow.find(TREE, "e") == {"id": "e", "do": "set"}


@pytest.mark.parametrize(
    ("last", "there", "chosen"),
    [
        (0, {1, 2, 3}, 1),
        (1, {1, 2, 3}, 2),
        (3, {1, 2, 3}, 1),
        (1, {1, 3}, 3),
        (3, {3}, 3),
        (9, {2}, 2),
        (1, set(), None),
    ],
)
def test_whose_turn_it_is(last, there, chosen):
    assert following([1, 2, 3], last, there) == chosen


def test_every_action_is_whole():
    assert all(one.do == key and str(one.label) for key, one in actions.ACTIONS.items())
    assert len(actions.ACTIONS) == len(actions.ALL)


# --- Clocks

DAILY, WEEKLY = (
    {"on": "schedule", "every": "day", "at": "02:30"},
    {"on": "schedule", "every": "week", "weekday": 6, "at": "01:30"},
)


@pytest.mark.parametrize(
    ("trigger", "zone", "after", "turn"),
    [
        (DAILY, "UTC", "2026-11-22T02:29", "2026-11-22T02:30"),
        (DAILY, "UTC", "2026-11-22T02:30", "2026-11-23T02:30"),
        (DAILY, "Europe/Stockholm", "2026-03-28T12:00", "2026-03-29T01:00"),  # 02:30 does not exist: 03:00 summer time
        (DAILY, "Europe/Stockholm", "2026-03-29T01:00", "2026-03-30T00:30"),
        (DAILY, "Europe/Stockholm", "2026-10-24T12:00", "2026-10-25T00:30"),  # 02:30 comes twice: the first
        (DAILY, "Europe/Stockholm", "2026-10-25T00:30", "2026-10-26T01:30"),
        (DAILY, "Asia/Kathmandu", "2026-11-22T00:00", "2026-11-22T20:45"),
        (WEEKLY, "America/New_York", "2026-11-01T00:00", "2026-11-01T05:30"),  # a Sunday on which 01:30 comes twice
        (WEEKLY, "America/New_York", "2026-11-01T05:30", "2026-11-08T06:30"),
        (WEEKLY, "Australia/Lord_Howe", "2026-11-21T00:00", "2026-11-21T14:30"),
        ({"on": "manual"}, "UTC", "2026-11-22T02:29", None),
    ],
)
def test_when_the_next_turn_of_a_schedule_is(trigger, zone, after, turn):
    moment = scheduling.following(trigger, zone, after=datetime.fromisoformat(after).replace(tzinfo=UTC))

    assert moment == (datetime.fromisoformat(turn).replace(tzinfo=UTC) if turn else None)


@pytest.mark.parametrize(
    ("amount", "unit", "now", "end"),
    [
        (90, "minutes", "2026-03-28T12:00", "2026-03-28T13:30"),
        (24, "hours", "2026-03-28T12:00", "2026-03-29T12:00"),
        (1, "days", "2026-03-28T12:00", "2026-03-29T11:00"),  # the same hour on the clock
        (1, "days", "2026-03-28T01:30", "2026-03-29T01:00"),  # 02:30 does not exist there
    ],
)
def test_when_a_delay_is_over(amount, unit, now, end):
    moment = until(amount, unit, datetime.fromisoformat(now).replace(tzinfo=UTC), "Europe/Stockholm")

    assert moment == datetime.fromisoformat(end).replace(tzinfo=UTC)


def test_a_schedule_enrols_all_that_match_once_a_turn(alice, make):
    trigger = {"on": "schedule", "every": "day", "at": "08:00"}
    workflow = build(alice, trigger=trigger, conditions=HIGH, reenrols=True)
    make("tickets", priority="high")
    make("tickets", priority="low")
    first = Workflow.objects.get().next_at

    assert scheduling.start_due(first) == 1
    assert scheduling.start_due(first) == 0, "twice is once"
    carry()

    assert Enrolment.objects.filter(state="done").count() == 1
    second = Workflow.objects.get().next_at
    assert scheduling.following(trigger, "UTC", after=first) == second
    running.pause(workflow, alice)
    assert Workflow.objects.get().next_at is None


def test_another_zone_of_the_account_moves_its_schedules(alice):
    build(alice, trigger={"on": "schedule", "every": "day", "at": "08:00"})
    before = Workflow.objects.get().next_at

    alice.account.time_zone = "Asia/Kathmandu"
    alice.account.save()

    assert (before - Workflow.objects.get().next_at).total_seconds() % 86_400 == 5.75 * 3600
