"""What is to be done with a file: how it is read, which column is which property, what becomes of records there are."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, override

from accounts.errors import DomainError
from crm.importing import sniffing
from crm.kinds import Kind, Property, Type

ID = "id"  # stands for the record's number among the properties
NOTHING = ""  # a column that is not imported; no matching
MOST_COLUMNS = 200
LONGEST_NAME = 100
MATCHED_BY = {Type.TEXT, Type.EMAIL, Type.PHONE, Type.URL, Type.NUMBER}
EXISTING: dict[str, str | Promise] = {
    "update": gettext_lazy("Update them"),
    "leave": gettext_lazy("Leave them as they are"),
}
DATES: dict[str, str | Promise] = {
    "iso": gettext_lazy("2026-11-30"),
    "dmy": gettext_lazy("30.11.2026 or 30/11/2026"),
    "mdy": gettext_lazy("11/30/2026"),
}
NUMBERS: dict[str, str | Promise] = {"point": gettext_lazy("1,234.50"), "comma": gettext_lazy("1.234,50")}
SYNONYMS = {  # what other programs call it, folded
    "email": {"mail", "emailaddress", "mailaddress", "epost"},
    "first_name": {"givenname", "forename", "vorname", "förnamn"},
    "last_name": {"surname", "familyname", "nachname", "efternamn"},
    "phone": {"telephone", "tel", "mobile", "mobilephone", "telefon", "phonenumber"},
    "company_name": {"company", "organisation", "organization", "firma", "företag"},
    "job_title": {"title", "position", "role"},
    "city": {"town", "stadt", "stad", "ort"},
    "country": {"land"},
    "owner": {"assignedto", "assignee", "responsible", "owneremail"},
    "name": {"title", "subject"},
    "stage": {"status", "pipelinestage"},
    "due_at": {"duedate", "deadline"},
    "domain": {"companydomain", "domainname"},
    ID: {"recordid"},
}
_PLAIN = re.compile(r"[\W_]+")


class InvalidPlan(DomainError):
    """Nothing was begun. `fields` names `columns[2]`, `match`, `encoding` and so on."""

    code = "invalid_import"
    status = 422


@dataclass(frozen=True)
class Plan:
    """All that a member chooses on the page of columns."""

    encoding: str = "utf-8"
    delimiter: str = ","
    header: bool = True
    columns: tuple[str, ...] = ()  # by position: a property's key, ID or NOTHING
    match: str = NOTHING
    existing: str = "update"
    dates: str = "iso"
    numbers: str = "point"

    @classmethod
    def read(cls, kept: Mapping[str, Any]) -> "Plan":
        known = {key: value for key, value in kept.items() if key in cls.__dataclass_fields__}
        return cls(**known | {"columns": tuple(known.get("columns", ()))})

    def as_json(self) -> dict[str, Any]:
        return asdict(self) | {"columns": list(self.columns)}

    @property
    def form(self) -> dict[str, Any]:
        """How the file is cut into rows: what differs here needs reading anew."""
        return {"encoding": self.encoding, "delimiter": self.delimiter, "header": self.header}

    def place(self, key: str) -> int | None:
        """The position of the column that holds a property."""
        return self.columns.index(key) if key in self.columns else None


def matchable(kind: Kind) -> list[Property]:
    """The properties that records can be found by: unique ones, domains, addresses and the account's own."""
    return [
        one
        for one in kind.properties
        if one.type in MATCHED_BY
        and (one.is_unique or one.is_custom or one.type is Type.EMAIL or one.column == "domain")
    ]


def proposed(kind: Kind, form: sniffing.Form, names: Sequence[str], samples: Sequence[Sequence[str]]) -> Plan:
    """What seems to be meant: columns by their names, contacts found by address, dates and numbers as they look."""
    columns = _by_name(kind, names)
    types = [one.type if (one := kind.find(key)) else None for key in columns]
    days = _cells(samples, [n for n, type_ in enumerate(types) if type_ in (Type.DATE, Type.DATETIME)])
    numbers = _cells(samples, [n for n, type_ in enumerate(types) if type_ is Type.NUMBER])
    unique = [one.key for one in kind.properties if one.is_unique and one.key in columns]
    return Plan(
        encoding=form.encoding,
        delimiter=form.delimiter,
        header=form.header,
        columns=tuple(columns),
        match=ID if ID in columns else (unique or [NOTHING])[0],
        dates=sniffing.dates_of(days),
        numbers=sniffing.numbers_of(numbers),
    )


