"""Assignments are told after five minutes, together, and only if they still hold (N-082, N-083, D9).

Being named in the owner property or in a custom user property is being assigned (N-070, N-146). The first one opens
a window for its recipient: a row with a due time. When it closes, the present state is read again; what is no longer
true is dropped, each with its reason on its row; what is left becomes one notification.
"""

import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection, transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone, translation
from django.utils.text import get_text_list
from django.utils.translation import gettext as _

from accounts.models import Membership
from crm import paths, schema, telling
from crm.kinds import Kind
from crm.models import Assignment, AssignmentOutcome, AssignmentWindow, Record, RecordView, Source
from notifications import events, preferences, reaching
from notifications.types import general
from notifications.types.base import ASSIGNMENT_WINDOW

MOST_AT_ONCE = 200
AGAIN = timedelta(minutes=1)  # so that what fails does not stand in front of the others

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Facts:
    """All that decides whether one assignment is told."""

    by_oneself: bool = False
    through_api: bool = False
    is_active: bool = True
    is_deleted: bool = False
    is_assignee: bool = True
    is_completed: bool = False
    may_see: bool = True
    was_opened: bool = False


def judged(facts: Facts) -> AssignmentOutcome:
    """Whether an assignment is told, or the first reason why not. The whole of D9 is this table."""
    for applies, outcome in (
        (facts.by_oneself, AssignmentOutcome.SELF),
        (facts.through_api, AssignmentOutcome.THROUGH_API),
        (not facts.is_active, AssignmentOutcome.INACTIVE),
        (facts.is_deleted, AssignmentOutcome.DELETED),
        (not facts.is_assignee, AssignmentOutcome.TAKEN_BACK),
        (facts.is_completed, AssignmentOutcome.COMPLETED),
        (not facts.may_see, AssignmentOutcome.MAY_NOT_SEE),
        (facts.was_opened, AssignmentOutcome.OPENED),
    ):
        if applies:
            return outcome
    return AssignmentOutcome.TOLD


def named(record: Record, kind: Kind) -> dict[str, int]:
    """Who is named where: member ids by property."""
    found = {one.key: record.owner_id if one.column else record.values.get(one.key) for one in kind.people}
    return {key: member for key, member in found.items() if member}


def note(
    record: Record,
    kind: Kind,
    before: Mapping[str, int],
    *,
    by: Membership | None,
    source: Source,
    through_api: bool = False,
) -> None:
    """Remember who was newly named in a record, in the caller's transaction. Whether they hear is decided later."""
    new = {key: member for key, member in named(record, kind).items() if before.get(key) != member}
    for key, member in sorted(new.items(), key=lambda item: item[1]):
        at_once = judged(Facts(by_oneself=by is not None and by.pk == member, through_api=through_api))
        if at_once != AssignmentOutcome.TOLD:
            Assignment.objects.create(
                recipient_id=member, record=record, property=key, by=by, source=source, outcome=at_once
            )
            continue
        Assignment.objects.bulk_create(
            [
                Assignment(
                    window_id=_open_window(member),
                    recipient_id=member,
                    record=record,
                    property=key,
                    by=by,
                    source=source,
                )
            ],
            update_conflicts=True,  # assigned again within the window: the latest counts
            update_fields=["by", "source", "at"],
            unique_fields=["window", "record", "property"],
        )


def carry_over(other: Record, kind: Kind, *, into: Record) -> None:
    """Let what waits to be told of a record that was merged be told of the one it became, where that one names the
    same member. Who opened the merged one knows already; what waits for both is told once.
    """
    touched = AssignmentWindow.objects.filter(closed_at=None, assignments__record=other).values("pk")
    windows = AssignmentWindow.objects.select_for_update(no_key=True).filter(pk__in=touched, closed_at=None)
    held = [window.pk for window in windows.order_by("pk")]  # so that none closes between the merge and its commit
    opened = RecordView.objects.filter(record=other, member=OuterRef("recipient"), last_opened_at__gt=OuterRef("at"))
    stands = Assignment.objects.filter(record=into, window=OuterRef("window"), property=OuterRef("property"))
    waiting = Assignment.objects.filter(record=other, window__in=held).exclude(Exists(opened)).exclude(Exists(stands))
    for key, member in named(into, kind).items():
        waiting.filter(property=key, recipient=member).update(record=into)


def close_due(now: datetime | None = None) -> int:
    """Close the windows whose time has come; returns how many. Safe to run twice and at once."""
    due = AssignmentWindow.objects.filter(closed_at=None, due_at__lte=now or timezone.now())
    closed = 0
    for pk in list(due.order_by("due_at").values_list("pk", flat=True)[:MOST_AT_ONCE]):
        try:
            closed += close(pk, now=now)
        except Exception:
            log.exception("The assignment window %s could not be closed; it is tried again in a minute", pk)
            AssignmentWindow.objects.filter(pk=pk).update(due_at=timezone.now() + AGAIN)
    return closed


