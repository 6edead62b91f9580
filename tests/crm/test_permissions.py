"""Who sees and edits which records; it is part of every query."""

import pytest

from accounts.members import NotSuperAdmin
from crm import access, defining, following, permissions, records
from crm.models import Record
from tests import factories


def seen(member):
    return set(Record.objects.live().visible_to(member).values_list("title", flat=True))


def edited(member):
    return set(Record.objects.live().editable_by(member).values_list("title", flat=True))


@pytest.fixture
def four(make, alice, bob, carol, team):
    """A deal each of alice, bob and bob's mate dora, and one of nobody; carol is in no team."""
    dora = factories.member(alice.account, "dora")
    dora.extra_teams.add(team)
    for owner in (alice, bob, dora):
        make("deals", name=owner.name, owner=owner.pk)
    make("deals", name="Nobody")
    return dora


@pytest.mark.parametrize(
    ("sees", "edits", "sees_these", "edits_these"),
    [
        ("all", "all", {"Alice", "Bob", "Dora", "Nobody"}, {"Alice", "Bob", "Dora", "Nobody"}),
        ("all", "team", {"Alice", "Bob", "Dora", "Nobody"}, {"Bob", "Dora"}),
        ("all", "own", {"Alice", "Bob", "Dora", "Nobody"}, {"Bob"}),
        ("team", "own", {"Bob", "Dora"}, {"Bob"}),
        ("own", "own", {"Bob"}, {"Bob"}),
    ],
)
def test_how_far_a_permission_goes(four, make, alice, bob, sees, edits, sees_these, edits_these):
    make("contacts")
    permissions.set_reach(bob, "deals", sees=sees, edits=edits, by=alice)

    assert seen(bob) == sees_these | {"Mia Lind"}  # other kinds are not touched by it
    assert edited(bob) == edits_these | {"Mia Lind"}
    for record in Record.objects.filter(kind="deals"):
        assert bool(permissions.who_may_see(record, [bob])) == (record.title in sees_these)


def test_super_admins_see_everything_and_the_neighbours_nothing(four, alice, mallory):
    permissions.set_reach(alice, "deals", sees="own", edits="own", by=alice)

    assert seen(alice) == {"Alice", "Bob", "Dora", "Nobody"}
    assert seen(mallory) == set()
    assert permissions.who_may_see(Record.objects.first(), [mallory]) == []


def test_being_named_in_a_custom_user_property_makes_a_record_ones_own(make, alice, bob):
    defining.define_property(alice.account, "deals", key="advisor", label="Advisor", type="user", by=alice)
    permissions.set_reach(bob, "deals", sees="own", edits="own", by=alice)
    make("deals", advisor=bob.pk)

    assert seen(bob) == edited(bob) == {"Nordic Oak 2027"}


def test_who_sees_only_their_own_owns_what_they_make(make, alice, bob):
    permissions.set_reach(bob, "deals", sees="own", edits="own", by=alice)

    assert make("deals", by=bob).owner == bob


def test_only_super_admins_set_permissions_and_nobody_edits_more_than_they_see(alice, bob):
    with pytest.raises(NotSuperAdmin):
        permissions.set_reach(bob, "deals", sees="all", edits="all", by=bob)
    with pytest.raises(permissions.InvalidPermission):
        permissions.set_reach(bob, "deals", sees="own", edits="all", by=alice)


def test_what_somebody_may_not_see_is_not_told_them(make, told, alice, bob):
    permissions.set_reach(bob, "deals", sees="own", edits="own", by=alice)
    deal = make("deals")
    following.follow(deal, bob)
    records.move(deal, to=deal.stage.pipeline.stages.last().pk, by=alice)

    assert told() == []


def test_what_members_may_see_is_listed_a_page_at_a_time(alice, bob, carol, mallory, django_assert_num_queries):
    permissions.set_reach(bob, "deals", sees="team", edits="own", by=alice)
    permissions.set_reach(carol, "tickets", sees="own", edits="own", by=alice)

    with django_assert_num_queries(2):
        first, following = access.page(alice.account, "deals", size=2)
    rest, end = access.page(alice.account, "deals", after=following, size=2)

    assert [(one.member, one.sees, one.edits) for one in first + rest] == [
        (alice, "all", "all"),
        (bob, "team", "own"),
        (carol, "all", "all"),
    ]
    assert end == 0
    assert [one.member for one in access.page(alice.account, "deals", is_limited=True)[0]] == [bob]
    assert [one.member for one in access.page(alice.account, "deals", words="AROL")[0]] == [carol]
    assert access.number_limited(alice.account, "deals") == 1
