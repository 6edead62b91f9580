"""Records that belong together: symmetric, any kinds."""

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from accounts.errors import DomainError
from accounts.models import Membership
from crm import paths, permissions, telling, timeline
from crm.errors import RecordInBin
from crm.models import Association, Record, Source
from crm.models.records import RecordQuerySet
from notifications.types import general


class CannotAssociate(DomainError):
    code = "cannot_associate"
    status = 422


@transaction.atomic
def associate(
    record: Record, other: Record, *, by: Membership | None, source: Source = Source.PAGE
) -> tuple[Association, bool]:
    """Say that two records belong together, and tell who owns or follows either (N-107). Twice is once: (row, made)."""
    if record.account_id != other.account_id or record.pk == other.pk:
        raise CannotAssociate(_("Choose another record of this account."))
    low, high = sorted(
        Record.objects.select_for_update(of=("self",), no_key=True)
        .filter(pk__in=[record.pk, other.pk])
        .select_related("account")
        .order_by("pk"),
        key=lambda one: one.pk,
    )
    if low.is_deleted or high.is_deleted:
        raise RecordInBin
    row, made = Association.objects.get_or_create(low=low, high=high, defaults={"by": by})
    if made:
        _write("associated", low, high, by=by, source=source)
        _tell(row, low, high, by=by)
    return row, made


@transaction.atomic
def separate(record: Record, other: Record, *, by: Membership | None, source: Source = Source.PAGE) -> bool:
    """Say that two records do not belong together any more. Returns whether they did."""
    low, high = sorted((record, other), key=lambda one: one.pk)
    gone, _rows = Association.objects.filter(low=low, high=high).delete()
    if gone:
        _write("separated", low, high, by=by, source=source)
    return bool(gone)


def associated_with(record: Record, member: Membership) -> RecordQuerySet:
    """The records that belong to this one and that the member may see."""
    return Record.objects.live().visible_to(member).filter(is_with(record))


def is_with(record: Record) -> Q:
    higher: QuerySet[Association] = Association.objects.filter(low=record)
    lower: QuerySet[Association] = Association.objects.filter(high=record)
    return Q(pk__in=higher.values("high")) | Q(pk__in=lower.values("low"))


def _write(what: str, low: Record, high: Record, *, by: Membership | None, source: Source) -> None:
    for one, other in ((low, high), (high, low)):
        facts = {"id": other.pk, "kind": other.kind, "title": other.title}
        lines = (None, facts) if what == "associated" else (facts, None)
        timeline.write(one, {what: lines}, by=by, source=source)


def _tell(row: Association, low: Record, high: Record, *, by: Membership | None) -> None:
    """Who owns or follows both hears once. Nobody hears the title of a record that they may not see."""
    told: set[int] = set()
    for one, other in ((low, high), (high, low)):
        people = [who for who in telling.owner_and_followers(one) if who.pk not in told]
        told |= {who.pk for who in people}
        telling.tell(
            general.RECORD_ASSOCIATED,
            about=one,
            to=permissions.who_may_see(other, people),
            by=by,
            data={
                "actor": telling.actor(by),
                "record": one.title,
                "other": other.title,
                "url": paths.record(one),
            },
            key=f"crm.associated:{row.pk}:{one.pk}",
        )