@transaction.atomic
def close(pk: int, *, now: datetime | None = None) -> bool:
    """Close one window and tell what is left of it. Somebody else at it, or closed before: nothing, False."""
    window = (
        AssignmentWindow.objects.select_for_update(of=("self",), skip_locked=True)
        .select_related("recipient__user", "recipient__account")
        .filter(pk=pk, closed_at=None, due_at__lte=now or timezone.now())
        .first()
    )
    if window is None:
        return False
    rows = list(
        window.assignments.select_related("record__account", "record__stage", "by__user").order_by("record_id", "-pk")
    )
    _judge(window.recipient, rows)
    _tell(window, rows)
    Assignment.objects.bulk_update(rows, ["outcome"])
    window.closed_at = timezone.now()
    window.save(update_fields=["closed_at"])
    return True


def _judge(recipient: Membership, rows: Sequence[Assignment]) -> None:
    """Write each row's outcome on it. Constant queries, however many rows."""
    kinds = schema.of(recipient.account)
    ids = [row.record_id for row in rows]
    seen = set(
        Record.objects.filter(account=recipient.account_id, pk__in=ids)
        .visible_to(recipient)
        .values_list("pk", flat=True)
    )
    opened = dict(
        RecordView.objects.filter(member=recipient, record__in=ids).values_list("record_id", "last_opened_at")
    )
    for row in rows:
        kind = kinds.get(row.record.kind)
        row.outcome = judged(
            Facts(
                is_active=recipient.is_active and recipient.user.is_active,
                is_deleted=row.record.is_deleted,
                is_assignee=kind is not None and named(row.record, kind).get(row.property) == recipient.pk,
                is_completed=row.record.completed_at is not None,
                may_see=row.record_id in seen,
                was_opened=row.record_id in opened and opened[row.record_id] > row.at,
            )
        )


def _tell(window: AssignmentWindow, rows: Sequence[Assignment]) -> None:
    """One event for what is left: in its kind's own words for one record, counted by kind for several."""
    recipient = window.recipient
    kinds = schema.of(recipient.account)
    left = {row.record_id: row for row in rows if row.outcome == AssignmentOutcome.TOLD}
    if len(left) > 1:
        off = _turned_off(recipient, {kinds[row.record.kind] for row in left.values()})
        for row in rows:
            if row.outcome == AssignmentOutcome.TOLD and row.record.kind in off:
                row.outcome = AssignmentOutcome.TURNED_OFF
        left = {pk: row for pk, row in left.items() if row.record.kind not in off}
    if not left:
        return
    actors = {row.by for row in left.values()}
    with translation.override(recipient.spoken_language), timezone.override(recipient.zone):
        if len(left) == 1:
            (row,) = left.values()
            kind = kinds[row.record.kind]
            type_, data = (
                kind.told.assigned,
                {
                    "actor": telling.actor(row.by),
                    kind.told.word: row.record.title,
                    **kind.facts(row.record),
                    "url": paths.record(row.record),
                },
            )
        else:
            type_, data = (
                general.RECORDS_ASSIGNED,
                {
                    "records": counted(Counter(row.record.kind for row in left.values()), kinds),
                    "url": paths.assigned(window),
                },
            )
    events.emit(
        type_,
        audience=[recipient],
        account=recipient.account,
        by=actors.pop() if len(actors) == 1 else None,
        data=data,
        key=paths.assigned_key(window.pk),
    )


def counted(numbers: Mapping[str, int], kinds: Mapping[str, Kind]) -> str:
    """ "2 contacts and 5 tasks", in the language that is set, in the order of the kinds."""
    return get_text_list([kind.count(numbers[key]) for key, kind in kinds.items() if numbers.get(key)], _("and"))


def _turned_off(recipient: Membership, kinds: set[Kind]) -> set[str]:
    """The kinds whose assignments the member wants nowhere: they stay out of a merged notification."""
    standing = preferences.standing(recipient, [kind.told.assigned for kind in kinds])
    reached = reaching.channels_of(recipient)
    return {
        kind.key
        for kind in kinds
        if not any(cell.is_on and cell.channel in reached for cell in standing.cells(kind.told.assigned))
    }


def _open_window(recipient: int) -> int:
    """The id of the recipient's open window, held against being closed before the transaction ends.

    KEY SHARE: those who add to a window do not wait for each other, only for who is closing it.
    """
    with connection.cursor() as cursor:
        while True:
            cursor.execute(
                "SELECT id FROM crm_assignmentwindow WHERE recipient_id = %s AND closed_at IS NULL FOR KEY SHARE",
                [recipient],
            )
            if row := cursor.fetchone():
                return int(row[0])
            now = timezone.now()
            AssignmentWindow.objects.bulk_create(
                [AssignmentWindow(recipient_id=recipient, opened_at=now, due_at=now + ASSIGNMENT_WINDOW)],
                ignore_conflicts=True,
            )
