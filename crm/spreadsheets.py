"""Records as lines of a file that spreadsheets open: RFC 4180, UTF-8, and no cell that runs as a formula.

Values stand as an import reads them: days and times as 2026-11-30 14:30:00 on the clocks of who asked, numbers with a
point, people by their address, choices by their words.
"""

import csv
import io
import zoneinfo
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _

from accounts.models import Account, Membership
from crm import records, showing, stages
from crm.kinds import Kind, Property, Type
from crm.models import Record

BOM = "\ufeff".encode()
STARTS_A_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
SAFE = {Type.NUMBER, Type.DATETIME, Type.BOOLEAN}  # written by us, never by whoever filled them in


@dataclass(frozen=True)
class Sheet:
    """What a file has beside its lines: the kind, its columns, and where times are told."""

    account: Account
    kind: Kind
    columns: Sequence[Property]
    zone: zoneinfo.ZoneInfo

    def head(self) -> bytes:
        """The first line: what the columns are."""
        return as_lines([[_("Record ID"), *(str(one.label) for one in self.columns)]])

    def lines(self, found: Iterable[Record]) -> bytes:
        """A line for each record. Two queries, however many."""
        rows = list(found)
        words = _Words(self.zone, _addresses(self.account, rows), self._stages())
        return as_lines([[str(row.pk), *(self._cell(words, row, one) for one in self.columns)] for row in rows])

    def _cell(self, words: "_Words", record: Record, one: Property) -> str:
        value = getattr(record, one.column) if one in showing.MOMENTS else records.current(record, self.kind, one.key)
        if value is None or value == "":
            return ""
        try:
            text = _SAY.get(one.type, _as_it_is)(words, one, value)
        except (ValueError, ArithmeticError):  # not what the property holds: no reason to go without the whole file
            return harmless(str(value))
        return text if one.type in SAFE else harmless(text)

    def _stages(self) -> Mapping[int, str]:
        if not any(one.type is Type.STAGE for one in self.columns):
            return {}
        return showing.stage_names(stages.pipelines_of(self.account, self.kind))


@dataclass(frozen=True)
class _Words:
    zone: zoneinfo.ZoneInfo
    people: Mapping[int, str]
    stages: Mapping[int, str]


def columns_of(kind: Kind, keys: Sequence[str]) -> list[Property]:
    """The columns with these keys; without keys all there are. One that is gone keeps its place, under its key."""
    every = [*kind.properties, *showing.MOMENTS]
    if not keys:
        return every
    there = {one.key: one for one in every}
    return [there.get(key) or Property(key, key) for key in dict.fromkeys(keys)]


def harmless(text: str) -> str:
    """Text that a spreadsheet shows and does not run: an apostrophe in front of what would begin a formula."""
    return f"'{text}" if text.startswith(STARTS_A_FORMULA) else text


def as_lines(rows: Iterable[Sequence[str]]) -> bytes:
    """Lines after RFC 4180: commas, quotes where they are needed, CR LF at the end."""
    out = io.StringIO()
    csv.writer(out, lineterminator="\r\n").writerows(rows)
    return out.getvalue().encode()


def _addresses(account: Account, rows: Iterable[Record]) -> dict[int, str]:
    """The addresses of members by id, those who left too."""
    wanted = {pk for row in rows for pk in row.people}
    found = Membership.objects.filter(account=account, pk__in=wanted)
    return dict(found.values_list("pk", "user__email"))


def _as_it_is(_words: _Words, _one: Property, value: Any) -> str:
    return str(value)


def _number(_words: _Words, _one: Property, value: Any) -> str:
    return format(Decimal(str(value)), "f")


def _moment(words: _Words, _one: Property, value: Any) -> str:
    moment = value if isinstance(value, datetime) else parse_datetime(str(value))
    return moment.astimezone(words.zone).strftime("%Y-%m-%d %H:%M:%S") if moment else str(value)


def _choice(_words: _Words, one: Property, value: Any) -> str:
    return str(dict(one.choices).get(value, value))


def _person(words: _Words, _one: Property, value: Any) -> str:
    return words.people.get(value, "")


def _stage(words: _Words, _one: Property, value: Any) -> str:
    return words.stages.get(value, "")


def _boolean(_words: _Words, _one: Property, value: Any) -> str:
    return "true" if value else "false"


_SAY: dict[Type, Callable[[_Words, Property, Any], str]] = {
    Type.NUMBER: _number,
    Type.DATETIME: _moment,
    Type.CHOICE: _choice,
    Type.USER: _person,
    Type.STAGE: _stage,
    Type.BOOLEAN: _boolean,
}
