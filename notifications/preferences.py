"""What a member wants where: reading the grid, choosing, clearing, switching a whole channel."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.errors import DomainError
from accounts.models import Membership
from notifications import channels, layers, resolution, types
from notifications.channels.base import Channel
from notifications.models import Lock, MemberSettings, Preference
from notifications.resolution import Choice, Layer, Layers
from notifications.types.base import NotificationType

Cell = tuple[str, str]  # type key, channel key


class FixedCell(DomainError):
    """A cell that the member cannot change: required, locked, or not offered."""

    code = "cell_is_fixed"


class UnknownCell(DomainError):
    code = "unknown_cell"
    status = 422


@dataclass(frozen=True)
class CellState:
    """One type on one channel for one member: on or off, who says so, and whether the member may change it."""

    type: NotificationType
    channel: Channel
    is_on: bool
    layer: Layer
    origin: str
    lock: Lock | None = None

    @property
    def is_changeable(self) -> bool:
        return self.layer not in (Layer.NOT_OFFERED, Layer.REQUIRED, Layer.LOCK)

    @property
    def is_offered(self) -> bool:
        return self.layer is not Layer.NOT_OFFERED


@dataclass(frozen=True)
class Standing:
    """All that a member's cells are computed from, read once: six queries whatever the number of types."""

    member: Membership
    teams: frozenset[int]
    layers: Mapping[str, Layers]
    own: Mapping[str, Choice]
    settings: MemberSettings
    locks: Mapping[Cell, Lock]
    profile_names: Mapping[int, str] = field(default_factory=dict)

    def cells(self, kind: NotificationType) -> list[CellState]:
        """The member's cells of one type, a cell per channel."""
        said = self.layers[kind.key]
        answer = resolution.resolve(
            said,
            own=self.own.get(kind.key, Choice()),
            switched_off=self.settings.switched_off,
            profiles=resolution.matching(said, role=self.member.role, teams=self.teams),
            bits=channels.BITS,
        )
        return [
            CellState(
                type=kind,
                channel=channel,
                is_on=bool(answer.channels & channel.bit),
                layer=answer.layers[channel.bit],
                origin=answer.layers[channel.bit].words,
                lock=self.locks.get((kind.key, channel.key)),
            )
            for channel in channels.ALL
        ]


def kinds_for(member: Membership) -> list[NotificationType]:
    """The types that exist for a member: those meant for their role, seat and permissions."""
    return [kind for kind in types.TYPES.values() if is_for(kind, member)]


def is_for(kind: NotificationType, member: Membership) -> bool:
    held = [kind.needs_permission] if kind.needs_permission and member.has(kind.needs_permission) else []
    return kind.is_for(member.role, held, member.seat)


def standing(member: Membership, kinds: Iterable[NotificationType] | None = None) -> Standing:
    """Read what decides a member's cells, for all types that exist for them or for some."""
    wanted = kinds_for(member) if kinds is None else list(kinds)
    teams = {team for (team,) in member.extra_teams.values_list("pk")}
    if member.primary_team_id:
        teams.add(member.primary_team_id)
    return Standing(
        member=member,
        teams=frozenset(teams),
        layers=layers.load(member.account, wanted),
        own={row.type: Choice(row.chosen, row.on) for row in member.preferences.all()},
        settings=settings_of(member),
        locks={(lock.type, lock.channel): lock for lock in layers.standing_locks(member.account)},
    )


def settings_of(member: Membership) -> MemberSettings:
    """The member's settings for all types at once; unsaved ones where nothing was ever set."""
    return MemberSettings.objects.filter(member=member).first() or MemberSettings(member=member)


@transaction.atomic
def choose(member: Membership, cells: Mapping[Cell, bool | None]) -> None:
    """Set many of a member's own cells in one statement; None gives a cell back to the layer below.

    Refuses the whole set when one cell is unknown to the member (`UnknownCell`) or fixed (`FixedCell`).
    """
    _check_changeable(member, cells)
    by_type: defaultdict[str, dict[str, bool | None]] = defaultdict(dict)
    for (type_key, channel_key), is_on in cells.items():
        by_type[type_key][channel_key] = is_on
    before = {row.type: row for row in Preference.objects.select_for_update().filter(member=member, type__in=by_type)}
    rows = []
    for type_key, wanted in by_type.items():
        row = before.get(type_key) or Preference(member=member, type=type_key)
        for channel_key, is_on in wanted.items():
            bit = channels.CHANNELS[channel_key].bit
            row.chosen = row.chosen & ~bit if is_on is None else row.chosen | bit
            row.on = row.on | bit if is_on else row.on & ~bit
        rows.append(row)
    Preference.objects.bulk_create(
        rows, update_conflicts=True, unique_fields=["member", "type"], update_fields=["chosen", "on"]
    )


def _check_changeable(member: Membership, cells: Iterable[Cell]) -> None:
    asked = list(cells)
    known = {kind.key: kind for kind in kinds_for(member)}
    unknown = [cell for cell in asked if cell[0] not in known or cell[1] not in channels.CHANNELS]
    if unknown:
        raise UnknownCell(
            _("There is no such notification or channel for you."),
            fields={f"{type_key}/{channel}": [_("Unknown cell.")] for type_key, channel in unknown},
        )
    now = standing(member, [known[type_key] for type_key, _channel in asked])
    state = {
        (type_key, cell.channel.key): cell
        for type_key in {type_key for type_key, _channel in asked}
        for cell in now.cells(known[type_key])
    }
    if fixed := [cell for cell in asked if not state[cell].is_changeable]:
        raise FixedCell(
            _("This cannot be changed: %(why)s.") % {"why": state[fixed[0]].origin},
            fields={f"{type_key}/{channel}": [state[type_key, channel].origin] for type_key, channel in fixed},
        )


@transaction.atomic
def clear(member: Membership) -> dict[str, tuple[int, int]]:
    """Turn off everything that a member may turn off (N-010). Returns what was chosen before, for `restore`."""
    before = {row.type: (row.chosen, row.on) for row in member.preferences.select_for_update()}
    now = standing(member)
    choose(
        member,
        {
            (kind.key, cell.channel.key): False
            for kind in kinds_for(member)
            for cell in now.cells(kind)
            if cell.is_changeable
        },
    )
    return before


@transaction.atomic
def restore(member: Membership, before: Mapping[str, tuple[int, int]]) -> None:
    """Put a member's own choices back to what `clear` returned."""
    member.preferences.exclude(type__in=before).delete()
    Preference.objects.bulk_create(
        [Preference(member=member, type=key, chosen=chosen, on=on) for key, (chosen, on) in before.items()],
        update_conflicts=True,
        unique_fields=["member", "type"],
        update_fields=["chosen", "on"],
    )


@transaction.atomic
def switch(member: Membership, channel_key: str, *, on: bool) -> None:
    """The master switch of a channel (N-015, N-018). Required and locked cells stay as they are."""
    row, _made = MemberSettings.objects.select_for_update().get_or_create(member=member)
    bit = channels.CHANNELS[channel_key].bit
    row.switched_off = row.switched_off & ~bit if on else row.switched_off | bit
    row.save(update_fields=["switched_off"])


def set_options(member: Membership, **options: bool) -> None:
    """Set `has_tab_dot` or `hears_own_acts`."""
    MemberSettings.objects.update_or_create(member=member, defaults=options)
