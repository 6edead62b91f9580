"""Ready-made answers that the account default or a profile can begin with. They follow from what types declare.

A preset answers every cell that can be set. Channels beside bell, pop-up and e-mail go where the pop-up goes, so a
new channel needs nothing here.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.models import Account
from notifications import channels, saying, types
from notifications.models import PreferenceChange, Profile
from notifications.preferences import Cell
from notifications.resolution import Layer
from notifications.saying import Values
from notifications.types import declaring
from notifications.types.base import NotificationType

if TYPE_CHECKING:
    from django_stubs_ext import StrPromise

BELL, POPUP, EMAIL = "bell", "popup", "email"
AS_BUILT_IN: Final = None  # where the type goes by its own declaration
ANYWHERE: Final = frozenset({BELL, POPUP, EMAIL})
PERSONAL = {"assigned", "reassigned", "mentioned"}  # words in the keys of types
ADDRESSED = re.compile(r"\b(you|your)\b", re.IGNORECASE)

Fact = Callable[[NotificationType], bool]
Rule = tuple[Fact, frozenset[str] | None]


def is_personal(kind: NotificationType) -> bool:
    """Somebody was mentioned, or was given something to do."""
    return not PERSONAL.isdisjoint(kind.key.rpartition(".")[2].split("_"))


def is_mine(kind: NotificationType) -> bool:
    """It concerns the reader or something of theirs: its words say “you” or “your”."""
    return ADDRESSED.search(declaring.source_text(kind.label)) is not None


def is_urgent(kind: NotificationType) -> bool:
    """By its declaration it both pops up and is mailed: it cannot wait."""
    return {POPUP, EMAIL} <= kind.defaults


def is_told(kind: NotificationType) -> bool:
    """By its declaration it is on somewhere."""
    return bool(kind.defaults)


def is_any(_kind: NotificationType) -> bool:
    return True


@dataclass(frozen=True)
class Preset:
    """The first rule that fits a type says where it goes; where none fits, it is off."""

    key: str
    label: "StrPromise"
    words: "StrPromise"
    rules: tuple[Rule, ...]

    def is_on(self, kind: NotificationType, channel: str) -> bool:
        """Whether the preset turns a type on, on a channel that the type may use."""
        surface = channel if channel in (BELL, EMAIL) else POPUP
        for fits, where in self.rules:
            if fits(kind):
                return channel in kind.defaults if where is AS_BUILT_IN else surface in where
        return False


PRESETS: Final[dict[str, Preset]] = {
    preset.key: preset
    for preset in (
        Preset(
            "mine",
            _("Only what is mine"),
            _("What concerns the member or something of theirs, as it is built in. Everything else is off."),
            ((is_mine, AS_BUILT_IN),),
        ),
        Preset(
            "personal",
            _("Mentions and assignments"),
            _("When somebody mentions the member or gives them something to do: everywhere. Everything else is off."),
            ((is_personal, ANYWHERE),),
        ),
        Preset(
            "everything",
            _("Everything"),
            _("Every kind on every channel. Members turn off what they do not want."),
            ((is_any, ANYWHERE),),
        ),
        Preset(
            "calm",
            _("Calm: e-mail for what is urgent only"),
            _("Nothing pops up. What is urgent comes by e-mail too, the rest waits under the bell."),
            ((is_urgent, frozenset({BELL, EMAIL})), (is_told, frozenset({BELL}))),
        ),
    )
}


@dataclass(frozen=True)
class Beginning:
    """Which preset a layer began with, and how many of its answers are others now."""

    preset: Preset
    change: PreferenceChange
    differing: int


def cells(preset: Preset) -> dict[Cell, bool]:
    """What a preset says of every cell that can be set."""
    return {
        (kind.key, channel.key): preset.is_on(kind, channel.key)
        for kind in types.TYPES.values()
        for channel in channels.ALL
        if channel.key in kind.optional
    }


def differing(preset: Preset, stored: Values) -> dict[Cell, bool]:
    """The cells of a preset that a layer answers otherwise, or not at all."""
    return {
        cell: wanted
        for cell, wanted in cells(preset).items()
        if saying.is_on(stored.get(saying.name_of(cell))) != wanted
    }


def beginning(account: Account, layer: Layer, stored: Values, profile: Profile | None = None) -> Beginning | None:
    """The preset that a layer began with last, as the log has it. What was undone does not count."""
    stands = Q(undone_by=None) | Q(undone_by__undone_by__isnull=False)
    change = (
        PreferenceChange.objects.filter(stands, account=account, layer=layer, profile=profile, preset__in=PRESETS)
        .order_by("-pk")
        .first()
    )
    if change is None:
        return None
    preset = PRESETS[change.preset]
    return Beginning(preset, change, len(differing(preset, stored)))
