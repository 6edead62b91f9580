"""Records: made, changed, deleted, restored; every bad property is named; nobody saves over what they did not see."""

from datetime import timedelta
from functools import partial

import pytest
from django.utils import timezone

from crm import following, pipelines, records, schema, stages
from crm.errors import AddressTaken, InvalidRecord, RecordInBin, StaleRecord
from crm.models import Change, Record, Stage
from tests.crm.conftest import at_once


def lines(record):
    return [(row.what, row.before, row.after) for row in Change.objects.filter(record=record).order_by("pk")]


def test_a_contact_is_made(make, bob):
    record = make("contacts", email="Mia.Lind@Bücher.example", owner=bob.pk)

    assert record.title == "Mia Lind"
    assert record.address == "mia.lind@xn--bcher-kva.example"
    assert record.domain == "xn--bcher-kva.example"
    assert record.people == [bob.pk]
    assert list(Record.objects.live().visible_to(bob)) == [record]
    assert [what for what, _before, _after in lines(record)] == ["created"]


@pytest.mark.parametrize(
    ("given", "title"),
    [
        ({"first_name": "Mia", "last_name": "Lind", "email": "m@x.example"}, "Mia Lind"),
        ({"first_name": "", "last_name": "Lind"}, "Lind"),
        ({"first_name": " ", "last_name": None, "email": "m@x.example"}, "m@x.example"),
        ({"first_name": "", "last_name": "", "phone": "+46 8 123"}, "+46 8 123"),
        ({"first_name": "مريم", "last_name": "🌲"}, "مريم 🌲"),
    ],
)
def test_a_contact_is_called_by_what_is_known(make, given, title):
    assert make("contacts", **given).title == title


@pytest.mark.parametrize(
    ("kind", "given", "fields"),
    [
        ("contacts", {"first_name": "", "last_name": ""}, {"first_name"}),
        ("contacts", {"email": "mia", "phone": "call me"}, {"email", "phone"}),
        ("contacts", {"first_name": "x" * 10_000}, {"first_name"}),
        ("companies", {"name": "  "}, {"name"}),
        ("companies", {"name": "x" * 301}, {"name"}),
        ("companies", {"domain": "not a domain", "employees": "many"}, {"domain", "employees"}),
        ("deals", {"close_date": "2026-02-30", "amount": float("nan")}, {"close_date", "amount"}),
        ("deals", {"stage": 999_999}, {"stage"}),
        ("deals", {"owner": 999_999}, {"owner"}),
        ("deals", {"colour": "red"}, {"colour"}),
        ("tasks", {"due_at": "yesterday"}, {"due_at"}),
        ("tickets", {"priority": "sky-high", "description": "nul\0"}, {"priority", "description"}),
    ],
)
def test_every_bad_property_is_named_and_nothing_is_saved(make, kind, given, fields):
    with pytest.raises(InvalidRecord) as refused:
        make(kind, **given)

    assert set(refused.value.fields) == fields
    assert not Record.objects.exists()


def test_members_and_stages_of_another_account_are_unknown(make, mallory, deal):
    next_door = records.create(mallory.account, "deals", {"name": "Beans"}, by=mallory)

    with pytest.raises(InvalidRecord) as refused:
        records.change(deal, {"owner": mallory.pk, "stage": next_door.stage_id}, by=None)

    assert set(refused.value.fields) == {"owner", "stage"}


def test_a_change_is_written_into_the_history(deal, alice):
    record = records.change(deal, {"amount": "20000", "currency": "EUR", "name": "Nordic Oak 2028"}, by=alice)

    assert (record.title, record.values["amount"], record.version) == ("Nordic Oak 2028", 20000, 2)
    assert lines(record)[1:] == [("amount", 18400, 20000), ("name", "Nordic Oak 2027", "Nordic Oak 2028")]


def test_the_same_values_again_change_nothing(deal, alice):
    record = records.change(deal, {"amount": 18400.0, "name": " Nordic  Oak 2027"}, by=alice)

    assert (record.version, len(lines(record))) == (1, 1)


def test_who_saves_what_somebody_else_changed_is_told_what_changed(deal, alice, bob):
    records.change(deal, {"amount": 20000}, by=bob, version=1)

    with pytest.raises(StaleRecord) as refused:
        records.change(deal, {"currency": "SEK"}, by=alice, version=1)

    assert refused.value.version == 2
    assert [(row.what, row.before, row.after, row.by) for row in refused.value.changes] == [
        ("amount", 18400, 20000, bob)
    ]
    assert records.change(deal, {"currency": "SEK"}, by=alice, version=2).version == 3


@pytest.mark.django_db(transaction=True)
def test_of_two_who_save_the_same_version_at_once_one_is_told(deal, alice, bob):
    outcomes = at_once(
        partial(records.change, deal, {"amount": 1}, by=alice, version=1),
        partial(records.change, deal, {"amount": 2}, by=bob, version=1),
    )

    assert sorted(type(one).__name__ for one in outcomes) == ["Record", "StaleRecord"]


# --- One contact per address


def test_an_address_has_one_contact(make):
    first = make("contacts", email="mia@example.com")

    with pytest.raises(AddressTaken) as refused:
        make("contacts", email=" MIA@example.com ")

    assert refused.value.holder == first.pk
    assert set(refused.value.fields) == {"email"}


def test_dots_and_plus_signs_are_not_folded(make):
    make("contacts", email="mia.lind@example.com")

    assert make("contacts", email="mialind@example.com")
    assert make("contacts", email="mia.lind+news@example.com")


