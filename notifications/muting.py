"""“Don't show me these anymore” (N-012) and “Turn off sound” (N-013): one type, where the reader met it, with a way
back."""

from dataclasses import dataclass

from django.utils.translation import gettext as _

from accounts.models import Membership
from notifications import channels, hearing, preferences, sounds, types
from notifications.channels.base import Channel
from notifications.models import How
from notifications.preferences import CellState
from notifications.types.base import NotificationType

CHOICES: dict[str, bool | None] = {"off": False, "on": True, "default": None}


@dataclass(frozen=True)
class Muted:
    """What was changed, and which choice takes it back."""

    kind: NotificationType
    channel: Channel
    is_on: bool
    undo: str  # a key of CHOICES


def cell_of(member: Membership, type_key: str, channel_key: str) -> CellState | None:
    """The member's cell of a type on a channel; None where there is none (any more)."""
    kind = types.TYPES.get(type_key)
    if kind is None or not preferences.is_for(kind, member):
        return None
    cells = preferences.standing(member, [kind]).cells(kind)
    return next((cell for cell in cells if cell.channel.key == channel_key), None)


def set_one(member: Membership, type_key: str, channel_key: str, to: str) -> Muted:
    """Turn one cell off, on, or back to its default. Refuses as `preferences.choose` does."""
    before = member.preferences.filter(type=type_key).first()
    preferences.choose(member, {(type_key, channel_key): CHOICES[to]}, how=How.MENU if to == "off" else How.UNDO)
    channel, kind = channels.CHANNELS[channel_key], types.TYPES[type_key]
    undo = "default"
    if before is not None and before.chosen & channel.bit:
        undo = "on" if before.on & channel.bit else "off"
    cell = cell_of(member, type_key, channel_key)
    return Muted(kind, channel, is_on=cell is not None and cell.is_on, undo=undo)


@dataclass(frozen=True)
class Audible:
    """Whether a type's pop-ups are heard, and if that cannot be said of it, why."""

    is_on: bool
    why_not: str = ""


@dataclass(frozen=True)
class Silenced:
    """Of which type the sound changed, whether it is heard now, and what takes it back."""

    kind: NotificationType
    is_on: bool
    undo: str  # a key of sounds, none, or default


def audible(member: Membership, type_key: str) -> Audible:
    """What the menu can offer about the sound of a type."""
    cell = cell_of(member, type_key, "popup")
    if cell is None:
        return Audible(is_on=False, why_not=_("This kind is not in use anymore"))
    if not cell.is_offered:
        return Audible(is_on=False, why_not=_("This kind never pops up"))
    if not cell.is_on:
        return Audible(is_on=False, why_not=_("Its pop-ups are off"))
    heard = hearing.of(member)
    if not heard.plays:
        return Audible(is_on=False, why_not=_("You switched off the sound of all pop-ups"))
    return Audible(is_on=heard.of(type_key) != sounds.NONE)


def set_sound(member: Membership, type_key: str, to: str) -> Silenced:
    """Silence one type (`none`), let it be heard again (`on`), or give it what an undo names.

    Refuses as `hearing.choose` does. “On” where the default is silence means the built-in sound.
    """
    before = hearing.of(member)
    wanted = {"default": None, "on": sounds.BUILT_IN if before.default == sounds.NONE else None}.get(to, to)
    hearing.choose(member, {type_key: wanted})
    is_on = (wanted or before.default) != sounds.NONE
    return Silenced(types.TYPES[type_key], is_on=is_on, undo=before.own.get(type_key, "default"))
