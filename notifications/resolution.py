"""Which channels an event may use for a recipient, and which layer said so. First answer wins.

Twins: `resolve` explains one recipient in Python, `channels_sql` decides thousands in one statement.
A property test holds them equal. No database here.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Self

from django.utils.translation import gettext_lazy as _


class Layer(StrEnum):
    """Who gave the answer, strongest first."""

    NOT_OFFERED = "not_offered"
    REQUIRED = "required"
    LOCK = "lock"
    SWITCH = "switch"  # the member's master switch of the channel: part of the member's own choice
    OWN = "own"
    PROFILE = "profile"
    DEFAULT = "default"
    BUILT_IN = "built_in"

    @property
    def words(self) -> str:
        """How the settings page names the layer, after “On —” or “Off —”."""
        return str(WORDS[self])


WORDS = {
    Layer.NOT_OFFERED: _("not available on this channel"),
    Layer.REQUIRED: _("required, it cannot be turned off"),
    Layer.LOCK: _("locked by an administrator"),
    Layer.SWITCH: _("you switched the whole channel off"),
    Layer.OWN: _("your own choice"),
    Layer.PROFILE: _("from a profile of your role or team"),
    Layer.DEFAULT: _("from the account default"),
    Layer.BUILT_IN: _("the built-in default"),
}


@dataclass(frozen=True)
class Choice:
    """What a layer answers: `chosen` are the channels it speaks for, `on` those of them that are on."""

    chosen: int = 0
    on: int = 0


@dataclass(frozen=True)
class ProfileChoice:
    """What a profile answers, and for whom."""

    id: int
    role: str
    team_id: int | None
    choice: Choice

    def matches(self, role: str, teams: frozenset[int]) -> bool:
        return role == self.role if self.role else self.team_id in teams


@dataclass(frozen=True)
class Layers:
    """All that is the same for every recipient of a type in an account, at one moment."""

    offered: int
    required: int = 0
    built_in: int = 0
    lock: Choice = Choice()
    default: Choice = Choice()
    profiles: tuple[ProfileChoice, ...] = ()  # in order of position

    def as_json(self) -> dict[str, Any]:
        return {
            "offered": self.offered,
            "required": self.required,
            "built_in": self.built_in,
            "lock": [self.lock.chosen, self.lock.on],
            "default": [self.default.chosen, self.default.on],
            "profiles": [[p.id, p.role, p.team_id, p.choice.chosen, p.choice.on] for p in self.profiles],
        }

    @classmethod
    def from_json(cls, given: Mapping[str, Any]) -> Self:
        return cls(
            offered=given["offered"],
            required=given["required"],
            built_in=given["built_in"],
            lock=Choice(*given["lock"]),
            default=Choice(*given["default"]),
            profiles=tuple(
                ProfileChoice(id_, role, team, Choice(chosen, on)) for id_, role, team, chosen, on in given["profiles"]
            ),
        )


@dataclass(frozen=True)
class Answer:
    """The channels that are on, and the layer that decided each of the eight or fewer bits asked about."""

    channels: int
    layers: Mapping[int, Layer] = field(default_factory=dict)  # bit → layer
    profile_ids: Mapping[int, int] = field(default_factory=dict)  # bit → the profile that answered


def matching(layers: Layers, *, role: str, teams: frozenset[int]) -> int:
    """The profiles that apply to a member, as bits into `layers.profiles`."""
    return sum(1 << i for i, profile in enumerate(layers.profiles) if profile.matches(role, teams))


def resolve(layers: Layers, *, own: Choice, switched_off: int, profiles: int, bits: tuple[int, ...]) -> Answer:
    """Decide every channel of `bits` for one member. `profiles` as `matching` gives it."""
    channels, said, by_profile = 0, {}, {}
    speaking = [p for i, p in enumerate(layers.profiles) if profiles >> i & 1]
    for bit in bits:
        profile = next((p for p in speaking if p.choice.chosen & bit), None)
        if not layers.offered & bit:
            layer, is_on = Layer.NOT_OFFERED, 0
        elif layers.required & bit:
            layer, is_on = Layer.REQUIRED, bit
        elif layers.lock.chosen & bit:
            layer, is_on = Layer.LOCK, layers.lock.on & bit
        elif switched_off & bit:
            layer, is_on = Layer.SWITCH, 0
        elif own.chosen & bit:
            layer, is_on = Layer.OWN, own.on & bit
        elif profile is not None:
            layer, is_on = Layer.PROFILE, profile.choice.on & bit
            by_profile[bit] = profile.id
        elif layers.default.chosen & bit:
            layer, is_on = Layer.DEFAULT, layers.default.on & bit
        else:
            layer, is_on = Layer.BUILT_IN, layers.built_in & bit
        channels |= is_on
        said[bit] = layer
    return Answer(channels, said, by_profile)


def fixed(layers: Layers) -> int:
    """The channels no member can change: not offered, required or locked."""
    return ~layers.offered | layers.required | layers.lock.chosen


def channels_sql(layers: Layers, *, own_chosen: str, own_on: str, switched_off: str, profiles: str) -> str:
    """The same decision as an SQL integer expression over the named columns (int4, never null).

    Only integers of our own stand in it, never text from outside. Built from the weakest layer up: a stronger
    layer clears the bits it speaks for and sets those it has on.
    """
    default = layers.default
    said = f"{(default.on & default.chosen) | (layers.built_in & ~default.chosen)}"
    for i in reversed(range(len(layers.profiles))):
        choice, applies = layers.profiles[i].choice, f"(({profiles} >> {i}) & 1)"
        said = f"(({said} & ~({choice.chosen} * {applies})) | ({choice.chosen & choice.on} * {applies}))"
    said = f"((({said} & ~{own_chosen}) | ({own_chosen} & {own_on})) & ~{switched_off})"
    always = layers.required | (layers.lock.on & layers.lock.chosen & ~layers.required)
    return f"(({said} & {~fixed(layers)}) | {always & layers.offered})"
