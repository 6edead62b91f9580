"""“Don't show me these anymore” (N-012): one type, on the surface where the reader met it, with a way back."""

from dataclasses import dataclass

from accounts.models import Membership
from notifications import channels, preferences, types
from notifications.channels.base import Channel
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
    preferences.choose(member, {(type_key, channel_key): CHOICES[to]})
    channel, kind = channels.CHANNELS[channel_key], types.TYPES[type_key]
    undo = "default"
    if before is not None and before.chosen & channel.bit:
        undo = "on" if before.on & channel.bit else "off"
    cell = cell_of(member, type_key, channel_key)
    return Muted(kind, channel, is_on=cell is not None and cell.is_on, undo=undo)
