"""Making one record out of two."""

from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.errors import DomainError
from accounts.models import Membership
from crm import assigning, records, schema, tasks_due, timeline
from crm.errors import RecordInBin
from crm.kinds import Kind
from crm.models import Activity, Association, Duplicate, Follower, FormSubmission, Record, Source


class CannotMerge(DomainError):
    code = "cannot_merge"
    status = 422


@transaction.atomic
def merge(record: Record, other: Record, *, by: Membership | None, source: Source = Source.PAGE) -> Record:
    """Take another record into this one: what this one lacks, and all activities, associations and followers.

    An open task stays open. The other one is gone for good, and says where it went. Refuses two kinds, and records in
    the bin.
    """
    if record.pk == other.pk or (record.account_id, record.kind) != (other.account_id, other.kind):
        raise CannotMerge(
            _("Choose another record of the same kind."), fields={"other": [_("Choose another record of this kind.")]}
        )
    rows = Record.objects.select_for_update(of=("self",)).select_related("account").order_by("pk")
    both = {row.pk: row for row in rows.filter(pk__in=[record.pk, other.pk])}
    record, other = both[record.pk], both[other.pk]
    if record.is_deleted or other.is_deleted:
        raise RecordInBin
    kind = schema.kind_of(record.account, record.kind)
    lines = _take_over(record, other, kind)
    _end(other, into=record)  # first, so that its address is free
    records.settle(record, kind)
    record.version += 1
    record.updated_at = timezone.now()
    record.save()
    _move_what_hangs_on(other, to=record)
    assigning.carry_over(other, kind, into=record)
    facts = {"id": other.pk, "kind": other.kind, "title": other.title}
    timeline.write(record, {"merged": (None, facts), **lines}, by=by, source=source)
    into = {"id": record.pk, "kind": record.kind, "title": record.title}
    timeline.write(other, {"merged": (None, into)}, by=by, source=source)
    tasks_due.plan(record)
    return record


def _take_over(record: Record, other: Record, kind: Kind) -> dict[str, tuple[Any, Any]]:
    """Put what the record lacks; returns the history's lines of it."""
    lines: dict[str, tuple[Any, Any]] = {}
    for one in kind.properties:
        if one.has_meaning_empty:
            continue
        value = records.current(other, kind, one.key)
        if value is not None and records.current(record, kind, one.key) is None:
            records.put(record, kind, one.key, value)
            lines[one.key] = (None, value)
    return lines


def _end(other: Record, *, into: Record) -> None:
    other.deleted_at, other.merged_into = timezone.now(), into
    other.version += 1
    other.save(update_fields=["deleted_at", "merged_into", "version"])
    Record.objects.filter(merged_into=other.pk).update(merged_into=into)


def _move_what_hangs_on(other: Record, *, to: Record) -> None:
    Activity.objects.filter(record=other).update(record=to)
    FormSubmission.objects.filter(record=other).update(record=to)
    followed = Follower.objects.filter(record=other)
    Follower.objects.bulk_create(
        [Follower(record=to, member_id=row.member_id) for row in followed], ignore_conflicts=True
    )
    followed.delete()
    pairs = list(Association.objects.filter(Q(low=other) | Q(high=other)))
    far = {pair.high_id if pair.low_id == other.pk else pair.low_id: pair for pair in pairs}
    Association.objects.bulk_create(
        [
            Association(low_id=min(to.pk, pk), high_id=max(to.pk, pk), by_id=pair.by_id, created_at=pair.created_at)
            for pk, pair in far.items()
            if pk != to.pk
        ],
        ignore_conflicts=True,
    )
    Association.objects.filter(pk__in=[pair.pk for pair in pairs]).delete()
    Duplicate.objects.filter(Q(low=other) | Q(high=other), settled_at=None).update(settled_at=timezone.now())
