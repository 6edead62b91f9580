"""Conditions on records, as people write them and as rows keep them: `[{"property": …, "operator": …, "value": …}]`.

What a condition means is in `crm.filtering`. Here it is read from a form, checked, kept, said in words and shown again.
The form is `templates/crm/_conditions.html`: lists, workflows and whatever else has conditions include it.
"""

import re
import zoneinfo
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.dateparse import parse_date, parse_datetime
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django_stubs_ext import StrPromise

from accounts.models import Account, Membership
from crm import choosing, filtering, properties, showing, stages
from crm.filtering import MOST, OPERATORS, Condition, InvalidFilter
from crm.kinds import Kind, Property, Type
from crm.models import Record

LONGEST = 1_000  # of a value
ID_TYPES = {Type.USER, Type.STAGE}
_FOR_WORDS = ("contains", "is", "is_not", "is_empty", "is_filled")
_FOR_CHOICES = ("is", "is_not", "is_empty", "is_filled")
OFFERED: dict[Type, tuple[str, ...]] = {  # what the editor offers; the first one is the usual one
    Type.TEXT: _FOR_WORDS,
    Type.LONG_TEXT: ("contains", "is_empty", "is_filled"),
    Type.EMAIL: _FOR_WORDS,
    Type.PHONE: _FOR_WORDS,
    Type.URL: _FOR_WORDS,
    Type.NUMBER: ("at_least", "at_most", "is", "is_not", "is_empty", "is_filled"),
    Type.DATE: ("at_least", "at_most", "is", "is_empty", "is_filled"),
    Type.DATETIME: ("at_least", "at_most", "is_empty", "is_filled"),
    Type.CHOICE: _FOR_CHOICES,
    Type.USER: _FOR_CHOICES,
    Type.STAGE: ("is", "is_not"),
    Type.BOOLEAN: ("is", "is_empty", "is_filled"),
}
WORDS: dict[str, StrPromise] = {
    "is": _("is"),
    "is_not": _("is not"),
    "contains": _("contains"),
    "at_least": _("is at least"),
    "at_most": _("is at most"),
    "is_empty": _("is empty"),
    "is_filled": _("holds something"),
}
WORDS_OF_DAYS: dict[str, StrPromise] = {"at_least": _("is on or after"), "at_most": _("is on or before")}
WORDS_OF_MOMENTS: dict[str, StrPromise] = {"at_least": _("is at or after"), "at_most": _("is at or before")}
_SENTENCES: dict[str, StrPromise] = {  # "Amount is at least 1,000"
    "value": _("%(property)s %(operator)s “%(value)s”"),
    "alone": _("%(property)s %(operator)s"),
}


@dataclass(frozen=True)
class Control:
    """What stands beside a property: the comparisons that fit it, and the field for a value."""

    key: str  # properties with the same control keep what was written when one changes to the other
    what: str  # "text", "number", "date", "datetime-local", "select"
    operators: tuple[tuple[str, str], ...]
    groups: tuple[tuple[str, tuple[tuple[str, str], ...]], ...] = ()  # of a select: group, then value and label
    finds_people: bool = False


@dataclass(frozen=True)
class Row:
    """One condition in the form."""

    property: str
    operator: str
    value: str
    control: Control
    what: str  # "text" where the usual field could not show what was written
    operators: tuple[tuple[str, str], ...]
    is_alone: bool  # nothing is to be compared with
    is_known: bool  # the kind has the property
    is_offered: bool  # the select has the value


class Rows(list[Row]):
    """The conditions of a form, and what further ones are made of."""

    options: list[tuple[str, str, str]]  # property, label, key of its control
    controls: list[Control]
    spare: Row  # for a browser without scripts
    most = MOST


def read(kind: Kind, data: Mapping[str, Any], prefix: str = "where") -> list[Condition]:
    """The conditions of a posted form: `where-0-property`, `where-0-operator`, `where-0-value`, in the order of their
    numbers, with or without gaps. A row without a property is none. Nothing is judged yet: see `checked`."""
    name = re.compile(rf"{re.escape(prefix)}-([0-9]{{1,6}})-property")
    numbers = sorted(int(found[1]) for key in data if (found := name.fullmatch(key)))
    conditions = []
    for number in dict.fromkeys(numbers):
        key = str(data.get(f"{prefix}-{number}-property", "")).strip()
        operator = str(data.get(f"{prefix}-{number}-operator", "")) or _usual(kind.find(key))
        value = str(data.get(f"{prefix}-{number}-value", "")).strip()
        if key:
            alone = operator in OPERATORS and not OPERATORS[operator].needs_value
            conditions.append(Condition(key[:60], operator[:20], None if alone else value))
    return conditions[: MOST + 1]


