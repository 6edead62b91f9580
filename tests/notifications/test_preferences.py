"""What a member wants where: choosing, giving back, clearing, switching a channel, and who decides."""

from datetime import timedelta
from threading import Thread

import pytest
from django.db import connection
from django.utils import timezone

from accounts.models import Permission, Role, Seat
from notifications import channels, preferences, types
from notifications.models import AccountDefault, Lock, Preference, Profile, ProfileCells
from notifications.preferences import FixedCell, UnknownCell
from notifications.resolution import Layer

STAGE = types.TYPES["deals.stage_changed"]
BELL, POPUP, EMAIL = 1, 2, 4


def state(member, kind=STAGE, channel="email"):
    cells = preferences.standing(member, [kind]).cells(kind)
    return next(cell for cell in cells if cell.channel.key == channel)


def test_without_anything_the_built_in_default_answers(bob):
    assert (state(bob).is_on, state(bob).layer) == (True, Layer.BUILT_IN)
    assert (state(bob, channel="popup").is_on, state(bob, channel="popup").layer) == (False, Layer.BUILT_IN)


@pytest.mark.req("N-004", "N-008", "N-009")
def test_an_own_choice_wins_over_profile_and_account_default(bob, account):
    AccountDefault.objects.create(account=account, type=STAGE.key, chosen=EMAIL, on=0)
    assert (state(bob).is_on, state(bob).layer) == (False, Layer.DEFAULT)

    profile = Profile.objects.create(account=account, name="Members", role=Role.MEMBER)
    ProfileCells.objects.create(profile=profile, type=STAGE.key, chosen=EMAIL, on=EMAIL)
    assert (state(bob).is_on, state(bob).layer) == (True, Layer.PROFILE)
    assert state(bob).origin == "from the profile “Members”"

    preferences.choose(bob, {(STAGE.key, "email"): False})
    assert (state(bob).is_on, state(bob).layer) == (False, Layer.OWN)


def test_a_profile_of_a_team_reaches_its_primary_and_extra_members_only(bob, carol, alice, account, team):
    profile = Profile.objects.create(account=account, name="Sales first", team=team)
    ProfileCells.objects.create(profile=profile, type=STAGE.key, chosen=EMAIL, on=0)
    carol.extra_teams.add(team)

    assert [state(member).layer for member in (bob, carol, alice)] == [Layer.PROFILE, Layer.PROFILE, Layer.BUILT_IN]


def test_a_choice_can_be_given_back(bob):
    preferences.choose(bob, {(STAGE.key, "email"): False})
    preferences.choose(bob, {(STAGE.key, "email"): None})

    assert state(bob).layer is Layer.BUILT_IN


def test_a_lock_wins_and_says_why_and_until_when(bob, account):
    ends_at = timezone.now() + timedelta(days=3)
    Lock.objects.create(
        account=account, type=STAGE.key, channel="email", is_on=False, reason="Legal asks for it.", ends_at=ends_at
    )
    preferences_before = list(bob.preferences.all())

    cell = state(bob)
    assert (cell.is_on, cell.layer, cell.is_changeable) == (False, Layer.LOCK, False)
    assert cell.origin.startswith("locked by an administrator: Legal asks for it, until ")
    with pytest.raises(FixedCell, match="Legal asks for it"):
        preferences.choose(bob, {(STAGE.key, "email"): True})
    assert list(bob.preferences.all()) == preferences_before


def test_a_lock_that_has_ended_decides_nothing(bob, account):
    ended = timezone.now() - timedelta(seconds=1)
    Lock.objects.create(account=account, type=STAGE.key, channel="email", is_on=False, reason="Past", ends_at=ended)

    assert state(bob).layer is Layer.BUILT_IN


@pytest.mark.req("N-005")
@pytest.mark.parametrize("key", ["system.support_message", "system.billing_message"])
def test_what_is_required_cannot_be_turned_off(bob, account, key):
    with pytest.raises(FixedCell, match="required"):
        preferences.choose(bob, {(key, "email"): False})
    preferences.switch(bob, "email", on=False)
    Lock.objects.create(account=account, type=key, channel="email", is_on=False, reason="No")

    assert state(bob, types.TYPES[key]).layer is Layer.REQUIRED
    assert state(bob, types.TYPES[key]).is_on


def test_one_refused_cell_refuses_the_whole_set(bob):
    with pytest.raises(FixedCell) as refused:
        preferences.choose(bob, {(STAGE.key, "email"): False, ("system.support_message", "email"): False})

    assert list(refused.value.fields) == ["system.support_message/email"]
    assert not Preference.objects.exists()


@pytest.mark.parametrize("cell", [("no.such", "email"), ("deals.stage_changed", "smoke"), ("payments.failed", "bell")])
def test_cells_that_do_not_exist_for_the_member_are_unknown(bob, cell):
    with pytest.raises(UnknownCell):
        preferences.choose(bob, {cell: True})


@pytest.mark.req("N-153")
def test_website_visits_are_offered_by_email_only(bob):
    cells = preferences.standing(bob).cells(types.TYPES["website_visits.contacts"])

    assert [cell.channel.key for cell in cells if cell.is_offered] == ["email"]
    with pytest.raises(FixedCell, match="not available"):
        preferences.choose(bob, {("website_visits.contacts", "bell"): True})


