"""The lists of a mail that has them: headings with links below, laid out from small sheets, as whole mails are."""

import re
from collections.abc import Callable, Iterable
from functools import lru_cache
from html import escape

from django.conf import settings

from notifications.mail import sheets
from notifications.mail.headers import harmless, one_line
from notifications.rendering import Line, Section

LONGEST = 160
_SPECIAL = re.compile("[&<>\"']")

Wrap = Callable[[str], str]


def laid_out(sections: Iterable[Section], language: str, *, wrap: Wrap, columns: int) -> tuple[str, str]:
    """The sections as they stand in the plain part, in lines of so many columns, and in the HTML part, escaped."""
    both = [_both(section, language, wrap, columns) for section in sections]
    return "\n".join(plain for plain, _page in both).strip(), "".join(page for _plain, page in both)


def _both(section: Section, language: str, wrap: Wrap, columns: int) -> tuple[str, str]:
    plain_line, page_line = sheets.piece("line.txt", language), sheets.piece("line.html", language)
    plain, page = [], []
    for line in section.lines:
        url, text = _url(line), one_line(line.text, most=LONGEST) or "…"
        note, safe_note = _note(line.note)
        words = plain_line % {"url": url, "text": text, "note": note}
        plain.append(words if len(text) < columns - 2 else f"{wrap(words)}\n")
        page.append(page_line % {"url": _escaped(url), "text": _escaped(text), "note": safe_note})
    if section.more:
        more = one_line(section.more)
        plain.append(sheets.piece("more.txt", language) % {"more": more})
        page.append(sheets.piece("more.html", language) % {"more": escape(more)})
    heading = one_line(section.heading)
    return (
        sheets.piece("section.txt", language) % {"heading": heading, "lines": "".join(plain)},
        sheets.piece("section.html", language) % {"heading": escape(heading), "lines": "".join(page)},
    )


def _url(line: Line) -> str:
    if not line.url.startswith(("https://", "http://")):
        return str(settings.BASE_URL)
    return line.url if line.url.isprintable() else harmless(line.url)


def _escaped(text: str) -> str:
    """As `escape`, at a fraction of its price where there is nothing to do."""
    return escape(text) if _SPECIAL.search(text) else text


@lru_cache(maxsize=4096)
def _note(words: str) -> tuple[str, str]:
    """A note for both parts; many lines have the same."""
    note = one_line(words, most=LONGEST)
    return note, escape(note)
