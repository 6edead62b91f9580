"""A workflow that cannot go on by itself: who is told, what waits, and how it goes on."""

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import Membership, Role
from crm import defining, pipelines, records, stages
from crm.kinds import BUILT_IN
from crm.lists import making
from crm.models import ActionRun, Enrolment, Record, Workflow
from crm.workflows import enrolling, following, reviewing, running, writing
from tests.crm.workflows import NOTIFY, SET, build, carry, due_now

ASSIGN = {"id": "give", "do": "assign"}


def state(workflow):
    return Workflow.objects.values_list("state", "review_reason").get(pk=workflow.pk)


@pytest.fixture
def taking(alice, make):
    """A workflow that gives every contact the address that Mia has."""
    make("contacts", email="mia@example.com")
    step = {"id": "mail", "do": "set", "property": "email", "value": "mia@example.com"}
    return build(alice, name="Taking", kind="contacts", steps=[step])


@pytest.mark.req("N-155")
def test_a_step_that_fails_is_tried_again_with_growing_waits_and_then_needs_review(alice, make, taking, told):
    contact = make("contacts", first_name="Ann")
    enrolling.enrol(taking, contact, alice)

    waits = []
    for _attempt in reviewing.RETRIES:
        carry()
        row = Enrolment.objects.get()
        waits.append(round((row.due_at - timezone.now()) / timedelta(minutes=1)))
        assert (row.state, ActionRun.objects.count()) == ("waiting", 0)
        due_now()
    carry()

    assert waits == [1, 5, 30, 120]
    assert state(taking)[0] == "review"
    row = Enrolment.objects.get()
    assert row.state == "failed"
    assert "at most one contact" in row.why
    assert list(ActionRun.objects.values_list("step", "outcome")) == [("mail", "failed")]
    ((members, data),) = told("workflows.review_needed")
    assert members == [alice.pk]
    assert data["workflow"] == "Taking"
    assert data["reason"].startswith("a step failed 5 times in a row: An address has at most one contact")
    assert data["url"] == f"/1001/workflows/{taking.pk}/"


@pytest.mark.req("N-155")
def test_super_admins_and_who_made_it_are_told(alice, bob, carol, make, told):
    Membership.objects.filter(pk=bob.pk).update(role=Role.SUPER_ADMIN)
    bob.refresh_from_db()
    workflow = build(bob)
    Membership.objects.filter(pk=bob.pk).update(role=Role.MEMBER)

    reviewing.put(workflow, "it is time")
    reviewing.put(workflow, "it is time again")

    ((members, data),) = told("workflows.review_needed")
    assert (set(members), data["reason"]) == ({alice.pk, bob.pk}, "it is time")


@pytest.mark.req("N-155")
def test_who_is_to_get_it_left_so_it_waits_and_goes_on_as_it_was_mended(alice, bob, carol, make, told):
    workflow = build(alice, steps=[{**ASSIGN, "member": bob.pk}, SET])
    ticket = make("tickets")
    enrolling.enrol(workflow, ticket, alice)
    Membership.objects.filter(pk=bob.pk).update(is_active=False)

    carry()

    assert state(workflow)[0] == "review"
    assert told("workflows.review_needed")[0][1]["reason"] == (
        "something that it names is gone (step “Assign to a member”: Choose an active member of the account)"
    )
    assert Enrolment.objects.values_list("state", "at").get() == ("waiting", "give")
    carry()
    assert not ActionRun.objects.exists(), "in review nothing runs"

    writing.save_steps(workflow, [{**ASSIGN, "member": carol.pk}, SET], alice)
    running.turn_on(workflow, alice)
    carry()

    assert Record.objects.get(pk=ticket.pk).owner == carol
    assert Enrolment.objects.get().state == "done"


