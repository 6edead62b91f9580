"""Workflows: composing them, and records going through them."""

import pytest

from accounts.members import NotSuperAdmin
from accounts.models import Membership
from accounts.plans import NotOnThisPlan, Plan
from crm import form_submissions, merging, permissions, records, stages
from crm.filtering import Condition
from crm.kinds import BUILT_IN
from crm.lists import adding, making, processing
from crm.models import ActionRun, Association, Enrolment, Record, Source, Workflow
from crm.workflows import drafting, enrolling, logbook, running, saving, writing
from crm.workflows.errors import CannotEnrol, InvalidWorkflow, WorkflowGone, WorkflowNotOn
from tests.crm.workflows import NOTIFY, SET, build, carry, due_now, follow

WAIT = {"do": "wait", "amount": 1, "unit": "days"}
SET_CITY = {"do": "set", "property": "city", "value": "Oslo"}
HIGH = [{"property": "priority", "operator": "is", "value": "high"}]


def states():
    return list(Enrolment.objects.order_by("pk").values_list("state", flat=True))


def words():
    return list(ActionRun.objects.order_by("pk").values_list("do", "outcome", "words"))


# --- From a trigger to the end


@pytest.mark.req("N-154")
def test_a_created_record_is_enrolled_and_the_people_chosen_are_told(alice, bob, make, told):
    build(alice, trigger={"on": "created"}, steps=[{**NOTIFY, "members": [bob.pk]}])

    ticket = make("tickets", by=bob)
    carry()

    ((members, data),) = told("workflows.notified")
    assert members == [bob.pk]
    assert data == {
        "subject": "Look at this",
        "message": "It is urgent.",
        "workflow": "Urgent tickets",
        "url": f"/1001/tickets/{ticket.pk}/",
    }
    assert states() == ["done"]
    assert words() == [("notify", "done", "1 member was told: “Look at this”.")]


@pytest.mark.req("N-154")
def test_teams_and_the_owner_are_told_but_only_who_may_see_the_record(alice, bob, carol, team, make, told):
    permissions.set_reach(carol, "tickets", sees="own", edits="own", by=alice)
    step = {**NOTIFY, "members": [carol.pk], "teams": [team.pk], "owner": True}
    build(alice, trigger={"on": "created"}, steps=[step])

    make("tickets", owner=alice.pk)
    carry()

    ((members, _data),) = told("workflows.notified")
    assert set(members) == {bob.pk, alice.pk}


def test_conditions_say_who_gets_in(alice, make):
    build(
        alice,
        trigger={"on": "created"},
        conditions=HIGH,
        steps=[{"do": "set", "property": "description", "value": "!"}],
    )

    make("tickets", priority="low")
    high = make("tickets", priority="high")
    carry()

    assert list(Enrolment.objects.values_list("record", "state")) == [(high.pk, "done")]
    high.refresh_from_db()
    assert high.values["description"] == "!"
    assert high.changes.filter(source=Source.WORKFLOW, by=None, what="description").exists()


@pytest.mark.parametrize(
    ("to", "changes", "enrolled"),
    [
        (None, ["low"], 1),
        ("urgent", ["low"], 0),
        ("urgent", ["low", "urgent"], 1),
        ("urgent", ["urgent", "low", "urgent"], 1),  # twice, but it does not re-enrol
    ],
)
def test_a_property_that_changes_enrols(alice, make, to, changes, enrolled):
    trigger = {"on": "changed", "property": "priority"} | ({"to": to} if to else {})
    build(alice, trigger=trigger, steps=[{"do": "wait", "amount": 1, "unit": "days"}, {**NOTIFY, "owner": True}])
    ticket = make("tickets")

    for value in changes:
        records.change(ticket, {"priority": value}, by=alice)
    records.change(ticket, {"name": "Another name"}, by=alice)
    carry()

    assert Enrolment.objects.count() == enrolled


def test_a_stage_that_is_reached_enrols(alice, deal):
    (pipeline,) = stages.pipelines_of(alice.account, BUILT_IN["deals"])
    last = list(pipeline.stages.all())[-1]
    trigger = {"on": "changed", "property": "stage", "to": str(last.pk)}
    build(
        alice,
        kind="deals",
        trigger=trigger,
        steps=[{"do": "task", "name": "Say thanks", "due_in_days": 2, "member": "owner"}],
    )

    records.move(deal, to=last.pk, by=alice)
    carry()

    task = Record.objects.get(kind="tasks")
    assert (task.title, task.owner, task.source) == ("Say thanks", None, "workflow")
    assert Association.objects.filter(low=deal, high=task).exists()


