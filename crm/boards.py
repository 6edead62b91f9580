"""Boards: the records of a kind by the stage they stand in."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Func, IntegerField, OuterRef
from django.db.models.functions import Coalesce

from accounts.models import Membership
from crm import listing, permissions
from crm.kinds import Kind
from crm.models import Pipeline, Record, Stage
from crm.models.records import RecordQuerySet

IN_COLUMN = 20  # cards that a column shows at first, and with each "show more"
MOST_COUNTED = 1_000


class _Length(Func):
    function = "cardinality"
    output_field = IntegerField()


@dataclass(frozen=True)
class Column:
    """A stage with its newest cards. `count` is exact up to a thousand."""

    stage: Stage
    count: int
    is_more: bool
    records: list[Record]
    next: str


def columns(member: Membership, kind: Kind, pipeline: Pipeline, *, owner: str = "") -> list[Column]:
    """A pipeline's stages in their order. Four queries at most, however many records."""
    rows = _records(member, kind, owner)
    here = rows.filter(stage=OuterRef("pk"))
    newest = here.order_by("-updated_at", "-id").values("pk")[: IN_COLUMN + 1]
    stages: Sequence[Any] = list(
        Stage.objects.filter(pipeline=pipeline)
        .order_by("position", "id")
        .annotate(
            ids=ArraySubquery(newest),
            number=Coalesce(_Length(ArraySubquery(here.values("pk")[: MOST_COUNTED + 1])), 0),
        )
    )
    found = rows.select_related("account").in_bulk([pk for stage in stages for pk in stage.ids])
    return [_column(stage, [found[pk] for pk in stage.ids if pk in found]) for stage in stages]


def more(member: Membership, kind: Kind, stage: Stage, *, after: str, owner: str = "") -> listing.Page:
    """Further cards of a column."""
    rows = _records(member, kind, owner).filter(stage=stage).select_related("account")
    return listing.page(rows, after=after or None, limit=IN_COLUMN)


def _column(stage: Any, records: list[Record]) -> Column:
    shown = records[:IN_COLUMN]
    return Column(
        stage=stage,
        count=min(stage.number, MOST_COUNTED),
        is_more=stage.number > MOST_COUNTED,
        records=shown,
        next=listing.cursor(shown[-1]) if len(records) > IN_COLUMN else "",
    )


def _records(member: Membership, kind: Kind, owner: str) -> RecordQuerySet:
    rows = Record.objects.live().filter(permissions.within_kind(member, kind.key))
    return rows.filter(owner=member) if owner == "me" else rows
