"""Reading what somebody wrote into a property: the value as it is kept, or a sentence about what would be right."""

import datetime as dt
import re
import zoneinfo
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from typing import Any
from urllib.parse import urlsplit

from django.utils.dateparse import parse_date, parse_datetime
from django.utils.translation import gettext as _

from crm import mail_addresses
from crm.kinds import Property, Type
from notifications.types.values import problem_with_value

LONGEST_TITLE = 300
LONGEST_TEXT = 1_000
LONGEST_LONG_TEXT = 65_536
LARGEST = 10**15
EARLIEST, LATEST = 1900, 2999  # years: beyond them other zones and programs stumble
_PHONE = re.compile(r"\+?[0-9 ()./-]{3,40}(\s*(ext\.?|x)\s*[0-9]{1,8})?", re.IGNORECASE)
_NONE: tuple[object, ...] = (None, "")


def parsed(one: Property, raw: object, *, zone: zoneinfo.ZoneInfo) -> Any:
    """The value to keep; None for nothing. `zone`: where a time without a zone of its own is meant.

    Raises ValueError with a sentence for the field. Members and stages are read as ids; whether the account has
    them is the caller's to ask.
    """
    if isinstance(raw, str):
        raw = raw.strip()
        if problem := problem_with_value(raw):
            raise ValueError(problem)
    if raw in _NONE:
        return None
    value = _READ[one.type](one, raw, zone)
    return value if value != "" else None


def _text(one: Property, raw: object, _zone: zoneinfo.ZoneInfo) -> str:
    if not isinstance(raw, str):
        raise ValueError(_("Write text."))  # noqa: TRY004 (refusals of values are ValueErrors, whatever was wrong)
    if one.type is Type.LONG_TEXT:
        return _short(raw, LONGEST_LONG_TEXT)
    line = " ".join(raw.split())
    if one.column == "domain":
        return mail_addresses.normalised_domain(line.removeprefix("https://").removeprefix("http://").rstrip("/"))
    return _short(line, LONGEST_TITLE if one.column == "title" else LONGEST_TEXT)


def _short(text: str, longest: int) -> str:
    if len(text) > longest:
        raise ValueError(
            _("This is %(is)d characters long; at most %(most)d fit.") % {"is": len(text), "most": longest}
        )
    return text


def _number(_one: Property, raw: object, _zone: zoneinfo.ZoneInfo) -> int | float:
    try:
        number = Decimal(str(raw)) if isinstance(raw, str | int | float) and not isinstance(raw, bool) else None
    except InvalidOperation:
        number = None
    if number is None or not number.is_finite():
        raise ValueError(_("Write a number such as 1200 or 12.5."))
    if abs(number) >= LARGEST:
        raise ValueError(_("This number is too large."))
    return int(number) if number == int(number) else float(number)


def _date(_one: Property, raw: object, _zone: zoneinfo.ZoneInfo) -> str:
    try:
        day = raw if type(raw) is dt.date else parse_date(str(raw))
    except ValueError:
        day = None
    if day is None:
        raise ValueError(_("This is no day of the calendar. Write it as 2026-11-30."))
    return day.isoformat()


def _datetime(_one: Property, raw: object, zone: zoneinfo.ZoneInfo) -> dt.datetime:
    """A moment. Without a zone it is wall time in `zone`; a day alone is nine in the morning there."""
    try:
        moment = raw if isinstance(raw, dt.datetime) else None
        if moment is None:
            day = parse_date(str(raw))
            moment = dt.datetime.combine(day, dt.time(9)) if day else parse_datetime(str(raw))
        if moment is not None and moment.tzinfo is None:
            moment = moment.replace(tzinfo=zone)
        is_usual = moment is not None and EARLIEST <= moment.year <= LATEST
        return moment.astimezone(dt.UTC) if moment and is_usual else _no_moment()
    except (ValueError, OverflowError):
        return _no_moment()


def _no_moment() -> dt.datetime:
    raise ValueError(_("This is no moment of the calendar. Write it as 2026-11-30 14:30."))


def _email(_one: Property, raw: object, _zone: zoneinfo.ZoneInfo) -> str:
    return mail_addresses.normalised(str(raw))


def _phone(_one: Property, raw: object, _zone: zoneinfo.ZoneInfo) -> str:
    line = " ".join(str(raw).split())
    if not _PHONE.fullmatch(line) or sum(c.isdigit() for c in line) < len("112"):
        raise ValueError(_("Write a phone number with digits, such as +46 8 123 45 67."))
    return line


def _url(_one: Property, raw: object, _zone: zoneinfo.ZoneInfo) -> str:
    line = str(raw).strip()
    line = line if "://" in line else f"https://{line}"
    try:
        parts = urlsplit(line)
        is_good = parts.scheme in ("http", "https") and "." in (parts.hostname or "") and "@" not in parts.netloc
    except ValueError:
        is_good = False
    if not is_good or any(c.isspace() or not c.isprintable() for c in line):
        raise ValueError(_("Write a web address such as https://example.com."))
    return _short(line, LONGEST_TEXT)


def _choice(one: Property, raw: object, _zone: zoneinfo.ZoneInfo) -> str:
    wanted = str(raw).strip()
    for key, label in one.choices:
        if wanted in (key, str(label)):
            return key
    raise ValueError(_("Choose one of: %s.") % ", ".join(key for key, _label in one.choices))


def _id(_one: Property, raw: object, _zone: zoneinfo.ZoneInfo) -> int:
    given = getattr(raw, "pk", raw)
    if isinstance(given, str) and given.isascii() and given.isdigit():
        given = int(given)
    if not isinstance(given, int) or isinstance(given, bool) or not 0 < given < 2**63:
        raise ValueError(_("Choose one from the list."))
    return given


def _boolean(_one: Property, raw: object, _zone: zoneinfo.ZoneInfo) -> bool:
    if isinstance(raw, bool):
        return raw
    word = str(raw).strip().lower()
    if word in ("true", "yes", "1", "on"):
        return True
    if word in ("false", "no", "0", "off"):
        return False
    raise ValueError(_("Choose yes or no."))


_READ: dict[Type, Callable[[Property, object, zoneinfo.ZoneInfo], Any]] = {
    Type.TEXT: _text,
    Type.LONG_TEXT: _text,
    Type.NUMBER: _number,
    Type.DATE: _date,
    Type.DATETIME: _datetime,
    Type.EMAIL: _email,
    Type.PHONE: _phone,
    Type.URL: _url,
    Type.CHOICE: _choice,
    Type.USER: _id,
    Type.STAGE: _id,
    Type.BOOLEAN: _boolean,
}