def proposed_columns(kind: Kind, plan: Plan, names: Sequence[str]) -> Plan:
    """The plan with columns proposed anew, because the file is read another way."""
    columns = tuple(_by_name(kind, names))
    unique = [one.key for one in kind.properties if one.is_unique and one.key in columns]
    return replace(plan, columns=columns, match=ID if ID in columns else (unique or [NOTHING])[0])


def checked(plan: Plan, kind: Kind, *, width: int) -> Plan:
    """The plan if it can be carried out. Refuses with `InvalidPlan`, naming all that is wrong."""
    problems: dict[str, list[str]] = {}
    known = {one.key for one in kind.properties} | {ID, NOTHING}
    twice = {key for key, number in Counter(plan.columns).items() if key and number > 1}
    if len(plan.columns) != width:
        problems["columns"] = [_("The file has %(number)d columns; say of each what it is.") % {"number": width}]
    for place, key in enumerate(plan.columns):
        if key not in known:
            problems[f"columns[{place}]"] = [_("%(kind)s has no such property.") % {"kind": kind.label}]
        elif key in twice:
            problems[f"columns[{place}]"] = [_("Another column goes there, too. Choose one of them.")]
    if not problems and not any(key not in (ID, NOTHING) for key in plan.columns):
        problems["columns"] = [_("Choose a property for at least one column.")]
    for field, options in (("existing", EXISTING), ("dates", DATES), ("numbers", NUMBERS)):
        if getattr(plan, field) not in options:
            problems[field] = [_("Choose one of: %s.") % ", ".join(options)]
    if problem := _match_problem(plan, kind):
        problems["match"] = [problem]
    if problems:
        raise InvalidPlan(_("Nothing was begun: some choices do not fit."), fields=problems)
    return plan


def _match_problem(plan: Plan, kind: Kind) -> str:
    labels = {one.key: str(one.label) for one in matchable(kind)} | {ID: _("Record ID")}
    if plan.match != NOTHING and plan.match not in labels:
        return _("Records cannot be found by this.")
    if plan.match != NOTHING and plan.match not in plan.columns:
        return _("No column goes to “%(property)s”. Choose one for it, or match by nothing.") % {
            "property": labels[plan.match]
        }
    if ID in plan.columns and plan.match != ID:
        return _("A column holds record IDs: match by them, or do not import that column.")
    return ""


def named(cells: Sequence[str], *, has_header: bool, width: int) -> list[str]:
    """A name for each column: from the header, made different where two are the same, or by its number."""
    found: list[str] = []
    for place in range(width):
        cell = " ".join(cells[place].split())[:LONGEST_NAME] if has_header and place < len(cells) else ""
        name = cell or _("Column %(number)d") % {"number": place + 1}
        same = sum(1 for other in found if other == name or other.startswith(f"{name} ("))
        found.append(f"{name} ({same + 1})" if same else name)
    return found


def _by_name(kind: Kind, names: Sequence[str]) -> list[str]:
    """A property for each column, each once; the best name first: key, label, then what others call it."""
    words: dict[str, str] = {}
    for one in kind.properties:
        for word in SYNONYMS.get(one.key, ()):
            words.setdefault(word, one.key)
    words |= {_folded(str(one.label)): one.key for one in kind.properties}
    with override("en"):
        words |= {_folded(str(one.label)): one.key for one in kind.properties}
    words |= {_folded(one.key): one.key for one in kind.properties}
    words |= {_folded(f"{kind.label} {one.key}"): one.key for one in kind.properties}
    words |= dict.fromkeys((*SYNONYMS[ID], ID), ID)
    found: list[str] = []
    for name in names:
        key = words.get(_folded(name), NOTHING)
        found.append(NOTHING if key in found else key)
    return found


def _folded(name: str) -> str:
    return _PLAIN.sub("", name.casefold())


def _cells(samples: Sequence[Sequence[str]], places: Sequence[int]) -> list[str]:
    return [row[place] for row in samples for place in places if place < len(row)]
