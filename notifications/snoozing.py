"""Putting one notification off: it leaves the bell and comes back at its time, as a new line on top.

What comes back is an event of its own, a copy that goes to the bell, the pop-up, the browser and the phone, never by
mail again. It is written in the transaction that closes the snooze, so it comes back once whoever dies.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.errors import DomainError
from accounts.models import Membership
from notifications import bell, channels, events, layers, quiet, types
from notifications.events import Audience
from notifications.models import BELL, Event, Notification, Snooze

BATCH = 200
MOST = 500  # at once, for one member
BACK = sum(channels.CHANNELS[key].bit for key in ("bell", "popup", "browser", "mobile") if key in channels.CHANNELS)


class NotThere(DomainError):
    """The member has no such notification under the bell, or no such snooze."""

    code = "not_found"
    status = 404


class TooMany(DomainError):
    code = "too_many_snoozes"


@dataclass(frozen=True)
class Undone:
    """What an undo brought back, and whether it is unread again."""

    event_id: int
    is_unread: bool


def of(member: Membership) -> Sequence[Snooze]:
    """A member's open snoozes, the next to come back first."""
    return list(member.snoozes.filter(woken_at=None).select_related("event").order_by("due_at", "pk"))


@transaction.atomic
def snooze(member: Membership, event_id: int, *, until: datetime) -> Snooze:
    """Put a notification off until a moment. Again for the same one: the new moment counts.

    Refuses what is not under the member's bell (`NotThere`), moments that are not to come (`InvalidMoment`), and more
    than 500 at once (`TooMany`).
    """
    quiet.check_moment(until, timezone.now())
    row = bell.of(member).select_for_update(of=("self",)).filter(event_id=event_id).first()
    if row is None:
        raise NotThere(_("There is no such notification under your bell."))
    before = member.snoozes.filter(event_id=event_id, woken_at=None).first()
    if before is not None:
        before.due_at = until
        before.save(update_fields=["due_at"])
        return before
    if member.snoozes.filter(woken_at=None).count() >= MOST:
        raise TooMany(_("At most %(most)d notifications can be snoozed at once.") % {"most": MOST})
    made = Snooze.objects.create(member=member, event_id=event_id, due_at=until, was_read=row.read_at is not None)
    bell.archive(member, [event_id])
    return made


@transaction.atomic
def undo(member: Membership, event_id: int) -> Undone:
    """Take a snooze back: the notification is where it was. Refuses where there is none any more (`NotThere`)."""
    row = member.snoozes.select_for_update().filter(event_id=event_id, woken_at=None).first()
    if row is None:
        raise NotThere(_("This is not snoozed any more."))
    was_read = row.was_read
    bell.unarchive(member, [event_id])
    if not was_read:
        bell.mark_unread(member, [event_id])
    return Undone(event_id, is_unread=not was_read)


@transaction.atomic
def wake_now(member: Membership, event_id: int) -> Snooze:
    """Bring a snoozed notification back at once. Refuses where it is back already (`NotThere`)."""
    row = member.snoozes.select_for_update().filter(event_id=event_id, woken_at=None).first()
    if row is None:
        raise NotThere(_("This is not snoozed any more."))
    _bring_back([row])
    return row


def has_due() -> bool:
    return Snooze.objects.filter(woken_at=None, due_at__lte=timezone.now()).exists()


def run_due(*, limit: int = BATCH) -> int:
    """Bring back all that is due. Safe to run twice and side by side. Returns how many came back."""
    count = 0
    while brought := _run_batch(limit):
        count += brought
    return count


@transaction.atomic
def _run_batch(limit: int) -> int:
    rows = list(
        Snooze.objects.select_for_update(skip_locked=True, of=("self",))
        .filter(woken_at=None, due_at__lte=timezone.now())
        .order_by("due_at", "pk")[:limit]
    )
    if rows:
        _bring_back(rows)
    return len(rows)


def _bring_back(rows: Sequence[Snooze]) -> None:
    """Close snoozes and write what comes back: a copy of each event for that member alone."""
    originals = Event.objects.select_related("account").in_bulk([row.event_id for row in rows])
    now = timezone.now()
    copies = []
    for row in rows:
        row.woken_at = now
        original = originals[row.event_id]
        if original.type in types.TYPES:
            copies.append(_copy(row, original))
        else:  # nothing tells of a type that is gone: then the old line is back
            mine = Notification.objects.filter(member_id=row.member_id, event_id=row.event_id)
            mine.update(archived_at=None, read_at=None)
    for row, made in zip(
        (row for row in rows if originals[row.event_id].type in types.TYPES),
        Event.objects.bulk_create(copies),
        strict=True,
    ):
        row.returned = made
    Snooze.objects.bulk_update(rows, ["woken_at", "returned"])
    events.wake()


def _copy(row: Snooze, original: Event) -> Event:
    said = layers.load_one(original.account, types.TYPES[original.type])
    offered = said.offered & BACK
    said = replace(said, offered=offered, required=(said.required | BELL) & offered)  # they asked for it themselves
    return Event(
        account=original.account,
        type=original.type,
        data=original.data,
        audience=asdict(Audience(members=(row.member_id,))),
        key=f"snooze:{row.pk}",
        occurred_at=original.occurred_at,
        layers=said.as_json(),
    )
