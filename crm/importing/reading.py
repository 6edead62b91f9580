"""CSV as it is found in the world: rows with their lines, and a sentence for each row that is none. Pure.

A quote that never closes would swallow the rest of the file. Such a row is its first line alone, and reading goes on
with the line after it: one bad row costs one row.
"""

import csv
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from django.utils.translation import gettext as _

LONGEST_ROW = 200_000  # characters, all its lines together
SHOWN = 1_000  # characters kept of a row that cannot be read


class _TooLong(Exception):
    pass


@dataclass(frozen=True)
class Row:
    """One row of a file. `size` and `lines`: the bytes and lines it takes, with what was left out before it."""

    line: int
    cells: list[str]
    problem: str
    size: int
    lines: int


def rows(lines: Iterable[str], *, delimiter: str, encoding: str, line: int = 1) -> Iterator[Row]:
    """The rows with something in them. `line` is the number of the first line."""
    source = _Lines(lines, encoding, line)
    reader = _reader(source, delimiter)
    while True:
        begins = source.number
        problem = ""
        try:
            cells = next(reader)
        except StopIteration:
            return
        except (csv.Error, _TooLong) as error:
            cells, problem = [source.keep_first_line()[:SHOWN].rstrip("\r\n")], _sentence(error)
            reader = _reader(source, delimiter)
        if any("\0" in cell for cell in cells):
            cells, problem = [cell.replace("\0", "\N{SYMBOL FOR NULL}") for cell in cells], problem or _nul()
        if problem or any(cell.strip() for cell in cells):
            yield Row(begins, cells, problem, *source.settled())
        source.begin()


def _reader(source: "_Lines", delimiter: str) -> Iterator[list[str]]:
    return csv.reader(source, delimiter=delimiter, strict=True, skipinitialspace=delimiter != " ")


def _sentence(error: Exception) -> str:
    if isinstance(error, _TooLong) or "field larger" in str(error):
        return _("A quote in this row does not close, or the row is longer than %(most)d characters.") % {
            "most": LONGEST_ROW
        }
    return _("The quotes in this row do not match: one does not close, or text follows a closing one.")


def _nul() -> str:
    return _("This row holds a NUL character, which is no text.")


class _Lines:
    """Lines that can be given back. Counts those that are settled, and their bytes."""

    def __init__(self, lines: Iterable[str], encoding: str, line: int) -> None:
        self.lines, self.encoding = iter(lines), encoding
        self.given_back: deque[str] = deque()
        self.taken: list[str] = []
        self.length = 0
        self.number = line  # of the line that comes next, once the taken ones are settled
        self.bytes = self.unasked = 0

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        line = self.given_back.popleft() if self.given_back else next(self.lines)
        self.taken.append(line)
        self.length += len(line)
        if self.length > LONGEST_ROW:
            raise _TooLong
        return line

    def keep_first_line(self) -> str:
        """Give all lines back but the first."""
        first, *others = self.taken
        self.given_back.extendleft(reversed(others))
        self.taken = [first]
        return first

    def settled(self) -> tuple[int, int]:
        """The bytes and lines taken since this was asked last."""
        self._count()
        found = self.bytes, self.unasked
        self.bytes = self.unasked = 0
        return found

    def begin(self) -> None:
        """The next row begins. What was taken and not asked for is counted with it."""
        self._count()
        self.length = 0

    def _count(self) -> None:
        self.bytes += sum(len(line.encode(self.encoding)) for line in self.taken)
        self.unasked += len(self.taken)
        self.number += len(self.taken)
        self.taken = []
