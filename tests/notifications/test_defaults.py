"""Account defaults, profiles and locks: counted before, written once, told once, undone."""

import random
from datetime import datetime, timedelta
from datetime import timezone as dt_timezone

import pytest
from django.utils import timezone

from accounts.models import Role, Seat
from accounts.plans import NotOnThisPlan, Plan
from notifications import channels, defaults, preferences, profiles, resolution, saying, types
from notifications.defaults import Change
from notifications.models import AccountDefault, Event, Lock, MemberSettings, PreferenceChange, Profile
from notifications.preferences import FixedCell, UnknownCell
from notifications.resolution import Layer
from tests import factories

STAGE = ("deals.stage_changed", "email")  # on by default
TOLD = "account.preferences_changed_by_admin"


def off(*cells, **given):
    return Change(layer=Layer.DEFAULT, cells=dict.fromkeys(cells, False), **given)


def is_on(member, cell):
    (found,) = [one for one in preferences.standing(member).cells(types.TYPES[cell[0]]) if one.channel.key == cell[1]]
    return found.is_on


def grid(member):
    """Every cell that exists for a member, by brute force."""
    member.refresh_from_db()
    now = preferences.standing(member)
    return {
        (kind.key, cell.channel.key): cell.is_on for kind in preferences.kinds_for(member) for cell in now.cells(kind)
    }


def differences(before, after):
    return sum(before[cell] != after[cell] for cell in before)


@pytest.mark.req("N-003", "N-004")
def test_a_default_reaches_those_who_did_not_choose(account, alice, bob, carol):
    preferences.choose(carol, {STAGE: True})
    seen = defaults.preview(account, off(STAGE))
    assert (seen.members_affected, seen.cells_affected, seen.keep_own) == (2, 2, 1)

    defaults.apply(account, off(STAGE), by=alice)

    assert not is_on(bob, STAGE)
    assert is_on(carol, STAGE)


@pytest.mark.req("N-045")
def test_affected_members_are_told_once(account, alice, bob, carol, fan_out):
    preferences.choose(carol, {STAGE: True, ("tasks.assigned", "bell"): False})
    cells = [STAGE, ("deals.stage_changed", "bell")]
    defaults.apply(account, Change(layer=Layer.DEFAULT, cells=dict.fromkeys(cells, False)), by=alice)

    (event,) = Event.objects.filter(type=TOLD)
    assert sorted(event.audience["members"]) == sorted([alice.pk, bob.pk, carol.pk])
    assert event.data["changes"] == "Deals (Bell, E-mail)"
    fan_out()
    assert bob.notifications.count() == 1
    assert alice.notifications.get().held == 1  # her own act


def test_nobody_is_told_when_nothing_changes_for_anybody(account, alice, bob):
    change = defaults.apply(account, Change(layer=Layer.DEFAULT, cells={STAGE: True}), by=alice)

    assert change is not None
    assert change.members_affected == 0
    assert not Event.objects.exists()


def test_applying_the_same_twice_changes_and_records_once(account, alice, bob):
    assert defaults.apply(account, off(STAGE), by=alice)
    assert defaults.apply(account, off(STAGE), by=alice) is None
    assert PreferenceChange.objects.count() == 1


def test_a_lock_wins_over_own_choices_and_ends(account, alice, bob):
    preferences.choose(bob, {STAGE: False})
    lock = Change(layer=Layer.LOCK, cells={STAGE: True}, reason="Audit until June", ends_at=in_days(2))
    seen = defaults.preview(account, lock)
    assert (seen.members_affected, seen.keep_own) == (1, 0)
    defaults.apply(account, lock, by=alice)
    assert is_on(bob, STAGE)

    Lock.objects.update(ends_at=timezone.now() - timedelta(seconds=1))
    assert not is_on(bob, STAGE)
    assert saying.stored(account, Layer.LOCK) == {}
    # A cell whose lock ended can be locked again.
    assert defaults.apply(account, lock, by=alice)


def test_lifting_a_lock_gives_the_cell_back(account, alice, bob):
    lock = Change(layer=Layer.LOCK, cells={STAGE: False}, reason="Quiet please")
    defaults.apply(account, lock, by=alice)
    assert not is_on(bob, STAGE)
    defaults.apply(account, Change(layer=Layer.LOCK, cells={STAGE: None}), by=alice)
    assert is_on(bob, STAGE)
    assert not Lock.objects.exists()


END_OF_TIME = datetime(9999, 12, 31, 23, 59, tzinfo=dt_timezone(timedelta(hours=-10)))  # UTC has no such moment


def in_days(days):
    return timezone.now() + timedelta(days=days)


