"""Assignments: told after five minutes, together, and only if they still hold (D9)."""

from datetime import timedelta
from functools import partial

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone, translation

from crm import assigning, defining, following, permissions, records
from crm.assigning import Facts, judged
from crm.kinds import BUILT_IN
from crm.models import Assignment, AssignmentOutcome, AssignmentWindow, Record, Source
from notifications import preferences
from notifications.models import Event
from tests.crm.conftest import at_once

TOLD = AssignmentOutcome.TOLD


@pytest.mark.req("N-084")
@pytest.mark.parametrize(
    ("facts", "outcome"),
    [
        (Facts(), TOLD),
        (Facts(by_oneself=True), AssignmentOutcome.SELF),
        (Facts(through_api=True), AssignmentOutcome.THROUGH_API),
        (Facts(is_active=False), AssignmentOutcome.INACTIVE),
        (Facts(is_deleted=True), AssignmentOutcome.DELETED),
        (Facts(is_assignee=False), AssignmentOutcome.TAKEN_BACK),
        (Facts(is_completed=True), AssignmentOutcome.COMPLETED),
        (Facts(may_see=False), AssignmentOutcome.MAY_NOT_SEE),
        (Facts(was_opened=True), AssignmentOutcome.OPENED),
        (Facts(is_deleted=True, was_opened=True), AssignmentOutcome.DELETED),
    ],
)
def test_whether_an_assignment_is_told(facts, outcome):
    assert judged(facts) == outcome


# Every case of D9 from the action to the row: what happens to bob's task within the five minutes.


def to_himself(task, bob, alice):
    records.assign(records.assign(task, to=None, by=alice), to=bob, by=bob)


def taken_back(task, bob, alice):
    records.assign(task, to=None, by=alice)


def given_to_another(task, bob, alice):
    records.assign(task, to=alice, by=alice)


def deleted(task, bob, alice):
    records.delete(task, by=alice)


def completed(task, bob, alice):
    records.complete(task, by=alice)


def opened(task, bob, alice):
    following.mark_opened(task, bob)


def deactivated(task, bob, alice):
    bob.is_active = False
    bob.save()


def hidden(task, bob, alice):
    permissions.set_reach(bob, "tasks", sees="own", edits="own", by=alice)
    row = Assignment.objects.get()
    Record.objects.filter(pk=row.record_id).update(people=[])  # named, yet out of reach


def saved_again(task, bob, alice):
    records.change(task, {"owner": bob.pk}, by=alice)


def renamed(task, bob, alice):
    records.change(task, {"name": "Send the offer"}, by=alice)


@pytest.mark.req("N-084")
@pytest.mark.parametrize(
    ("happening", "outcomes", "tells"),
    [
        (to_himself, ["self", "told"], 1),  # alice's stands: bob is the assignee again
        (taken_back, ["taken_back"], 0),
        (given_to_another, ["self", "taken_back"], 0),
        (deleted, ["deleted"], 0),
        (completed, ["completed"], 0),
        (opened, ["opened"], 0),
        (deactivated, ["inactive"], 0),
        (hidden, ["may_not_see"], 0),
        (saved_again, ["told"], 1),
        (renamed, ["told"], 1),
    ],
)
def test_what_happens_within_the_five_minutes(make, told, five_minutes_later, alice, bob, happening, outcomes, tells):
    task = make("tasks", owner=bob.pk)
    happening(task, bob, alice)
    five_minutes_later()

    assert sorted(Assignment.objects.values_list("outcome", flat=True)) == outcomes
    assert len(told("tasks.assigned")) == tells


@pytest.mark.req("N-142")
@pytest.mark.parametrize(
    ("kind", "source", "tells", "is_told"),
    [
        ("tasks", Source.API, None, False),
        ("tasks", Source.API, True, True),
        ("tasks", Source.PAGE, None, True),
        ("tasks", Source.WORKFLOW, None, True),
        ("contacts", Source.API, None, True),
        ("contacts", Source.API, False, False),
    ],
)
def test_tasks_made_through_the_api_tell_nobody_unless_asked(
    make, told, five_minutes_later, bob, kind, source, tells, is_told
):
    make(kind, owner=bob.pk, source=source, tells=tells)
    five_minutes_later()

    assert bool(told()) == is_told
    assert Assignment.objects.get().outcome == ("told" if is_told else "through_api")


def test_a_task_made_through_the_api_and_handed_on_later_is_told(make, told, five_minutes_later, alice, bob):
    task = make("tasks", source=Source.API)
    records.assign(task, to=bob, by=alice)
    five_minutes_later()

    assert len(told("tasks.assigned")) == 1


# --- The window


