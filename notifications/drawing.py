"""Bars of a chart as numbers for an SVG: where each stands and how high. Pure; words stand around the picture."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

HEIGHT = 100
STEP = 100  # what one place of the picture is wide
GAP = 18


@dataclass(frozen=True)
class Bar:
    """One rectangle. `part` names its kind for the style sheet."""

    part: str
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True)
class Place:
    """One hour, day or week: its name, its counts in the order of the parts, and its rectangles."""

    label: str
    counts: tuple[int, ...]
    bars: tuple[Bar, ...]
    x: int
    words: str  # “07:00: sent 3, failed 1”


@dataclass(frozen=True)
class Chart:
    """A row of places. `parts` are (key, words) of what is counted."""

    title: str
    parts: tuple[tuple[str, str], ...]
    places: tuple[Place, ...]
    most: int

    @property
    def width(self) -> int:
        return max(1, len(self.places)) * STEP

    @property
    def height(self) -> int:
        return HEIGHT

    @property
    def first(self) -> str:
        return self.places[0].label if self.places else ""

    @property
    def last(self) -> str:
        return self.places[-1].label if self.places else ""

    @property
    def is_empty(self) -> bool:
        return self.most == 0

    @property
    def totals(self) -> tuple[int, ...]:
        return tuple(sum(place.counts[i] for place in self.places) for i in range(len(self.parts)))

    @property
    def legend(self) -> list[dict[str, Any]]:
        return [
            {"key": key, "words": words, "total": total}
            for (key, words), total in zip(self.parts, self.totals, strict=True)
        ]


def stacked(title: str, parts: Sequence[tuple[str, str]], rows: Sequence[tuple[str, Sequence[int]]]) -> Chart:
    """Counts on top of each other, a pile for each label."""
    most = max((sum(counts) for _label, counts in rows), default=0)
    return Chart(title, tuple(parts), tuple(_pile(i, parts, row, most) for i, row in enumerate(rows)), most)


def side_by_side(title: str, parts: Sequence[tuple[str, str]], rows: Sequence[tuple[str, Sequence[int]]]) -> Chart:
    """Counts beside each other, a group for each label."""
    most = max((max(counts, default=0) for _label, counts in rows), default=0)
    return Chart(title, tuple(parts), tuple(_group(i, parts, row, most) for i, row in enumerate(rows)), most)


def _pile(i: int, parts: Sequence[tuple[str, str]], row: tuple[str, Sequence[int]], most: int) -> Place:
    label, counts = row
    bars, foot = [], float(HEIGHT)
    for (part, _name), count in zip(parts, counts, strict=True):
        height = _height(count, most)
        if height:
            foot -= height
            bars.append(Bar(part, i * STEP + GAP / 2, round(max(foot, 0), 2), STEP - GAP, height))
    return Place(label, tuple(counts), tuple(bars), i * STEP, _said(label, parts, counts))


def _group(i: int, parts: Sequence[tuple[str, str]], row: tuple[str, Sequence[int]], most: int) -> Place:
    label, counts = row
    width = (STEP - GAP) / max(1, len(parts))
    bars = [
        Bar(part, round(i * STEP + GAP / 2 + place * width, 2), HEIGHT - height, round(width, 2), height)
        for place, ((part, _name), count) in enumerate(zip(parts, counts, strict=True))
        if (height := _height(count, most))
    ]
    return Place(label, tuple(counts), tuple(bars), i * STEP, _said(label, parts, counts))


def _height(count: int, most: int) -> float:
    """In proportion, and never too low to be seen."""
    return max(1.5, round(HEIGHT * count / most, 2)) if count else 0.0


def _said(label: str, parts: Sequence[tuple[str, str]], counts: Sequence[int]) -> str:
    return f"{label}: " + ", ".join(f"{name} {count}" for (_key, name), count in zip(parts, counts, strict=True))
