"""What a value inside an event's data may be: text, a whole number, and for "url" a safe link."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

LARGEST_NUMBER: Final = 2**53 - 1
"""Beyond this, browsers round whole numbers (RFC 8259, section 6)."""

LONGEST_LINK: Final = 2000
LONGEST_NAME_SHOWN: Final = 60

KINDS: Final = (
    (bool, gettext_noop("true or false")),
    (int, gettext_noop("a whole number")),
    (float, gettext_noop("a number with a fraction")),
    (str, gettext_noop("text")),
    (list, gettext_noop("a list")),
    (dict, gettext_noop("an object")),
    (type(None), gettext_noop("null")),
)


def is_text_or_number(value: object) -> bool:
    """Whether this can be stored, sent as JSON and shown: no NUL, no half characters, no huge numbers."""
    if isinstance(value, str):
        return "\0" not in value and _is_unicode(value)
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) <= LARGEST_NUMBER


def is_link(value: object) -> bool:
    """Whether a click may lead there: a path of this site, or a whole http or https address.

    Refuses what browsers read differently from us: "//host", backslashes, blanks and control
    characters, and a name or password in front of the host.
    """
    if not isinstance(value, str) or len(value) > LONGEST_LINK or not is_text_or_number(value):
        return False
    if "\\" in value or not value.isprintable() or any(character.isspace() for character in value):
        return False
    if value.startswith("/"):
        return not value.startswith("//")
    try:
        parts = urlsplit(value)
        return (
            parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0 and "@" not in parts.netloc
        )
    except ValueError:  # a broken IPv6 address, a port that is no number
        return False


def problem_when_missing(name: str, example: str | int) -> str:
    """A sentence about a field that was left out: what it takes, with an example."""
    if name == "url":
        return _("This field is missing. It takes the page that a click opens, for example: %s") % example
    return _("This field is missing. It takes text or a whole number, for example: %s") % example


def problem_with_value(value: object) -> str:
    """A sentence about what is wrong with a value, empty when nothing is."""
    if is_text_or_number(value):
        return ""
    if isinstance(value, str):
        if "\0" in value:
            return _("This text holds a NUL character; leave it out.")
        return _("This text holds half of a character (a lone surrogate); it must be valid Unicode.")
    if isinstance(value, int) and not isinstance(value, bool):
        return _("This number is too large; send it as text, or a number between -%(largest)d and %(largest)d.") % {
            "largest": LARGEST_NUMBER
        }
    return _("This must be text or a whole number, not %s.") % _kind(value)


def problem_with_link(value: object) -> str:
    """A sentence about what is wrong with a "url", empty when nothing is."""
    if is_link(value):
        return ""
    if isinstance(value, str) and len(value) > LONGEST_LINK:
        return _("This address is too long; at most %d characters.") % LONGEST_LINK
    return _(
        "This must be a path that begins with one “/”, for example /1001/deals/7/, or a whole http or https "
        "address, without blanks, control characters or backslashes."
    )


def printable(name: object) -> str:
    """A key as it may be shown and stored whatever it holds: short, without control characters."""
    if not isinstance(name, str):
        return f"({_kind(name)})"
    shown = name[:LONGEST_NAME_SHOWN] + ("…" if len(name) > LONGEST_NAME_SHOWN else "")
    return "".join(character if character.isprintable() else f"\\u{ord(character):04x}" for character in shown)


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _kind(value: object) -> str:
    for kind, words in KINDS:
        if isinstance(value, kind):
            return _(words)
    return _("something else")