def test_joining_a_list_enrols_and_another_list_does_not(alice, make):
    kind = BUILT_IN["tickets"]
    wanted, other = (making.create(alice.account, kind, name=name, is_filtered=False, by=alice) for name in "AB")
    build(alice, trigger={"on": "joined", "list": wanted.pk})
    first, second = make("tickets"), make("tickets")

    adding.add(wanted, [first.pk], by=alice)
    adding.add(other, [second.pk], by=alice)
    carry()

    assert list(Enrolment.objects.values_list("record", "state")) == [(first.pk, "done")]


def test_a_list_that_a_workflow_fills_by_a_property_counts_as_its_work(alice, make):
    kind = BUILT_IN["tickets"]
    seen = [Condition("description", "is", SET["value"])]
    wanted = making.create(alice.account, kind, name="Seen", is_filtered=True, conditions=seen, by=alice)
    while processing.step():
        pass
    build(alice, name="First", trigger={"on": "created"})
    build(alice, name="Second", trigger={"on": "joined", "list": wanted.pk})

    make("tickets")
    carry()

    assert list(Enrolment.objects.order_by("pk").values_list("workflow__name", "depth")) == [
        ("First", 0),
        ("Second", 1),
    ]


@pytest.mark.parametrize(("form", "enrolled"), [("", 1), (" Ask for a  quote", 1), ("Newsletter", 0)])
def test_a_form_that_is_handed_in_enrols_its_contact(alice, form, enrolled):
    workflow = build(alice, kind="contacts", trigger={"on": "submitted", "form": form}, steps=[WAIT, SET_CITY])

    form_submissions.submit(
        alice.account, form="Ask for a quote", page="/offers", address="mia@example.com", given={}, by=None
    )
    carry()

    assert workflow.enrolments.count() == enrolled


def test_a_delay_waits_and_a_branch_goes_one_way(alice, make):
    steps = [
        {"id": "w", "do": "wait", "amount": 3, "unit": "hours"},
        {
            "id": "b", "do": "branch", "conditions": HIGH,
            "yes": [{"id": "y", "do": "set", "property": "description", "value": "yes"}],
            "no": [{"id": "n", "do": "set", "property": "description", "value": "no"}],
        },
        {"id": "e", "do": "set", "property": "name", "value": "The end"},
    ]  # fmt: skip
    build(alice, trigger={"on": "created"}, steps=steps)
    ticket = make("tickets", priority="high")
    carry()
    assert Enrolment.objects.get().at == "b"
    assert words()[0][2].startswith("Until ")
    assert not words()[0][2].endswith(".."), "moments end in p.m."

    records.change(ticket, {"priority": "low"}, by=alice)
    carry()
    assert Enrolment.objects.get().at == "b", "its time has not come"
    due_now()
    carry()

    ticket.refresh_from_db()
    assert (ticket.values["description"], ticket.title) == ("no", "The end")
    assert [(do, outcome) for do, outcome, _words in words()] == [
        ("wait", "done"), ("branch", "no"), ("set", "done"), ("set", "done"),
    ]  # fmt: skip


def test_owners_are_assigned_and_taken_in_turn_without_who_left(alice, bob, carol, make):
    build(alice, trigger={"on": "created"}, steps=[{"do": "rotate", "members": [alice.pk, bob.pk, carol.pk]}])
    made = [make("tickets") for _n in range(4)]
    carry()
    Membership.objects.filter(pk=bob.pk).update(is_active=False)
    made += [make("tickets") for _n in range(3)]
    carry()

    owners = list(Record.objects.filter(pk__in=[one.pk for one in made]).order_by("pk").values_list("owner", flat=True))
    assert owners == [alice.pk, bob.pk, carol.pk, alice.pk, carol.pk, alice.pk, carol.pk]


# --- Enrolling by hand, again, and everything


def test_by_hand_a_record_comes_in_again_but_not_while_it_is_under_way(alice, make):
    workflow = build(alice, steps=[{"do": "wait", "amount": 1, "unit": "days"}, {**NOTIFY, "owner": True}])
    ticket = make("tickets")

    enrolling.enrol(workflow, ticket, alice)
    with pytest.raises(CannotEnrol, match="already"):
        enrolling.enrol(workflow, ticket, alice)
    carry()
    due_now()
    carry()
    enrolling.enrol(workflow, ticket, alice)

    assert states() == ["done", "waiting"]