@pytest.mark.parametrize(
    ("change", "field", "words"),
    [
        ({"cells": {STAGE: True}, "reason": " "}, "reason", "Write the reason"),
        ({"cells": {STAGE: True}, "reason": "x" * 301}, "reason", "at most 300"),
        ({"cells": {STAGE: True}, "reason": "ok", "ends_at": in_days(-1)}, "ends_at", "This moment is over"),
        ({"cells": {STAGE: True}, "reason": "ok", "ends_at": in_days(3660)}, "ends_at", "within the next ten years"),
        ({"cells": {STAGE: True}, "reason": "ok", "ends_at": END_OF_TIME}, "ends_at", "within the next ten years"),
    ],
)
def test_a_lock_without_reason_or_with_an_end_past_or_far_away_is_refused(account, alice, change, field, words):
    with pytest.raises(defaults.InvalidChange) as refused:
        defaults.apply(account, Change(layer=Layer.LOCK, **change), by=alice)
    assert words in refused.value.fields[field][0]


def test_unknown_required_and_unoffered_cells_are_refused_by_name(account, alice):
    with pytest.raises(UnknownCell) as unknown:
        defaults.apply(account, off(("deals.nonsense", "email"), STAGE), by=alice)
    assert list(unknown.value.fields) == ["deals.nonsense/email"]
    with pytest.raises(FixedCell, match="required"):
        defaults.apply(account, off((TOLD, "email")), by=alice)
    with pytest.raises(FixedCell, match="does not use this channel"):
        defaults.apply(account, off(unoffered()), by=alice)
    assert not AccountDefault.objects.exists()


def unoffered():
    return next((key, c) for key, kind in types.TYPES.items() for c in channels.CHANNELS if c not in kind.offered)


def test_only_super_admins_of_the_account_and_the_operator_may(account, alice, bob, mallory):
    for stranger in (bob, mallory):
        with pytest.raises(defaults.NotSuperAdmin):
            defaults.apply(account, off(STAGE), by=stranger)
    assert defaults.apply(account, off(STAGE), by=None)
    assert Event.objects.get().data["actor"] == "An administrator"


@pytest.mark.req("N-003")
@pytest.mark.parametrize("plan", [Plan.FREE, Plan.STARTER, Plan.PROFESSIONAL])
def test_other_plans_are_refused_in_words(account, alice, plan):
    account.plan = plan
    account.save()
    with pytest.raises(NotOnThisPlan, match="available on Enterprise"):
        defaults.apply(account, off(STAGE), by=alice)


def test_undo_puts_back_what_stood_and_is_on_record(account, alice, bob):
    defaults.apply(account, Change(layer=Layer.DEFAULT, cells={STAGE: True}), by=alice)
    change = defaults.apply(account, off(STAGE), by=alice)
    undone = defaults.undo(change, by=alice)

    assert saying.stored(account, Layer.DEFAULT) == {"deals.stage_changed/email": True}
    assert undone.undoes == change
    assert undone.before == change.after
    assert is_on(bob, STAGE)
    with pytest.raises(defaults.CannotUndo, match="already"):
        defaults.undo(change, by=alice)


def test_undo_is_refused_when_the_cell_changed_since(account, alice):
    change = defaults.apply(account, off(STAGE), by=alice)
    defaults.apply(account, Change(layer=Layer.DEFAULT, cells={STAGE: None}), by=alice)
    with pytest.raises(defaults.CannotUndo, match="changed again since"):
        defaults.undo(change, by=alice)


def test_undoing_a_lock_lifts_it(account, alice, bob):
    change = defaults.apply(account, Change(layer=Layer.LOCK, cells={STAGE: False}, reason="Quiet"), by=alice)
    defaults.undo(change, by=alice)
    assert is_on(bob, STAGE)
    assert not Lock.objects.exists()


def test_a_removed_profile_comes_back_with_all_it_said(account, alice, bob, team):
    made = profiles.create(account, name="Sellers", team=team, by=alice)
    defaults.apply(account, Change(layer=Layer.PROFILE, profile=made.profile, cells={STAGE: False}), by=alice)
    assert not is_on(bob, STAGE)

    assert profiles.preview_removal(made.profile).members_affected == 1
    removed = profiles.delete(Profile.objects.get(), by=alice)
    assert is_on(bob, STAGE)
    assert (removed.members_affected, removed.cells_affected) == (1, 1)

    defaults.undo(removed, by=alice)
    assert not is_on(bob, STAGE)
    assert Profile.objects.get().team == team

    # What it said before it went can still be undone.
    defaults.undo(PreferenceChange.objects.get(summary__startswith="Profile “Sellers”: 1 cell"), by=alice)
    assert is_on(bob, STAGE)


def test_profiles_are_copied_renamed_and_moved(account, alice, bob, team):
    first = profiles.create(account, name="Sellers", team=team, by=alice).profile
    defaults.apply(account, Change(layer=Layer.PROFILE, profile=first, cells={STAGE: False}), by=alice)
    second = profiles.copy(first, name="Everybody", role=Role.MEMBER, by=alice).profile
    defaults.apply(account, Change(layer=Layer.PROFILE, profile=second, cells={STAGE: True}), by=alice)
    assert not is_on(bob, STAGE)

    moved = profiles.move(second, to=0, by=alice)
    assert is_on(bob, STAGE)
    assert moved.members_affected == 1
    defaults.undo(moved, by=alice)
    assert not is_on(bob, STAGE)

    renamed = profiles.rename(second, name="All", by=alice)
    defaults.undo(renamed, by=alice)
    assert sorted(Profile.objects.values_list("name", flat=True)) == ["Everybody", "Sellers"]


