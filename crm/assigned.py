"""What a member was assigned, and of each whether they were told, or why not (D9): read back, not guessed."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet
from django.utils import formats, timezone
from django.utils.translation import gettext as _

from accounts.models import Membership
from crm import paths, schema
from crm.models import Assignment, AssignmentOutcome, Record
from notifications.models import Event


@dataclass(frozen=True)
class Line:
    """One assignment. A record that the member may not see has no name here."""

    row: Assignment
    title: str
    url: str
    kind: str
    sentence: str
    event_id: int | None  # what told it

    @property
    def is_told(self) -> bool:
        return self.row.outcome == AssignmentOutcome.TOLD

    @property
    def is_waiting(self) -> bool:
        return self.row.outcome == AssignmentOutcome.WAITING


def of(
    member: Membership, *, record: int | None = None, since: datetime | None = None, untold: bool = False
) -> QuerySet[Assignment]:
    """A member's assignments, newest first: of one record, since a moment, or only those that were not told."""
    rows = Assignment.objects.filter(recipient=member).select_related("record__account", "by__user", "window")
    if record is not None:
        rows = rows.filter(record=record)
    if since is not None:
        rows = rows.filter(at__gte=since)
    if untold:
        rows = rows.exclude(outcome__in=[AssignmentOutcome.TOLD, AssignmentOutcome.WAITING])
    return rows.order_by("-pk")


def lines(member: Membership, rows: Iterable[Assignment]) -> list[Line]:
    """These in words, in the language that is set. Three queries, however many."""
    found = list(rows)
    kinds = schema.of(member.account)
    seen = set(
        Record.objects.of(member.account)
        .visible_to(member)
        .filter(pk__in={row.record_id for row in found})
        .values_list("pk", flat=True)
    )
    events = _events(member, found)
    return [
        Line(
            row,
            title=row.record.title if row.record_id in seen else "",
            url=paths.record(row.record) if row.record_id in seen and not row.record.is_deleted else "",
            kind=str(kinds[row.record.kind].label) if row.record.kind in kinds else "",
            sentence=_sentence(row),
            event_id=events.get(row.window_id) if row.outcome == AssignmentOutcome.TOLD else None,
        )
        for row in found
    ]


def _events(member: Membership, rows: Iterable[Assignment]) -> Mapping[int | None, int]:
    """The event that told each window, by the window's id."""
    keys = {paths.assigned_key(row.window_id): row.window_id for row in rows if row.window_id}
    told = Event.objects.filter(account=member.account_id, key__in=keys).values_list("key", "pk")
    return {keys[key]: pk for key, pk in told if key}


def _sentence(row: Assignment) -> str:
    """What became of it, to the member."""
    outcome = AssignmentOutcome(row.outcome)
    if outcome == AssignmentOutcome.TOLD:
        return _("You were told.")
    if outcome == AssignmentOutcome.WAITING and row.window:
        when = formats.date_format(timezone.localtime(row.window.due_at), "TIME_FORMAT")
        return _("You will be told at %(when)s, if it still holds then.") % {"when": when}
    return _("Not told: %(why)s.") % {"why": outcome.label}
