"""Lists of records: which ones, in which order, a page at a time.

Pages are cut by key, not by number: the last page of a million costs what the first does.
"""

import zoneinfo
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta

from django.db import OperationalError, connection, transaction
from django.db.models import Exists, F, OuterRef, Q, Value
from django.db.models.fields.json import KeyTextTransform
from django.db.models.lookups import GreaterThanOrEqual, LessThan
from django.utils.dateparse import parse_date
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django_stubs_ext import StrPromise
from psycopg.errors import QueryCanceled

from accounts.errors import DomainError
from accounts.models import Membership
from crm import filtering, listing, permissions, searching
from crm.filtering import Condition
from crm.kinds import Kind, Property, Type
from crm.models import ListMember, Record
from crm.models.records import RecordQuerySet

SIZE = 50
MOST_COUNTED = 1_000
LONGEST = 200  # of a word or value that is looked for
PATIENCE = 5_000  # milliseconds for a list that no index can serve
BIGGEST_ID = 2**63 - 1
ME, NOBODY = "me", "nobody"
BY_WORDS = {Type.TEXT, Type.EMAIL, Type.PHONE, Type.URL}
BY_CHOICE = {Type.CHOICE, Type.BOOLEAN}
BY_DAY = {Type.DATE, Type.DATETIME}
MADE = Property("created_at", _("Created"), Type.DATETIME, column="created_at")


class TooSlow(DomainError):
    code = "too_slow"
    status = 422


SORTS: dict[str, StrPromise] = {
    "-updated_at": _("Last changed first"),
    "updated_at": _("Longest unchanged first"),
    "title": _("By name, A to Z"),
    "-title": _("By name, Z to A"),
    "-created_at": _("Newest first"),
    "created_at": _("Oldest first"),
    "due_at": _("Due soonest first"),
}
USUAL = listing.USUAL


def sorts_of(kind: Kind) -> dict[str, StrPromise]:
    """The orders a list can have, each of them served by an index."""
    return {key: label for key, label in SORTS.items() if key != "due_at" or kind.key == "tasks"}


def filtered_by(kind: Kind) -> list[Property]:
    """The properties that a list can be filtered by, besides owner and stage."""
    usable = BY_WORDS | BY_CHOICE | BY_DAY
    return [one for one in kind.properties if one.type in usable and one.column != "title"] + [MADE]


@dataclass(frozen=True)
class Wanted:
    """What somebody wants to see. Read from an address or a saved view; what makes no sense is told in `problems`."""

    words: str = ""
    owner: str = ""  # "me", "nobody" or the id of a member
    stage: int | None = None
    list: int | None = None
    values: tuple[tuple[str, str], ...] = ()  # ("is.city", "Oslo"), ("from.close_date", "2026-11-30")
    sort: str = USUAL
    problems: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, kind: Kind, given: Mapping[str, str]) -> "Wanted":
        """From the words of an address: q, owner, stage, list, sort, is.<property>, from.<property>, to.<property>."""
        owner = given.get("owner", "")
        stage = given.get("stage", "")
        in_list = given.get("list", "")
        sort = given.get("sort", "")
        values = []
        problems: dict[str, str] = {}
        for name in _names(kind):
            if value := " ".join(given.get(name, "").replace("\0", "").split())[:LONGEST]:
                if name.startswith("is.") or _day(value):
                    values.append((name, value))
                else:
                    problems[name] = _now("“%(value)s” is no day of the calendar.") % {"value": value}
        return cls(
            words=given.get("q", "").replace("\0", "").strip()[:LONGEST],
            owner=owner if owner in (ME, NOBODY) or _is_id(owner) else "",
            stage=int(stage) if kind.has_stages and _is_id(stage) else None,
            list=int(in_list) if _is_id(in_list) else None,
            values=tuple(values),
            sort=sort if sort in sorts_of(kind) else USUAL,
            problems=problems,
        )

    def as_query(self) -> dict[str, str]:
        """The words of an address that read as this."""
        ids = {"stage": str(self.stage or ""), "list": str(self.list or "")}
        found = {"q": self.words, "owner": self.owner, **ids, **dict(self.values)}
        return {key: value for key, value in (found | {"sort": self.sort}).items() if value and value != USUAL}

    @property
    def is_narrow(self) -> bool:
        """Whether something is left out."""
        return bool(self.words or self.owner or self.stage or self.list or self.values)


