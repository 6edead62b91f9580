"""The rows of lists: every change of who is in a list, set by set, with the count and the news that follow from it.

Whoever changes rows holds the account's lists (`hold`) first: so a record that changes while a list is being processed
is judged before or after, never with a look that is already old, and counts are exact.
"""

import zoneinfo
from collections.abc import Mapping, Sequence
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db import connection
from django.db.models import BigIntegerField, BooleanField, F, Func, Q, QuerySet, Value
from django.utils import timezone

from accounts.models import Membership
from crm import conditions, filtering, happenings
from crm.kinds import Kind
from crm.models import ListMember, Record, RecordList, Source
from crm.models.records import RecordQuerySet

UTC = zoneinfo.ZoneInfo("UTC")
LOCK = 0x6265_0002  # one transaction at a time changes who is in the lists of an account


def hold(account_id: int) -> None:
    """Wait for whoever changes the lists of this account, and keep others waiting until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [LOCK, account_id])


class _AnyOf(Func):
    template = "%(expressions)s)"
    arg_joiner = " = ANY("
    output_field = BooleanField()


def among(ids: Sequence[int]) -> Q:
    """Records with these ids, as one value for the database, however many."""
    return Q(_AnyOf(F("id"), Value(list(ids), output_field=ArrayField(BigIntegerField()))))


def matching(one: RecordList, kind: Kind) -> RecordQuerySet:
    """The records that the conditions of a filtered list name. Refuses conditions that make no sense any more."""
    rows = Record.objects.live().filter(account=one.account_id, kind=one.kind)
    given = conditions.from_json(one.conditions)
    return filtering.narrowed(rows, kind, given, zone=UTC)  # what is kept has its zone


def judge(one: RecordList, kind: Kind, ids: Sequence[int], *, depths: Mapping[int, int] | None = None) -> None:
    """Let those of these records that match be in a filtered list, and no others of them. One statement.

    `depths`: how deep in a chain of workflows the change of a record stands.
    """
    if not ids:
        return
    sql, params = matching(one, kind).filter(among(ids)).values("pk").query.sql_with_params()
    came, gone = _run(
        f"""
        WITH fits (id) AS MATERIALIZED ({sql}),
        gone AS (
            DELETE FROM crm_listmember WHERE list_id = %s AND record_id = ANY(%s)
            AND record_id NOT IN (SELECT id FROM fits) RETURNING record_id
        ),
        came AS (
            INSERT INTO crm_listmember (list_id, record_id, joined_at, is_live)
            SELECT %s, id, %s, true FROM fits ORDER BY id ON CONFLICT DO NOTHING RETURNING record_id
        )
        SELECT (SELECT coalesce(array_agg(record_id), '{{}}') FROM came), (SELECT count(*) FROM gone)
        """,
        [*params, one.pk, list(ids), one.pk, timezone.now()],
    )
    _settle(one, came, -int(gone), by=None, source=Source.SYSTEM, depths=depths)


def put(one: RecordList, found: QuerySet[Record], *, by: Membership | None, source: Source) -> int:
    """Put records into a static list; returns how many were not in it. One statement."""
    sql, params = found.order_by().values("pk").query.sql_with_params()
    (came,) = _run(
        f"""
        WITH came AS (
            INSERT INTO crm_listmember (list_id, record_id, joined_at, is_live)
            SELECT %s, id, %s, true FROM ({sql}) given (id) ORDER BY id ON CONFLICT DO NOTHING RETURNING record_id
        )
        SELECT coalesce(array_agg(record_id), '{{}}') FROM came
        """,
        [one.pk, timezone.now(), *params],
    )
    _settle(one, came, 0, by=by, source=source)
    return len(came)


def take_out(one: RecordList, ids: Sequence[int]) -> int:
    """Take records out of a static list; returns how many were in it."""
    gone, _by_model = ListMember.objects.filter(list=one, record__in=ids, is_live=True).delete()
    _settle(one, [], -gone, by=None, source=Source.SYSTEM)
    return gone


def wait_in_bin(lists: Mapping[int, RecordList], ids: Sequence[int]) -> None:
    """Let the rows of static lists follow records into the bin and out of it. One statement, and one per list."""
    rows = _all(
        """
        UPDATE crm_listmember m SET is_live = (r.deleted_at IS NULL) FROM crm_record r
        WHERE r.id = m.record_id AND m.record_id = ANY(%s) AND m.list_id = ANY(%s)
        AND m.is_live <> (r.deleted_at IS NULL) RETURNING m.list_id, m.is_live
        """,
        [list(ids), list(lists)],
    )
    for pk in {row[0] for row in rows}:
        change = sum(1 if is_live else -1 for list_id, is_live in rows if list_id == pk)
        _settle(lists[pk], [], change, by=None, source=Source.SYSTEM)


def take_over(lists: Mapping[int, RecordList], merged: Sequence[int]) -> None:
    """Let the records that these were merged into be in their static lists instead. Two statements, one per list."""
    rows = _all(
        """
        INSERT INTO crm_listmember (list_id, record_id, joined_at, is_live)
        SELECT DISTINCT m.list_id, kept.id, %s::timestamptz, true FROM crm_listmember m
        JOIN crm_record other ON other.id = m.record_id
        JOIN crm_record kept ON kept.id = other.merged_into_id AND kept.deleted_at IS NULL
        WHERE m.record_id = ANY(%s) AND m.list_id = ANY(%s) ON CONFLICT DO NOTHING RETURNING list_id, record_id
        """,
        [timezone.now(), list(merged), list(lists)],
    )
    for pk in {row[0] for row in rows}:
        came = [record_id for list_id, record_id in rows if list_id == pk]
        _settle(lists[pk], came, 0, by=None, source=Source.SYSTEM)
    wait_in_bin(lists, merged)
    ListMember.objects.filter(record__in=merged, list__in=list(lists), is_live=False).delete()


def _settle(
    one: RecordList,
    came: Sequence[int],
    others: int,
    *,
    by: Membership | None,
    source: Source,
    depths: Mapping[int, int] | None = None,
) -> None:
    """Count who came and went, and tell who listens."""
    if change := len(came) + others:
        RecordList.objects.filter(pk=one.pk).update(members=F("members") + change)
    happenings.note_joined(one.account_id, one.kind, one.pk, came, by=by, source=source, depths=depths or {})


def _run(sql: str, params: Sequence[Any]) -> tuple[Any, ...]:
    return _all(sql, params)[0]


def _all(sql: str, params: Sequence[Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return list(cursor.fetchall())
