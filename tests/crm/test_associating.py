"""Records that belong together, who follows them, finding them by words."""

from functools import partial

import pytest
from django.db import connection

from crm import associating, following, permissions, records, searching
from crm.models import Association, Change, Follower, Record
from tests.crm.conftest import at_once


@pytest.mark.req("N-096", "N-107")
def test_who_owns_or_follows_either_record_hears_once(make, told, alice, bob, carol):
    deal, contact = make("deals", owner=bob.pk), make("contacts", owner=bob.pk)
    following.follow(contact, carol)

    _row, made = associating.associate(contact, deal, by=alice)
    _row, again = associating.associate(deal, contact, by=alice)

    assert (made, again) == (True, False)
    assert told() == [
        (
            "general.record_associated",
            [bob.pk],
            {"actor": "Alice", "record": deal.title, "other": "Mia Lind", "url": f"/1001/deals/{deal.pk}/"},
        ),
        (
            "general.record_associated",
            [carol.pk],
            {"actor": "Alice", "record": "Mia Lind", "other": deal.title, "url": f"/1001/contacts/{contact.pk}/"},
        ),
    ]


def test_an_association_is_symmetric_and_in_both_histories(make, alice):
    deal, contact = make("deals"), make("contacts")
    associating.associate(deal, contact, by=alice)

    assert list(associating.associated_with(deal, alice)) == [contact]
    assert list(associating.associated_with(contact, alice)) == [deal]
    assert associating.separate(contact, deal, by=alice)
    assert not associating.separate(contact, deal, by=alice)
    for one in (deal, contact):
        assert list(Change.objects.filter(record=one).order_by("pk").values_list("what", flat=True)) == [
            "created",
            "associated",
            "separated",
        ]


def test_nobody_hears_the_title_of_a_record_they_may_not_see(make, told, alice, bob):
    permissions.set_reach(bob, "contacts", sees="own", edits="own", by=alice)
    associating.associate(make("deals", owner=bob.pk), make("contacts"), by=alice)

    assert told() == []


def test_neither_itself_nor_a_neighbours_record_can_be_associated(deal, alice, mallory):
    next_door = records.create(mallory.account, "deals", {"name": "Beans"}, by=mallory)

    for other in (deal, next_door):
        with pytest.raises(associating.CannotAssociate):
            associating.associate(deal, other, by=alice)


@pytest.mark.django_db(transaction=True)
def test_both_ways_at_once_is_one_association(make, alice):
    deal, contact = make("deals"), make("contacts")
    outcomes = at_once(
        *[
            partial(associating.associate, deal, contact, by=alice),
            partial(associating.associate, contact, deal, by=alice),
        ]
        * 3
    )

    assert [one for one in outcomes if isinstance(one, Exception)] == []
    assert Association.objects.count() == 1


def test_following_twice_is_once(deal, bob):
    assert following.follow(deal, bob)
    assert not following.follow(deal, bob)
    assert Follower.objects.count() == 1
    assert following.unfollow(deal, bob)
    assert not following.unfollow(deal, bob)


# --- Search


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("tomas", True),
        ("TOMÁS", True),
        ("ferr", True),
        ("omá eir", True),
        ("fe to", True),
        ("t", True),
        ("acme.example", True),
        ("rr", False),
        ("tomas lind", False),
        ("100%", False),
        ("_omas", False),
        ("", True),
    ],
)
def test_what_words_find(make, alice, words, found):
    contact = make("contacts", first_name="Tomás", last_name="Ferreira", email="tf@acme.example")
    make("contacts", first_name="Bo", last_name="Ek")

    assert (contact in searching.matching(Record.objects.live(), alice.account, words)) == found


@pytest.mark.parametrize("text", ["  mia  lind", "  a", "", "ab", "  ümit  🌲🌲  مريم", "  " + "x" * 50])
def test_python_and_the_database_cut_the_same_trigrams(db, text):
    with connection.cursor() as cursor:
        cursor.execute("SELECT crm_trigrams(7, %s)", [text])
        (pieces,) = cursor.fetchone()

    assert sorted(pieces) == sorted(searching.trigrams(7, text))


def test_a_search_goes_through_the_index(make, alice):
    for number in range(60):
        make("contacts", first_name=f"Person{number}", last_name="Lind")
    found = searching.matching(Record.objects.live().of(alice.account, "contacts"), alice.account, "person42")
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE crm_record")
        cursor.execute("SET LOCAL enable_seqscan = off")

    assert "record_search" in found.explain()
    assert [record.title for record in found] == ["Person42 Lind"]
