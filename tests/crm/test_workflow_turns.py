"""Workflows take turns: however many records are in one, the others and other accounts do not wait for it.

Counted in steps of the worker, never in time.
"""

import pytest

from crm import records
from crm.models import ActionRun, Enrolment, EnrolmentState, Record
from crm.workflows import counting, ending, enrolling, logbook, running, writing
from tests.crm.conftest import at_once
from tests.crm.workflows import SET, build, carry

MANY = 300


def crowd(workflow, number):
    """So many records in a workflow, without making each of them through all of its life."""
    rows = Record.objects.bulk_create(
        Record(account=workflow.account, kind=workflow.kind, title=f"Number {n}") for n in range(number)
    )
    Enrolment.objects.bulk_create(
        Enrolment(workflow=workflow, version=workflow.version, record=row, at=workflow.steps[0]["id"]) for row in rows
    )


def left(workflow):
    return Enrolment.objects.filter(workflow=workflow, state=EnrolmentState.WAITING).count()


@pytest.fixture
def next_door_too(mallory):
    return build(mallory)


def test_a_step_of_the_worker_is_a_bounded_number_of_steps_of_records(alice):
    workflow = build(alice)
    crowd(workflow, MANY)

    running.step()

    assert ActionRun.objects.count() == running.IN_A_TURN
    assert left(workflow) == MANY - running.IN_A_TURN


def test_a_crowd_in_one_workflow_does_not_hold_up_another_one(alice, make):
    crowded, small = build(alice, name="Crowded"), build(alice, name="Small")
    crowd(crowded, MANY)
    enrolling.enrol(small, make("tickets"), alice)

    for _turn in range(2):
        running.step()

    assert left(small) == 0
    assert left(crowded) > MANY / 2


def test_an_account_with_many_crowds_does_not_hold_up_another_account(alice, mallory, next_door_too):
    for number in range(6):
        crowd(build(alice, name=f"Crowd {number}"), 30)
    crowd(next_door_too, 60)

    for _turn in range(6):
        running.step()

    assert left(next_door_too) == 0, "every second turn is theirs"
    assert ActionRun.objects.exclude(workflow=next_door_too).count() == 3 * running.IN_A_TURN


def test_a_wave_of_all_records_takes_turns_with_the_others(alice, make, monkeypatch):
    monkeypatch.setattr(enrolling, "CHUNK", 10)
    for number in range(35):
        make("tickets", name=f"Number {number}")
    everything, small = build(alice, name="Everything"), build(alice, name="Small")
    enrolling.enrol_all(everything, alice)
    enrolling.enrol(small, make("tickets"), alice)

    for _turn in range(2):
        running.step()

    assert left(small) == 0
    assert Enrolment.objects.filter(workflow=everything).count() == 10, "one piece of it a turn"


def test_a_paused_crowd_takes_no_turn(alice, make):
    crowded, small = build(alice, name="Crowded"), build(alice, name="Small")
    crowd(crowded, 5)
    running.pause(crowded, alice)
    enrolling.enrol(small, make("tickets"), alice)

    running.step()

    assert (left(small), left(crowded)) == (0, 5)
    assert not running.has_due()
    assert not running.step()


@pytest.mark.django_db(transaction=True)
def test_workers_at_once_do_everything_once_and_share_it(alice, bob, carol):
    steps = [
        {"do": "rotate", "members": [alice.pk, bob.pk, carol.pk]},
        {"do": "task", "name": "Call", "due_in_days": 1, "member": "owner"},
        SET,
    ]
    workflow = build(alice, steps=steps)
    for _n in range(30):
        enrolling.enrol(workflow, records.create(alice.account, "tickets", {"name": "Help"}, by=alice), alice)

    def work():
        turns = 0
        while running.has_due():
            turns += running.step()
        return turns

    turns = at_once(work, work, work)

    assert [one for one in turns if not isinstance(one, int)] == []
    assert set(Enrolment.objects.values_list("state", flat=True)) == {"done"}
    assert ActionRun.objects.count() == 90
    owned = Record.objects.filter(kind="tasks").values_list("owner", flat=True)
    assert sorted(owned) == sorted([alice.pk, bob.pk, carol.pk] * 10)


@pytest.mark.django_db(transaction=True)
def test_enrolled_at_once_by_several_a_record_comes_in_once(alice, bob):
    workflow = build(alice)
    ticket = records.create(alice.account, "tickets", {"name": "Help"}, by=alice)
    enrolling.enrol_all(workflow, alice)

    outcomes = at_once(
        lambda: enrolling.enrol(workflow, ticket, alice),
        lambda: enrolling.enrol(workflow, ticket, bob),
        lambda: running.step(),
    )
    carry()

    assert all(getattr(one, "code", "cannot_enrol") == "cannot_enrol" for one in outcomes), outcomes
    assert 1 <= Enrolment.objects.count() <= 2, "by hand it may come in again once it is through"
    assert left(workflow) == 0


@pytest.mark.django_db(transaction=True)
def test_turned_off_while_workers_are_at_it_nothing_runs_afterwards(alice):
    workflow = build(alice)
    crowd(workflow, 60)

    def work():
        while running.step():
            pass

    outcomes = at_once(work, work, lambda: running.turn_off(workflow, alice))

    assert [one for one in outcomes if isinstance(one, Exception)] == []
    done = Enrolment.objects.filter(state=EnrolmentState.DONE).count()
    assert ActionRun.objects.count() == done
    assert Enrolment.objects.filter(state=EnrolmentState.CANCELLED).count() == 60 - done


@pytest.mark.parametrize("how", ["turned off", "deleted"])
def test_a_crowd_is_taken_out_in_portions_and_counts_as_out_at_once(alice, monkeypatch, how):
    monkeypatch.setattr(ending, "AT_ONCE", 20)
    workflow, other = build(alice), build(alice, name="Another")
    crowd(workflow, 50)
    crowd(other, 30)

    end = running.turn_off if how == "turned off" else writing.delete
    end(workflow, alice)

    workflow.refresh_from_db()
    assert left(workflow) == 30, "the request takes out one portion"
    assert counting.under_way([workflow.pk, other.pk]) == {other.pk: 30}
    assert logbook.numbers(workflow).by_state == {"cancelled": 50}
    assert logbook.numbers(workflow).by_step == {}
    assert logbook.of_workflow(workflow, alice, state="waiting") == []
    assert {one.standing for one in logbook.of_workflow(workflow, alice, state="cancelled")} == {"cancelled"}
    carry()
    assert (ActionRun.objects.filter(workflow=workflow).count(), left(other)) == (0, 0)
    assert ending.has_rest()
    portions = 0
    while ending.step():
        portions += 1
    assert (portions, left(workflow), ending.has_rest()) == (2, 0, False)


def test_turned_on_again_nothing_that_was_cancelled_comes_back(alice, monkeypatch):
    monkeypatch.setattr(ending, "AT_ONCE", 20)
    workflow = build(alice)
    crowd(workflow, 50)

    running.turn_off(workflow, alice)
    running.turn_on(workflow, alice)
    carry()

    assert (left(workflow), ActionRun.objects.count()) == (0, 0)
    assert logbook.numbers(workflow).by_state == {"cancelled": 50}


def test_a_turn_costs_the_same_however_many_wait(alice, django_assert_max_num_queries):
    workflow = build(alice)
    crowd(workflow, 100)
    writing.change(workflow, name="Crowded", by=alice)

    with django_assert_max_num_queries(40 * running.IN_A_TURN):
        running.step()
