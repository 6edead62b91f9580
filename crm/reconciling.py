"""Two people change the same record: the second is told, and nobody's words are lost.

What only one of them changed is kept from both. What both changed is decided by the second, property by property.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _

from accounts.errors import DomainError
from accounts.models import Membership
from crm import properties, records, timeline
from crm.errors import StaleRecord
from crm.kinds import Kind, Property, Type
from crm.models import Change, Record

TRIES = 5  # somebody may save again while we look


@dataclass(frozen=True)
class Conflict:
    """A property that both changed. `mine` is what was written, as it was written."""

    property: Property
    theirs: Any
    mine: object
    by: Membership | None


class Conflicting(DomainError):
    """Nothing was saved: both changed the same properties. `version` is the one to decide upon."""

    code = "conflicting"

    def __init__(self, conflicts: Sequence[Conflict], changes: Sequence[Change], version: int) -> None:
        super().__init__(_("Somebody else changed the same in the meantime. Nothing of yours is saved yet."))
        self.conflicts, self.changes, self.version = list(conflicts), list(changes), version


@dataclass(frozen=True)
class Saved:
    """The record as it is now, and what others changed since the version that was read.

    `is_changed`: whether anything of the member's own was new.
    """

    record: Record
    others: list[Change]
    is_changed: bool


def save(
    record: Record,
    given: Mapping[str, object],
    *,
    by: Membership,
    version: int,
    kind: Kind,
    seen: Mapping[str, int] | None = None,
) -> Saved:
    """Save what a member changed since they read that version. Refuses with `Conflicting` what both changed.

    `given` may hold properties that they left as they were: those stay as others made them. `seen` names those that
    they saw again since, to decide upon, each with the version they saw: only what others changed later is asked about.
    """
    changes: list[Change] = []
    upon = version
    for _try in range(TRIES):
        try:
            now = records.change(record, given, by=by, version=upon, kind=kind)
            return Saved(now, changes, is_changed=now.version != upon)
        except StaleRecord as stale:
            changes = timeline.since(record, version)
            upon = stale.version
            record = Record.objects.select_related("account", "owner__user", "owner__account").get(pk=record.pk)
            base = _base(changes, seen or {})
            mine = _mine(record, kind, given, base, by=by)
            theirs = _lasting(record, kind, base)
            if both := [key for key in mine if key in theirs and mine[key] != theirs[key]]:
                raise Conflicting(_conflicts(both, kind, given, theirs, changes), changes, upon) from stale
            given = {key: given[key] for key in mine}
    raise Conflicting([], changes, upon)


def as_read(record: Record, kind: Kind, *, version: int, seen: Mapping[str, int]) -> dict[str, Any]:
    """What a record held at the version that was read; the properties in `seen`, at the version they were seen."""
    found = records.values_of(record, kind)
    if version == record.version:
        return found
    for key, value in _base(timeline.since(record, version), seen).items():
        one = kind.find(key)
        found[key] = parse_datetime(value) if one and one.type is Type.DATETIME and value else value
    return {key: value for key, value in found.items() if value is not None and kind.find(key)}


def _base(changes: Sequence[Change], seen: Mapping[str, int]) -> dict[str, Any]:
    """What the properties that others changed held when the member saw them last."""
    found: dict[str, Any] = {}
    for change in changes:
        if change.version > seen.get(change.what, 0):
            found.setdefault(change.what, change.before)
    return found


def _mine(
    record: Record, kind: Kind, given: Mapping[str, object], base: Mapping[str, Any], *, by: Membership
) -> dict[str, Any]:
    """What the member really changed, as it is compared. What cannot be read is theirs too: it will be refused."""
    found: dict[str, Any] = {}
    for key, raw in given.items():
        one = kind.find(key)
        try:
            value = plain(properties.parsed(one, raw, zone=by.zone)) if one else raw
        except ValueError:
            value = raw
        before = base[key] if key in base else plain(records.current(record, kind, key))
        if value != before:
            found[key] = value
    return found


def _lasting(record: Record, kind: Kind, base: Mapping[str, Any]) -> dict[str, Any]:
    """What others changed and did not change back."""
    now = {key: plain(records.current(record, kind, key)) for key in base if kind.find(key)}
    return {key: value for key, value in now.items() if value != base[key]}


def _conflicts(
    keys: Sequence[str], kind: Kind, given: Mapping[str, object], theirs: Mapping[str, Any], changes: Sequence[Change]
) -> list[Conflict]:
    last = {change.what: change.by for change in changes}
    return [Conflict(one, theirs[key], given[key], last.get(key)) for key in keys if (one := kind.find(key))]


def plain(value: Any) -> Any:
    """A value as the history keeps it: moments as text."""
    return json.loads(json.dumps(value, cls=DjangoJSONEncoder))
