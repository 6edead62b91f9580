"""What super admins set for everybody: account defaults, profiles of roles and teams, locks.

Every change goes the same way, whichever door it comes through: preview, apply, and if need be undo. Each is on
record with what stood before, and members whose settings it changed are told once (N-003, N-004, N-045).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts import plans
from accounts.errors import DomainError
from accounts.models import Account, Membership
from accounts.plans import Feature
from notifications import channels, presets, reach, saying, telling_changes, types
from notifications.models import PreferenceChange, Profile
from notifications.preferences import Cell, FixedCell, UnknownCell
from notifications.reach import CellReach, Said, SaidProfile
from notifications.resolution import Choice, Layer
from notifications.saying import Values

LAYERS = (Layer.DEFAULT, Layer.PROFILE, Layer.LOCK)
LONGEST_REASON = 300
LONGEST_LOCK = timedelta(days=3653)  # ten years: an end further away is a slip, and “no end” can be said


class InvalidChange(DomainError):
    """The change was not taken. `fields` names each wrong part."""

    code = "invalid_change"
    status = 422


class NotSuperAdmin(DomainError):
    code = "not_super_admin"
    status = 403


class CannotUndo(DomainError):
    code = "cannot_undo"


@dataclass(frozen=True, kw_only=True)
class Change:
    """What a super admin wants a layer to say. None gives a cell back to the layer below; for a lock, lifts it."""

    layer: Layer
    cells: Mapping[Cell, bool | None]
    profile: Profile | None = None
    reason: str = ""  # of a lock: members read it
    ends_at: datetime | None = None  # of a lock
    preset: str = ""  # a key of presets: what the cells began with, kept on record


@dataclass(frozen=True)
class CellChange:
    """One cell of a change in words: what the layer said, what it will say, and for whom that matters."""

    reach: CellReach
    was: bool | None
    becomes: bool | None


@dataclass(frozen=True)
class Preview:
    """What a change would do. `cells` holds only those it really changes."""

    members_affected: int = 0
    cells_affected: int = 0
    keep_own: int = 0
    cells: tuple[CellChange, ...] = field(default=())


def preview(account: Account, change: Change) -> Preview:
    """Count what a change would do, without doing it. Refuses what `apply` would refuse."""
    _check(account, change)
    before = saying.stored(account, change.layer, change.profile)
    wanted = _differing(before, _values(change))
    said = reach.read(account)
    after = _said_after(said, change, wanted)
    turned_round = None if change.layer is Layer.LOCK else _said_after(said, change, _turned_round(wanted))
    done = reach.measure(account, said, after, turned_round=turned_round)
    by_cell = {(one.type.key, one.channel.key): one for one in done.cells}
    return Preview(
        members_affected=done.members_affected,
        cells_affected=done.cells_affected,
        keep_own=0 if change.layer is Layer.LOCK else done.keep_own,
        cells=tuple(
            CellChange(
                by_cell.get(cell) or CellReach(types.TYPES[cell[0]], channels.CHANNELS[cell[1]]),
                was=saying.is_on(before.get(name)),
                becomes=saying.is_on(value),
            )
            for name, value in wanted.items()
            for cell in [saying.cell_of(name)]
        ),
    )


def apply(account: Account, change: Change, *, by: Membership | None) -> PreferenceChange | None:
    """Make a layer say what is wanted, record it, and tell the members whose settings changed.

    `by` is a super admin of the account, or None for the operator. Refused as a whole when the plan has no
    default preferences, or when any cell is unknown, not offered or required. None when all of it stood already.
    """
    require_right(account, by)
    _check(account, change)
    return put(account, change.layer, _values(change), profile=change.profile, by=by, preset=change.preset)


@transaction.atomic
def put(
    account: Account,
    layer: Layer,
    values: Values,
    *,
    profile: Profile | None,
    by: Membership | None,
    undoes: PreferenceChange | None = None,
    preset: str = "",
) -> PreferenceChange | None:
    """Write checked values, record and tell. One at a time per account."""
    Account.objects.select_for_update(of=("self",)).get(pk=account.pk)
    before = saying.stored(account, layer, profile)
    wanted = _differing(before, values)
    if not wanted:
        return None
    said = reach.read(account)
    saying.write(account, layer, wanted, profile=profile, by=by)
    done = reach.measure(account, said, reach.read(account))
    change = PreferenceChange.objects.create(
        account=account,
        layer=layer,
        profile=profile,
        summary=telling_changes.summary(account, layer, wanted, profile=profile, undoes=undoes),
        before={name: before.get(name) for name in wanted},
        after=wanted,
        members_affected=done.members_affected,
        cells_affected=done.cells_affected,
        made_by=by,
        undoes=undoes,
        preset=preset,
    )
    telling_changes.tell(account, done, by=by)
    return change


def require_right(account: Account, by: Membership | None) -> None:
    """Refuse unless the plan has default preferences and `by` is a super admin here (None: the operator)."""
    plans.require(account.plan, Feature.DEFAULT_PREFERENCES)
    if by is not None and not (by.account_id == account.pk and by.is_super_admin and by.is_active):
        raise NotSuperAdmin(_("Only a super admin of the account can change this."))


def _values(change: Change) -> Values:
    names = {saying.name_of(cell): wanted for cell, wanted in change.cells.items()}
    if change.layer is not Layer.LOCK:
        return names
    return {name: None if wanted is None else _locked(change, wanted) for name, wanted in names.items()}


def _locked(change: Change, wanted: bool) -> dict[str, Any]:
    ends_at = change.ends_at.astimezone(UTC).isoformat() if change.ends_at else None
    return {"on": wanted, "reason": change.reason.strip(), "ends_at": ends_at}


def _differing(before: Values, values: Values) -> Values:
    standing = {name: saying.standing(value) for name, value in values.items()}
    return {name: value for name, value in standing.items() if value != before.get(name)}


def _turned_round(values: Values) -> Values:
    return {name: None if value is None else not value for name, value in values.items()}


def _said_after(said: Said, change: Change, wanted: Values) -> Said:
    if change.layer is Layer.DEFAULT:
        return replace(said, defaults=_choices_after(said.defaults, wanted))
    if change.layer is Layer.LOCK:
        return replace(said, locks=_choices_after(said.locks, wanted))
    assert change.profile is not None

    def after(one: SaidProfile) -> SaidProfile:
        is_it = change.profile is not None and one.id == change.profile.pk
        return replace(one, cells=_choices_after(one.cells, wanted)) if is_it else one

    return replace(said, profiles=tuple(after(one) for one in said.profiles))


def _choices_after(choices: Mapping[str, Choice], wanted: Values) -> dict[str, Choice]:
    after = dict(choices)
    for name, value in wanted.items():
        type_key, channel = saying.cell_of(name)
        after[type_key] = saying.with_cell(after.get(type_key, Choice()), channel, saying.is_on(value))
    return after


def _check(account: Account, change: Change) -> None:
    """Refuse a change that names what does not exist or may not be set. Every wrong cell is named."""
    if change.layer not in LAYERS or (change.profile is not None) != (change.layer is Layer.PROFILE):
        raise InvalidChange(_("Say what to change: the account default, one profile, or locks."))
    if change.profile is not None and change.profile.account_id != account.pk:
        raise InvalidChange(_("There is no such profile."), fields={"profile": [_("There is no such profile.")]})
    if change.preset and (change.preset not in presets.PRESETS or change.layer is Layer.LOCK):
        raise InvalidChange(_("There is no such preset."), fields={"preset": [_("There is no such preset.")]})
    unknown = [c for c in change.cells if c[0] not in types.TYPES or c[1] not in channels.CHANNELS]
    if unknown:
        raise UnknownCell(
            _("There is no such notification or channel: %(cell)s.") % {"cell": saying.name_of(unknown[0])[:120]},
            fields={saying.name_of(cell): [_("Unknown cell.")] for cell in unknown},
        )
    wrong = {cell: why for cell in change.cells if (why := why_not_settable(cell))}
    if wrong:
        first = next(iter(wrong))
        raise FixedCell(
            _("“%(type)s” by %(channel)s: %(why)s")
            % {
                "type": types.TYPES[first[0]].label,
                "channel": channels.CHANNELS[first[1]].label,
                "why": wrong[first],
            },
            fields={saying.name_of(cell): [why] for cell, why in wrong.items()},
        )
    if change.layer is Layer.LOCK and any(wanted is not None for wanted in change.cells.values()):
        _check_lock(change)


def why_not_settable(cell: Cell) -> str:
    """Why nobody can set a cell, in words; empty when it can be set."""
    kind = types.TYPES[cell[0]]
    if cell[1] not in kind.offered:
        return _("it does not use this channel.")
    return _("it is required and always on.") if cell[1] in kind.required else ""


def _check_lock(change: Change) -> None:
    problems: dict[str, list[str]] = {}
    if not change.reason.strip():
        problems["reason"] = [_("Write the reason: the members read it beside the locked setting.")]
    elif len(change.reason.strip()) > LONGEST_REASON or "\0" in change.reason:
        problems["reason"] = [_("Write at most %(most)s characters.") % {"most": LONGEST_REASON}]
    if why := why_not_until(change.ends_at):
        problems["ends_at"] = [why]
    if problems:
        raise InvalidChange(next(iter(problems.values()))[0], fields=problems)


def why_not_until(ends_at: datetime | None) -> str:
    """Why a lock cannot end at a moment, in words; empty when it can, or has no end."""
    if ends_at is None:
        return ""
    if ends_at <= timezone.now():
        return _("This moment is over: choose one to come, or none.")
    if ends_at > timezone.now() + LONGEST_LOCK:
        return _("Choose a moment within the next ten years, or none.")
    return ""


@transaction.atomic
def undo(change: PreferenceChange, *, by: Membership | None) -> PreferenceChange:
    """Put back what stood before a change, as a change of its own. Refuses when something changed since."""
    from notifications import profiles  # profiles are built on this module

    require_right(change.account, by)
    change = PreferenceChange.objects.select_for_update(of=("self",)).select_related("account").get(pk=change.pk)
    Account.objects.select_for_update(of=("self",)).get(pk=change.account_id)
    if PreferenceChange.objects.filter(undoes=change).exists():
        raise CannotUndo(_("This was undone already."))
    if profiles.is_about_profiles(change):
        return profiles.undo(change, by=by)
    layer = Layer(change.layer)
    if layer is Layer.PROFILE and change.profile is None:
        raise CannotUndo(_("The profile is no longer there: bring it back first, by undoing its removal."))
    now = saying.stored(change.account, layer, change.profile)
    if since := [name for name, value in change.after.items() if now.get(name) != saying.standing(value)]:
        raise CannotUndo(
            _("“%(what)s” was changed again since (or its lock ended): change it by hand.")
            % {"what": telling_changes.cell_words(since[0])}
        )
    known = {name: value for name, value in change.before.items() if saying.cell_of(name)[0] in types.TYPES}
    made = put(change.account, layer, known, profile=change.profile, by=by, undoes=change)
    if made is None:
        raise CannotUndo(_("There is nothing left to put back."))
    return made