def checked(
    kind: Kind,
    conditions: Sequence[Condition],
    *,
    member: Membership | None = None,
    account: Account | None = None,
) -> list[Condition]:
    """The same with their values as they are kept: ids as numbers, moments with their zone. For storing.

    A moment without a zone is meant on the member's clock, or on the account's. Refuses with `InvalidFilter`, whose
    `fields` name each bad condition as `where[2]`: what cannot be compared, and members and stages that the account
    does not have.
    """
    account = member.account if member else account
    assert account is not None, "name a member or an account"
    zone = member.zone if member else zoneinfo.ZoneInfo(account.time_zone)
    filtering.narrowed(Record.objects.none(), kind, conditions, zone=zone)
    kept = [_kept(kind, one, zone) for one in conditions]
    people, places = _ids(kind, kept, Type.USER), _ids(kind, kept, Type.STAGE)
    there = {
        Type.USER: set(showing.names_of(account, people)) if people else set(),
        Type.STAGE: set(_stage_names(account, kind)) if places else set(),
    }
    problems = {
        f"where[{index}]": [_now("There is nobody like that in the account.")]
        if one.type is Type.USER
        else [_now("There is no such stage.")]
        for index, condition in enumerate(kept)
        if (one := kind.find(condition.property)) and one.type in there and condition.value is not None
        if condition.value not in there[one.type]
    }
    if problems:
        raise InvalidFilter(_now("Some conditions cannot be understood."), fields=problems)
    return kept


def as_json(conditions: Sequence[Condition]) -> list[dict[str, Any]]:
    """As rows keep them and the API shows them."""
    return [
        {"property": one.property, "operator": one.operator}
        | ({} if one.value is None else {"value": _plain(one.value)})
        for one in conditions
    ]


def from_json(value: object) -> list[Condition]:
    """From what a row keeps. What is no condition is left out."""
    return [
        Condition(str(one["property"]), str(one["operator"]), one.get("value"))
        for one in (value if isinstance(value, list) else [])
        if isinstance(one, dict) and "property" in one and "operator" in one
    ]


def in_words(kind: Kind, conditions: Sequence[Condition], account: Account) -> str:
    """“City contains “Oslo” and Owner is “Alice””; empty without conditions. At most three queries."""
    names = showing.names_of(account, _ids(kind, conditions, Type.USER)) if _ids(kind, conditions, Type.USER) else {}
    places = _stage_names(account, kind) if _ids(kind, conditions, Type.STAGE) else {}
    words = showing.Words(kind, people=names, stages=places)
    return str(_now(" and ")).join(_sentence(kind, one, words) for one in conditions)


def rows(kind: Kind, conditions: Sequence[Condition], *, member: Membership) -> Rows:
    """These conditions as the form shows them, whatever they hold. At most four queries, however many there are."""
    chosen = [one for one in _ids(kind, conditions, Type.USER) if 0 < one < 2**63]
    people, is_more = choosing.members(member.account, chosen=chosen) if kind.people else ([], False)
    places = [
        (pipeline.name, tuple((str(stage.pk), stage.name) for stage in pipeline.stages.all()))
        for pipeline in stages.pipelines_of(member.account, kind)
    ]
    groups = {
        Type.USER: (("", tuple((str(one.pk), one.name) for one in people)),),
        Type.STAGE: tuple(places),
        Type.BOOLEAN: (("", (("true", _now("Yes")), ("false", _now("No")))),),
    }
    controls = {one.key: _control(one, groups, finds_people=is_more) for one in kind.properties}
    found = Rows(_row(kind, one, controls, member) for one in conditions)
    found.options = [(one.key, str(one.label), controls[one.key].key) for one in kind.properties]
    found.controls = list({one.key: one for one in controls.values()}.values())
    every = Control("any", "text", tuple((key, str(label)) for key, label in WORDS.items()))
    found.spare = Row("", "contains", "", every, "text", every.operators, False, True, True)
    return found


