"""The values of records as people read them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime
from django.utils.formats import date_format, number_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import Account, Membership
from crm import records
from crm.kinds import Kind, Property, Type
from crm.models import Pipeline, Record

MOMENTS = (
    Property("created_at", gettext_lazy("Created"), Type.DATETIME, column="created_at"),
    Property("updated_at", gettext_lazy("Last changed"), Type.DATETIME, column="updated_at"),
)
"""What every record has besides its properties."""


@dataclass(frozen=True)
class Cell:
    """One property of one record: its words, and where they lead."""

    property: Property
    text: str
    url: str = ""


@dataclass(frozen=True)
class Words:
    """People and stages are looked up once, whatever is shown of however many records."""

    kind: Kind
    people: Mapping[int, str]
    stages: Mapping[int, str]

    def of(self, one: Property, value: Any) -> str:
        """A value as it is kept, in words; empty for nothing."""
        if value is None or value == "":
            return ""
        return str(_SAY.get(one.type, _as_it_is)(self, one, value))

    def cell(self, record: Record, one: Property) -> Cell:
        value = records.current(record, self.kind, one.key)
        return Cell(one, self.of(one, value), _leads_to(one, value))


def words_for(
    account: Account, kind: Kind, shown: Iterable[Record], pipelines: Iterable[Pipeline], *, also: Iterable[int] = ()
) -> Words:
    """Words for these records, and for further members by id. One query."""
    wanted = {pk for record in shown for pk in record.people} | set(also)
    return Words(kind, people=names_of(account, wanted), stages=stage_names(pipelines))


def names_of(account: Account, members: Iterable[int]) -> dict[int, str]:
    """The names of members by id, those who left too."""
    found = Membership.objects.filter(account=account, pk__in=set(members)).select_related("user")
    return {one.pk: one.name for one in found}


def stage_names(pipelines: Iterable[Pipeline]) -> dict[int, str]:
    return {stage.pk: stage.name for pipeline in pipelines for stage in pipeline.stages.all()}


def _leads_to(one: Property, value: Any) -> str:
    if not value:
        return ""
    if one.type is Type.URL and str(value).startswith(("https://", "http://")):
        return str(value)
    return f"mailto:{value}" if one.type is Type.EMAIL else ""


def _as_it_is(_words: Words, _one: Property, value: Any) -> str:
    return str(value)


def _number(_words: Words, _one: Property, value: Any) -> str:
    return str(number_format(value, use_l10n=True, force_grouping=True))


def _date(_words: Words, _one: Property, value: Any) -> str:
    day = parse_date(str(value))
    return date_format(day, "DATE_FORMAT") if day else str(value)


def _datetime(_words: Words, _one: Property, value: Any) -> str:
    moment = value if isinstance(value, datetime) else parse_datetime(str(value))
    return date_format(timezone.localtime(moment), "DATETIME_FORMAT") if moment else str(value)


def _choice(_words: Words, one: Property, value: Any) -> str:
    return str(dict(one.choices).get(value, value))


def _person(words: Words, _one: Property, value: Any) -> str:
    return words.people.get(value) or _("somebody who left")


def _stage(words: Words, _one: Property, value: Any) -> str:
    return words.stages.get(value) or _("a stage that is gone")


def _boolean(_words: Words, _one: Property, value: Any) -> str:
    return _("Yes") if value else _("No")


_SAY = {
    Type.NUMBER: _number,
    Type.DATE: _date,
    Type.DATETIME: _datetime,
    Type.CHOICE: _choice,
    Type.USER: _person,
    Type.STAGE: _stage,
    Type.BOOLEAN: _boolean,
}
