"""Lists of records, a page at a time. A page begins after the last row of the one before (keyset): it costs the same
however far one goes, and new rows shift nothing."""

import base64
import binascii
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.db.models import BooleanField, F, Func, Q, Value
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _

from accounts.errors import DomainError
from crm import searching
from crm.models import Record
from crm.models.records import RecordQuerySet
from crm.searching import Words
from notifications.types.values import problem_with_value

SORTS = {
    "-updated_at": ("updated_at", True),
    "updated_at": ("updated_at", False),
    "-created_at": ("created_at", True),
    "created_at": ("created_at", False),
    "title": ("sort_title", False),
    "-title": ("sort_title", True),
    "due_at": ("due_at", False),  # what has no due time comes last
}
"""The orders there are, each with its index: the column, and whether it is turned round."""

USUAL = "-updated_at"
READ_FIRST = 5000


class InvalidCursor(DomainError):
    code = "invalid_cursor"
    status = 422


@dataclass(frozen=True)
class Page:
    records: list[Record]
    next: str | None
    """Where the following page begins; None: there is none."""


def page(
    rows: RecordQuerySet, *, sort: str = USUAL, after: str | None = None, limit: int = 50, words: Words | None = None
) -> Page:
    """One page of these records, in an order of `SORTS`. Refuses what is no cursor of that order (`InvalidCursor`).

    With `words`, only those that hold them all. Words that many records hold fill a page from the first few thousand
    records; only when these are not enough the index is asked, and then there are few enough to sort.
    """
    column, is_turned = SORTS[sort]
    place = _read(after, sort) if after else None
    rows = rows.order_by(F(column).desc() if is_turned else F(column).asc(), "-id" if is_turned else "id")
    if words is None or not words.pieces:
        found = _first(rows, column, place, is_turned=is_turned, number=limit + 1)
    else:
        rows = rows.filter(_following(column, *place, is_turned=is_turned)) if place else rows
        found = _holding(rows, words, column, is_turned=is_turned, number=limit + 1)
    more = len(found) > limit
    return Page(found[:limit], _write(found[limit - 1], column, sort) if more else None)


def _first(
    rows: RecordQuerySet, column: str, place: tuple[Any, int] | None, *, is_turned: bool, number: int
) -> list[Record]:
    """The first of these ordered records behind a place. Those without a due time are asked for only when those with
    one come to their end: one question with an "or" in it would read the index from its beginning."""
    if place is None:
        return list(rows[:number])
    value, pk = place
    if value is None:
        return list(rows.filter(_following(column, value, pk, is_turned=is_turned))[:number])
    found = list(rows.filter(row_compared(column, "<" if is_turned else ">", value, pk))[:number])
    if column == "due_at" and len(found) < number:
        found += rows.filter(due_at=None)[: number - len(found)]
    return found


def _holding(rows: RecordQuerySet, words: Words, column: str, *, is_turned: bool, number: int) -> list[Record]:
    """The first of these ordered records that hold some words."""
    end = rows.values_list(column, "id")[READ_FIRST - 1 : READ_FIRST].first()
    if end is None:
        return list(searching.reading(rows, words)[:number])
    if end[0] is not None:
        near = searching.reading(rows.filter(row_compared(column, ">=" if is_turned else "<=", *end)), words)
        if len(found := list(near[:number])) == number:
            return found
    return list(searching.matching(rows, words.account, words.text)[:number])


class _Row(Func):
    template = "(%(expressions)s)"
    output_field = BooleanField()


def row_compared(column: str, operator: str, value: Any, pk: int) -> Func:
    """`(column, id) < (value, pk)` as the database compares rows: the index begins, or ends, exactly there."""
    left, right = _Row(F(column), F("id")), _Row(Value(value), Value(pk))
    return Func(left, right, arg_joiner=f" {operator} ", template="%(expressions)s", output_field=BooleanField())


def cursor(last: Record, *, sort: str = USUAL) -> str:
    """Where the page after this record begins."""
    return _write(last, SORTS[sort][0], sort)


def _following(column: str, value: Any, pk: int, *, is_turned: bool) -> Q:
    """What stands behind a row. What has no due time comes after all that has."""
    if value is None:
        return Q(**{f"{column}__isnull": True, "id__gt": pk})
    behind = Q(row_compared(column, "<" if is_turned else ">", value, pk))
    return behind | Q(**{f"{column}__isnull": True}) if column == "due_at" else behind


def _write(last: Record, column: str, sort: str) -> str:
    value = getattr(last, column)
    place = [sort, value.isoformat() if isinstance(value, datetime) else value, last.pk]
    return base64.urlsafe_b64encode(json.dumps(place, ensure_ascii=False).encode()).decode().rstrip("=")


def moment(text: str) -> datetime:
    """The moment in a cursor. Refuses with ValueError what is none that the database could hold."""
    found = parse_datetime(text)
    if found is None or found.tzinfo is None:
        raise ValueError(text)
    try:
        return found.astimezone(UTC)  # an offset may be odder than the database reads
    except OverflowError as error:
        raise ValueError(text) from error


def _read(cursor: str, sort: str) -> tuple[Any, int]:
    try:
        place = json.loads(base64.urlsafe_b64decode(f"{cursor[:1000]}==".encode()))
        made_for, value, pk = place
        if sort.lstrip("-") == "title":
            is_good = isinstance(value, str) and not problem_with_value(value)
        else:
            value = moment(value) if value is not None else None
            is_good = value is not None or sort == "due_at"
        is_good = is_good and made_for == sort and type(pk) is int and 0 < pk < 2**63
    except (ValueError, TypeError, binascii.Error, RecursionError):
        is_good = False
    if not is_good:
        raise InvalidCursor(
            _("This page cannot be found again. Begin at the first one."),
            fields={"cursor": [_("Take the cursor from the answer before, with the same order.")]},
        )
    return value, pk
