"""Records that look like one are found, told, merged or dismissed."""

import zoneinfo
from datetime import datetime, timedelta
from functools import partial

import pytest

from crm import activities, associating, duplicates, following, merging, permissions, records
from crm.errors import InvalidRecord, RecordInBin
from crm.models import Assignment, Change, Duplicate, Record, Source
from tests.crm.conftest import at_once


def company(**given):
    return "companies", given


def person(name="", **given):
    first, _blank, last = name.partition(" ")
    return "contacts", {"first_name": first, "last_name": last, **given}


@pytest.mark.parametrize(
    ("one", "other", "why"),
    [
        (person(email="mia.lind@x.example"), person(email="mialind@x.example"), "address"),
        (person(email="mia@x.example"), person(email="mia+news@x.example"), "address"),
        (person(email="mia@x.example"), person(email="mia@y.example"), None),
        (person("Tomás Ferreira", email="t@x.example"), person("tomas ferreira", email="tf@x.example"), "name"),
        (person("Tomás Ferreira", email="t@x.example"), person("Tomás Ferreira", email="t@y.example"), None),
        (person("Mia Lind", phone="+46 8 123 45 67"), person("Mia Lind", phone="08-1234567"), "name"),
        (person("Mia Lind", company_name="Oak AB"), person("Mia Lind", company_name="OAK"), "name"),
        (person("Mia Lind"), person("MIA LIND"), "name"),
        (person("Mia"), person("Mia"), None),
        (person("Mia Lind"), person("Mia Lind", email="mia@x.example"), None),
        (company(name="Fjordline Logistics AS"), company(name="Fjordline  logistics"), "name"),
        (company(name="Oak", domain="oak.example"), company(name="Nordic", domain="www.oak.example"), "domain"),
        (company(name="Oak", domain="oak.example"), company(name="Elm", domain="elm.example"), None),
        (company(name="AB"), company(name="AB"), None),
        (person("Mia Lind"), company(name="Mia Lind"), None),
    ],
)
@pytest.mark.req("N-067", "N-078")
def test_what_looks_like_one(make, one, other, why):
    for kind, given in (one, other):
        make(kind, **given)
    while duplicates.check_some():
        pass

    assert [pair.why for pair in Duplicate.objects.all()] == ([why] if why else [])


@pytest.fixture
def pair(make, bob, carol):
    """Two companies of one domain, bob's and carol's."""
    first = make("companies", name="Marlow & Finch", domain="marlow.example", owner=bob.pk)
    second = make("companies", name="Marlow and Finch", domain="marlow.example", owner=carol.pk, city="Bergen")
    duplicates.check_some()
    return first, second


@pytest.mark.req("N-067")
def test_the_owners_of_both_hear_once(pair, told, bob, carol, alice):
    first, second = pair
    records.change(first, {"name": "Marlow & Finch Ltd"}, by=alice)
    duplicates.check_some()

    assert told("contacts.duplicate_found") == [
        (
            [bob.pk, carol.pk],
            {"record": first.title, "other": second.title, "url": f"/1001/companies/{first.pk}/duplicates/"},
        )
    ]


def test_an_import_is_told_only_in_the_days_report(make, told, bob):
    for _time in range(2):
        make("companies", owner=bob.pk, source=Source.IMPORT)
    duplicates.check_some()

    assert Duplicate.objects.count() == 1
    assert told() == []


@pytest.mark.req("N-078")
def test_super_admins_get_one_report_a_day(pair, told, alice, bob, account):
    account.time_zone = "Europe/Stockholm"
    account.save()
    zone = zoneinfo.ZoneInfo("Europe/Stockholm")
    noon = datetime.now(zone).replace(hour=12, minute=0)
    Duplicate.objects.update(found_at=noon)
    assert duplicates.report(noon + timedelta(hours=2)) == 0

    assert duplicates.report(noon + timedelta(hours=13)) == 1
    assert duplicates.report(noon + timedelta(hours=14)) == 0

    assert told("data_quality.duplicate_found") == [
        ([alice.pk], {"kind": "companies", "pairs": 1, "url": "/1001/data-quality/duplicates/"})
    ]


def test_a_pair_that_was_dismissed_is_not_found_again(pair, alice):
    first, _second = pair
    duplicates.dismiss(Duplicate.objects.get())
    records.change(first, {"name": "Marlow and Finch"}, by=alice)
    duplicates.check_some()

    assert not duplicates.open_pairs(alice.account, alice).exists()


def test_pairs_are_of_records_that_one_may_see(pair, alice, bob, mallory):
    permissions.set_reach(bob, "companies", sees="own", edits="own", by=alice)

    assert duplicates.open_pairs(alice.account, alice, "companies").count() == 1
    assert not duplicates.open_pairs(alice.account, bob).exists()
    assert not duplicates.open_pairs(alice.account, mallory).exists()


def test_another_accounts_records_are_no_duplicates(make, mallory):
    make("companies", name="Oak", domain="oak.example")
    records.create(mallory.account, "companies", {"name": "Oak", "domain": "oak.example"}, by=mallory)
    duplicates.check_some()

    assert not Duplicate.objects.exists()


