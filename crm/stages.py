"""Pipelines and stages: what an account begins with, changing them, and moving records through them."""

from django.db import connection, transaction
from django.utils.translation import gettext as _

from accounts.errors import DomainError
from accounts.members import require_super_admin
from accounts.models import Account, Membership
from crm import paths, telling
from crm.kinds import Kind
from crm.models import Outcome, Pipeline, Record, Stage
from notifications.models import Event


class StageInUse(DomainError):
    code = "stage_in_use"


class InvalidStage(DomainError):
    code = "invalid_stage"
    status = 422


def pipelines_of(account: Account, kind: Kind) -> list[Pipeline]:
    """The account's pipelines of a kind with their stages read. The first time, those the kind begins with are made."""
    if not kind.has_stages:
        return []
    rows = Pipeline.objects.filter(account=account, kind=kind.key).prefetch_related("stages")
    found = list(rows)
    if found:
        return found
    with transaction.atomic():
        Account.objects.select_for_update(of=("self",), no_key=True).get(pk=account.pk)  # two first times are one
        if not Pipeline.objects.filter(account=account, kind=kind.key).exists():
            _make_first(account, kind)
    return list(rows.all())


def first_stage(account: Account, kind: Kind) -> Stage | None:
    """Where a record stands that was given no stage."""
    return next((stage for pipeline in pipelines_of(account, kind) for stage in pipeline.stages.all()), None)


def hold(account: Account, kind: str, stage_id: int) -> bool:
    """Whether the account has this stage for this kind. If so nobody can remove it before the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT 1 FROM crm_stage s JOIN crm_pipeline p ON p.id = s.pipeline_id
            WHERE s.id = %s AND p.account_id = %s AND p.kind = %s FOR KEY SHARE OF s
            """,
            [stage_id, account.pk, kind],
        )
        return cursor.fetchone() is not None


def tell_moved(record: Record, kind: Kind, *, by: Membership | None) -> Event | None:
    """Tell the owner and the followers that the record stands in another stage (N-080, N-144)."""
    if kind.told.moved is None or record.stage is None:
        return None
    return telling.tell(
        kind.told.moved,
        about=record,
        to=telling.owner_and_followers(record),
        by=by,
        data={
            "actor": telling.actor(by),
            kind.told.word: record.title,
            kind.told.stage_word: record.stage.name,
            "url": paths.record(record),
        },
        key=f"crm.moved:{record.pk}:{record.version}",
    )


@transaction.atomic
def add_pipeline(account: Account, kind: Kind, *, name: str, by: Membership | None) -> Pipeline:
    """A further pipeline, with one stage to begin with."""
    require_super_admin(account, by)
    there = pipelines_of(account, kind)
    if not kind.has_stages:
        raise InvalidStage(_("%(kind)s has no pipelines.") % {"kind": kind.plural})
    name = _usable(name, taken=[pipeline.name for pipeline in there])
    pipeline = Pipeline.objects.create(account=account, kind=kind.key, name=name, position=len(there))
    Stage.objects.create(pipeline=pipeline, name=_("New"))
    return pipeline


@transaction.atomic
def add_stage(pipeline: Pipeline, *, name: str, outcome: str = Outcome.OPEN, by: Membership | None) -> Stage:
    """A further stage at the end of a pipeline."""
    require_super_admin(pipeline.account, by)
    Pipeline.objects.select_for_update(of=("self",)).get(pk=pipeline.pk)
    there = list(pipeline.stages.all())
    if outcome not in Outcome.values:
        raise InvalidStage(_("Choose open, won or lost."), fields={"outcome": [_("Choose open, won or lost.")]})
    return Stage.objects.create(
        pipeline=pipeline,
        name=_usable(name, taken=[stage.name for stage in there]),
        position=max((stage.position + 1 for stage in there), default=0),
        outcome=outcome,
    )


@transaction.atomic
def rename_stage(stage: Stage, *, name: str, by: Membership | None) -> Stage:
    require_super_admin(stage.pipeline.account, by)
    others = Stage.objects.filter(pipeline=stage.pipeline_id).exclude(pk=stage.pk)
    stage.name = _usable(name, taken=list(others.values_list("name", flat=True)))
    stage.save(update_fields=["name"])
    return stage


@transaction.atomic
def remove_stage(stage: Stage, *, by: Membership | None) -> None:
    """Take a stage away. Refuses while records stand in it, those in the bin too, and for a pipeline's last one."""
    require_super_admin(stage.pipeline.account, by)
    Pipeline.objects.select_for_update(of=("self",)).get(pk=stage.pipeline_id)
    Stage.objects.select_for_update(of=("self",)).get(pk=stage.pk)  # waits for whoever moves a record into it
    if Record.objects.filter(stage=stage).exists():
        raise StageInUse(_("Records stand in “%(stage)s”. Move them to another stage first.") % {"stage": stage.name})
    if not Stage.objects.filter(pipeline=stage.pipeline_id).exclude(pk=stage.pk).exists():
        raise StageInUse(_("A pipeline needs at least one stage."))
    stage.delete()


def _make_first(account: Account, kind: Kind) -> None:
    for place, (name, stages) in enumerate(kind.stages):
        pipeline = Pipeline.objects.create(account=account, kind=kind.key, name=str(name), position=place)
        Stage.objects.bulk_create(
            Stage(pipeline=pipeline, name=str(stage), position=position, outcome=outcome)
            for position, (stage, outcome) in enumerate(stages)
        )


def _usable(name: str, *, taken: list[str]) -> str:
    name = " ".join(name.split())
    if not name or len(name) > 120:
        raise InvalidStage(_("Give it a name."), fields={"name": [_("Write a name of at most 120 characters.")]})
    if name in taken:
        raise InvalidStage(_("This name is taken."), fields={"name": [_("Choose a name that is not there yet.")]})
    return name