@pytest.mark.req("N-119")
def test_payments_exist_for_super_admins_only(alice, bob):
    assert "payments.failed" in {kind.key for kind in preferences.kinds_for(alice)}
    assert "payments.failed" not in {kind.key for kind in preferences.kinds_for(bob)}


@pytest.mark.req("N-093")
def test_form_submissions_exist_for_those_with_the_forms_permission(bob, carol):
    carol.permissions = [Permission.FORMS]
    submitted = next(key for key, kind in types.TYPES.items() if kind.needs_permission == Permission.FORMS)

    assert submitted in {kind.key for kind in preferences.kinds_for(carol)}
    assert submitted not in {kind.key for kind in preferences.kinds_for(bob)}


def test_types_of_paid_seats_exist_for_paid_seats_only(bob):
    seated = [key for key, kind in types.TYPES.items() if kind.for_seat == Seat.PAID]
    bob.seat = Seat.FREE
    assert not set(seated) & {kind.key for kind in preferences.kinds_for(bob)}
    bob.seat = Seat.PAID
    assert set(seated) <= {kind.key for kind in preferences.kinds_for(bob)}


@pytest.mark.req("N-015", "N-018")
def test_a_switched_off_channel_keeps_what_was_chosen(bob):
    preferences.choose(bob, {(STAGE.key, "email"): True})
    preferences.switch(bob, "email", on=False)

    cell = state(bob)
    assert (cell.is_on, cell.layer) == (False, Layer.SWITCH)
    assert (cell.is_kept_on, cell.kept_layer) == (True, Layer.OWN)
    assert state(bob, channel="bell").is_on

    preferences.switch(bob, "email", on=True)
    assert (state(bob).is_on, state(bob).layer) == (True, Layer.OWN)


@pytest.mark.req("N-010")
def test_clear_turns_everything_off_but_what_is_fixed_and_can_be_undone(bob, account):
    Lock.objects.create(account=account, type=STAGE.key, channel="bell", is_on=True, reason="Everyone reads this")
    preferences.choose(bob, {("tasks.due", "email"): True, ("tasks.due", "popup"): False})
    chosen = {row.type: (row.chosen, row.on) for row in bob.preferences.all()}

    before = preferences.clear(bob)
    on = {
        (cell.type.key, cell.channel.key): cell.layer
        for kind in preferences.kinds_for(bob)
        for cell in preferences.standing(bob).cells(kind)
        if cell.is_on
    }
    assert set(on.values()) == {Layer.REQUIRED, Layer.LOCK}
    assert on[STAGE.key, "bell"] is Layer.LOCK
    assert before == chosen

    preferences.restore(bob, before)
    assert {row.type: (row.chosen, row.on) for row in bob.preferences.all()} == chosen


def test_a_whole_topic_follows_one_word_but_leaves_what_is_fixed(bob):
    preferences.choose_topic(bob, "system", "email", on=False)
    cells = [state(bob, kind) for kind in types.TYPES.values() if kind.topic.key == "system"]

    assert {cell.layer for cell in cells} == {Layer.OWN, Layer.REQUIRED}
    assert all(cell.is_on == (cell.layer is Layer.REQUIRED) for cell in cells)
    with pytest.raises(UnknownCell):
        preferences.choose_topic(bob, "payments", "email", on=True)


def test_what_may_be_chosen_is_and_the_rest_is_named(bob):
    left = preferences.choose_what_may_be(
        bob,
        {(STAGE.key, "email"): False, ("system.support_message", "email"): False, ("gone.type", "bell"): True},
    )

    assert sorted(left) == [("gone.type", "bell"), ("system.support_message", "email")]
    assert state(bob).layer is Layer.OWN


def test_nothing_of_one_member_reaches_another(bob, carol):
    preferences.choose(bob, {(STAGE.key, "email"): False})
    preferences.switch(bob, "bell", on=False)

    assert state(carol).layer is Layer.BUILT_IN
    assert state(carol, channel="bell").is_on


def test_the_standing_costs_the_same_however_many_types(bob, account, django_assert_max_num_queries):
    profile = Profile.objects.create(account=account, name="Members", role=Role.MEMBER)
    for kind in types.TYPES.values():
        AccountDefault.objects.create(account=account, type=kind.key, chosen=EMAIL, on=0)
        ProfileCells.objects.create(profile=profile, type=kind.key, chosen=BELL, on=0)
        Preference.objects.create(member=bob, type=kind.key, chosen=POPUP, on=POPUP)
    with django_assert_max_num_queries(7):
        now = preferences.standing(bob)
        assert all(len(now.cells(kind)) == len(channels.ALL) for kind in preferences.kinds_for(bob))


@pytest.mark.django_db(transaction=True)
def test_two_ticks_of_one_row_at_the_same_moment_both_count(bob):
    """Bell and pop-up of a type share a row: without waiting in turn, one of the two would be lost."""

    def tick(channel):
        try:
            preferences.choose(bob, {(STAGE.key, channel): channel == "popup"})
        finally:
            connection.close()

    for _round in range(5):
        Preference.objects.all().delete()
        threads = [Thread(target=tick, args=[key]) for key in ("bell", "popup", "email")]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        row = bob.preferences.get()
        assert (row.chosen, row.on) == (BELL | POPUP | EMAIL, POPUP)