def test_what_many_share_is_no_evidence(make):
    for number in range(duplicates.COMMON + 2):
        make("companies", name=f"Shop {number}", domain="shops.example")
        if number == 0:
            duplicates.check_some()
    duplicates.check_some()

    assert not Duplicate.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_two_workers_find_a_pair_once(make, bob, told):
    for _time in range(3):
        make("companies", owner=bob.pk)
    outcomes = at_once(*[duplicates.check_some] * 3)

    assert [one for one in outcomes if isinstance(one, Exception)] == []
    assert Duplicate.objects.count() == 3
    assert len(told("contacts.duplicate_found")) == 3


# --- Merging


def test_two_become_one(pair, make, alice, bob, carol):
    first, second = pair
    contact = make("contacts")
    associating.associate(second, contact, by=alice)
    associating.associate(first, second, by=alice)
    following.follow(second, bob)
    following.follow(first, bob)
    note = activities.log(second, kind="note", text="Moved to Bergen", by=carol)

    merged = merging.merge(first, second, by=alice)

    assert (merged.title, merged.values["city"], merged.owner) == ("Marlow & Finch", "Bergen", bob)
    assert list(associating.associated_with(merged, alice)) == [contact]
    assert list(merged.activities.all()) == [note]
    assert list(merged.followers.values_list("member", flat=True)) == [bob.pk]
    assert [row.pk for row in Record.objects.live().of(alice.account, "companies")] == [first.pk]
    assert not duplicates.open_pairs(alice.account, alice).exists()
    what = list(Change.objects.filter(record=merged, version=merged.version).values_list("what", flat=True))
    assert sorted(what) == ["city", "merged"]
    second.refresh_from_db()
    assert second.merged_into == first


def test_a_contact_takes_over_the_address(make, alice):
    first, second = make("contacts"), make("contacts", email="mia@example.com")

    assert merging.merge(first, second, by=alice).address == "mia@example.com"


def test_an_open_task_stays_open_and_keeps_its_reminders_when_a_completed_one_is_merged_into_it(make, alice):
    first = make("tasks")
    second = make("tasks", due_at="2999-03-01T09:00:00Z", remind_at="2999-03-01T08:00:00Z", priority="high")
    merged = merging.merge(first, records.complete(second, by=alice), by=alice)

    assert (merged.completed_at, merged.remind_at) == (None, None)
    assert (merged.due_at.year, merged.values["priority"]) == (2999, "high")


def test_what_was_merged_cannot_be_restored_or_merged_again(pair, alice):
    first, second = pair
    merging.merge(first, second, by=alice)

    with pytest.raises(InvalidRecord):
        records.restore(second, by=alice)
    with pytest.raises(RecordInBin):
        merging.merge(first, second, by=alice)


def test_only_two_of_a_kind_can_be_merged(make, alice, deal, mallory):
    next_door = records.create(mallory.account, "deals", {"name": "Beans"}, by=mallory)

    for other in (deal, make("contacts"), next_door):
        with pytest.raises(merging.CannotMerge):
            merging.merge(deal, other, by=alice)


def test_who_was_assigned_the_merged_one_hears_of_what_it_became(make, told, five_minutes_later, alice, bob):
    first, second = make("contacts"), make("contacts", first_name="Maria")
    records.assign(second, to=bob, by=alice)
    merging.merge(first, second, by=alice)
    five_minutes_later()

    ((recipients, data),) = told("contacts.contact_assigned")
    assert (recipients, data["url"]) == ([bob.pk], f"/1001/contacts/{first.pk}/")
    assert list(Assignment.objects.values_list("record", "outcome")) == [(first.pk, "told")]


@pytest.mark.parametrize(
    ("owner_of_first", "opens", "outcomes"),
    [
        ("bob", False, {"first": "told", "second": "deleted"}),  # both were given to him: once is enough
        ("carol", False, {"first": "told", "second": "deleted"}),  # she owns what is left
        (None, True, {"second": "deleted"}),  # he has seen it
    ],
)
def test_what_need_not_be_told_of_the_merged_one_stays_with_it(
    make, request, five_minutes_later, alice, bob, owner_of_first, opens, outcomes
):
    first, second = make("contacts"), make("contacts", first_name="Maria")
    if owner_of_first:
        records.assign(first, to=request.getfixturevalue(owner_of_first), by=alice)
    records.assign(second, to=bob, by=alice)
    if opens:
        following.mark_opened(second, bob)
    merging.merge(first, second, by=alice)
    five_minutes_later()

    names = {first.pk: "first", second.pk: "second"}
    assert {names[row.record_id]: row.outcome for row in Assignment.objects.all()} == outcomes


@pytest.mark.django_db(transaction=True)
def test_merging_both_ways_at_once_keeps_one(pair, alice):
    first, second = pair
    outcomes = at_once(partial(merging.merge, first, second, by=alice), partial(merging.merge, second, first, by=alice))

    assert sorted(type(one).__name__ for one in outcomes) == ["Record", "RecordInBin"]
    assert Record.objects.live().filter(kind="companies").count() == 1
