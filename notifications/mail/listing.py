"""The lists of a mail that has them: headings with links below, laid out from small sheets, as whole mails are."""

from collections.abc import Iterable
from html import escape

from django.conf import settings

from notifications.mail import sheets
from notifications.mail.headers import harmless, one_line
from notifications.rendering import Line, Section

LONGEST = 160


def as_html(sections: Iterable[Section], language: str) -> str:
    """The sections as they stand in the HTML part, escaped."""
    return "".join(_filled(section, language, "html") for section in sections)


def as_text(sections: Iterable[Section], language: str) -> str:
    """The sections as they stand in the plain part."""
    return "\n".join(_filled(section, language, "txt") for section in sections).strip()


def _filled(section: Section, language: str, form: str) -> str:
    sheet = sheets.piece(f"line.{form}", language)
    safe = escape if form == "html" else str
    lines = "".join(sheet.fill({gap: safe(words) for gap, words in _words(line).items()}) for line in section.lines)
    if section.more:
        lines += sheets.piece(f"more.{form}", language).fill({"more": safe(one_line(section.more))})
    heading = safe(one_line(section.heading))
    return sheets.piece(f"section.{form}", language).fill({"heading": heading, "lines": lines})


def _words(line: Line) -> dict[str, str]:
    is_link = line.url.startswith(("https://", "http://"))
    return {
        "text": one_line(line.text, most=LONGEST) or "…",
        "note": one_line(line.note, most=LONGEST),
        "url": harmless(line.url) if is_link else settings.BASE_URL,
    }
