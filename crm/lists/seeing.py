"""What a member may see of lists: their names are everybody's, of their records each sees those that they may see."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from django.db.models import Exists, OuterRef

from accounts.models import Membership
from crm import browsing, filtering, permissions
from crm.filtering import Condition
from crm.kinds import Kind
from crm.models import ListMember, Reach, Record, RecordList
from crm.models.records import RecordQuerySet

MOST_COUNTED = browsing.MOST_COUNTED
PATIENCE = 2_000  # milliseconds, for looking ahead


@dataclass(frozen=True)
class Count:
    """So many records that somebody may see. `is_more`: there are more than were counted."""

    number: int
    is_more: bool = False


def within(one: RecordList) -> RecordQuerySet:
    """The records of a list that are not in the bin."""
    there = ListMember.objects.filter(list=one.pk, record=OuterRef("pk"), is_live=True)
    return Record.objects.live().filter(Exists(there), account=one.account_id, kind=one.kind)


def counter(member: Membership | None) -> Callable[[RecordList], Count]:
    """Says how many records of a list a member may see; a program sees all.

    Who sees all records of a kind gets the number that is kept; others get theirs counted, to a thousand: a query each.
    """
    reaches: dict[str, Reach] = {}

    def count(one: RecordList) -> Count:
        if one.kind not in reaches:
            reaches[one.kind] = _reach(member, one.kind)
        return Count(one.members) if member is None or reaches[one.kind] == Reach.ALL else _counted(one, member)

    return count


def count_exactly(one: RecordList, member: Membership) -> int:
    """The same without an end; for the background."""
    if _reach(member, one.kind) == Reach.ALL:
        return one.members
    return within(one).filter(permissions.within_kind(member, one.kind)).count()


def would_match(kind: Kind, given: Sequence[Condition], member: Membership) -> Count:
    """How many records that the member may see match now. Refuses with `TooSlow` what takes over two seconds."""
    rows = Record.objects.live().filter(permissions.within_kind(member, kind.key))
    rows = filtering.narrowed(rows, kind, given, zone=member.zone)
    with browsing.patience(PATIENCE):
        return _up_to_a_thousand(rows)


def of_record(record: Record) -> list[RecordList]:
    """The lists that a record is in, by name. One query."""
    rows = RecordList.objects.live().filter(account=record.account_id, rows__record=record.pk, rows__is_live=True)
    return list(rows.order_by("name"))


def _reach(member: Membership | None, kind: str) -> Reach:
    return permissions.reach_of(member, kind)[0] if member else Reach.ALL


def _counted(one: RecordList, member: Membership) -> Count:
    return _up_to_a_thousand(within(one).filter(permissions.within_kind(member, one.kind)))


def _up_to_a_thousand(rows: RecordQuerySet) -> Count:
    number = rows.order_by().values("pk")[: MOST_COUNTED + 1].count()
    return Count(min(number, MOST_COUNTED), is_more=number > MOST_COUNTED)
