"""Changing an account's pipelines and stages. Whoever does so holds the account (`defining.hold`)."""

from collections.abc import Iterable
from typing import TypeVar

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from accounts.errors import DomainError
from accounts.models import Account, Membership
from crm import defining, naming, ordering, stages
from crm.kinds import Kind
from crm.models import Outcome, Pipeline, Record, Stage
from crm.models.records import LIVE

Row = TypeVar("Row", Pipeline, Stage)

LONGEST = 120
MOST_PIPELINES = 50
MOST_STAGES = 100


class StageInUse(DomainError):
    """Records stand where something was to go."""

    code = "stage_in_use"


class InvalidStage(DomainError):
    code = "invalid_stage"
    status = 422


class NotThere(DomainError):
    """Somebody else took it away a moment ago."""

    code = "not_found"
    status = 404


@transaction.atomic
def add_pipeline(account: Account, kind: Kind, *, name: str, by: Membership | None) -> Pipeline:
    """A further pipeline, with one stage to begin with."""
    defining.hold(account, by)
    there = stages.pipelines_of(account, kind)
    if not kind.has_stages:
        raise InvalidStage(_("%(kind)s has no pipelines.") % {"kind": kind.plural})
    name = _usable(name, taken=[pipeline.name for pipeline in there])
    if len(there) >= MOST_PIPELINES:
        raise InvalidStage(_("At most %(most)d pipelines fit.") % {"most": MOST_PIPELINES})
    position = max((pipeline.position + 1 for pipeline in there), default=0)
    pipeline = Pipeline.objects.create(account=account, kind=kind.key, name=name, position=position)
    Stage.objects.create(pipeline=pipeline, name=_("New"))
    return pipeline


@transaction.atomic
def change_pipeline(
    pipeline: Pipeline, *, name: str | None = None, position: int | None = None, by: Membership | None
) -> Pipeline:
    """Another name, another place among the pipelines of its kind. Records begin in the first stage of the first."""
    defining.hold(pipeline.account, by)
    pipeline = _again(Pipeline.objects.select_related("account"), pipeline)
    among = list(Pipeline.objects.filter(account=pipeline.account_id, kind=pipeline.kind))
    if name is not None:
        pipeline.name = _usable(name, taken=[one.name for one in among if one.pk != pipeline.pk])
        pipeline.save(update_fields=["name"])
    if position is not None:
        ordering.place(pipeline, among, position)
    return pipeline


@transaction.atomic
def remove_pipeline(pipeline: Pipeline, *, by: Membership | None) -> None:
    """Take a pipeline and its stages away. Refuses while records stand in it, and for the last one of its kind."""
    defining.hold(pipeline.account, by)
    pipeline = _again(Pipeline.objects.all(), pipeline)
    gone = list(Stage.objects.select_for_update(of=("self",)).filter(pipeline=pipeline).order_by("pk"))
    _refuse_if_held(gone, pipeline.name)
    if Pipeline.objects.filter(account=pipeline.account_id, kind=pipeline.kind).count() == 1:
        raise StageInUse(_("This is the last pipeline. There has to be one."))
    pipeline.delete()


@transaction.atomic
def add_stage(pipeline: Pipeline, *, name: str, outcome: str = Outcome.OPEN, by: Membership | None) -> Stage:
    """A further stage at the end of a pipeline."""
    defining.hold(pipeline.account, by)
    pipeline = _again(Pipeline.objects.all(), pipeline)
    there = list(pipeline.stages.all())
    name, outcome = _checked(name, outcome, taken=[stage.name for stage in there])
    if len(there) >= MOST_STAGES:
        raise InvalidStage(_("A pipeline has at most %(most)d stages.") % {"most": MOST_STAGES})
    position = max((stage.position + 1 for stage in there), default=0)
    return Stage.objects.create(pipeline=pipeline, name=name, position=position, outcome=outcome)


@transaction.atomic
def change_stage(
    stage: Stage,
    *,
    name: str | None = None,
    outcome: str | None = None,
    position: int | None = None,
    by: Membership | None,
) -> Stage:
    """Another name, another outcome, another place in its pipeline. Records in it stay, and nobody is told."""
    defining.hold(stage.pipeline.account, by)
    stage = _again(Stage.objects.select_related("pipeline__account"), stage)
    among = list(Stage.objects.filter(pipeline=stage.pipeline_id))
    taken = [one.name for one in among if one.pk != stage.pk]
    given = stage.name if name is None else name, stage.outcome if outcome is None else outcome
    stage.name, stage.outcome = _checked(*given, taken=taken)
    stage.save(update_fields=["name", "outcome"])
    if position is not None:
        ordering.place(stage, among, position)
    return stage


@transaction.atomic
def remove_stage(stage: Stage, *, by: Membership | None) -> None:
    """Take a stage away. Refuses while records stand in it, those in the bin too, and for a pipeline's last one."""
    defining.hold(stage.pipeline.account, by)
    stage = _again(Stage.objects.select_for_update(of=("self",)), stage)  # waits for whoever moves a record into it
    _refuse_if_held([stage], stage.name)
    if not Stage.objects.filter(pipeline=stage.pipeline_id).exclude(pk=stage.pk).exists():
        raise StageInUse(_("A pipeline needs at least one stage."))
    stage.delete()


def _refuse_if_held(gone: list[Stage], name: str) -> None:
    """Whether records stand in these stages. Those merged into others never come back: they let go."""
    held = Record.objects.filter(stage__in=gone)
    in_bin = held.exclude(LIVE)
    in_bin.exclude(merged_into=None).update(stage=None)
    if held.live().exists():
        raise StageInUse(_("Records stand in “%(stage)s”. Move them to another stage first.") % {"stage": name})
    if in_bin.exists():
        raise StageInUse(
            _("Records in the bin stand in “%(stage)s”. Restore and move them, or wait until they are erased.")
            % {"stage": name}
        )


def _again(rows: "QuerySet[Row]", row: Row) -> Row:
    """The row as it is now that nobody else changes it."""
    found = rows.filter(pk=row.pk).first()
    if found is None:
        raise NotThere(_("Somebody else took it away a moment ago."))
    return found


def _checked(name: str, outcome: str, *, taken: Iterable[str]) -> tuple[str, str]:
    if outcome not in Outcome.values:
        raise InvalidStage(_("Nothing was saved."), fields={"outcome": [_("Choose open, won or lost.")]})
    return _usable(name, taken=taken), outcome


def _usable(name: str, *, taken: Iterable[str]) -> str:
    try:
        name = naming.cleaned(name, longest=LONGEST)
    except ValueError as error:
        raise InvalidStage(_("Nothing was saved."), fields={"name": [str(error)]}) from error
    if name in taken:
        raise InvalidStage(_("Nothing was saved."), fields={"name": [_("Choose a name that is not there yet.")]})
    return name