def test_another_account_may_have_the_address_and_other_kinds_too(make, mallory):
    make("contacts", email="mia@example.com")

    assert make("leads", email="mia@example.com")
    assert records.create(mallory.account, "contacts", {"email": "mia@example.com"}, by=mallory)


@pytest.mark.django_db(transaction=True)
def test_eight_at_once_make_one_contact(make):
    outcomes = at_once(*[partial(make, "contacts", email="mia@example.com")] * 8)

    assert sorted(type(one).__name__ for one in outcomes) == ["AddressTaken"] * 7 + ["Record"]
    assert Record.objects.count() == 1


def test_an_address_taken_by_a_change_leaves_everything_as_it_was(make, alice):
    make("contacts", email="mia@example.com")
    other = make("contacts", email="tom@example.com")

    with pytest.raises(AddressTaken):
        records.change(other, {"first_name": "Tom", "email": "mia@example.com"}, by=alice)

    other.refresh_from_db()
    assert (other.title, other.address, other.version) == ("Mia Lind", "tom@example.com", 1)


# --- The bin


def test_what_is_deleted_can_be_restored(deal, alice):
    records.delete(deal, by=alice)
    records.delete(deal, by=alice)
    assert not Record.objects.live().exists()
    with pytest.raises(RecordInBin):
        records.change(deal, {"amount": 1}, by=alice)

    restored = records.restore(deal, by=alice)

    assert list(Record.objects.live()) == [restored]
    assert [what for what, *_rest in lines(deal)] == ["created", "deleted", "restored"]


def test_the_address_of_a_deleted_contact_is_free_and_its_restoring_refused_once_taken(make, alice):
    first = make("contacts", email="mia@example.com")
    records.delete(first, by=alice)
    make("contacts", email="mia@example.com")

    with pytest.raises(AddressTaken):
        records.restore(first, by=alice)

    assert Record.objects.live().count() == 1


def test_after_90_days_the_bin_is_emptied(make, alice):
    old, fresh = make("deals"), make("deals")
    for one in (old, fresh):
        records.delete(one, by=alice)
    Record.objects.filter(pk=old.pk).update(deleted_at=timezone.now() - timedelta(days=91))

    assert records.purge() == 1
    assert list(Record.objects.in_bin()) == [fresh]


def test_a_task_ticked_off_twice_was_ticked_off_the_first_time(make, alice, bob):
    task = make("tasks")
    first = records.complete(task, by=alice)

    assert records.complete(task, by=bob).completed_at == first.completed_at
    assert records.reopen(task, by=alice).completed_at is None


# --- Stages


def test_a_deal_begins_in_the_first_stage_and_the_account_gets_its_pipeline_once(make, alice):
    first, second = make("deals"), make("deals")

    assert first.stage == second.stage
    (pipeline,) = stages.pipelines_of(alice.account, schema.kind_of(alice.account, "deals"))
    assert [stage.name for stage in pipeline.stages.all()][:2] == ["Qualified", "Meeting held"]
    assert stages.pipelines_of(alice.account, schema.kind_of(alice.account, "contacts")) == []


@pytest.mark.django_db(transaction=True)
def test_a_first_time_at_once_makes_one_pipeline(make):
    outcomes = at_once(*[partial(make, "tickets")] * 6)

    assert {one.stage.name for one in outcomes} == {"New"}
    assert Stage.objects.filter(pipeline__kind="tickets").count() == 4


def test_a_stage_with_records_cannot_go(deal, alice):
    with pytest.raises(pipelines.StageInUse):
        pipelines.remove_stage(deal.stage, by=alice)


@pytest.mark.django_db(transaction=True)
def test_a_stage_removed_while_a_deal_is_moved_into_it_leaves_no_deal_without_a_stage(make, alice):
    deal = make("deals")
    target = deal.stage.pipeline.stages.get(name="Offer made")

    moved, removed = at_once(
        partial(records.move, deal, to=target.pk, by=alice), partial(pipelines.remove_stage, target, by=alice)
    )

    deal.refresh_from_db()
    assert (type(moved), type(removed)) in [(Record, pipelines.StageInUse), (InvalidRecord, type(None))]
    assert Stage.objects.filter(pk=deal.stage_id).exists()


@pytest.mark.req("N-080")
def test_a_deal_that_moves_is_told_to_owner_and_followers_but_not_to_who_moved_it(make, told, alice, bob, carol):
    deal = make("deals", owner=bob.pk)
    for follower in (alice, carol):
        following.follow(deal, follower)
    target = deal.stage.pipeline.stages.get(name="Contract sent")

    records.move(deal, to=target.pk, by=alice)
    records.move(deal, to=target.pk, by=alice)

    ((audience, data),) = told("deals.stage_changed")
    assert set(audience) == {bob.pk, carol.pk}
    assert data == {
        "actor": "Alice",
        "deal": "Nordic Oak 2027",
        "stage": "Contract sent",
        "url": f"/1001/deals/{deal.pk}/",
    }


@pytest.mark.req("N-144")
def test_a_ticket_that_moves_is_told_to_owner_and_followers(make, told, alice, bob, carol):
    ticket = make("tickets", owner=bob.pk)
    following.follow(ticket, carol)

    records.move(ticket, to=ticket.stage.pipeline.stages.get(name="Closed").pk, by=alice)

    ((audience, data),) = told("tickets.status_changed")
    assert set(audience) == {bob.pk, carol.pk}
    assert data["status"] == "Closed"
