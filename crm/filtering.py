"""Narrowing lists of records by their properties: what every list, search and export understands."""

import zoneinfo
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Q
from django.db.models.fields.json import KeyTextTransform, KeyTransform
from django.utils.translation import gettext as _

from accounts.errors import DomainError
from crm import properties, records
from crm.kinds import Kind, Property, Type
from crm.models.records import RecordQuerySet

MOST = 20
ORDERED = {Type.NUMBER, Type.DATE, Type.DATETIME}
WORDS = {Type.TEXT, Type.LONG_TEXT, Type.EMAIL, Type.PHONE, Type.URL}


class InvalidFilter(DomainError):
    """Nothing was looked up. `fields` names each bad condition as `where[2]`."""

    code = "invalid_filter"
    status = 422


@dataclass(frozen=True)
class Condition:
    """One property compared with a value: ("amount", "at_least", 1000)."""

    property: str
    operator: str
    value: object = None


def narrowed(
    rows: RecordQuerySet, kind: Kind, conditions: Sequence[Condition], *, zone: zoneinfo.ZoneInfo
) -> RecordQuerySet:
    """Those of these records of one kind for which all conditions hold. `zone`: where days begin and end."""
    if len(conditions) > MOST:
        raise InvalidFilter(_("At most %(most)d conditions fit.") % {"most": MOST})
    problems: dict[str, list[str]] = {}
    for index, condition in enumerate(conditions):
        try:
            rows = _apply(rows, kind, condition, zone)
        except ValueError as error:
            problems[f"where[{index}]"] = [str(error)]
    if problems:
        raise InvalidFilter(_("Nothing was looked up: some conditions cannot be understood."), fields=problems)
    return rows


def _apply(rows: RecordQuerySet, kind: Kind, given: Condition, zone: zoneinfo.ZoneInfo) -> RecordQuerySet:
    one = kind.find(given.property)
    if one is None:
        raise ValueError(_("%(kind)s has no such property.") % {"kind": kind.label})
    operator = OPERATORS.get(given.operator)
    if operator is None:
        raise ValueError(_("There is no such comparison. There are: %s.") % ", ".join(OPERATORS))
    value = None
    if operator.needs_value:
        if operator.types and one.type not in operator.types:
            raise ValueError(_("“%(property)s” cannot be compared like this.") % {"property": one.label})
        value = _value(one, given, zone)
    name = _name(one)
    if not one.column:
        transform = KeyTextTransform if given.operator == "contains" else KeyTransform
        rows = rows.alias(**{name: transform(one.key, "values")})
    return rows.filter(operator.condition(one, name, value))


def _value(one: Property, given: Condition, zone: zoneinfo.ZoneInfo) -> Any:
    if given.operator == "contains":
        if not isinstance(given.value, str) or not given.value.strip() or "\0" in given.value:
            raise ValueError(_("Write some text to look for."))
        return given.value.strip()
    value = properties.parsed(one, given.value, zone=zone)
    if value is None:
        raise ValueError(_("Give a value to compare with."))
    return value


def _name(one: Property) -> str:
    return records.FOREIGN.get(one.column, one.column) if one.column else f"value_of_{one.key}"


def _is(one: Property, name: str, value: Any) -> Q:
    return Q(**{name: value}) if one.column else Q(values__contains={one.key: value})


def _is_empty(one: Property, name: str, _value: Any) -> Q:
    if not one.column:
        return ~Q(values__has_key=one.key)
    nothing = Q(**{f"{name}__isnull": True})
    return nothing if one.type not in WORDS else Q(**{name: ""})


@dataclass(frozen=True)
class Operator:
    condition: Callable[[Property, str, Any], Q]
    types: frozenset[Type] = frozenset()
    needs_value: bool = True


OPERATORS: dict[str, Operator] = {
    "is": Operator(_is),
    "is_not": Operator(lambda one, name, value: ~_is(one, name, value)),
    "contains": Operator(lambda _one, name, value: Q(**{f"{name}__icontains": value}), frozenset(WORDS)),
    "at_least": Operator(lambda _one, name, value: Q(**{f"{name}__gte": value}), frozenset(ORDERED)),
    "at_most": Operator(lambda _one, name, value: Q(**{f"{name}__lte": value}), frozenset(ORDERED)),
    "is_empty": Operator(_is_empty, needs_value=False),
    "is_filled": Operator(lambda one, name, value: ~_is_empty(one, name, value), needs_value=False),
}
"""What a condition can say, by its name in addresses, saved views and the API."""
