"""Keeping lists right when records change: a listener of `crm.listeners`, some records at a time."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from accounts.errors import DomainError
from accounts.models import Account
from crm import conditions, schema
from crm.lists import processing, rows
from crm.models import Happening, ListState, Record, RecordList, What

IGNORED = {What.JOINED, What.SUBMITTED, What.ASSOCIATED, What.SEPARATED}  # no condition speaks of these


def listens(account_id: int, kind: str) -> QuerySet[Any]:
    """Lists of this kind."""
    return RecordList.objects.live().filter(account=account_id, kind=kind)


def listens_to_list(_account_id: int, _list_id: int) -> QuerySet[Any]:
    """Lists do not depend on each other."""
    return RecordList.objects.none()


def heard(account: Account, batch: Sequence[Happening]) -> None:
    """Judge the records of these happenings as they are now: they join and leave. A few statements per list."""
    by_kind: dict[str, list[Happening]] = {}
    for one in batch:
        if one.what not in IGNORED:
            by_kind.setdefault(one.kind, []).append(one)
    if not by_kind:
        return
    rows.hold(account.pk)
    for kind, happenings in by_kind.items():
        lists = list(listens(account.pk, kind).exclude(state=ListState.FAILED))
        for one in lists:
            one.account = account
        _follow_static({one.pk: one for one in lists if not one.is_filtered}, happenings)
        _follow_filtered([one for one in lists if one.is_filtered], happenings)


def _follow_filtered(lists: Sequence[RecordList], happenings: Sequence[Happening]) -> None:
    for one in lists:
        names = {given.property for given in conditions.from_json(one.conditions)}
        depths: dict[int, int] = {}
        for happening in happenings:
            if happening.what != What.CHANGED or names & set(happening.lines):
                depths[happening.record_id] = max(happening.depth, depths.get(happening.record_id, 0))
        if depths:
            _judge(one, depths)


def _judge(one: RecordList, depths: Mapping[int, int]) -> None:
    try:
        with transaction.atomic():
            rows.judge(one, schema.kind_of(one.account, one.kind), sorted(depths), depths=depths)
    except DomainError as error:  # a property that its conditions name is gone
        processing.fail(one, str(error))
        one.save(update_fields=["state", "problem"])


def _follow_static(lists: Mapping[int, RecordList], happenings: Sequence[Happening]) -> None:
    """Records of static lists go into the bin and come back; one that was merged leaves its places to the other."""
    ids = {one.record_id for one in happenings if one.what in (What.DELETED, What.RESTORED, What.MERGED)}
    if not lists or not ids:
        return
    merged = list(Record.objects.filter(pk__in=ids, merged_into__isnull=False).values_list("pk", flat=True))
    if merged:
        rows.take_over(lists, merged)
    rows.wait_in_bin(lists, sorted(ids))
