"""Carrying imports on, a batch at a time: read, try out, import, roll back.

A batch, its outcomes and the tally are one transaction: a worker that is killed leaves nothing half done, and whoever
comes next goes on. The account that waited longest has its turn, within it the import that waited longest.
"""

import logging
from collections import Counter
from collections.abc import Callable, Sequence
from itertools import islice

from django.db import OperationalError, transaction
from django.db.models import Max, OuterRef, Subquery
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from accounts.errors import DomainError
from crm import paths, records
from crm.errors import AddressTaken
from crm.importing import deciding, files, reading, rolling_back, sniffing
from crm.importing.judging import Batch, Verdict
from crm.importing.plans import Plan
from crm.models import Change, ImportJob, ImportRow, ImportState, Record, RowOutcome, Source
from notifications import events
from notifications.types import system

READ_AT_ONCE = 2_000
CHECKED_AT_ONCE = 100
IMPORTED_AT_ONCE = 50
MOST_STUMBLES = 5

log = logging.getLogger(__name__)


def step() -> bool:
    """Do a piece of the import whose turn it is. False: nothing is under way, or others are at all of it."""
    with transaction.atomic():
        job = _next()
        if job is None:
            return False
        job.touched_at = timezone.now()
        try:
            with transaction.atomic(), translation.override(job.by.spoken_language if job.by else job.account.language):
                _advance(job)
                job.stumbles = 0
        except Exception:
            log.exception("The import %s stumbled; it is tried again after the others", job.pk)
            _stumbled(job.pk)
            return False
        job.save(update_fields=CARRIED)
        return True


CARRIED = (
    *("state", "position", "forecast", "outcomes", "undone", "problem", "stumbles", "touched_at", "finished_at"),
    *("rows", "lines", "read_to", "read_as"),
)


def _next() -> ImportJob | None:
    """The import whose turn it is, held; None when nothing is under way or others are at it."""
    running = ImportJob.objects.under_way()
    served = running.filter(account=OuterRef("account")).values("account").annotate(last=Max("touched_at"))
    rows = running.annotate(served=Subquery(served.values("last"))).order_by("served", "touched_at", "pk")
    related = ("account", "by__user", "by__account", "undone_by__user", "undone_by__account")
    return rows.select_related(*related).select_for_update(of=("self",), skip_locked=True).first()


def _advance(job: ImportJob) -> None:
    if job.state != ImportState.ROLLING_BACK and (job.cancel_at is not None or not _may_go_on(job)):
        return _stop(job)
    return STAGES[ImportState(job.state)](job)


def _may_go_on(job: ImportJob) -> bool:
    """Whether who asked still works here: nothing is done in the name of those who left."""
    return job.is_program or (job.by is not None and job.by.is_active and job.by.user.is_active)


def _read(job: ImportJob) -> None:
    """Read some more rows of the file."""
    plan = Plan.read(job.plan)
    if job.read_to == 0:
        if _clear(job):
            return None
        job.read_to = sniffing.start_of(plan.encoding, files.beginning(job, 4))
        job.read_as = {}
    lines = files.text(job, encoding=plan.encoding, start=job.read_to)
    found = reading.rows(lines, delimiter=plan.delimiter, encoding=plan.encoding, line=job.lines + 1)
    is_head = plan.header and job.lines == 0
    rows = list(islice(found, READ_AT_ONCE))
    kept = rows[1:] if is_head else rows
    if job.rows + len(kept) > deciding.most_rows():
        return _fail(job, _("The file has more than %(most)d rows. Split it.") % {"most": deciding.most_rows()})
    ImportRow.objects.bulk_create(
        (
            ImportRow(job=job, number=number, line=row.line, cells=row.cells, problem=row.problem[:200])
            for number, row in enumerate(kept, start=job.rows + 1)
        ),
        batch_size=1_000,
    )
    job.rows += len(kept)
    job.read_to += sum(row.size for row in rows)
    job.lines += sum(row.lines for row in rows)
    if len(rows) < READ_AT_ONCE:
        job.read_as, job.state = plan.form, ImportState.CHECKING
    return None


def _clear(job: ImportJob) -> bool:
    """Forget some rows that were read another way. Whether there were any."""
    old = ImportRow.objects.filter(job=job).values("pk")[:READ_AT_ONCE]
    return bool(ImportRow.objects.filter(pk__in=old).delete()[0])


def _check(job: ImportJob) -> None:
    """Say of some more rows what would become of them."""
    rows = _rows(job, CHECKED_AT_ONCE)
    if not rows:
        job.state = ImportState.CHECKED
        return
    batch = Batch(job, rows, stage="forecast")
    for row in rows:
        verdict = batch.rehearsed(row, batch.verdict(row))
        row.forecast, row.reasons = verdict.outcome, verdict.reasons
        row.record_id = verdict.record.pk if verdict.record else None
    ImportRow.objects.bulk_update(rows, ["key", "forecast", "reasons", "record_id"])
    _settle(job, rows, "forecast")


