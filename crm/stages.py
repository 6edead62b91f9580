"""Pipelines and stages: what an account begins with, and moving records through them. `pipelines.py` changes them."""

from django.db import connection, transaction

from accounts.models import Account, Membership
from crm import paths, telling
from crm.kinds import Kind
from crm.models import Pipeline, Record, Stage
from notifications.models import Event


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


def _make_first(account: Account, kind: Kind) -> None:
    for place, (name, stages) in enumerate(kind.stages):
        pipeline = Pipeline.objects.create(account=account, kind=kind.key, name=str(name), position=place)
        Stage.objects.bulk_create(
            Stage(pipeline=pipeline, name=str(stage), position=position, outcome=outcome)
            for position, (stage, outcome) in enumerate(stages)
        )
