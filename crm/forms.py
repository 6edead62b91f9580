"""The fields of a record as a form. Values are read and refused by the domain; the form keeps what was written."""

import zoneinfo
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from accounts.models import Membership
from crm import choosing, records
from crm.kinds import Kind, Property, Type
from crm.models import Pipeline, Record

NOTHING = ("", "—")
INPUT_MODES = {Type.NUMBER: "decimal", Type.EMAIL: "email", Type.PHONE: "tel", Type.URL: "url"}
PICKERS: dict[Type, type[forms.DateInput | forms.DateTimeInput]] = {
    Type.DATE: forms.DateInput,
    Type.DATETIME: forms.DateTimeInput,
}
HIDDEN_WHEN_NEW = {"completed_at"}


class Refusable(forms.Form):
    """A form whose values the domain judges: it keeps what was written, and says beside each field what is wrong."""

    def refuse(self, sentence: str, fields: Mapping[str, Sequence[str]]) -> None:
        """Put what the domain said beside the fields; what belongs to none of them, above."""
        errors = self.errors  # what Django itself finds is told by the domain, too
        named = [key for key in fields if key in self.fields]
        for key in named:
            errors.pop(key, None)
            for line in fields[key]:
                self.add_error(key, line)
            widget = self.fields[key].widget
            if isinstance(widget, forms.DateInput | forms.DateTimeInput):
                widget.input_type = "text"  # a picker would not show what is no date, and it would be lost
        others = [line for key, lines in fields.items() if key not in self.fields for line in lines]
        for line in others or ([] if named else [sentence]):
            self.add_error(None, line)


class RecordForm(Refusable):
    """Some properties of a record. `given()` is what was written, for the domain to judge.

    `read` is what the record held when the form was made, if that is some time ago.
    """

    def __init__(
        self,
        data: Mapping[str, Any] | None = None,
        *,
        kind: Kind,
        member: Membership,
        pipelines: Sequence[Pipeline],
        record: Record | None = None,
        read: Mapping[str, Any] | None = None,
        only: Iterable[str] = (),
        given: Mapping[str, str] | None = None,
    ) -> None:
        initial = {key: _written(value) for key, value in records.values_of(record, kind).items()} if record else {}
        super().__init__(data, initial=initial | dict(given or {}))
        self.zone = member.zone
        self.read = initial if read is None else {key: _written(value) for key, value in read.items()}
        self.shown = [one for one in kind.properties if not only or one.key in set(only)]
        if record is None:
            self.shown = [one for one in self.shown if one.key not in HIDDEN_WHEN_NEW]
        chosen = [initial[one.key] for one in self.shown if one.type is Type.USER and one.key in initial]
        is_about_people = any(one.type is Type.USER for one in self.shown)
        people, is_more = choosing.members(member.account, chosen=chosen) if is_about_people else ([], False)
        for one in self.shown:
            self.fields[one.key] = field = _field(one, member.zone)
            if isinstance(field.widget, forms.Select):
                field.widget.choices = _choices(one, people, pipelines)
            if one.type is Type.USER and is_more:
                field.widget.attrs["data-find-people"] = ""
                field.help_text = _("Some of the members are listed. Write a name to find others.")

    def let_go(self, keys: Iterable[str]) -> None:
        """Forget what was written to some properties: their fields hold what the record holds, also when refused."""
        held = {self.add_prefix(key): str(self.initial.get(key, "")) for key in keys}
        self.data = dict(self.data.items()) | held

    def given(self) -> dict[str, object]:
        """What was written, by property. Moments of the wall clock are meant in the member's zone.

        What stands as it was read is left out: a field shows less of a moment than is kept.
        """
        found: dict[str, object] = {}
        for one in self.shown:
            raw = self.data.get(self.add_prefix(one.key))
            if raw is not None and not (one.key in self.read and raw == str(self.read[one.key])):
                found[one.key] = _moment(raw, self.zone) if one.type is Type.DATETIME else raw
        return found


def _field(one: Property, zone: zoneinfo.ZoneInfo) -> forms.Field:
    field = forms.CharField(label=one.label, required=False, strip=False, widget=_widget(one))
    if one.is_required:
        field.widget.attrs["aria-required"] = "true"
    if one.type is Type.DATETIME:
        field.help_text = _("In your time zone, %(zone)s.") % {"zone": zone.key}
    return field


def _widget(one: Property) -> forms.Widget:
    if one.type in (Type.CHOICE, Type.BOOLEAN, Type.USER, Type.STAGE):
        return forms.Select()
    if one.type is Type.LONG_TEXT:
        return forms.Textarea(attrs={"dir": "auto", "rows": 4})
    if one.type in PICKERS:
        widget = PICKERS[one.type]()
        widget.input_type = "date" if one.type is Type.DATE else "datetime-local"
        return widget
    mode = INPUT_MODES.get(one.type)
    return forms.TextInput(attrs={"dir": "auto", "autocomplete": "off"} | ({"inputmode": mode} if mode else {}))


def _choices(one: Property, people: Sequence[choosing.Choice], pipelines: Sequence[Pipeline]) -> list[Any]:
    if one.type is Type.STAGE:
        return [(pipeline.name, [(stage.pk, stage.name) for stage in pipeline.stages.all()]) for pipeline in pipelines]
    if one.type is Type.BOOLEAN:
        return [NOTHING, ("true", _now("Yes")), ("false", _now("No"))]
    if one.type is Type.USER:
        return [("", _now("Nobody")), *((person.pk, person.name) for person in people)]
    return [NOTHING, *one.choices]


def _written(value: Any) -> Any:
    """A kept value as a field shows it."""
    if isinstance(value, datetime):
        return timezone.localtime(value).strftime("%Y-%m-%dT%H:%M")
    if isinstance(value, bool):
        return "true" if value else "false"
    return value


def _moment(raw: str, zone: zoneinfo.ZoneInfo) -> object:
    try:
        moment = parse_datetime(raw.strip())
    except ValueError:
        return raw
    return moment.replace(tzinfo=zone) if moment and moment.tzinfo is None else raw
