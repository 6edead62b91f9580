"""What happened on a record, newest first: what changed and what was written, in one line of time.

Changes and activities are two tables; a page is cut from both by their own keys, so nothing is shown twice or left out.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import Count, F, Window
from django.db.models.fields.tuple_lookups import Tuple, TupleLessThan
from django.db.models.functions import RowNumber

from crm import listing, timeline
from crm.models import Activity, Change, Record

SIZE = 20
MOST_COMMENTS = 5  # below an activity in the timeline; all of them on its own page
MOST_ON_PAGE = 500


@dataclass
class Entry:
    """One thing in the timeline: either an activity with its newest comments, or the changes of one save."""

    at: datetime
    activity: Activity | None = None
    changes: list[Change] = field(default_factory=list)
    comments: list[Activity] = field(default_factory=list)
    more_comments: int = 0


@dataclass(frozen=True)
class Page:
    entries: list[Entry]
    next: str


def page(record: Record, *, after: str = "", size: int = SIZE) -> Page:
    """Some entries after a cursor. Three queries, however long the history."""
    (at, activity_id), change_id = _read(after)
    activities = _activities(record)
    if at is not None:
        activities = activities.filter(TupleLessThan(Tuple(F("occurred_at"), F("id")), (at, activity_id)))
    found_activities = list(activities[: size + 1])
    found_changes = list(timeline.newest(record, before=change_id, limit=size + 1))
    both: list[Activity | Change] = sorted([*found_activities, *found_changes], key=_when, reverse=True)
    taken = both[:size]
    for one in taken:
        if isinstance(one, Activity):
            at, activity_id = one.occurred_at, one.pk
        else:
            change_id = one.pk
    entries = _entries(taken)
    with_comments([entry for entry in entries if entry.activity])
    return Page(entries, _cursor(at, activity_id, change_id) if len(both) > size else "")


def one_activity(record: Record, pk: int) -> Entry | None:
    """An activity with all its comments."""
    activity = _activities(record).filter(pk=pk).first()
    if activity is None:
        return None
    entry = Entry(activity.occurred_at, activity=activity)
    with_comments([entry], most=MOST_ON_PAGE)
    return entry


def with_comments(entries: Sequence[Entry], *, most: int = MOST_COMMENTS) -> None:
    """Read the newest comments of these activities, oldest of them first. One query."""
    by_id = {entry.activity.pk: entry for entry in entries if entry.activity}
    if not by_id:
        return
    rows: Any = (
        Activity.objects.live()
        .filter(parent__in=by_id)
        .select_related("author__user")
        .annotate(
            place=Window(RowNumber(), partition_by=F("parent"), order_by=F("pk").desc()),
            total=Window(Count("pk"), partition_by=F("parent")),
        )
        .filter(place__lte=most)
        .order_by("pk")
    )
    for row in rows:
        entry = by_id[row.parent_id or 0]
        entry.comments.append(row)
        entry.more_comments = row.total - len(entry.comments)


def _activities(record: Record) -> Any:
    rows = Activity.objects.live().filter(record=record, parent=None).select_related("author__user")
    return rows.order_by("-occurred_at", "-id")


def _when(one: Activity | Change) -> tuple[datetime, int]:
    return (one.occurred_at, one.pk) if isinstance(one, Activity) else (one.at, one.pk)


def _entries(taken: Sequence[Activity | Change]) -> list[Entry]:
    """The changes of one save stand together."""
    entries: list[Entry] = []
    for one in taken:
        if isinstance(one, Activity):
            entries.append(Entry(one.occurred_at, activity=one))
        elif entries and entries[-1].changes and _is_same_save(entries[-1].changes[-1], one):
            entries[-1].changes.append(one)
        else:
            entries.append(Entry(one.at, changes=[one]))
    return entries


def _is_same_save(one: Change, other: Change) -> bool:
    return one.version == other.version and one.by_id == other.by_id and one.source == other.source


def _cursor(at: datetime | None, activity_id: int, change_id: int | None) -> str:
    return f"{at.isoformat() if at else ''}~{activity_id}~{change_id or ''}"


def _read(after: str) -> tuple[tuple[datetime | None, int], int | None]:
    """The cursor's parts; what makes no sense is the beginning."""
    parts = after.split("~")
    if len(parts) != 3 or not all(
        part == "" or (part.isascii() and part.isdigit() and len(part) < 19) for part in parts[1:]
    ):
        return (None, 0), None
    try:
        at = listing.moment(parts[0]) if parts[0] else None
    except ValueError:
        return (None, 0), None
    return (at, int(parts[1] or 0)), int(parts[2]) if parts[2] else None
