"""The mail's templates, rendered once per language and shape with gaps where a single mail's words go.

A mail is then only the filling of gaps: tens of microseconds instead of the most of a millisecond. The HTML is kept
quoted-printable, whose soft line breaks let pieces be joined anywhere.
"""

import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from django.conf import settings
from django.template.loader import render_to_string
from django.utils import translation

GAPS = (
    "title", "body", "url", "preheader", "account", "label", "unsubscribe", "why", "settings", "address", "missed",
    "list", "sections", "heading", "lines", "more", "text", "note",
)  # fmt: skip
OPEN, CLOSE = "\ue000", "\ue001"  # private letters: they pass through templates and translations untouched
_LINE = re.compile(rb"(?:[!-<>-~][ -<>-~]*)?[!-<>-~]?")  # what quoted-printable leaves as it is
_GAP = re.compile(f"{OPEN}([a-z]+){CLOSE}")


@dataclass(frozen=True)
class Shape:
    """What decides which parts of the template are there at all."""

    has_body: bool
    may_turn_off: bool
    has_missed: bool = False
    has_sections: bool = False


@dataclass(frozen=True)
class Sheet:
    """Pieces of finished text, and the name of the gap after each but the last."""

    pieces: tuple[str, ...]
    gaps: tuple[str, ...]

    def fill(self, words: Mapping[str, str]) -> str:
        """The text with every gap filled."""
        filled = [self.pieces[0]]
        for gap, piece in zip(self.gaps, self.pieces[1:], strict=True):
            filled += (words[gap], piece)
        return "".join(filled)


@dataclass(frozen=True)
class QuotedSheet:
    """The same in quoted-printable."""

    pieces: tuple[bytes, ...]
    gaps: tuple[str, ...]
    words: frozenset[str]

    def fill(self, words: Mapping[str, str]) -> bytes:
        """The text with every gap filled; the words are quoted here, the rest was long before."""
        quotes = {gap: quoted(words[gap]) for gap in self.words}
        filled = [self.pieces[0]]
        for gap, piece in zip(self.gaps, self.pieces[1:], strict=True):
            filled += (quotes[gap], piece)
        return b"=\r\n".join(filled)


@lru_cache(maxsize=64)
def html(language: str, shape: Shape) -> QuotedSheet:
    """The HTML part; its words are to be escaped before they fill it."""
    pieces, gaps = _cut(_rendered("notifications/mail/notification.html", language, shape))
    return QuotedSheet(tuple(quoted(piece) for piece in pieces), gaps, frozenset(gaps))


@lru_cache(maxsize=64)
def text(language: str, shape: Shape) -> Sheet:
    """The plain-text part."""
    return Sheet(*_cut(_rendered("notifications/mail/notification.txt", language, shape)))


@lru_cache(maxsize=128)
def piece(name: str, language: str) -> str:
    """A part of either that is repeated, with a %(name)s for each gap. Not quoted yet."""
    pieces, gaps = _cut(_rendered(f"notifications/mail/{name}", language, Shape(False, False)))
    texts = [text.replace("%", "%%") for text in pieces]
    return texts[0] + "".join(f"%({gap})s{text}" for gap, text in zip(gaps, texts[1:], strict=True))


def quoted(words: str) -> bytes:
    """Quoted-printable, CRLF, no line longer than 76."""
    line = words.encode()
    if len(line) <= 72 and _LINE.fullmatch(line):
        return line
    return binascii.b2a_qp(line, istext=True).replace(b"\n", b"\r\n")


def _rendered(template: str, language: str, shape: Shape) -> str:
    if language not in dict(settings.LANGUAGES):
        language = settings.LANGUAGE_CODE
    gaps = {name: f"{OPEN}{name}{CLOSE}" for name in GAPS}
    with translation.override(language):
        return render_to_string(
            template,
            {
                **gaps,
                "has_body": shape.has_body,
                "may_turn_off": shape.may_turn_off,
                "has_missed": shape.has_missed,
                "has_sections": shape.has_sections,
                "language": language,
                "direction": "rtl" if translation.get_language_bidi() else "ltr",
            },
        )


def _cut(rendered: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    parts = _GAP.split(rendered)
    return tuple(parts[::2]), tuple(parts[1::2])
