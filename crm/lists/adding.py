"""Putting records into static lists and taking them out, by hand."""

from collections.abc import Sequence

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import Membership
from crm import permissions
from crm.lists import making, rows
from crm.lists.making import InvalidList
from crm.models import Record, RecordList, Source
from crm.models.records import RecordQuerySet


@transaction.atomic
def add(one: RecordList, ids: Sequence[int], *, by: Membership | None, source: Source = Source.PAGE) -> int:
    """Put records into a static list; returns how many were not in it yet. Twice is once.

    Those of another kind, in the bin, or that the member may not see are left out. Refuses filtered lists, and who may
    not change the list.
    """
    one = _static(one, by)
    return rows.put(one, seen_by(by, one).filter(rows.among(ids)), by=by, source=source)


@transaction.atomic
def remove(one: RecordList, ids: Sequence[int], *, by: Membership | None) -> int:
    """Take records out of a static list; returns how many were in it. Twice is once. Refuses as `add` does."""
    one = _static(one, by)
    mine = seen_by(by, one).filter(rows.among(ids)).values_list("pk", flat=True)
    return rows.take_out(one, list(mine))


def seen_by(member: Membership | None, one: RecordList) -> RecordQuerySet:
    """The live records of a list's kind that a member may see; a program sees all."""
    live = Record.objects.live()
    if member is None:
        return live.filter(account=one.account_id, kind=one.kind)
    return live.filter(permissions.within_kind(member, one.kind))


def _static(one: RecordList, by: Membership | None) -> RecordList:
    rows.hold(one.account_id)  # before the list's row, as everybody who changes who is in a list
    one = making.locked(one, by=by)
    if one.is_filtered:
        raise InvalidList(_("Who is in a filtered list follows from its conditions. Change these instead."))
    return one
