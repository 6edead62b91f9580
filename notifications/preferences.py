"""What a member wants where: reading the grid, choosing, clearing, switching a whole channel."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from django.db import transaction
from django.utils import formats
from django.utils.translation import gettext as _

from accounts.errors import DomainError
from accounts.models import Membership
from notifications import channels, choices, layers, live, moments, resolution, types
from notifications.channels.base import Channel
from notifications.models import How, Lock, MemberSettings, Preference, Profile
from notifications.resolution import Answer, Choice, Layer, Layers
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
    """One type on one channel for one member: on or off, who says so, and whether the member may change it.

    `is_kept_on` is what the cell is apart from the channel's master switch; `kept_layer` is who says that.
    """

    type: NotificationType
    channel: Channel
    is_on: bool
    layer: Layer
    origin: str
    lock: Lock | None = None
    is_kept_on: bool = False
    kept_layer: Layer = Layer.BUILT_IN
    profile_name: str = ""

    @property
    def is_changeable(self) -> bool:
        return self.layer not in (Layer.NOT_OFFERED, Layer.REQUIRED, Layer.LOCK)

    @property
    def is_offered(self) -> bool:
        return self.layer is not Layer.NOT_OFFERED


@dataclass(frozen=True)
class Standing:
    """All that a member's cells are computed from, read once: at most seven queries whatever the number of types."""

    member: Membership
    teams: frozenset[int]
    layers: Mapping[str, Layers]
    own: Mapping[str, Choice]
    settings: MemberSettings
    locks: Mapping[Cell, Lock]
    profile_names: Mapping[int, str] = field(default_factory=dict)

    def cells(self, kind: NotificationType, among: Iterable[Channel] = channels.ALL) -> list[CellState]:
        """The member's cells of one type, a cell per channel: of all channels, or of some."""
        answer = self._resolve(kind, switched_off=self.settings.switched_off)
        kept = self._resolve(kind, switched_off=0) if self.settings.switched_off else answer
        return [self._cell(kind, channel, answer, kept) for channel in among]

    def with_own(self, own: Mapping[str, Choice]) -> "Standing":
        """The same with other choices of the member's own."""
        return replace(self, own=own)

    def _resolve(self, kind: NotificationType, *, switched_off: int) -> Answer:
        said = self.layers[kind.key]
        return resolution.resolve(
            said,
            own=self.own.get(kind.key, Choice()),
            switched_off=switched_off,
            profiles=resolution.matching(said, role=self.member.role, teams=self.teams),
            bits=channels.BITS,
        )

    def _cell(self, kind: NotificationType, channel: Channel, answer: Answer, kept: Answer) -> CellState:
        layer, lock = answer.layers[channel.bit], self.locks.get((kind.key, channel.key))
        profile = self.profile_names.get(kept.profile_ids.get(channel.bit, 0), "")
        origin = layer.words
        if layer is Layer.LOCK and lock is not None:
            origin = self._words_of(lock)
        elif layer is Layer.PROFILE and profile:
            origin = _("from the profile “%(name)s”") % {"name": profile}
        return CellState(
            type=kind,
            channel=channel,
            is_on=bool(answer.channels & channel.bit),
            layer=layer,
            origin=origin,
            lock=lock,
            is_kept_on=bool(kept.channels & channel.bit),
            kept_layer=kept.layers[channel.bit],
            profile_name=profile,
        )

    def _words_of(self, lock: Lock) -> str:
        facts = {"reason": lock.reason.strip().rstrip(".")}
        if lock.ends_at is None:
            return _("locked by an administrator: %(reason)s") % facts
        day = formats.date_format(moments.on_clocks(lock.ends_at, self.member.zone), "DATE_FORMAT")
        return _("locked by an administrator: %(reason)s, until %(day)s") % {**facts, "day": day}


def kinds_for(member: Membership) -> list[NotificationType]:
    """The types that exist for a member: those meant for their role, seat and permissions."""
    return [kind for kind in types.TYPES.values() if is_for(kind, member)]


def is_for(kind: NotificationType, member: Membership) -> bool:
    held = [kind.needs_permission] if kind.needs_permission and member.has(kind.needs_permission) else []
    return kind.is_for(member.role, held, member.seat)


def standing(member: Membership, kinds: Iterable[NotificationType] | None = None) -> Standing:
    """Read what decides a member's cells, for all types that exist for them or for some."""
    wanted = kinds_for(member) if kinds is None else list(kinds)
    locks = list(layers.standing_locks(member.account))
    said = layers.load(member.account, wanted, locks=locks)
    speaking = {profile for each in said.values() for profile in each.profiles}
    return Standing(
        member=member,
        teams=_teams(member) if any(profile.team_id for profile in speaking) else frozenset(),
        layers=said,
        own={row.type: Choice(row.chosen, row.on) for row in member.preferences.all()},
        settings=settings_of(member),
        locks={(lock.type, lock.channel): lock for lock in locks},
        profile_names=_names({profile.id for profile in speaking}),
    )


def _teams(member: Membership) -> frozenset[int]:
    teams = {pk for (pk,) in member.extra_teams.values_list("pk")}
    return frozenset(teams | {member.primary_team_id} if member.primary_team_id else teams)


def _names(profiles: set[int]) -> dict[int, str]:
    return dict(Profile.objects.filter(pk__in=profiles).values_list("pk", "name")) if profiles else {}


def settings_of(member: Membership) -> MemberSettings:
    """The member's settings for all types at once; unsaved ones where nothing was ever set."""
    return MemberSettings.objects.filter(member=member).first() or MemberSettings(member=member)


