"""What happens to records is followed by others: lists, workflows, webhooks. An outbox in rows.

`note` writes a row in the change's own transaction, if anybody listens. `step` reads the rows, account by account, in
their order; the row and all that follows from it are settled in one transaction, so nothing is followed twice or lost.
"""

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import timedelta
from functools import cache
from typing import Any, Protocol, runtime_checkable

from django.db import connection, transaction
from django.db.models import Exists, Q, QuerySet
from django.utils import timezone

from accounts.models import Account, Membership
from crm.models import Happening, Record, Source, What

IN_A_BATCH = 100
AGAIN = timedelta(minutes=1)  # what fails waits, so that it does not stand in front of the others
LOCK = 0x6265_0001  # one worker at a time follows an account
OWN = {What.CREATED, What.DELETED, What.RESTORED, What.MERGED, What.ASSOCIATED, What.SEPARATED}
THE_ACCOUNT, THE_KIND = -1, "\0kind"  # in a question that is put together once they stand for those asked about

log = logging.getLogger(__name__)
_depth = ContextVar("depth of workflows", default=0)


class Listener(Protocol):
    """A module that follows what happens to records. Listed in `crm.listeners`."""

    def listens(self, account_id: int, kind: str) -> QuerySet[Any]:
        """Rows that exist only where somebody wants to hear of a kind. Put together once: filter by both, no more."""

    def heard(self, account: Account, batch: Sequence[Happening]) -> None:
        """Write what follows from these, oldest first, in the caller's transaction. No network, few queries."""


@runtime_checkable
class ListListener(Protocol):
    """A listener that says more closely whether it awaits who joins a list: a list may fill with millions at once."""

    def listens_to_list(self, account_id: int, list_id: int) -> QuerySet[Any]:
        """Rows that exist only where somebody wants to hear who joins this list."""


def note(
    record: Record,
    lines: Mapping[str, tuple[Any, Any]],
    *,
    by: Membership | None,
    source: Source,
    what: What | None = None,
) -> None:
    """Remember what happened to a record, in the caller's transaction. Nobody listens: nothing is written."""
    if not lines or not anybody_listens(record.account_id, record.kind):
        return
    special = next((one for one in OWN if one in lines), None)
    Happening.objects.create(
        account_id=record.account_id,
        record=record,
        kind=record.kind,
        what=what or special or What.CHANGED,
        lines={key: list(value) for key, value in lines.items()},
        version=record.version,
        by=by,
        source=source,
        depth=_depth.get(),
    )
    transaction.on_commit(_wake, robust=True)


def note_joined(
    account_id: int,
    kind: str,
    list_id: int,
    records: Sequence[int],
    *,
    by: Membership | None,
    source: Source,
    depths: Mapping[int, int],
) -> None:
    """Remember that records joined a list, in the caller's transaction. Nobody awaits that: nothing is written.

    `depths`: how deep in a chain of workflows the change stands that let a record join; zero unless said.
    """
    if not records or not _anybody_awaits(account_id, kind, list_id):
        return
    versions = Record.objects.filter(pk__in=records).order_by("pk").values_list("pk", "version")
    Happening.objects.bulk_create(
        Happening(
            account_id=account_id,
            record_id=pk,
            kind=kind,
            what=What.JOINED,
            lines={"list": [None, list_id]},
            version=version,
            by=by,
            source=source,
            depth=max(depths.get(pk, 0), _depth.get()),
        )
        for pk, version in versions
    )
    transaction.on_commit(_wake, robust=True)


def _anybody_awaits(account_id: int, kind: str, list_id: int) -> bool:
    """Whether anybody wants to hear who joins this list. At most one query."""
    from crm import listeners

    condition = Q()
    for one in listeners.ALL:
        rows = (
            one.listens_to_list(account_id, list_id) if isinstance(one, ListListener) else one.listens(account_id, kind)
        )
        condition |= Q(Exists(rows))
    return bool(listeners.ALL) and Account.objects.filter(condition, pk=account_id).exists()


def anybody_listens(account_id: int, kind: str) -> bool:
    """Whether anybody follows this kind of record. At most one query."""
    from crm import listeners  # late: they change records themselves

    if not listeners.ALL:
        return False
    sql, params = _question(listeners.ALL)
    with connection.cursor() as cursor:
        cursor.execute(sql, [_filled(one, account_id, kind) for one in params])
        return cursor.fetchone() is not None


@cache
def _question(listening: tuple[Listener, ...]) -> tuple[str, tuple[Any, ...]]:
    """What is asked at every write, as SQL. To put it together takes ten times as long as to ask it."""
    condition = Q()
    for one in listening:
        condition |= Q(Exists(one.listens(THE_ACCOUNT, THE_KIND)))
    return Account.objects.filter(condition, pk=THE_ACCOUNT).values("pk").query.sql_with_params()


def _filled(value: Any, account_id: int, kind: str) -> Any:
    """A parameter of the question, for one account and kind."""
    if isinstance(value, list):
        return [_filled(one, account_id, kind) for one in value]
    return account_id if value == THE_ACCOUNT else kind if value == THE_KIND else value


@contextmanager
def caused_by_workflow(depth: int) -> Iterator[None]:
    """What happens within is the work of a workflow that itself stands so deep in a chain of workflows."""
    token = _depth.set(depth)
    try:
        yield
    finally:
        _depth.reset(token)


def step() -> bool:
    """Follow a batch of each account in which something happened. False: nothing is left, or others are at it."""
    return sum(_follow(account) for account in _waiting()) > 0


def _waiting() -> list[int]:
    """The accounts in which something waits to be followed; each costs one look into the index."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH RECURSIVE turn AS (
                (SELECT account_id FROM crm_happening ORDER BY account_id LIMIT 1)
                UNION ALL
                SELECT (SELECT account_id FROM crm_happening WHERE account_id > turn.account_id
                        ORDER BY account_id LIMIT 1)
                FROM turn WHERE turn.account_id IS NOT NULL
            )
            SELECT account_id FROM turn WHERE account_id IS NOT NULL
            """
        )
        return [row[0] for row in cursor.fetchall()]


def _follow(account_id: int) -> bool:
    """Follow the next batch of an account; what cannot be followed is put aside for a minute, alone."""
    with transaction.atomic():
        if not _is_mine(account_id):
            return False
        account = Account.objects.get(pk=account_id)
        due = Q(again_at=None) | Q(again_at__lte=timezone.now())
        rows = Happening.objects.filter(due, account=account_id).select_related("by__user")
        batch = list(rows.order_by("pk")[:IN_A_BATCH])
        if not batch:
            return False
        if not _heard(account, batch):
            for one in batch:
                if not _heard(account, [one]):
                    Happening.objects.filter(pk=one.pk).update(again_at=timezone.now() + AGAIN)
        return True


def _heard(account: Account, batch: Sequence[Happening]) -> bool:
    """Let all listeners write what follows, and forget the rows. False: none of it was written."""
    from crm import listeners

    try:
        with transaction.atomic():
            for listener in listeners.ALL:
                listener.heard(account, batch)
            Happening.objects.filter(pk__in=[one.pk for one in batch]).delete()
    except Exception:
        log.exception("What happened to records of the account %s could not be followed", account.pk)
        return False
    return True


def _is_mine(account_id: int) -> bool:
    """Hold an account until the transaction ends, unless another worker does."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s, %s)", [LOCK, account_id])
        return bool(cursor.fetchone()[0])


def _wake() -> None:
    from crm.tasks import follow  # domain modules know no Celery
    from notifications.tasks import wake

    wake(follow)