def _row(kind: Kind, given: Condition, controls: Mapping[str, Control], member: Membership) -> Row:
    one = kind.find(given.property)
    control = controls[one.key] if one else Control("any", "text", tuple((k, str(v)) for k, v in WORDS.items()))
    value = _written(one, given.value, member)[:LONGEST]
    operators = control.operators
    if given.operator not in dict(operators):  # the API may compare in more ways than the form offers
        operators += ((given.operator, str(WORDS.get(given.operator, given.operator))),)
    offered = {key for _group, choices in control.groups for key, _label in choices}
    return Row(
        property=given.property,
        operator=given.operator,
        value=value,
        control=control,
        what=control.what if _fits(control.what, value) else "text",
        operators=operators,
        is_alone=given.operator in OPERATORS and not OPERATORS[given.operator].needs_value,
        is_known=one is not None,
        is_offered=control.what != "select" or not value or value in offered,
    )


def _control(one: Property, groups: Mapping[Type, Any], *, finds_people: bool) -> Control:
    operators = tuple((key, str(_word(one, key))) for key in OFFERED[one.type])
    if one.type is Type.CHOICE:
        choices = tuple((key, str(label)) for key, label in one.choices)
        return Control(f"choice-{one.key}", "select", operators, (("", choices),))
    if one.type in groups:
        return Control(one.type, "select", operators, groups[one.type], finds_people and one.type is Type.USER)
    what = {Type.NUMBER: "number", Type.DATE: "date", Type.DATETIME: "datetime-local"}.get(one.type, "text")
    return Control("long_text" if one.type is Type.LONG_TEXT else what, what, operators)


def _word(one: Property | None, operator: str) -> StrPromise | str:
    special = {Type.DATE: WORDS_OF_DAYS, Type.DATETIME: WORDS_OF_MOMENTS}.get(one.type, {}) if one else {}
    return special[operator] if operator in special else WORDS.get(operator, operator)


def _usual(one: Property | None) -> str:
    return OFFERED[one.type][0] if one else "is"


def _sentence(kind: Kind, given: Condition, words: showing.Words) -> str:
    one = kind.find(given.property)
    is_alone = given.operator in OPERATORS and not OPERATORS[given.operator].needs_value
    facts = {
        "property": str(one.label) if one else given.property,
        "operator": _word(one, given.operator),
        "value": "" if is_alone else _said(one, given, words),
    }
    return str(_SENTENCES["alone" if is_alone else "value"]) % facts


def _said(one: Property | None, given: Condition, words: showing.Words) -> str:
    if one is None or given.operator == "contains":
        return str(given.value)
    value: Any = _number(given.value) if one.type in ID_TYPES else given.value
    return words.of(one, value)[:LONGEST]


def _kept(kind: Kind, given: Condition, zone: zoneinfo.ZoneInfo) -> Condition:
    one = kind.find(given.property)
    if one is None or not OPERATORS[given.operator].needs_value:
        return Condition(given.property, given.operator)
    if given.operator == "contains":
        return Condition(given.property, given.operator, str(given.value).strip())
    return Condition(given.property, given.operator, _plain(properties.parsed(one, given.value, zone=zone)))


def _plain(value: object) -> object:
    return value.isoformat() if isinstance(value, datetime) else value


def _ids(kind: Kind, conditions: Sequence[Condition], what: Type) -> list[int]:
    """The members or stages that these conditions name."""
    return [
        number
        for condition in conditions
        if (one := kind.find(condition.property)) and one.type is what and (number := _number(condition.value))
    ]


def _number(value: object) -> int:
    text = str(value)
    return int(text) if text.isascii() and text.isdigit() and len(text) < 20 else 0


def _stage_names(account: Account, kind: Kind) -> dict[int, str]:
    return showing.stage_names(stages.pipelines_of(account, kind))


def _written(one: Property | None, value: object, member: Membership) -> str:
    """A value as a field shows it: moments on the member's clock."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if one and one.type is Type.DATETIME and (moment := _moment(value)):
        return moment.astimezone(member.zone).strftime("%Y-%m-%dT%H:%M") if moment.tzinfo else str(value)
    return str(value)


def _moment(value: object) -> datetime | None:
    try:
        return value if isinstance(value, datetime) else parse_datetime(str(value))
    except ValueError:
        return None


def _fits(what: str, value: str) -> bool:
    """Whether the browser's own field can show this; else it would be lost."""
    if what not in ("number", "date", "datetime-local") or not value:
        return True
    if what == "number":
        return re.fullmatch(r"-?[0-9]+(\.[0-9]+)?", value) is not None
    try:
        return bool(parse_date(value) if what == "date" else parse_datetime(value))
    except ValueError:
        return False
