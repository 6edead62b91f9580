"""A record's history: lines that are added, never altered."""

from collections.abc import Iterable, Mapping
from typing import Any

from accounts.models import Membership
from crm import happenings
from crm.models import Change, Record, Source


def write(
    record: Record, lines: Mapping[str, tuple[Any, Any]], *, by: Membership | None, source: Source
) -> list[Change]:
    """Add one line per thing that changed: what, from, to. Whoever follows records hears of it too."""
    happenings.note(record, lines, by=by, source=source)
    return Change.objects.bulk_create(
        Change(record=record, version=record.version, what=what, before=before, after=after, by=by, source=source)
        for what, (before, after) in lines.items()
    )


def since(record: Record, version: int) -> list[Change]:
    """What changed after that version, oldest first."""
    return list(record.changes.filter(version__gt=version).select_related("by__user").order_by("pk"))


def newest(record: Record, *, before: int | None = None, limit: int = 50) -> Iterable[Change]:
    """The newest lines, or those older than the line `before`."""
    lines = record.changes.select_related("by__user").order_by("-pk")
    return lines.filter(pk__lt=before)[:limit] if before else lines[:limit]
