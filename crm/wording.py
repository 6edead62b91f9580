"""A record's history in sentences, without the names of records that the reader may not see."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from django.utils.translation import gettext as _

from accounts.models import Membership
from crm.kinds import Type
from crm.models import Change, Record
from crm.showing import Words

LONGEST = 120
BETWEEN = ("associated", "separated", "merged")


def sentences(changes: Iterable[Change], words: Words, reader: Membership) -> dict[int, str]:
    """By the change's id: “changed City from “Oslo” to “Bergen””. One query where other records are named."""
    rows = list(changes)
    others = {pk for row in rows if row.what in BETWEEN and (pk := _other(row).get("id"))}
    seen = _visible(others, reader) if others else set()
    return {row.pk: _sentence(row, words, seen) for row in rows}


def people_in(changes: Iterable[Change], kind_people: Iterable[str]) -> set[int]:
    """The ids of members that these changes speak of."""
    keys = set(kind_people)
    values = [value for row in changes if row.what in keys for value in (row.before, row.after)]
    return {value for value in values if isinstance(value, int)}


def _sentence(row: Change, words: Words, seen: set[int]) -> str:
    if row.what in BETWEEN:
        other = _other(row)
        name = other.get("title", "") if other.get("id") in seen else _("another record")
        return _NAMED[row.what]() % {"record": name}
    if row.what == "submitted":
        return _("took in the form “%(form)s” from the page %(page)s") % {"form": "…", "page": "…", **_other(row)}
    if plain := _PLAIN.get(row.what):
        return plain()
    one = words.kind.find(row.what)
    label = str(one.label) if one else row.what
    if one is None or one.type is Type.LONG_TEXT:
        return _("changed %(property)s") % {"property": label}
    before, after = (words.of(one, value)[:LONGEST] for value in (row.before, row.after))
    facts = {"property": label, "before": before, "after": after}
    if not after:
        return _("emptied %(property)s, which was “%(before)s”") % facts
    if not before:
        return _("set %(property)s to “%(after)s”") % facts
    return _("changed %(property)s from “%(before)s” to “%(after)s”") % facts


def _other(row: Change) -> Mapping[str, Any]:
    facts = row.after or row.before
    return facts if isinstance(facts, dict) else {}


def _visible(ids: set[int], reader: Membership) -> set[int]:
    rows = Record.objects.filter(account=reader.account_id, pk__in=ids).visible_to(reader)
    return set(rows.values_list("pk", flat=True))


_PLAIN: dict[str, Callable[[], str]] = {
    "created": lambda: _("made this record"),
    "deleted": lambda: _("put this record into the bin"),
    "restored": lambda: _("took this record out of the bin"),
}
_NAMED: dict[str, Callable[[], str]] = {
    "associated": lambda: _("associated it with “%(record)s”"),
    "separated": lambda: _("took the association with “%(record)s” away"),
    "merged": lambda: _("merged “%(record)s” into it"),
}
