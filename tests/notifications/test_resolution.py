"""Who decides a cell: the order of the layers, and that both twins and the explanation give the same answer."""

import pytest
from django.db import connection
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from accounts.models import Role
from notifications import channels, events, fanout, preferences, resolution, types
from notifications.models import AccountDefault, Lock, Notification, Preference, Profile, ProfileCells
from notifications.other_apps import connecting
from notifications.other_apps.speaking import Offer
from notifications.resolution import Choice, Layer, Layers, ProfileChoice
from notifications.why import explain

BITS = (1, 2, 4, 8)
BIT = 4
ON, OFF, SILENT = Choice(BIT, BIT), Choice(BIT, 0), Choice()

# --- The order, first answer wins: each line adds the next stronger layer to the ones above it.

ORDER = [
    (Layer.BUILT_IN, {}, True),
    (Layer.DEFAULT, {"default": OFF}, False),
    (Layer.PROFILE, {"profiles": (ProfileChoice(7, "member", None, ON),)}, True),
    (Layer.OWN, {"own": OFF}, False),
    (Layer.SWITCH, {"own": ON, "switched_off": BIT}, False),
    (Layer.LOCK, {"lock": ON}, True),
    (Layer.REQUIRED, {"lock": OFF, "required": BIT}, True),
    (Layer.NOT_OFFERED, {"offered": 0}, False),
]


@pytest.mark.req("N-004", "N-005")
@pytest.mark.parametrize("strongest", range(len(ORDER)), ids=[str(layer) for layer, _said, _is_on in ORDER])
def test_the_strongest_layer_that_speaks_decides(strongest):
    said = {"offered": 15, "built_in": BIT}
    for _layer, adds, _is_on in ORDER[: strongest + 1]:
        said |= adds
    own, switched_off = said.pop("own", SILENT), said.pop("switched_off", 0)
    layers = Layers(**said)
    layer, _adds, is_on = ORDER[strongest]

    answer = resolution.resolve(
        layers,
        own=own,
        switched_off=switched_off,
        profiles=resolution.matching(layers, role="member", teams=frozenset()),
        bits=(BIT,),
    )

    assert (answer.layers[BIT], bool(answer.channels)) == (layer, is_on)


def test_a_layer_that_says_nothing_of_a_channel_leaves_it_to_the_next():
    layers = Layers(offered=15, built_in=BIT, default=Choice(1, 1))
    answer = resolution.resolve(layers, own=Choice(2, 2), switched_off=0, profiles=0, bits=BITS)

    assert answer.channels == 1 | 2 | BIT
    assert answer.layers == {1: Layer.DEFAULT, 2: Layer.OWN, 4: Layer.BUILT_IN, 8: Layer.BUILT_IN}


def test_of_several_profiles_the_first_that_speaks_of_the_channel_answers():
    layers = Layers(
        offered=15,
        profiles=(
            ProfileChoice(1, "super_admin", None, ON),
            ProfileChoice(2, "", 30, Choice(1, 1)),
            ProfileChoice(3, "member", None, OFF),
            ProfileChoice(4, "", 31, ON),
        ),
    )
    applies = resolution.matching(layers, role="member", teams=frozenset({30, 31}))
    answer = resolution.resolve(layers, own=SILENT, switched_off=0, profiles=applies, bits=BITS)

    assert applies == 0b1110
    assert answer.profile_ids == {1: 2, BIT: 3}
    assert answer.channels == 1


def test_layers_survive_being_stored_on_the_event():
    layers = Layers(
        15, 1, 3, Choice(2, 2), Choice(4, 0), (ProfileChoice(9, "", 5, ON), ProfileChoice(8, "m", None, OFF))
    )
    assert Layers.from_json(layers.as_json()) == layers


# --- The twins

masks = st.integers(0, 15)
choices = st.builds(Choice, masks, masks)
profiles = st.lists(st.builds(ProfileChoice, st.integers(1, 99), st.just("member"), st.none(), choices), max_size=4)
layers_ = st.builds(Layers, masks, masks, masks, choices, choices, profiles.map(tuple))


@pytest.mark.django_db
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(layers=layers_, own=choices, switched_off=masks, applies=masks)
@example(layers=Layers(15, 0, 15), own=Choice(0, 15), switched_off=0, applies=0)
@example(layers=Layers(3, 15, 0, Choice(15, 0)), own=SILENT, switched_off=15, applies=15)
def test_sql_and_python_decide_the_same(layers, own, switched_off, applies):
    """Whatever stands in the layers, the statement that decides thousands agrees with the one that explains one."""
    applies &= (1 << len(layers.profiles)) - 1
    expression = resolution.channels_sql(
        layers, own_chosen="chosen", own_on="is_on", switched_off="off", profiles="who"
    )
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {expression} FROM (SELECT %s::int AS chosen, %s::int AS is_on, %s::int AS off, %s::int AS who) x",  # noqa: S608
            [own.chosen, own.on, switched_off, applies],
        )
        (by_sql,) = cursor.fetchone()

    answer = resolution.resolve(layers, own=own, switched_off=switched_off, profiles=applies, bits=BITS)
    assert by_sql & 15 == answer.channels
    assert by_sql & ~15 == 0


# --- From the settings page over the fan-out to the explanation: one answer

KIND = types.TYPES["deals.stage_changed"]
known = st.integers(0, sum(channels.BITS))
said = st.builds(Choice, known, known)


@pytest.mark.django_db
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    own=said,
    default=said,
    of_role=said,
    of_team=said,
    off=known,
    locks=st.dictionaries(st.sampled_from(list(channels.CHANNELS)), st.booleans()),
)
def test_the_settings_page_the_fan_out_and_the_explanation_agree(
    account, alice, bob, team, own, default, of_role, of_team, off, locks
):
    for model in (Preference, AccountDefault, Profile, Lock):
        model.objects.all().delete()
    Preference.objects.create(member=bob, type=KIND.key, chosen=own.chosen, on=own.on)
    AccountDefault.objects.create(account=account, type=KIND.key, chosen=default.chosen, on=default.on)
    for name, target, choice in [("A", {"team": team}, of_team), ("B", {"role": Role.MEMBER}, of_role)]:
        profile = Profile.objects.create(account=account, name=name, **target)
        ProfileCells.objects.create(profile=profile, type=KIND.key, chosen=choice.chosen, on=choice.on)
    for channel, is_on in locks.items():
        Lock.objects.create(account=account, type=KIND.key, channel=channel, is_on=is_on, reason="Because")
    for app in channels.APPS:  # of an app that was never connected the explanation is silent
        connecting.keep(bob, app, Offer("somewhere", {}))
    for key, channel in channels.CHANNELS.items():
        preferences.switch(bob, key, on=not off & channel.bit)

    event = events.emit(KIND, audience=[bob], by=alice, data=KIND.example)
    fanout.run_due()

    cells = preferences.standing(bob, [KIND]).cells(KIND)
    shown = {cell.channel.key: (cell.is_on, cell.layer) for cell in cells}
    explained = {
        one.channel.key: (one.is_on, one.layer)
        for one in explain(event.__class__.objects.get(pk=event.pk), bob).verdicts
    }
    assert explained == shown
    assert Notification.objects.get(event=event).channels == sum(cell.channel.bit for cell in cells if cell.is_on)