def test_a_profile_is_for_one_role_or_one_team_of_the_account(account, next_door, alice, team):
    theirs = next_door.teams.create(name="Theirs")
    for wrong in ({}, {"role": "member", "team": team}, {"role": "king"}, {"team": theirs}):
        with pytest.raises(defaults.InvalidChange):
            profiles.create(account, name="Odd", by=alice, **wrong)
    profiles.create(account, name="Sellers", team=team, by=alice)
    with pytest.raises(defaults.InvalidChange, match="already"):
        profiles.create(account, name="Sellers", team=team, by=alice)


@pytest.mark.parametrize("seed", range(12))
def test_the_preview_counts_what_really_changes(account, next_door, alice, bob, carol, mallory, team, seed):
    chance = random.Random(seed)
    kinds = [*chance.sample(list(types.TYPES.values()), 6), types.TYPES["deals.stage_changed"]]
    settable = [(kind.key, channel) for kind in kinds for channel in channels.CHANNELS if channel in kind.optional]
    dora = factories.member(account, "dora", permissions=["forms"], seat=Seat.PAID, is_active=seed % 2 == 0)
    dora.extra_teams.add(team)
    everybody = [alice, bob, carol, mallory, dora]

    def some(share=0.5):
        return {cell: chance.choice([True, False, None]) for cell in settable if chance.random() < share}

    sellers = profiles.create(account, name="Sellers", team=team, by=alice).profile
    members = profiles.create(account, name="Members", role=Role.MEMBER, by=alice).profile
    for layer, profile in [(Layer.DEFAULT, None), (Layer.PROFILE, sellers), (Layer.PROFILE, members)]:
        defaults.apply(account, Change(layer=layer, profile=profile, cells=some()), by=alice)
    for member in everybody:
        known = {kind.key for kind in preferences.kinds_for(member)}
        preferences.choose(member, {cell: is_on for cell, is_on in some().items() if cell[0] in known})
        MemberSettings.objects.create(member=member, switched_off=chance.choice([0, 0, 1, 4]))
    defaults.apply(account, Change(layer=Layer.LOCK, cells=some(0.2), reason="Because"), by=alice)

    layer, profile = chance.choice([(Layer.DEFAULT, None), (Layer.PROFILE, sellers), (Layer.LOCK, None)])
    change = Change(layer=layer, profile=profile, cells=some(), reason="Because")
    seen = defaults.preview(account, change)
    before = {member.pk: grid(member) for member in everybody}
    unchosen = {member.pk: without_own(member) for member in everybody}
    done = defaults.apply(account, change, by=alice)
    keeping = {
        m.pk
        for m in everybody
        if m.is_active and m.account == account and keeps_own(m, seen, layer, profile, before, unchosen)
    }
    assert seen.keep_own == (0 if layer is Layer.LOCK else len(keeping))
    moved = {member.pk: differences(before[member.pk], grid(member)) for member in everybody if member.is_active}

    assert moved.get(mallory.pk) == 0
    assert seen.cells_affected == done.cells_affected == sum(moved.values())
    assert seen.members_affected == done.members_affected == sum(count > 0 for count in moved.values())
    assert sum(one.reach.turned_on + one.reach.turned_off for one in seen.cells) == seen.cells_affected


def without_own(member):
    """Every cell as it would be had the member not chosen: its value, the layer and the profile that say so."""
    now = preferences.standing(member)
    return {
        (kind.key, channel.key): (bool(said.channels & channel.bit), said.layers[channel.bit], said.profile_ids)
        for kind in preferences.kinds_for(member)
        for said in [
            resolution.resolve(
                now.layers[kind.key],
                own=resolution.Choice(),
                switched_off=0,
                profiles=resolution.matching(now.layers[kind.key], role=member.role, teams=now.teams),
                bits=channels.BITS,
            )
        ]
        for channel in channels.ALL
    }


def keeps_own(member, seen, layer, profile, before, unchosen):
    """Whether some changed cell would be otherwise for the member, had they not chosen."""
    after, now = without_own(member), grid(member)
    for one in seen.cells:
        cell = (one.reach.type.key, one.reach.channel.key)
        if cell not in now:
            continue
        wanted, says, profile_ids = after[cell]
        decides = says is layer and (profile is None or profile_ids.get(one.reach.channel.bit) == profile.pk)
        reached = (decides and one.becomes is not None) or wanted != unchosen[member.pk][cell][0]
        if reached and now[cell] != wanted and now[cell] == before[member.pk][cell]:
            return True
    return False


def test_the_preview_takes_as_many_queries_however_many_types(account, alice, django_assert_max_num_queries):
    everything = {(key, c): False for key, kind in types.TYPES.items() for c in kind.optional}
    with django_assert_max_num_queries(10):
        defaults.preview(account, Change(layer=Layer.DEFAULT, cells=everything))
