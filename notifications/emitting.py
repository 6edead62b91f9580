"""Asking for many things at once: all of a batch is taken, or nothing."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from accounts.errors import DomainError
from accounts.models import Account, Membership
from notifications import events
from notifications.events import Audience
from notifications.models import Event

MOST = 500


class InvalidBatch(DomainError):
    """Nothing of the batch was taken. `fields` names each wrong part as `events[3].data.deal`."""

    code = "invalid_batch"
    status = 422


@dataclass(frozen=True)
class Draft:
    """One event of a batch, as `events.emit` takes it."""

    type: str
    audience: Audience
    data: Mapping[str, Any]
    by: Membership | None = None
    key: str | None = None
    occurred_at: datetime | None = None


def emit_many(account: Account, drafts: Sequence[Draft]) -> list[Event]:
    """Record many events in one transaction, in few statements; returns them in the order of the drafts.

    Keys work as for `events.emit`; within a batch each stands only once. If anything in it is refused, nothing is
    written and `InvalidBatch` names every problem.
    """
    try:
        return _write(account, drafts)
    except IntegrityError:  # somebody else used one of the keys in between: now it is there to be found
        return _write(account, drafts)


@transaction.atomic
def _write(account: Account, drafts: Sequence[Draft]) -> list[Event]:
    known = events.known_in(account, [draft.audience for draft in drafts])
    used = {draft.key for draft in drafts if draft.key}
    before = {row.key: row for row in Event.objects.filter(account=account, key__in=used)} if used else {}
    times = Counter(draft.key for draft in drafts)
    problems: dict[str, list[str]] = {}
    settled: list[Event] = []
    fresh: list[Event] = []
    for index, draft in enumerate(drafts):
        try:
            row = events.drafted(
                draft.type,
                audience=draft.audience,
                data=draft.data,
                account=account,
                known=known,
                by=draft.by,
                key=draft.key,
                occurred_at=draft.occurred_at,
            )
            if row.key and times[row.key] > 1:
                raise InvalidBatch(_("Twice."), fields={"key": [_("This key stands in the batch more than once.")]})
            if first := before.get(row.key):
                settled.append(events.replayed(first, row))
            else:
                settled.append(row)
                fresh.append(row)
        except DomainError as error:
            lines = error.fields or {"": [str(error)]}
            problems |= {f"events[{index}].{name}".rstrip("."): said for name, said in lines.items()}
    if problems:
        raise InvalidBatch(_("Nothing was accepted. Put these right and send the batch again."), fields=problems)
    if fresh:
        Event.objects.bulk_create(fresh)
        events.wake()
    return settled
