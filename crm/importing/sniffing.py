"""What a file seems to be: its encoding, its delimiter, whether it has a header, how it writes dates and numbers. Pure.

Everything here is a proposal that the member can change.
"""

import codecs
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from crm.importing import reading

SAMPLE = 256 * 1024  # bytes
ENCODINGS: dict[str, str | Promise] = {
    "utf-8": "UTF-8",
    "utf-16-le": _("UTF-16, as Windows writes it"),
    "utf-16-be": _("UTF-16, the other byte order"),
    "cp1252": _("Windows-1252 (Western European)"),
    "iso8859-15": _("ISO 8859-15 (Western European)"),
    "cp1250": _("Windows-1250 (Central European)"),
    "cp1251": _("Windows-1251 (Cyrillic)"),
    "mac-roman": _("Mac Roman"),
}
DELIMITERS: dict[str, str | Promise] = {
    ",": _("Comma"),
    ";": _("Semicolon"),
    "\t": _("Tab"),
    "|": _("Vertical bar"),
    ":": _("Colon"),
}
MARKS = {"utf-8": codecs.BOM_UTF8, "utf-16-le": codecs.BOM_UTF16_LE, "utf-16-be": codecs.BOM_UTF16_BE}
OTHER_FILES = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0", b"%PDF", b"\x1f\x8b", b"\x89PNG", b"\xff\xd8\xff")
_HOLDS_DATA = re.compile(r".+@.+\..+|[-+]?[0-9][0-9., ]*|[0-9]{1,4}[-./][0-9]{1,2}[-./][0-9]{1,4}.*")
_DAY = re.compile(r"([0-9]{1,4})([-./])([0-9]{1,2})[-./]([0-9]{1,4})(?![0-9])")
_COMMA = re.compile(r"[-+]?[0-9.\s]*,[0-9]{1,2}|[-+]?[0-9]{1,3}(\.[0-9]{3})+")


@dataclass(frozen=True)
class Form:
    """How a file is to be read."""

    encoding: str
    delimiter: str
    header: bool


def is_another_kind_of_file(content: bytes) -> bool:
    """A spreadsheet, an archive, a picture."""
    return content.startswith(OTHER_FILES)


def encoding_of(content: bytes) -> str:
    """By its mark, by where zeros stand, UTF-8 if it can be, else Windows-1252 or what can always be."""
    for encoding, mark in MARKS.items():
        if content.startswith(mark):
            return encoding
    head = content[:SAMPLE]
    even, odd = head[0::2].count(0), head[1::2].count(0)
    if max(even, odd) > len(head) // 8:
        return "utf-16-be" if even > odd else "utf-16-le"
    return next((one for one in ("utf-8", "cp1252") if can_be(one, [content])), "mac-roman")


def can_be(encoding: str, pieces: Iterable[bytes]) -> bool:
    """Whether all of it can be read like this."""
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        for piece in pieces:
            decoder.decode(piece)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def start_of(encoding: str, content: bytes) -> int:
    """Where the text begins, behind the mark."""
    mark = MARKS.get(encoding, b"")
    return len(mark) if mark and content.startswith(mark) else 0


def lines_of(encoding: str, content: bytes, *, is_whole: bool) -> list[str]:
    """The lines of a file's beginning; the last one is left out when it may have been cut."""
    decoder = codecs.getincrementaldecoder(encoding)(errors="replace")
    text = decoder.decode(content[start_of(encoding, content) :], final=is_whole)
    lines = re.findall(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+$", text)
    return lines if is_whole or len(lines) < 2 else lines[:-1]


def delimiter_of(lines: Sequence[str]) -> str:
    """The one that cuts the first lines into the same number of cells, and into the most."""

    def worth(delimiter: str) -> tuple[float, int]:
        sizes = [len(row.cells) for row in _some(lines, delimiter)]
        number, times = Counter(sizes).most_common(1)[0] if sizes else (1, 0)
        return (times / len(sizes) if number > 1 else 0, number)

    return max(DELIMITERS, key=worth)


def has_header(lines: Sequence[str], delimiter: str) -> bool:
    """A first row of names: each different, none an address, a number or a date."""
    first = next(iter(_some(lines, delimiter)), None)
    if first is None:
        return False
    names = [cell.strip() for cell in first.cells if cell.strip()]
    return len(set(names)) == len(names) and not any(_HOLDS_DATA.fullmatch(name) for name in names)


def form_of(content: bytes) -> Form:
    """The proposal for a whole file."""
    encoding = encoding_of(content)
    lines = lines_of(encoding, content[:SAMPLE], is_whole=len(content) <= SAMPLE)
    delimiter = delimiter_of(lines)
    return Form(encoding, delimiter, has_header(lines, delimiter))


def dates_of(cells: Iterable[str]) -> str:
    """How days are written: "iso", "dmy" or "mdy"; what could be both is the day first where points divide it."""
    guess = "iso"
    for cell in cells:
        found = _DAY.match(cell.strip())
        if found is None or len(found[1]) > 2:
            continue
        first, second = int(found[1]), int(found[3])
        if first > 12 or (found[2] == "." and second <= 12):
            return "dmy"
        if second > 12:
            return "mdy"
        guess = "mdy" if found[2] == "/" else "dmy"
    return guess


def numbers_of(cells: Iterable[str]) -> str:
    """Whether a comma or a point stands before the fraction: "comma" or "point"."""
    found = [cell.strip() for cell in cells if cell.strip()]
    return "comma" if any(_COMMA.fullmatch(cell) and "," in cell for cell in found) else "point"


def _some(lines: Sequence[str], delimiter: str) -> list[reading.Row]:
    found: list[reading.Row] = []
    for row in reading.rows(lines[:200], delimiter=delimiter, encoding="utf-8"):
        found.append(row)
        if len(found) == 30:
            break
    return found