@pytest.mark.req("N-082")
def test_nothing_is_told_before_the_five_minutes_are_over(make, told, bob):
    before = timezone.now()
    make("deals", owner=bob.pk)

    window = AssignmentWindow.objects.get()
    assert timedelta(minutes=5) <= window.due_at - before < timedelta(minutes=5, seconds=30)
    assert assigning.close_due(window.due_at - timedelta(seconds=1)) == 0
    assert told() == []
    assert assigning.close_due(window.due_at) == 1
    assert assigning.close_due(window.due_at) == 0
    assert len(told()) == 1


def test_the_first_assignment_opens_the_window_and_later_ones_do_not_move_its_end(make, bob):
    make("deals", owner=bob.pk)
    due = AssignmentWindow.objects.get().due_at
    make("tasks", owner=bob.pk)

    assert AssignmentWindow.objects.get().due_at == due


@pytest.mark.parametrize(
    ("kind", "type_", "data"),
    [
        ("contacts", "contacts.contact_assigned", {"contact": "Mia Lind"}),
        ("companies", "contacts.company_assigned", {"company": "Fjordline Logistics"}),
        ("deals", "deals.assigned", {"deal": "Nordic Oak 2027", "amount": "18,400 EUR", "stage": "Qualified"}),
        ("tickets", "tickets.assigned", {"ticket": "Label printer offline", "priority": "High"}),
        ("leads", "leads.assigned", {"lead": "Hofmann Bakeries", "source": "an unknown way"}),
        ("tasks", "tasks.assigned", {"task": "Send the revised offer", "due": "at any time"}),
    ],
)
@pytest.mark.req("N-065", "N-066", "N-079", "N-110", "N-138", "N-143")
def test_one_record_is_told_in_the_words_of_its_kind(make, told, five_minutes_later, bob, kind, type_, data):
    record = make(kind, owner=bob.pk)
    five_minutes_later()

    assert told() == [(type_, [bob.pk], {"actor": "Alice", "url": f"/1001/{kind}/{record.pk}/"} | data)]


@pytest.mark.req("N-071")
def test_a_record_of_a_custom_kind_is_told(make, told, five_minutes_later, alice, bob):
    defining.define_kind(alice.account, key="berths", label="Berth", plural="Berths", by=alice)
    record = make("berths", name="Quay 4, berth 12", owner=bob.pk)
    five_minutes_later()

    ((audience, data),) = told("custom_objects.record_assigned")
    assert audience == [bob.pk]
    assert data == {
        "actor": "Alice",
        "record": "Quay 4, berth 12",
        "kind": "Berth",
        "url": f"/1001/objects/berths/{record.pk}/",
    }


@pytest.mark.req("N-083")
def test_several_are_one_notification_that_counts_by_kind(make, told, five_minutes_later, alice, bob, carol):
    for kind, number in (("tasks", 5), ("contacts", 2), ("deals", 1)):
        for _time in range(number):
            make(kind, owner=bob.pk)
    make("deals", owner=carol.pk)
    five_minutes_later()

    window = AssignmentWindow.objects.get(recipient=bob)
    assert told("general.records_assigned") == [
        ([bob.pk], {"records": "2 contacts, 1 deal and 5 tasks", "url": f"/1001/assigned/{window.pk}/"})
    ]
    assert told("deals.assigned")[0][0] == [carol.pk]
    assert len(told()) == 2


@pytest.mark.req("N-083")
def test_it_is_said_in_every_channel(make, five_minutes_later, delivered, bob):
    for kind, number in (("tasks", 5), ("contacts", 2)):
        for _time in range(number):
            make(kind, owner=bob.pk)
    five_minutes_later()

    (mail,) = delivered("email")
    assert mail.to == [bob.email]
    assert mail.subject == "You have been assigned 2 contacts and 5 tasks"


def test_counting_knows_one_from_several():
    with translation.override("en"):
        assert assigning.counted({"tasks": 1}, BUILT_IN) == "1 task"
        assert assigning.counted({"companies": 1, "tasks": 0}, BUILT_IN) == "1 company"
        assert assigning.counted({}, BUILT_IN) == ""


@pytest.mark.req("N-083")
def test_what_was_taken_back_is_not_counted(make, told, five_minutes_later, alice, bob):
    made = [make("contacts", owner=bob.pk) for _time in range(3)]
    records.assign(made[0], to=None, by=alice)
    five_minutes_later()

    ((_audience, data),) = told("general.records_assigned")
    assert data["records"] == "2 contacts"


def test_kinds_that_the_member_turned_off_stay_out_of_the_merged_words(make, told, five_minutes_later, bob):
    preferences.choose(bob, {("tasks.assigned", channel): False for channel in ("bell", "popup", "email", "browser")})
    for kind in ("contacts", "contacts", "tasks", "tasks"):
        make(kind, owner=bob.pk)
    five_minutes_later()

    ((_audience, data),) = told("general.records_assigned")
    assert data["records"] == "2 contacts"
    assert sorted(Assignment.objects.values_list("outcome", flat=True)) == ["told", "told", "turned_off", "turned_off"]


