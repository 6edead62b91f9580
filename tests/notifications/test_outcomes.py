"""What became of an event, in counts."""

from notifications import channels, outcomes
from notifications.models import Held
from notifications.resolution import Choice, Layers

SAID = Layers(offered=7, required=0, built_in=5, lock=Choice(chosen=2, on=0), default=Choice()).as_json()


def test_every_recipient_counts_once_for_each_channel() -> None:
    counted = outcomes.summarise(
        [
            [5, 0, 0, 0, Held.NOT, 10],  # as built in
            [1, 4, 0, 0, Held.NOT, 3],  # e-mail off by their own choice
            [4, 0, 1, 0, Held.NOT, 2],  # the bell switched off
            [0, 0, 0, 0, Held.OWN_ACT, 1],
        ],
        SAID,
    )

    assert counted["held"] == {"own_act": 1}
    assert counted["channels"] == {
        "bell": {"on": 13, "on_by": {"built_in": 13}, "off": 2, "off_by": {"switch": 2}},
        "popup": {"on": 0, "on_by": {}, "off": 15, "off_by": {"lock": 15}},
        "email": {"on": 12, "on_by": {"built_in": 12}, "off": 3, "off_by": {"own": 3}},
        **{
            key: {"on": 0, "on_by": {}, "off": 15, "off_by": {"not_offered": 15}}
            for key in channels.CARRIER
            if key != "email"
        },
    }


def test_an_event_that_was_told_to_nobody_yet_counts_nothing() -> None:
    counted = outcomes.summarise([], None)

    assert counted["held"] == {}
    assert {channel["on"] + channel["off"] for channel in counted["channels"].values()} == {0}
