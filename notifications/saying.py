"""What a super admin's layer says, cell by cell, as values that can be compared, kept on record and put back."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from django.utils import timezone
from django.utils.dateparse import parse_datetime

from accounts.models import Account, Membership
from notifications import channels
from notifications.models import AccountDefault, Lock, Profile, ProfileCells
from notifications.preferences import Cell
from notifications.resolution import Choice, Layer

Values = dict[str, Any]
"""The cells of a change as they are stored: "type/channel" → true, false, null; for locks an object or null."""


def stored(account: Account, layer: Layer, profile: Profile | None = None) -> Values:
    """What a layer says now, cell by cell. A lock that has ended says nothing."""
    if layer is Layer.LOCK:
        return {
            name_of((lock.type, lock.channel)): {
                "on": lock.is_on,
                "reason": lock.reason,
                "ends_at": lock.ends_at.isoformat() if lock.ends_at else None,
            }
            for lock in Lock.objects.filter(account=account)
            if lock.ends_at is None or lock.ends_at > timezone.now()
        }
    rows = (
        ProfileCells.objects.filter(profile=profile, profile__account=account)
        if layer is Layer.PROFILE
        else AccountDefault.objects.filter(account=account)
    )
    return {
        name_of((row.type, channel)): bool(row.on & channels.CHANNELS[channel].bit)
        for row in rows
        for channel in channels.keys_of(row.chosen)
    }


def name_of(cell: Cell) -> str:
    """A cell as one word, as it is stored and as forms and fields name it."""
    return f"{cell[0]}/{cell[1]}"


def cell_of(name: str) -> Cell:
    type_key, _slash, channel = name.rpartition("/")
    return type_key, channel


def is_on(value: Any) -> bool | None:
    """On, off or no answer, from a stored value of any layer."""
    said: bool | None = value["on"] if isinstance(value, dict) else value
    return said


def standing(value: Any) -> Any:
    """A stored value as it counts now: a lock that has ended counts as none."""
    if isinstance(value, dict) and value["ends_at"]:
        ends_at = parse_datetime(value["ends_at"])
        return value if ends_at and ends_at > timezone.now() else None
    return value


def with_cell(choice: Choice, channel: str, wanted: bool | None) -> Choice:
    """A layer's answer for one type with one channel answered otherwise."""
    bit = channels.CHANNELS[channel].bit
    chosen = choice.chosen & ~bit if wanted is None else choice.chosen | bit
    return Choice(chosen, choice.on | bit if wanted else choice.on & ~bit)


def write(account: Account, layer: Layer, wanted: Values, *, profile: Profile | None, by: Membership | None) -> None:
    if layer is Layer.LOCK:
        _write_locks(account, wanted, by=by)
        return
    by_type: defaultdict[str, dict[str, bool | None]] = defaultdict(dict)
    for name, value in wanted.items():
        type_key, channel = cell_of(name)
        by_type[type_key][channel] = value
    if layer is Layer.PROFILE:
        assert profile is not None
        owner: dict[str, Any] = {"profile": profile}
        rows: dict[str, Any] = {row.type: row for row in ProfileCells.objects.filter(profile=profile, type__in=by_type)}
        model: type[AccountDefault] | type[ProfileCells] = ProfileCells
    else:
        owner = {"account": account}
        rows = {row.type: row for row in AccountDefault.objects.filter(account=account, type__in=by_type)}
        model = AccountDefault
    written = []
    for type_key, cells in by_type.items():
        row = rows.get(type_key) or model(type=type_key, **owner)
        for channel, value in cells.items():
            choice = with_cell(Choice(row.chosen, row.on), channel, value)
            row.chosen, row.on = choice.chosen, choice.on
        written.append(row)
    save_cells(model, written, owner=next(iter(owner)))


def save_cells(model: type[AccountDefault] | type[ProfileCells], rows: Iterable[Any], *, owner: str) -> None:
    """Write the rows of a layer in one statement, and drop those that say nothing any more."""
    rows = list(rows)
    model._default_manager.bulk_create(
        rows, update_conflicts=True, unique_fields=[owner, "type"], update_fields=["chosen", "on"]
    )
    empty = [row.type for row in rows if not row.chosen]
    if empty:
        model._default_manager.filter(type__in=empty, chosen=0, **{owner: getattr(rows[0], owner)}).delete()


def _write_locks(account: Account, wanted: Values, *, by: Membership | None) -> None:
    names = {name_of((lock.type, lock.channel)): lock.pk for lock in Lock.objects.filter(account=account)}
    Lock.objects.filter(pk__in=[names[name] for name in wanted if name in names]).delete()
    Lock.objects.bulk_create(
        Lock(
            account=account,
            type=cell_of(name)[0],
            channel=cell_of(name)[1],
            is_on=value["on"],
            reason=value["reason"],
            ends_at=parse_datetime(value["ends_at"]) if value["ends_at"] else None,
            locked_by=by,
        )
        for name, value in wanted.items()
        if value is not None
    )
