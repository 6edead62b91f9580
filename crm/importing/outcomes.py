"""What became of the rows: to look at a page at a time, and as CSV that no spreadsheet takes for formulas."""

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Q, QuerySet
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm.models import ImportJob, ImportRow, ImportState, RowOutcome, Undone
from crm.spreadsheets import harmless

SIZE = 25
PROBLEMS = (RowOutcome.REFUSED, RowOutcome.DUPLICATE)
TRIED: dict[str, str | Promise] = {
    RowOutcome.CREATED: gettext_lazy("would be created"),
    RowOutcome.UPDATED: gettext_lazy("would be updated"),
    RowOutcome.UNCHANGED: gettext_lazy("unchanged"),
    RowOutcome.DUPLICATE: gettext_lazy("twice in the file"),
    RowOutcome.REFUSED: gettext_lazy("refused"),
}


@dataclass(frozen=True)
class Page:
    """Some rows. `next`: the number of the row after which the following page begins; 0 on the last."""

    rows: list[ImportRow]
    next: int


def stage_of(job: ImportJob) -> str:
    """What counts at present: the forecast until something was imported, then the outcome, then what was undone."""
    if job.state in (ImportState.ROLLING_BACK, ImportState.ROLLED_BACK):
        return "undone"
    return "outcome" if job.state == ImportState.IMPORTING or job.outcomes else "forecast"


def tally(job: ImportJob) -> list[tuple[str, str, int]]:
    """How many rows came to what: key, words, number; in the order of the outcomes."""
    stage = stage_of(job)
    numbers = {"forecast": job.forecast, "outcome": job.outcomes, "undone": job.undone}[stage]
    return [(key, str(words), numbers[key]) for key, words in _words(stage).items() if numbers.get(key)]


def page(job: ImportJob, *, problems_only: bool, after: int = 0) -> Page:
    """One page of rows in the order of the file."""
    rows = ImportRow.objects.filter(job=job, number__gt=after)
    if problems_only:
        rows = rows.filter(_problems(stage_of(job)))
    found = list(rows.order_by("number")[: SIZE + 1])
    return Page(found[:SIZE], found[SIZE - 1].number if len(found) > SIZE else 0)


def words_of(job: ImportJob, row: ImportRow) -> str:
    """What became of a row, in words; empty where nothing was to be done."""
    stage = stage_of(job)
    return str(_words(stage).get(getattr(row, stage), ""))


def as_csv(job: ImportJob, *, problems_only: bool) -> Iterator[str]:
    """Every row with its outcome, its reasons and its cells, line by line. Words are in the language set now."""
    stage = stage_of(job)
    words = {key: str(label) for key, label in _words(stage).items()}
    head = [_("Row"), _("Line"), _("Outcome"), _("Reason"), _("Record ID"), *job.columns]
    rows: QuerySet[ImportRow, dict[str, Any]] = (
        ImportRow.objects.filter(_problems(stage) if problems_only else Q(), job=job)
        .order_by("number")
        .values("number", "line", "reasons", "record_id", "cells", stage)
    )
    return _lines(head, rows, stage, words)


def said(reasons: Sequence[Sequence[str]]) -> str:
    """Reasons in one line, each with its column."""
    return " ".join(f"{column}: {sentence}" if column else sentence for column, sentence in reasons)


def _lines(
    head: Sequence[str], rows: QuerySet[ImportRow, dict[str, Any]], stage: str, words: dict[str, str]
) -> Iterator[str]:
    writer = csv.writer(_Echo())
    yield "\N{ZERO WIDTH NO-BREAK SPACE}" + writer.writerow([harmless(cell) for cell in head])
    for row in rows.iterator(chunk_size=1_000):
        cells = [
            *(str(row["number"]), str(row["line"]), words.get(row[stage], ""), said(row["reasons"])),
            *(str(row["record_id"] or ""), *row["cells"]),
        ]
        yield writer.writerow([harmless(cell) for cell in cells])


class _Echo:
    """Hands back what is written, so that a line is made at a time."""

    def write(self, text: str) -> str:
        return text


def _problems(stage: str) -> Q:
    if stage == "undone":
        return Q(undone__in=(Undone.LEFT, Undone.PARTLY))
    return Q(**{f"{stage}__in": PROBLEMS})


def _words(stage: str) -> dict[str, str | Promise]:
    if stage == "forecast":
        return TRIED
    if stage == "undone":
        return {choice.value: choice.label for choice in Undone}
    return {choice.value: choice.label for choice in RowOutcome if choice != RowOutcome.WAITING}