@pytest.mark.parametrize("chosen", ["teams", "members"])
def test_nobody_who_was_to_be_told_is_left_so_it_waits(alice, bob, make, team, told, chosen):
    whom = {"teams": [team.pk]} if chosen == "teams" else {"members": [bob.pk]}
    workflow = build(alice, steps=[{**NOTIFY, **whom, "id": "tell"}])
    enrolling.enrol(workflow, make("tickets"), alice)
    team.delete()
    Membership.objects.filter(pk=bob.pk).update(is_active=False)

    carry()

    assert state(workflow)[0] == "review"
    assert Enrolment.objects.values_list("state", "at").get() == ("waiting", "tell")
    assert not ActionRun.objects.exists()


def test_an_owner_who_is_not_there_yet_is_no_fault(alice, make, team):
    workflow = build(alice, steps=[{**NOTIFY, "teams": [team.pk], "owner": True}])
    enrolling.enrol(workflow, make("tickets"), alice)
    team.delete()

    carry()

    assert state(workflow)[0] == "on"
    assert ActionRun.objects.values_list("outcome", flat=True).get() == "nothing"


def test_mended_by_removing_the_step_who_waited_before_it_goes_on_with_the_next(alice, bob, make):
    task = {"id": "task", "do": "task", "name": "Call", "due_in_days": 1, "member": "owner"}
    workflow = build(alice, steps=[{**ASSIGN, "member": bob.pk}, {**SET, "id": "set"}, task])
    ticket = make("tickets")
    enrolling.enrol(workflow, ticket, alice)
    Membership.objects.filter(pk=bob.pk).update(is_active=False)
    carry()

    writing.save_steps(workflow, [task], alice)
    running.turn_on(workflow, alice)
    carry()

    assert state(workflow) == ("on", "")
    assert Enrolment.objects.values_list("state", "why").get() == ("done", "")
    assert list(ActionRun.objects.values_list("step", flat=True)) == ["task"]


def test_mended_so_that_none_of_its_steps_is_left_a_record_is_through(alice, bob, make):
    workflow = build(alice, steps=[SET, {**ASSIGN, "member": bob.pk}])
    enrolling.enrol(workflow, make("tickets"), alice)
    Membership.objects.filter(pk=bob.pk).update(is_active=False)
    carry()

    writing.save_steps(workflow, [SET], alice)
    running.turn_on(workflow, alice)

    assert Enrolment.objects.values_list("state", "at").get() == ("done", "")
    assert Enrolment.objects.get().ended_at is not None


def test_a_step_that_was_done_is_not_done_again_on_a_newer_version(alice, bob, carol, make):
    task = {"id": "task", "do": "task", "name": "Call", "due_in_days": 1, "member": "owner"}
    workflow = build(alice, steps=[task, {**ASSIGN, "member": bob.pk}])
    enrolling.enrol(workflow, make("tickets"), alice)
    Membership.objects.filter(pk=bob.pk).update(is_active=False)
    carry()

    writing.save_steps(workflow, [{**ASSIGN, "member": carol.pk}, task], alice)
    running.turn_on(workflow, alice)
    carry()

    assert Enrolment.objects.get().state == "done"
    assert Record.objects.filter(kind="tasks").count() == 1


def test_what_it_names_is_missed_although_no_record_comes(alice, told):
    colour = defining.define_property(alice.account, "tickets", key="colour", label="Colour", type="text", by=alice)
    wanted = [{"property": "colour", "operator": "is", "value": "red"}]
    workflow, other = build(alice, conditions=wanted), build(alice, name="Other")
    assert reviewing.check_some() == 0, "an hour has not passed"

    defining.archive_property(colour, by=alice)
    Workflow.objects.update(checked_at=timezone.now() - timedelta(hours=2))
    assert reviewing.check_some() == 2

    assert (state(workflow)[0], state(other)[0]) == ("review", "on")
    assert told("workflows.review_needed")[0][1]["reason"] == (
        "something that it names is gone (its filters: Ticket has no such property)"
    )


