"""What a cell means for its property: days and numbers in the file's form, members by address, stages by name.

What is not understood here goes on as it is, and `crm.checking` says what would be right.
"""

import datetime as dt
import re
import zoneinfo
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NoReturn

from django.db.models import Q
from django.db.models.functions import Lower
from django.utils.translation import gettext as _

from accounts.models import Account, Membership
from crm import stages
from crm.importing.plans import DATES, Plan
from crm.kinds import Kind, Property, Type

_DAY = re.compile(r"([0-9]{1,2})[-./]([0-9]{1,2})[-./]([0-9]{4})(?![0-9])(.*)", re.DOTALL)
_ISO = re.compile(r"([0-9]{4})[-./]([0-9]{1,2})[-./]([0-9]{1,2})(?![0-9])(.*)", re.DOTALL)
_TIME = re.compile(
    r"[\sT,]*([0-9]{1,2})[:.]([0-9]{2})(?:[:.]([0-9]{2})(?:\.[0-9]+)?)?\s*([ap]\.?m\.?)?\s*(Z|[+-][0-9]{2}:?[0-9]{2})?",
    re.IGNORECASE,
)
_POINT = re.compile(r"[-+]?[0-9]{1,3}(,[0-9]{3})*(\.[0-9]*)?|[-+]?[0-9]*(\.[0-9]*)?")
_COMMA = re.compile(r"[-+]?[0-9]{1,3}(\.[0-9]{3})*(,[0-9]*)?|[-+]?[0-9]*(,[0-9]*)?")
_GAPS = re.compile("[\\s'’\N{NO-BREAK SPACE}\N{NARROW NO-BREAK SPACE}]")
LONGEST = 60  # of a cell in a sentence


@dataclass(frozen=True)
class Reader:
    """Reads the cells of some rows. People and stages were looked up once for all of them."""

    plan: Plan
    kind: Kind
    zone: zoneinfo.ZoneInfo
    people: Mapping[str, Sequence[int]] = field(default_factory=dict)  # by folded address and name
    stages: Mapping[str, Sequence[int]] = field(default_factory=dict)  # by folded name, alone and behind its pipeline's

    def read(self, one: Property, raw: str) -> object:
        """A value for `records.create`. Raises ValueError with a sentence for the column."""
        text = raw.strip()
        if one.type is Type.DATE:
            day, rest = self._day(text)
            return day if not rest.strip() or _TIME.fullmatch(rest) else self._no_day(text)
        if one.type is Type.DATETIME:
            return self._moment(text)
        if one.type is Type.NUMBER:
            return _number(text, self.plan.numbers)
        if one.type is Type.USER:
            return _one_of(self.people, text, _no_member, _several_members)
        if one.type is Type.STAGE:
            return _one_of(self.stages, text, _no_stage, _several_stages)
        if one.type in (Type.CHOICE, Type.BOOLEAN):
            return _chosen(one, text)
        return text

    def _moment(self, text: str) -> object:
        """A moment, in the zone of who imports unless the cell has its own; a day alone is nine in the morning."""
        day, rest = self._day(text)
        if not rest.strip():
            return dt.datetime.combine(day, dt.time(9), self.zone)
        found = _TIME.fullmatch(rest)
        if found is None:
            return self._no_day(text)
        hour, minute, second = (int(number or 0) for number in found.group(1, 2, 3))
        if found[4]:
            hour = hour % 12 + (12 if found[4].lower().startswith("p") else 0)
        try:
            moment = dt.datetime.combine(day, dt.time(hour, minute, second), self.zone)
        except ValueError:
            return self._no_day(text)
        return f"{moment:%Y-%m-%dT%H:%M:%S}{found[5].upper()}" if found[5] else moment

    def _day(self, text: str) -> tuple[dt.date, str]:
        """A day and what follows it. Year first is always understood."""
        found, order = _ISO.fullmatch(text), (1, 2, 3)
        if found is None and self.plan.dates != "iso":
            found, order = _DAY.fullmatch(text), (3, 2, 1) if self.plan.dates == "dmy" else (3, 1, 2)
        try:
            if found is not None:
                return dt.date(*(int(found[place]) for place in order)), found[4]
        except ValueError:
            pass
        return self._no_day(text)

    def _no_day(self, text: str) -> NoReturn:
        raise ValueError(
            _("“%(text)s” is no day of the calendar, written as %(form)s.")
            % {"text": text[:LONGEST], "form": DATES[self.plan.dates]}
        )


def reader(account: Account, kind: Kind, plan: Plan, zone: zoneinfo.ZoneInfo, rows: Iterable[Sequence[str]]) -> Reader:
    """A reader for these rows: at most a query for their members and two for stages."""
    rows = list(rows)

    def of(type_: Type) -> set[str]:
        places = [n for n, key in enumerate(plan.columns) if (one := kind.find(key)) and one.type is type_]
        return {text for row in rows for n in places if n < len(row) and (text := row[n].strip().lower())}

    people = _people(account, of(Type.USER))
    return Reader(plan, kind, zone, people, _stages(account, kind) if of(Type.STAGE) else {})


def _people(account: Account, wanted: set[str]) -> dict[str, list[int]]:
    """Active members whose address or name is one of these."""
    found: dict[str, list[int]] = {}
    if not wanted:
        return found
    rows = Membership.objects.active().of(account).annotate(address=Lower("user__email"), called=Lower("user__name"))
    named = rows.filter(Q(address__in=wanted) | Q(called__in=wanted))
    for pk, address, called in named.values_list("pk", "address", "called"):
        for word in {address, called} & wanted:
            found.setdefault(word, []).append(pk)
    return found


def _stages(account: Account, kind: Kind) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for pipeline in stages.pipelines_of(account, kind):
        for stage in pipeline.stages.all():
            for word in (stage.name, f"{pipeline.name} / {stage.name}"):
                found.setdefault(word.strip().lower(), []).append(stage.pk)
    return found


def _one_of(
    known: Mapping[str, Sequence[int]], text: str, nobody: Callable[[str], str], several: Callable[[str], str]
) -> int:
    found = known.get(text.lower(), ())
    if len(found) == 1:
        return found[0]
    raise ValueError((several if found else nobody)(text[:LONGEST]))


def _no_member(text: str) -> str:
    return _("No active member has the address or name “%(text)s”.") % {"text": text}


def _several_members(text: str) -> str:
    return _("Several members are called “%(text)s”. Write the e-mail address.") % {"text": text}


def _no_stage(text: str) -> str:
    return _("There is no stage “%(text)s”.") % {"text": text}


def _several_stages(text: str) -> str:
    return _("Several pipelines have a stage “%(text)s”. Write “Pipeline / Stage”.") % {"text": text}


def _number(text: str, form: str) -> str:
    plain = _GAPS.sub("", text)
    if form == "comma" and _COMMA.fullmatch(plain):
        return plain.replace(".", "").replace(",", ".")
    if form == "point" and _POINT.fullmatch(plain):
        return plain.replace(",", "")
    raise ValueError(_("“%(text)s” is not a number as the file is said to write them.") % {"text": text[:LONGEST]})


def _chosen(one: Property, text: str) -> str:
    """A choice by its key or label, yes and no in the member's language, whatever the case."""
    words = {"true": _("Yes"), "false": _("No")} if one.type is Type.BOOLEAN else dict(one.choices)
    for key, label in words.items():
        if text.casefold() in (key.casefold(), str(label).casefold()):
            return str(key)
    return text
