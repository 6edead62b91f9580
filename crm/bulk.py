"""Assigning, deleting and listing many records at once, in the background.

A job writes down its records first, then goes through them some at a time. Each batch and its outcomes are one
transaction: a worker that is killed leaves nothing half done, and whoever comes next goes on. Jobs take turns.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.db import models, transaction
from django.db.models import QuerySet
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from accounts.errors import DomainError
from accounts.models import Membership
from crm import browsing, permissions, records, schema
from crm.browsing import Wanted
from crm.kinds import Kind
from crm.lists import adding, making, rows
from crm.models import BulkItem, BulkJob, BulkOutcome, Record, RecordList, Verb

IN_A_BATCH = 50
GATHERED_AT_ONCE = 5_000
LISTED_AT_ONCE = 2_000
MOST_CHOSEN = 500  # by ticking them; all that match has no limit

LISTING = {Verb.LIST, Verb.UNLIST}

log = logging.getLogger(__name__)


class InvalidBulk(DomainError):
    code = "invalid_bulk"
    status = 422


@dataclass(frozen=True)
class Progress:
    """How far a job is. The outcomes add up to the records."""

    total: int
    by_outcome: Mapping[str, int]

    @property
    def settled(self) -> int:
        return self.total - self.by_outcome.get(BulkOutcome.WAITING, 0)


@transaction.atomic
def start(
    kind: Kind,
    *,
    verb: str,
    by: Membership,
    ids: Sequence[int] = (),
    wanted: Wanted | None = None,
    to: Membership | None = None,
    into: RecordList | None = None,
) -> BulkJob:
    """Ask for something to be done with these records, or with all that match. Written down here, done by a worker.

    `to`: whom to assign them to. `into`: the static list to put them into or take them out of.
    """
    if verb not in Verb.values:
        raise InvalidBulk(_("Say what to do with the records."))
    if to is not None and (to.account_id != by.account_id or not to.is_active):
        raise InvalidBulk(_("There is no such active member in the account."))
    if verb in LISTING:
        _check_list(into, kind, by)
    if wanted is None and not ids:
        raise InvalidBulk(_("Choose at least one record first."))
    if len(ids) > MOST_CHOSEN:
        raise InvalidBulk(_("At most %(most)d records can be ticked at once.") % {"most": MOST_CHOSEN})
    newest = Record.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    job = BulkJob.objects.create(
        account=by.account,
        by=by,
        kind=kind.key,
        verb=verb,
        to=to,
        into=into,
        query=wanted.as_query() if wanted is not None else None,
        up_to=newest,
        gathered_at=None if wanted is not None else timezone.now(),
    )
    if wanted is None:
        BulkItem.objects.bulk_create(BulkItem(job=job, record_id=pk) for pk in sorted(set(ids)))
    transaction.on_commit(_wake, robust=True)
    return job


def cancel(job: BulkJob) -> None:
    """Stop before the next batch. What is done stays done. Twice is once."""
    BulkJob.objects.filter(pk=job.pk, finished_at=None, cancelled_at=None).update(cancelled_at=timezone.now())


def progress(job: BulkJob) -> Progress:
    """One query."""
    found = dict(BulkItem.objects.filter(job=job).values_list("outcome").annotate(number=models.Count("pk")))
    return Progress(total=sum(found.values()), by_outcome=found)


def step() -> bool:
    """Do a piece of the job that waited longest. False: nothing is under way, or others are at all of it."""
    with transaction.atomic():
        waiting = BulkJob.objects.under_way().select_for_update(of=("self",), skip_locked=True)
        related = ("account", "by__user", "by__account", "to__user", "to__account", "into")
        job = waiting.select_related(*related).order_by("touched_at").first()
        if job is None:
            return False
        job.touched_at = timezone.now()
        try:
            with transaction.atomic(), translation.override(job.by.spoken_language):
                _advance(job)
        except Exception:
            log.exception("The bulk job %s stumbled; it is tried again after the others", job.pk)
            job.save(update_fields=["touched_at"])
            return False
        job.save(update_fields=["touched_at", "gathered_to", "gathered_at", "finished_at"])
        return True


def _advance(job: BulkJob) -> None:
    if job.cancelled_at is not None or not (job.by.is_active and job.by.user.is_active):
        BulkItem.objects.filter(job=job, outcome=BulkOutcome.WAITING).update(outcome=BulkOutcome.CANCELLED)
        job.finished_at = timezone.now()
    elif job.gathered_at is None:
        _gather(job)
    elif not (_list_batch(job) if job.verb in LISTING else _batch(job)):
        job.finished_at = timezone.now()


def _gather(job: BulkJob) -> None:
    """Write down some more of the records that match, by their ids."""
    kind = schema.kind_of(job.account, job.kind)
    found = browsing.matching(job.by, kind, Wanted.read(kind, job.query or {}))
    ids = list(
        found.filter(pk__gt=job.gathered_to, pk__lte=job.up_to)
        .order_by("pk")
        .values_list("pk", flat=True)[:GATHERED_AT_ONCE]
    )
    BulkItem.objects.bulk_create((BulkItem(job=job, record_id=pk) for pk in ids), ignore_conflicts=True)
    if len(ids) < GATHERED_AT_ONCE:
        job.gathered_at = timezone.now()
    else:
        job.gathered_to = ids[-1]


def _batch(job: BulkJob) -> int:
    """Do the next records; returns how many there were."""
    items = list(
        BulkItem.objects.select_for_update(of=("self",))
        .filter(job=job, outcome=BulkOutcome.WAITING)
        .order_by("record_id")[:IN_A_BATCH]
    )
    mine = Record.objects.live().filter(permissions.within_kind(job.by, job.kind, "edits"))
    found = mine.select_related("account").in_bulk([item.record_id for item in items])
    for item in items:
        item.outcome, item.reason = _do(job, found.get(item.record_id))
    BulkItem.objects.bulk_update(items, ["outcome", "reason"])
    return len(items)


def _list_batch(job: BulkJob) -> int:
    """Put the next records into a list or take them out of it, all at once; returns how many there were."""
    waiting = BulkItem.objects.filter(job=job, outcome=BulkOutcome.WAITING).order_by("record_id")
    ids = list(waiting.values_list("record_id", flat=True)[:LISTED_AT_ONCE])
    if not ids:
        return 0
    items = BulkItem.objects.filter(job=job, outcome=BulkOutcome.WAITING, record_id__lte=ids[-1])
    try:
        with transaction.atomic():
            there = _list(job, ids)
    except DomainError as error:
        items.update(outcome=BulkOutcome.REFUSED, reason=str(error)[:300])
        return len(ids)
    items.filter(record_id__in=there).update(outcome=BulkOutcome.DONE)
    items.update(outcome=BulkOutcome.NOT_THERE)
    return len(ids)


def _list(job: BulkJob, ids: Sequence[int]) -> "QuerySet[Record, int]":
    if job.into is None or job.into.deleted_at is not None:
        raise InvalidBulk(_("The list was deleted meanwhile."))
    (adding.add if job.verb == Verb.LIST else adding.remove)(job.into, ids, by=job.by)
    return adding.seen_by(job.by, job.into).filter(rows.among(ids)).values_list("pk", flat=True)


def _check_list(into: RecordList | None, kind: Kind, by: Membership) -> None:
    is_right = into is not None and not into.is_filtered and into.account_id == by.account_id
    if into is None or not is_right or into.kind != kind.key or into.deleted_at is not None:
        raise InvalidBulk(_("Choose a static list of these records."))
    if not making.may_edit(into, by):
        raise making.MayNotEditList


def _do(job: BulkJob, record: Record | None) -> tuple[str, str]:
    """One record, one outcome."""
    if record is None:
        return BulkOutcome.NOT_THERE, ""
    try:
        with transaction.atomic():
            if job.verb == Verb.DELETE:
                records.delete(record, by=job.by)
            else:
                records.assign(record, to=job.to, by=job.by)
    except DomainError as error:
        lines = [line for several in error.fields.values() for line in several]
        return BulkOutcome.REFUSED, " ".join(lines or [str(error)])[:300]
    return BulkOutcome.DONE, ""


def _wake() -> None:
    from crm.tasks import carry_bulk  # domain modules know no Celery
    from notifications.tasks import wake

    wake(carry_bulk)
