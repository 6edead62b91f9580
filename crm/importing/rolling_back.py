"""Taking an import back: what it made goes to the bin, what it changed gets its old values, by entries of their own.

What somebody changed since is left as it is and said so. From the last row to the first, a batch at a time (N-101).
"""

from collections import Counter, defaultdict
from collections.abc import Sequence

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.errors import DomainError
from crm import paths, records, schema
from crm.importing import judging
from crm.kinds import Kind
from crm.models import Activity, Change, ImportJob, ImportRow, ImportState, Record, RowOutcome, Source, Undone
from notifications import events
from notifications.types import general

AT_ONCE = 50


def advance(job: ImportJob) -> None:
    """Take some more rows back; after the first row of the file who asked is told."""
    written = ImportRow.objects.filter(job=job, outcome__in=(RowOutcome.CREATED, RowOutcome.UPDATED), undone="")
    rows = list(written.filter(number__lt=job.position).order_by("-number")[:AT_ONCE])
    if not rows:
        job.state, job.finished_at = ImportState.ROLLED_BACK, timezone.now()
        _tell(job)
        return
    kind = schema.kind_of(job.account, job.kind)
    since = _Since(rows)
    mine = judging.editable(job, kind, job.undone_by).in_bulk([row.record_id for row in rows if row.record_id])
    for row in rows:
        undone, reason = _undo(job, kind, row, mine.get(row.record_id or 0), since)
        row.undone, row.reasons = undone, [("", reason)] if reason else []
    ImportRow.objects.bulk_update(rows, ["undone", "reasons"])
    job.undone.update(Counter(job.undone) + Counter(row.undone for row in rows))
    job.position = rows[-1].number


class _Since:
    """What happened to the records of some rows after the import. Two queries."""

    def __init__(self, rows: Sequence[ImportRow]) -> None:
        left = {row.record_id: row.version for row in rows if row.record_id}
        self.changed: defaultdict[int, set[str]] = defaultdict(set)
        lines = Change.objects.filter(record__in=left).values_list("record_id", "version", "what")
        for record, version, what in lines:
            if version > left[record]:
                self.changed[record].add(what)
        noted = Activity.objects.filter(record__in=left, deleted_at=None).values_list("record_id", flat=True)
        self.noted = set(noted)


def _undo(job: ImportJob, kind: Kind, row: ImportRow, record: Record | None, since: _Since) -> tuple[str, str]:
    """One row, one outcome, and a sentence where something is left."""
    if record is None:
        return Undone.LEFT, _("It is not there any more, or you may not change it.")
    changed = since.changed[record.pk]
    try:
        with transaction.atomic():
            if row.outcome == RowOutcome.CREATED:
                if changed or record.pk in since.noted:
                    return Undone.LEFT, _("Somebody changed it since, or wrote on it.")
                records.delete(record, by=job.undone_by, source=Source.IMPORT)
                return Undone.REMOVED, ""
            back = {key: value for key, value in row.was.items() if key not in changed and kind.find(key)}
            if not back:
                return Undone.LEFT, _("Somebody changed it since.")
            records.change(record, back, by=job.undone_by, source=Source.IMPORT, kind=kind)
    except DomainError as error:
        lines = [line for several in error.fields.values() for line in several]
        return Undone.LEFT, " ".join(lines or [str(error)])[: judging.LONGEST]
    kept = [str(one.label) for one in kind.properties if one.key in row.was and one.key not in back]
    if kept:
        return Undone.PARTLY, _("Somebody changed this since: %(names)s.") % {"names": ", ".join(kept)}
    return Undone.PUT_BACK, ""


def _tell(job: ImportJob) -> None:
    """Who asked for it hears that it has ended (N-101)."""
    if job.undone_by is None:
        return
    events.emit(
        general.IMPORT_ROLLED_BACK,
        audience=[job.undone_by],
        account=job.account,
        data={
            "file": job.file,
            "removed": job.undone.get(Undone.REMOVED, 0),
            "url": paths.import_(job),
        },
        key=f"crm.rollback:{job.pk}",
    )