def test_conditions_that_broke_are_noticed_when_a_record_comes(alice, make):
    colour = defining.define_property(alice.account, "tickets", key="colour", label="Colour", type="text", by=alice)
    wanted = [{"property": "colour", "operator": "is", "value": "red"}]
    workflow = build(alice, trigger={"on": "created"}, conditions=wanted)
    defining.archive_property(colour, by=alice)

    make("tickets")
    carry()

    assert state(workflow) == ("review", "something that it names is gone (its filters: Ticket has no such property)")
    assert not Enrolment.objects.exists()


def test_a_stage_that_went_is_missed(alice):
    (pipeline,) = stages.pipelines_of(alice.account, BUILT_IN["tickets"])
    stage = pipelines.add_stage(pipeline, name="Waiting for parts", by=alice)
    workflow = build(alice, trigger={"on": "changed", "property": "stage", "to": stage.pk})

    pipelines.remove_stage(stage, by=alice)
    Workflow.objects.update(checked_at=timezone.now() - timedelta(hours=2))
    reviewing.check_some()

    assert state(workflow)[0] == "review"
    assert "(what begins it: " in state(workflow)[1]


def test_a_list_that_was_deleted_is_missed(alice):
    one = making.create(alice.account, BUILT_IN["tickets"], name="For the fair", is_filtered=False, by=alice)
    workflow = build(alice, trigger={"on": "joined", "list": one.pk})

    making.delete(one, by=alice)
    Workflow.objects.update(checked_at=timezone.now() - timedelta(hours=2))
    reviewing.check_some()

    assert state(workflow)[0] == "review"
    assert "(what begins it: " in state(workflow)[1]


def test_the_reason_counts_what_else_is_gone(alice, bob, team):
    workflow = build(alice, steps=[{**ASSIGN, "member": bob.pk}, {**NOTIFY, "teams": [team.pk]}])
    Membership.objects.filter(pk=bob.pk).update(is_active=False)
    team.delete()
    Workflow.objects.update(checked_at=timezone.now() - timedelta(hours=2))

    reviewing.check_some()

    assert state(workflow)[1].startswith("something that it names is gone (step “Assign to a member”: ")
    assert state(workflow)[1].endswith("; and 1 more)")


# --- The loop guard


@pytest.mark.req("N-155")
def test_workflows_that_start_each_other_are_stopped(alice, make, told):
    ping = build(
        alice,
        name="Ping",
        trigger={"on": "changed", "property": "priority", "to": "low"},
        steps=[{"do": "set", "property": "priority", "value": "high"}],
        reenrols=True,
    )
    pong = build(
        alice,
        name="Pong",
        trigger={"on": "changed", "property": "priority", "to": "high"},
        steps=[{"do": "set", "property": "priority", "value": "low"}],
        reenrols=True,
    )
    ticket = make("tickets", priority="medium")

    records.change(ticket, {"priority": "low"}, by=alice)
    carry()

    assert sorted((state(ping)[0], state(pong)[0])) == ["on", "review"]
    assert Enrolment.objects.count() == following.DEEPEST
    ((_members, data),) = told("workflows.review_needed")
    assert data["reason"] == "workflows started each other or themselves 5 times in a row, this one at the end"


def test_what_a_workflow_starts_that_was_through_is_no_loop(alice, make):
    workflow = build(
        alice,
        trigger={"on": "changed", "property": "priority"},
        steps=[{"do": "set", "property": "priority", "value": "low"}],
    )
    ticket = make("tickets")

    records.change(ticket, {"priority": "urgent"}, by=alice)
    carry()

    assert state(workflow)[0] == "on"
    assert Enrolment.objects.count() == 1


def test_a_record_that_comes_in_again_and_again_stops_it(alice, make, monkeypatch, told):
    monkeypatch.setattr(following, "MOST_AN_HOUR", 3)
    workflow = build(alice, trigger={"on": "changed", "property": "priority"}, reenrols=True)
    ticket = make("tickets")

    for value in ("low", "high", "low", "high", "low"):
        records.change(ticket, {"priority": value}, by=alice)
        carry()

    assert state(workflow) == ("review", "one record came in 3 times within an hour")
    assert Enrolment.objects.count() == 3
