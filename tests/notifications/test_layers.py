"""The short way to the layers of one type says the same as the long one."""

import pytest

from notifications import layers, types
from notifications.models import AccountDefault, Lock, Profile, ProfileCells

KIND = types.TYPES["deals.stage_changed"]


def nothing(account, next_door, team):
    """Only the account next door has set something."""
    Lock.objects.create(account=next_door, type=KIND.key, channel="email", reason="Because.")


def a_default(account, next_door, team):
    AccountDefault.objects.create(account=account, type=KIND.key, chosen=4, on=0)


def a_lock(account, next_door, team):
    Lock.objects.create(account=account, type=KIND.key, channel="email", is_on=False, reason="Because.")


def a_profile(account, next_door, team):
    profile = Profile.objects.create(account=account, name="Sales", team=team)
    ProfileCells.objects.create(profile=profile, type=KIND.key, chosen=2, on=2)


@pytest.mark.parametrize("given", [nothing, a_default, a_lock, a_profile])
def test_one_type_is_read_as_all_are(given, account, next_door, team):
    given(account, next_door, team)

    one = layers.load_one(account, KIND)

    assert one == layers.load(account, [KIND])[KIND.key]
    assert (one == layers.built_in(KIND)) == (given is nothing)