def _import(job: ImportJob) -> None:
    """Import some more rows."""
    rows = _rows(job, IMPORTED_AT_ONCE)
    if not rows:
        _finish(job)
        return
    batch = Batch(job, rows, stage="outcome")
    for row in rows:
        _carry_out(job, batch, row)
    ImportRow.objects.bulk_update(rows, ["key", "outcome", "reasons", "record_id", "version", "was"])
    _settle(job, rows, "outcome")


def _carry_out(job: ImportJob, batch: Batch, row: ImportRow) -> None:
    """One row, one outcome."""
    verdict = batch.verdict(row)
    try:
        verdict = _written(job, batch, row, verdict)
    except AddressTaken as error:  # somebody made the contact a moment ago
        again = Batch(job, [row], stage="outcome")
        again.firsts = {key: first for key, first in batch.firsts.items() if first != row}
        try:
            verdict = _written(job, again, row, again.verdict(row))
        except DomainError:
            verdict = batch.refused(row, batch.reasons(error))
    except DomainError as error:
        verdict = batch.refused(row, batch.reasons(error))
    except OperationalError:
        raise  # the database is busy or away: the whole batch is tried again
    except Exception:
        log.exception("Row %s of the import %s could not be imported", row.number, job.pk)
        verdict = batch.refused(row, [("", _("This row could not be imported. That is our fault; it is in our log."))])
    row.outcome, row.reasons = verdict.outcome, verdict.reasons
    if row.outcome not in (RowOutcome.CREATED, RowOutcome.UPDATED):
        row.record_id = verdict.record.pk if verdict.record else None


def _written(job: ImportJob, batch: Batch, row: ImportRow, verdict: Verdict) -> Verdict:
    """Do what the verdict says, and remember on the row what it takes to undo it."""
    with transaction.atomic():
        if verdict.outcome == RowOutcome.CREATED:
            made = records.create(job.account, batch.kind, verdict.given, by=job.by, source=Source.IMPORT)
            row.record_id, row.version = made.pk, made.version
        elif verdict.outcome == RowOutcome.UPDATED and verdict.record is not None:
            before = Record.objects.select_for_update(of=("self",)).get(pk=verdict.record.pk)
            changed = records.change(before, verdict.given, by=job.by, source=Source.IMPORT, kind=batch.kind)
            if changed.version == before.version:
                return Verdict(RowOutcome.UNCHANGED, record=changed)
            lines = Change.objects.filter(record=changed, version=changed.version)
            row.record_id, row.version = changed.pk, changed.version
            row.was = dict(lines.values_list("what", "before"))
    return verdict


def _rows(job: ImportJob, number: int) -> list[ImportRow]:
    return list(ImportRow.objects.filter(job=job, number__gt=job.position).order_by("number")[:number])


def _settle(job: ImportJob, rows: Sequence[ImportRow], stage: str) -> None:
    """Count what became of these rows, and go on behind them."""
    tally = {"forecast": job.forecast, "outcome": job.outcomes}[stage]
    tally.update(Counter(tally) + Counter(getattr(row, stage) for row in rows))
    job.position = rows[-1].number


def _stop(job: ImportJob) -> None:
    """Stopped on demand: what is done stays done, the rest is cancelled."""
    if job.state == ImportState.IMPORTING:
        left = ImportRow.objects.filter(job=job, number__gt=job.position).update(outcome=RowOutcome.CANCELLED)
        if left:
            job.outcomes[RowOutcome.CANCELLED] = left
    job.state, job.finished_at = ImportState.CANCELLED, timezone.now()
    files.forget(job)


def _fail(job: ImportJob, sentence: str) -> None:
    job.state, job.problem, job.finished_at = ImportState.FAILED, sentence[:300], timezone.now()
    files.forget(job)


def _finish(job: ImportJob) -> None:
    """The last row is settled: the file itself is not needed any more, and who asked is told (N-132)."""
    job.state, job.finished_at = ImportState.DONE, timezone.now()
    files.forget(job)
    if job.by is None:
        return
    events.emit(
        system.IMPORT_FINISHED,
        audience=[job.by],
        account=job.account,
        data={
            "file": job.file,
            "created": job.outcomes.get(RowOutcome.CREATED, 0),
            "updated": job.outcomes.get(RowOutcome.UPDATED, 0),
            "failed": job.outcomes.get(RowOutcome.REFUSED, 0),
            "url": paths.import_(job),
        },
        key=f"crm.import:{job.pk}",
    )


def _stumbled(pk: int) -> None:
    """Count a batch that could not be carried out; after some of them the import has failed, and says so."""
    job = ImportJob.objects.get(pk=pk)
    job.touched_at, job.stumbles = timezone.now(), job.stumbles + 1
    if job.stumbles >= MOST_STUMBLES:
        _fail(job, _("It could not be carried on after row %(number)d.") % {"number": job.position})
    job.save(update_fields=["touched_at", "stumbles", "state", "problem", "finished_at"])


STAGES: dict[ImportState, Callable[[ImportJob], None]] = {
    ImportState.READING: _read,
    ImportState.CHECKING: _check,
    ImportState.IMPORTING: _import,
    ImportState.ROLLING_BACK: rolling_back.advance,
}