def test_what_is_no_business_of_the_workflow_is_refused(alice, bob, make, mallory):
    workflow = build(alice, conditions=HIGH)
    permissions.set_reach(bob, "tickets", sees="all", edits="own", by=alice)
    theirs = records.create(mallory.account, "tickets", {"name": "Roastery"}, by=mallory)

    for record, by in [
        (make("deals"), alice),
        (make("tickets"), bob),
        (theirs, alice),
        (make("tickets", priority="low"), alice),
    ]:
        with pytest.raises(CannotEnrol):
            enrolling.enrol(workflow, record, by)

    running.pause(workflow, alice)
    with pytest.raises(WorkflowNotOn):
        enrolling.enrol(workflow, make("tickets"), alice)
    assert not Enrolment.objects.exists()


@pytest.mark.parametrize("reenrols", [False, True])
def test_the_rule_for_coming_in_again(alice, make, reenrols):
    trigger = {"on": "changed", "property": "priority"}
    build(alice, trigger=trigger, reenrols=reenrols)
    ticket = make("tickets")

    for value in ("low", "urgent"):
        records.change(ticket, {"priority": value}, by=alice)
        carry()

    assert states() == ["done", "done"] if reenrols else ["done"]


def test_all_that_match_are_enrolled_in_pieces(alice, make, monkeypatch, django_assert_max_num_queries):
    monkeypatch.setattr(enrolling, "CHUNK", 4)
    made = [make("tickets", priority="high" if n % 2 else "low") for n in range(10)]
    workflow = build(alice, conditions=HIGH)
    wave = enrolling.enrol_all(workflow, alice)
    assert enrolling.enrol_all(workflow, alice) == wave, "one at a time"
    make("tickets")

    with django_assert_max_num_queries(9):
        assert enrolling.advance_wave(workflow)
    assert Enrolment.objects.count() == 2
    while enrolling.advance_wave(workflow):
        pass

    wave.refresh_from_db()
    assert (wave.enrolled, wave.finished_at is not None) == (5, True)
    assert set(Enrolment.objects.values_list("record", flat=True)) == {one.pk for one in made[1::2]}


# --- Off, paused, another plan, deleted


def test_paused_nothing_comes_in_and_nothing_runs_until_it_is_on_again(alice, make):
    workflow = build(alice, trigger={"on": "created"})
    make("tickets")
    follow()
    running.pause(workflow, alice)
    make("tickets")
    carry()
    assert (states(), ActionRun.objects.count()) == (["waiting"], 0)

    running.turn_on(workflow, alice)
    carry()

    assert states() == ["done"]


def test_turned_off_what_is_under_way_is_cancelled(alice, make):
    workflow = build(alice, trigger={"on": "created"})
    make("tickets")
    follow()

    running.turn_off(workflow, alice)
    running.turn_on(workflow, alice)
    carry()

    assert (states(), ActionRun.objects.count()) == (["cancelled"], 0)


def test_a_plan_without_workflows_cannot_turn_on_and_what_is_on_waits(alice, make):
    workflow = build(alice, trigger={"on": "created"})
    make("tickets")
    follow()
    alice.account.plan = Plan.STARTER
    alice.account.save()
    make("tickets")
    carry()

    assert (states(), ActionRun.objects.count()) == (["waiting"], 0)
    for act in (lambda: running.turn_on(workflow, alice), lambda: enrolling.enrol_all(workflow, alice)):
        with pytest.raises(NotOnThisPlan):
            act()
    alice.account.plan = Plan.PROFESSIONAL
    alice.account.save()
    carry()
    assert states() == ["done"]


def test_deleted_and_merged_records_go_no_further(alice, make):
    workflow = build(alice, steps=[{"do": "wait", "amount": 1, "unit": "days"}, {**NOTIFY, "owner": True}])
    gone, other, kept = (make("tickets") for _n in range(3))
    for one in (gone, other, kept):
        enrolling.enrol(workflow, one, alice)

    records.delete(gone, by=alice)
    merging.merge(kept, other, by=alice)
    follow()

    assert states() == ["stopped", "stopped", "waiting"]


def test_what_went_to_the_bin_a_moment_ago_is_not_worked_on(alice, make):
    workflow = build(alice)
    ticket = make("tickets")
    enrolling.enrol(workflow, ticket, alice)

    records.delete(ticket, by=alice)
    while running.step():
        pass

    assert (states(), ActionRun.objects.count()) == (["stopped"], 0)


