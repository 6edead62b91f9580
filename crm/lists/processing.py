"""Filling filtered lists in the background, some thousands of records at a time, and erasing deleted lists.

How far a list is stands on its row and moves in the transaction that writes its rows: a worker that is killed loses one
piece, and whoever comes next goes on. Accounts take turns, and so do the lists of an account. What a list held stays in
it until its records were looked at again, so a list that is changed is never empty in between.
"""

import logging
from datetime import timedelta

from django.db import connection, transaction
from django.db.models import Max, Q
from django.utils import timezone, translation

from accounts.errors import DomainError
from crm import paths, schema
from crm.listing import row_compared
from crm.lists import rows, seeing
from crm.lists.making import SETTLED
from crm.models import ListMember, ListState, Record, RecordList
from notifications import events, types

AT_ONCE = 5_000
MOST_ATTEMPTS = 5
MARGIN = timedelta(minutes=1)
WORK = 0x6265_0003  # one worker at a time processes the lists of an account

log = logging.getLogger(__name__)


def step() -> bool:
    """Do a piece of work for the account that waited longest. False: nothing is left, or others are at all of it."""
    return any(_serve(account_id) for account_id in _waiting())


def look_again() -> int:
    """Judge once more, a minute after a list was made, what was written in the minutes around: returns how many lists.

    A transaction that was open when the list was made did not know of it, so nobody follows what it wrote.
    """
    looked = 0
    for pk in list(RecordList.objects.filter(look_again_at__lte=timezone.now()).values_list("pk", flat=True)[:50]):
        with transaction.atomic():
            looked += _look_again(pk)
    return looked


def _waiting() -> list[int]:
    """The accounts with lists to process, the longest unserved first."""
    accounts = RecordList.objects.to_process().values("account")
    served = RecordList.objects.filter(account__in=accounts).values_list("account").annotate(at=Max("touched_at"))
    return [account for account, _at in served.order_by("at")]


def _serve(account_id: int) -> bool:
    with transaction.atomic():
        if not _is_mine(account_id):
            return False
        rows.hold(account_id)  # before the list's row, as everybody who changes who is in a list
        found = RecordList.objects.to_process().filter(account=account_id)
        locked = found.select_for_update(of=("self",), no_key=True).select_related("account", "asked_by__user")
        one = locked.order_by("touched_at", "pk").first()
        if one is None:
            return False
        one.touched_at = timezone.now()
        if one.deleted_at is not None:
            _erase_some(one)
        else:
            _try(one)
        return True


def _try(one: RecordList) -> None:
    """A piece of a round. What the conditions do not allow fails at once; anything else after some attempts."""
    try:
        with transaction.atomic():
            _advance(one)
            one.attempts = 0
    except DomainError as error:
        lines = [line for several in error.fields.values() for line in several]
        fail(one, " ".join([str(error), *lines]))
    except Exception:
        log.exception("Processing the list %s stumbled; it is tried again after the others", one.pk)
        one.refresh_from_db(fields=["cursor_at", "cursor_id", "looked_at", "to_look_at", "state"])
        one.attempts += 1
        if one.attempts >= MOST_ATTEMPTS:
            fail(one, "")
    names = ("touched_at", "cursor_at", "cursor_id", "looked_at", "to_look_at", "attempts", "state", "problem")
    one.save(update_fields=names)


def fail(one: RecordList, problem: str) -> None:
    """Leave a list as it is until somebody changes its conditions or asks again. Does not save."""
    one.state, one.problem = ListState.FAILED, problem[:500]


def _advance(one: RecordList) -> None:
    """Look at the next records; after the last one the list is ready."""
    kind = schema.kind_of(one.account, one.kind)
    live = Record.objects.live().filter(account=one.account_id, kind=one.kind)
    if one.to_look_at is None:
        one.to_look_at = live.count()
    if one.cursor_at is not None:
        live = live.filter(row_compared("created_at", ">", one.cursor_at, one.cursor_id))
    found = list(live.order_by("created_at", "pk").values_list("created_at", "pk")[:AT_ONCE])  # by record_made
    rows.judge(one, kind, [pk for _at, pk in found])
    one.looked_at += len(found)
    if found:
        one.cursor_at, one.cursor_id = found[-1]
    if len(found) < AT_ONCE:
        one.state = ListState.READY
        _tell(one)


def _tell(one: RecordList) -> None:
    """Tell who asked for it that the list is ready, once for each processing (N-111)."""
    member = one.asked_by
    if member is None or not (member.is_active and member.user.is_active):
        return
    one.refresh_from_db(fields=["members"])
    with translation.override(member.spoken_language):
        events.emit(
            types.lists.READY,
            audience=[member],
            account=one.account,
            data={"list": one.name, "members": seeing.count_exactly(one, member), "url": paths.list_(one)},
            key=f"crm.list:{one.pk}:{one.round}",
        )


def _erase_some(one: RecordList) -> None:
    """Erase some rows of a deleted list; after the last ones, the list."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            DELETE FROM crm_listmember WHERE list_id = %s AND record_id IN
            (SELECT record_id FROM crm_listmember WHERE list_id = %s LIMIT %s)
            """,
            [one.pk, one.pk, AT_ONCE],
        )
    if ListMember.objects.filter(list=one).exists():
        one.save(update_fields=["touched_at"])
    else:
        one.delete()


def _look_again(pk: int) -> int:
    account_id = RecordList.objects.filter(pk=pk).values_list("account", flat=True).first()
    if account_id is None:
        return 0
    rows.hold(account_id)
    found = RecordList.objects.live().filter(pk=pk, look_again_at__isnull=False).exclude(state=ListState.FAILED)
    one = found.select_related("account", "asked_by__user").first()
    RecordList.objects.filter(pk=pk).update(look_again_at=None)
    if one is None:
        return 0
    around = Q(updated_at__gte=one.created_at - MARGIN, updated_at__lte=one.created_at + SETTLED)
    live = Record.objects.live().filter(around, account=one.account_id, kind=one.kind)  # by record_changed
    try:
        with transaction.atomic():
            rows.judge(one, schema.kind_of(one.account, one.kind), list(live.values_list("pk", flat=True)))
    except DomainError as error:
        fail(one, str(error))
        one.save(update_fields=["state", "problem"])
    return 1


def _is_mine(account_id: int) -> bool:
    """Be the one worker for an account's lists until the transaction ends, unless another one is."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s, %s)", [WORK, account_id])
        return bool(cursor.fetchone()[0])