@pytest.mark.req("N-070", "N-146")
@pytest.mark.parametrize("kind", ["contacts", "companies", "tickets", "deals"])
def test_custom_user_properties_assign_too(make, told, five_minutes_later, alice, bob, carol, kind):
    for key in ("account_manager", "technician"):
        defining.define_property(alice.account, kind, key=key, label=key.title(), type="user", by=alice)
    record = make(kind, owner=bob.pk, technician=carol.pk)
    five_minutes_later()
    assert [audience for _type, audience, _data in told()] == [[bob.pk], [carol.pk]]
    assert record.people == sorted([bob.pk, carol.pk])

    records.change(record, {"account_manager": carol.pk, "technician": None}, by=alice)
    five_minutes_later()

    assert [audience for _type, audience, _data in told()] == [[bob.pk], [carol.pk], [carol.pk]]


def test_named_twice_in_one_record_is_told_once(make, told, five_minutes_later, alice, bob):
    defining.define_property(alice.account, "deals", key="advisor", label="Advisor", type="user", by=alice)
    make("deals", owner=bob.pk, advisor=bob.pk)
    five_minutes_later()

    assert len(told()) == 1
    assert Assignment.objects.filter(outcome="told").count() == 2


def test_opened_before_the_assignment_does_not_count(make, told, five_minutes_later, alice, bob):
    deal = make("deals")
    following.mark_opened(deal, bob)
    records.assign(deal, to=bob, by=alice)
    five_minutes_later()

    assert len(told("deals.assigned")) == 1


def test_a_new_window_opens_after_the_first_is_closed(make, told, five_minutes_later, bob):
    make("deals", owner=bob.pk)
    five_minutes_later()
    make("deals", owner=bob.pk)
    five_minutes_later()

    assert AssignmentWindow.objects.count() == 2
    assert len(told("deals.assigned")) == 2


# --- At once, and dying


@pytest.mark.django_db(transaction=True)
def test_two_workers_tell_once(make, bob):
    for kind in ("deals", "deals", "tasks"):
        make(kind, owner=bob.pk)
    window = AssignmentWindow.objects.get()

    at_once(*[partial(assigning.close_due, window.due_at)] * 4)

    assert Event.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_many_assignments_at_once_share_one_window(make, bob):
    outcomes = at_once(*[partial(make, "deals", owner=bob.pk)] * 8)

    assert {type(one).__name__ for one in outcomes} == {"Record"}
    assert AssignmentWindow.objects.count() == 1
    assert Assignment.objects.count() == 8


@pytest.mark.django_db(transaction=True)
def test_what_is_assigned_while_the_window_closes_is_not_lost(make, five_minutes_later, bob):
    make("deals", owner=bob.pk)
    works = [partial(make, "tasks", owner=bob.pk) for _time in range(6)]
    outcomes = at_once(five_minutes_later, *works)
    assert [one for one in outcomes if isinstance(one, Exception)] == []
    five_minutes_later()

    assert set(Assignment.objects.values_list("outcome", flat=True)) == {"told"}
    assert Assignment.objects.count() == 7


@pytest.mark.django_db(transaction=True)
def test_a_worker_that_dies_while_closing_repeats_nothing_and_loses_nothing(make, five_minutes_later, bob, monkeypatch):
    make("deals", owner=bob.pk)
    with monkeypatch.context() as patched:
        patched.setattr(AssignmentWindow, "save", lambda *_args, **_given: (_ for _ in ()).throw(SystemExit))
        with pytest.raises(SystemExit):
            five_minutes_later()
    assert Event.objects.count() == 0

    assert five_minutes_later() == 1
    assert Event.objects.count() == 1


def test_one_window_that_cannot_be_closed_does_not_hold_up_the_others(make, told, five_minutes_later, bob, carol):
    make("deals", owner=bob.pk)
    make("deals", owner=carol.pk)
    broken = Assignment.objects.get(recipient=bob).record_id
    Record.objects.filter(pk=broken).update(values={"amount": 1, "currency": "€" * 9000})
    five_minutes_later()

    assert [audience for audience, _data in told("deals.assigned")] == [[carol.pk]]
    assert AssignmentWindow.objects.get(closed_at=None).recipient == bob


def test_closing_takes_the_same_queries_however_many_there_are(make, bob):
    counts = []
    for number in (2, 12):
        for _time in range(number):
            make("contacts", owner=bob.pk)
        AssignmentWindow.objects.filter(closed_at=None).update(due_at=timezone.now())
        with CaptureQueriesContext(connection) as captured:
            assigning.close_due()
        counts.append(len(captured))

    assert counts[0] == counts[1]