@dataclass(frozen=True)
class Page:
    """Some records in their order. `next`: where the following page begins; empty on the last."""

    records: list[Record]
    next: str
    count: int
    is_more: bool  # there are more than were counted


def matching(member: Membership, kind: Kind, wanted: Wanted, *, what: str = "sees") -> RecordQuerySet:
    """The live records of a kind that a member may see (or edit) and that hold all that is wanted, in no order."""
    records = Record.objects.live().filter(permissions.within_kind(member, kind.key, what))
    if wanted.words:
        records = searching.matching(records, member.account, wanted.words)
    if wanted.owner:
        records = records.filter(_owned(wanted.owner, member))
    if wanted.stage:
        records = records.filter(stage=wanted.stage)
    if wanted.list:
        there = ListMember.objects.filter(list=wanted.list, list__account=member.account_id, record=OuterRef("pk"))
        records = records.filter(Exists(there.filter(is_live=True)))
    for name, value in wanted.values:
        records = _narrowed(records, member, kind, name, value)
    return records


def page(member: Membership, kind: Kind, wanted: Wanted, *, after: str = "", size: int = SIZE) -> Page:
    """One page; a cursor that makes no sense is the beginning. Refuses with `TooSlow` what takes over five seconds."""
    records = matching(member, kind, wanted)
    with patience(PATIENCE) if wanted.is_narrow else nullcontext():
        try:
            found = listing.page(records, sort=wanted.sort, after=after or None, limit=size)
        except listing.InvalidCursor:
            found = listing.page(records, sort=wanted.sort, limit=size)
        count = records.values("pk")[: MOST_COUNTED + 1].count()
    return Page(found.records, found.next or "", min(count, MOST_COUNTED), is_more=count > MOST_COUNTED)


@contextmanager
def patience(milliseconds: int) -> Iterator[None]:
    """Stop a question that would keep the database busy for longer (`TooSlow`)."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"SET LOCAL statement_timeout = {int(milliseconds)}")
            yield
            cursor.execute("SET LOCAL statement_timeout = DEFAULT")
    except OperationalError as error:
        if not isinstance(error.__cause__, QueryCanceled):
            raise
        raise TooSlow(_now("Too many records to look through. Add a word, an owner or a stage.")) from error


def _names(kind: Kind) -> Iterator[str]:
    for one in filtered_by(kind):
        if one.type in BY_DAY:
            yield from (f"from.{one.key}", f"to.{one.key}")
        else:
            yield f"is.{one.key}"


def _narrowed(records: RecordQuerySet, member: Membership, kind: Kind, name: str, value: str) -> RecordQuerySet:
    """Those whose property holds a value, or lies on or after, on or before a day."""
    how, _dot, key = name.partition(".")
    one = next(one for one in filtered_by(kind) if one.key == key)
    if how == "is":
        if one.type in BY_WORDS:
            records = searching.matching(records, member.account, value)  # an index finds these
        operator = "contains" if one.type in BY_WORDS else "is"
        return filtering.narrowed(records, kind, [Condition(key, operator, value)], zone=member.zone)
    if one.type is Type.DATE:
        operator = "at_least" if how == "from" else "at_most"
        return filtering.narrowed(records, kind, [Condition(key, operator, value)], zone=member.zone)
    return _within_days(records, one, how, parse_date(value) or date.min, member.zone)


def _within_days(
    records: RecordQuerySet, one: Property, how: str, day: date, zone: zoneinfo.ZoneInfo
) -> RecordQuerySet:
    """Moments from the beginning of a day, or up to its end, on the member's own clock."""
    compare = GreaterThanOrEqual if how == "from" else LessThan
    bound = datetime.combine(day if how == "from" else day + timedelta(days=1), time.min, tzinfo=zone)
    if one.column:
        return records.filter(compare(F(one.column), Value(bound)))
    kept = bound.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return records.filter(compare(KeyTextTransform(one.key, "values"), Value(kept)))


def _owned(by: str, member: Membership) -> Q:
    if by == NOBODY:
        return Q(owner=None)
    return Q(owner=member.pk if by == ME else int(by))


def _is_id(text: str) -> bool:
    return text.isascii() and text.isdigit() and 0 < int(text) <= BIGGEST_ID if len(text) < 20 else False


def _day(text: str) -> date | None:
    try:
        day = parse_date(text)
    except ValueError:
        return None
    return day if day and 1 < day.year < 9999 else None
