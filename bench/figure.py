"""What a measurement says, and how it is shown."""

import os
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

REPEATS = 5


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One line of the table. `is_met` is None for what is told beside the goals."""

    name: str
    what: str
    value: float
    unit: str
    goal: str = ""
    is_met: bool | None = None
    yardstick: float | None = None
    yardstick_what: str = ""
    load: float = 0.0  # the machine's load average just before
    samples: Sequence[float] = ()  # the single runs; `value` is their median
    details: dict[str, Any] = field(default_factory=dict)

    @property
    def ratio(self) -> float | None:
        """The value in yardsticks taken in the same run."""
        return self.value / self.yardstick if self.yardstick else None

    def as_json(self) -> dict[str, Any]:
        """As it stands in bench/results/latest.json."""
        return asdict(self) | {"ratio": self.ratio}


def load() -> float:
    """The machine's load average over the last minute: others may be at work."""
    return round(os.getloadavg()[0], 2)


def timed(work: Callable[[], Any]) -> float:
    """How many seconds it takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which that share lies: 0.99 for the 99th percentile."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def median(values: Sequence[float]) -> float:
    """The one in the middle."""
    return statistics.median(values)


def say(sentence: str) -> None:
    """Tell whoever watches what is being done. The table alone goes to standard output."""
    print(sentence, file=sys.stderr, flush=True)


def table(figures: Sequence[Figure]) -> str:
    """All figures in columns."""
    head = ("figure", "value", "yardstick", "ratio", "goal", "met?", "load")
    lines = [head, *(_line(figure) for figure in figures)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(head))]
    shown = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines]
    return "\n".join([shown[0], "-" * max(map(len, shown)), *shown[1:]])


def _line(figure: Figure) -> tuple[str, ...]:
    return (
        figure.name,
        f"{_short(figure.value)} {figure.unit}",
        f"{_short(figure.yardstick)} {figure.unit}" if figure.yardstick else "",
        f"{figure.ratio:.2f} ×" if figure.ratio else "",
        figure.goal,
        {True: "yes", False: "NO", None: ""}[figure.is_met],
        f"{figure.load:.1f}",
    )


def _short(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
