"""What members turn off and on, put on record when they do it (see ChoiceRecord). One statement per act.

On record is what became different for the member, apart from a channel's master switch: giving a cell back to a
default that says the same changes nothing, and is not written.
"""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from accounts.models import Membership
from notifications.models import ChoiceRecord, How

if TYPE_CHECKING:
    from notifications.preferences import CellState

Turned = tuple[int, int]  # bits that went off, bits that went on


def turned(before: "Iterable[CellState]", after: "Iterable[CellState]") -> Turned:
    """What the step from some cells of one type to the same cells later turns off, and on."""
    off = on = 0
    for was, becomes in zip(before, after, strict=True):
        if was.is_kept_on != becomes.is_kept_on:
            off |= was.channel.bit if was.is_kept_on else 0
            on |= was.channel.bit if becomes.is_kept_on else 0
    return off, on


def record(member: Membership, by_type: Mapping[str, Turned], *, how: How) -> None:
    """Write down what a member's act turned off and on, by type; the empty type is a master switch."""
    ChoiceRecord.objects.bulk_create(
        ChoiceRecord(account_id=member.account_id, member=member, type=type_key, turned_off=off, turned_on=on, how=how)
        for type_key, (off, on) in by_type.items()
        if off or on
    )