@transaction.atomic
def choose(member: Membership, cells: Mapping[Cell, bool | None], *, how: How = How.SETTINGS) -> None:
    """Set many of a member's own cells in one statement; None gives a cell back to the layer below.

    Refuses the whole set when one cell is unknown to the member (`UnknownCell`) or fixed (`FixedCell`). What became
    different is put on record, with where it was done.
    """
    _wait_in_turn(member)
    now = _check_changeable(member, cells)
    by_type: defaultdict[str, dict[str, bool | None]] = defaultdict(dict)
    for (type_key, channel_key), is_on in cells.items():
        by_type[type_key][channel_key] = is_on
    before = {row.type: row for row in Preference.objects.filter(member=member, type__in=by_type)}
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
    _record(now, {**now.own, **{row.type: Choice(row.chosen, row.on) for row in rows}}, by_type, how=how)


def _record(now: Standing, own: Mapping[str, Choice], type_keys: Iterable[str], *, how: How) -> None:
    """Put on record what other choices of the member's own turn off and on."""
    after = now.with_own(own)
    kinds = [types.TYPES[key] for key in type_keys]
    choices.record(
        now.member, {kind.key: choices.turned(now.cells(kind), after.cells(kind)) for kind in kinds}, how=how
    )


@transaction.atomic
def choose_what_may_be(member: Membership, cells: Mapping[Cell, bool | None]) -> list[Cell]:
    """Set those cells that may be changed now and return the others.

    For pages that stood open while an administrator locked a cell or a new version came.
    """
    known = {kind.key: kind for kind in kinds_for(member)}
    now = standing(member, [known[key] for key in {key for key, _channel in cells} if key in known])
    may = {
        (key, cell.channel.key) for key in now.layers for cell in now.cells(known[key]) if cell.is_changeable
    } & cells.keys()
    choose(member, {cell: cells[cell] for cell in may})
    return [cell for cell in cells if cell not in may]


def _wait_in_turn(member: Membership) -> None:
    """Let one change of a member's choices be written at a time: two ticks in one row share a Preference."""
    Membership.objects.select_for_update(no_key=True).get(pk=member.pk)


def _check_changeable(member: Membership, cells: Iterable[Cell]) -> Standing:
    """What stands now. Refuses cells that are unknown to the member or fixed."""
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
    return now


@transaction.atomic
def choose_topic(member: Membership, topic_key: str, channel_key: str, *, on: bool) -> None:
    """Set all cells of one topic on one channel that the member may change. Refuses an `UnknownCell`."""
    kinds = [kind for kind in kinds_for(member) if kind.topic.key == topic_key]
    if not kinds or channel_key not in channels.CHANNELS:
        raise UnknownCell(_("There is no such topic or channel for you."))
    now = standing(member, kinds)
    choose(
        member,
        {
            (kind.key, channel_key): on
            for kind in kinds
            for cell in now.cells(kind)
            if cell.channel.key == channel_key and cell.is_changeable
        },
    )


@transaction.atomic
def clear(member: Membership) -> dict[str, tuple[int, int]] | None:
    """Turn off everything that a member may turn off (N-010).

    Returns what was chosen before, for `restore`; None when the member had turned all of it off already.
    """
    _wait_in_turn(member)
    before = {row.type: (row.chosen, row.on) for row in member.preferences.all()}
    now = standing(member)
    wanted = {
        (kind.key, cell.channel.key): False
        for kind in kinds_for(member)
        for cell in now.cells(kind)
        if cell.is_changeable and not _is_turned_off(now.own.get(kind.key, Choice()), cell.channel)
    }
    if not wanted:
        return None
    choose(member, wanted, how=How.CLEAR)
    return before


def _is_turned_off(own: Choice, channel: Channel) -> bool:
    return bool(own.chosen & ~own.on & channel.bit)


@transaction.atomic
def restore(member: Membership, before: Mapping[str, tuple[int, int]]) -> None:
    """Put a member's own choices back to what `clear` returned."""
    _wait_in_turn(member)
    now = standing(member)
    own = {key: Choice(chosen, on) for key, (chosen, on) in before.items()}
    member.preferences.exclude(type__in=before).delete()
    Preference.objects.bulk_create(
        [Preference(member=member, type=key, chosen=choice.chosen, on=choice.on) for key, choice in own.items()],
        update_conflicts=True,
        unique_fields=["member", "type"],
        update_fields=["chosen", "on"],
    )
    _record(now, own, now.layers, how=How.UNDO)


@transaction.atomic
def switch(member: Membership, channel_key: str, *, on: bool) -> None:
    """The master switch of a channel (N-015, N-018). Required and locked cells stay as they are."""
    row, _made = MemberSettings.objects.select_for_update().get_or_create(member=member)
    bit, was = channels.CHANNELS[channel_key].bit, row.switched_off
    row.switched_off = was & ~bit if on else was | bit
    row.save(update_fields=["switched_off"])
    choices.record(member, {"": (row.switched_off & ~was, was & ~row.switched_off)}, how=How.SETTINGS)


@transaction.atomic
def set_options(member: Membership, **options: bool) -> None:
    """Set `has_tab_dot`, `hears_own_acts` or `pushes_when_closed`. Open tabs follow at once."""
    MemberSettings.objects.update_or_create(member=member, defaults=options)
    transaction.on_commit(lambda: live.tell_state([member.pk]), robust=True)