def test_a_record_ends_on_the_version_it_began_with(alice, make):
    workflow = build(alice, steps=[{"id": "a", "do": "set", "property": "description", "value": "old"}])
    first, second = make("tickets"), make("tickets")
    enrolling.enrol(workflow, first, alice)
    writing.save_steps(workflow, [{"id": "a", "do": "set", "property": "description", "value": "new"}], alice)
    enrolling.enrol(workflow, second, alice)
    carry()

    found = Record.objects.filter(pk__in=[first.pk, second.pk]).order_by("pk")
    assert [one.values["description"] for one in found] == ["old", "new"]


# --- Who may, what is refused


def test_only_super_admins_compose(alice, bob, mallory):
    workflow = build(alice)
    for somebody in (bob, mallory):
        for act in (
            lambda by: writing.create(alice.account, "tickets", "Mine", by),
            lambda by: writing.change(workflow, name="Mine", by=by),
            lambda by: writing.save_steps(workflow, [], by),
            lambda by: writing.delete(workflow, by),
            lambda by: running.turn_on(workflow, by),
            lambda by: running.pause(workflow, by),
            lambda by: running.turn_off(workflow, by),
            lambda by: enrolling.enrol_all(workflow, by),
        ):
            with pytest.raises(NotSuperAdmin):
                act(somebody)


def test_incomplete_it_is_not_turned_on_and_says_what_is_missing(alice):
    workflow = writing.create(alice.account, "tickets", "Half", alice)

    with pytest.raises(InvalidWorkflow) as refused:
        running.turn_on(workflow, alice)

    assert set(refused.value.fields) == {"trigger.on", "steps"}


@pytest.mark.parametrize(
    "do",
    [
        lambda workflow, by, ticket: writing.change(workflow, name="Other", by=by),
        lambda workflow, by, ticket: writing.save_steps(workflow, [SET], by),
        lambda workflow, by, ticket: saving.save(workflow, drafting.of(workflow), read="", by=by),
        lambda workflow, by, ticket: running.turn_on(workflow, by),
        lambda workflow, by, ticket: running.pause(workflow, by),
        lambda workflow, by, ticket: running.turn_off(workflow, by),
        lambda workflow, by, ticket: enrolling.enrol(workflow, ticket, by),
        lambda workflow, by, ticket: enrolling.enrol_all(workflow, by),
    ],
)
def test_what_was_deleted_meanwhile_is_refused_in_words(alice, make, do):
    workflow, ticket = build(alice), make("tickets")
    writing.delete(workflow, alice)

    with pytest.raises(WorkflowGone, match="was deleted in the meantime"):
        do(workflow, alice, ticket)


def test_a_name_is_there_once_and_free_again_when_deleted(alice):
    workflow = writing.create(alice.account, "tickets", "  Urgent   tickets ", alice)
    assert workflow.name == "Urgent tickets"
    for name in ("Urgent tickets", "", "x" * 121, "a\0b"):
        with pytest.raises(InvalidWorkflow) as refused:
            writing.create(alice.account, "deals", name, alice)
        assert set(refused.value.fields) == {"name"}

    writing.delete(workflow, alice)
    writing.delete(workflow, alice)
    writing.create(alice.account, "deals", "Urgent tickets", alice)

    assert not Workflow.objects.of(alice.account).filter(pk=workflow.pk).exists()


# --- What is told afterwards


def test_the_log_of_a_record_and_the_numbers_of_a_workflow(alice, bob, make, mallory):
    workflow = build(
        alice,
        steps=[
            {"id": "s", "do": "set", "property": "description", "value": "!"},
            {"id": "w", "do": "wait", "amount": 1, "unit": "days"},
            {"id": "n", **NOTIFY, "owner": True},
        ],
    )
    first, second = make("tickets", owner=bob.pk), make("tickets")
    enrolling.enrol(workflow, first, alice)
    carry()
    enrolling.enrol(workflow, second, alice)

    (entry,) = logbook.of_record(first, alice)
    assert [run.step for run in entry.runs.all()] == ["s", "w"]
    assert logbook.of_record(first, mallory) == []
    assert [one.record for one in logbook.of_workflow(workflow, alice)] == [second, first]
    permissions.set_reach(bob, "tickets", sees="own", edits="own", by=alice)
    assert [one.record for one in logbook.of_workflow(workflow, bob)] == [first]
    numbers = logbook.numbers(workflow)
    assert numbers.by_state == {"waiting": 2}
    assert numbers.by_step == {"s": {"done": 1, "waiting": 1}, "w": {"done": 1}, "n": {"waiting": 1}}
