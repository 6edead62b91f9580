"""Pipelines and stages as super admins change them."""

from functools import partial

import pytest

from accounts.members import NotSuperAdmin
from crm import merging, pipelines, records, schema, stages
from crm.models import Record, Stage
from crm.pipelines import InvalidStage, NotThere, StageInUse
from tests.crm.conftest import at_once


@pytest.fixture
def sales(alice):
    return stages.pipelines_of(alice.account, schema.kind_of(alice.account, "deals"))[0]


def names(pipeline):
    return list(Stage.objects.filter(pipeline=pipeline).values_list("name", flat=True))


def test_a_stage_gets_another_name_outcome_and_place(alice, sales, deal, told):
    stage = pipelines.add_stage(sales, name="Waiting", by=alice)

    pipelines.change_stage(deal.stage, name="  First \n talk ", outcome="won", position=1, by=alice)
    pipelines.change_stage(stage, position=0, by=alice)

    assert names(sales)[:3] == ["Waiting", "Meeting held", "First talk"]
    deal.refresh_from_db()
    assert (deal.stage.name, deal.stage.outcome) == ("First talk", "won")
    assert told() == []  # the deal did not move


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"name": " "}, "name"),
        ({"name": "x" * 10_000}, "name"),
        ({"name": "a\0b"}, "name"),
        ({"name": "Won"}, "name"),
        ({"outcome": "perhaps"}, "outcome"),
    ],
)
def test_a_stage_that_cannot_be_is_refused_beside_its_field(alice, sales, given, field):
    stage = sales.stages.get(name="Lost")

    with pytest.raises(InvalidStage) as refused:
        pipelines.change_stage(stage, **{"name": "Gone", "by": alice} | given)

    assert set(refused.value.fields) == {field}
    assert "Lost" in names(sales)


@pytest.mark.parametrize("name", ["مُنجز", "🦊 Fox", "שלום"])
def test_names_of_all_kinds_are_kept(alice, sales, name):
    assert pipelines.add_stage(sales, name=name, by=alice).name == name


def test_a_pipeline_with_records_in_it_and_the_last_one_cannot_go(alice, sales, deal):
    other = pipelines.add_pipeline(alice.account, schema.kind_of(alice.account, "deals"), name="Renewals", by=alice)
    with pytest.raises(StageInUse, match="Records stand in “Sales”"):
        pipelines.remove_pipeline(sales, by=alice)
    pipelines.remove_pipeline(other, by=alice)
    records.delete(deal, by=alice)
    with pytest.raises(StageInUse, match="in the bin"):
        pipelines.remove_pipeline(sales, by=alice)
    Record.objects.all().delete()

    with pytest.raises(StageInUse, match="last pipeline"):
        pipelines.remove_pipeline(sales, by=alice)
    with pytest.raises(NotThere):
        pipelines.remove_pipeline(other, by=alice)


def test_what_was_merged_holds_no_stage(alice, sales, deal, make):
    other = make("deals", stage=sales.stages.get(name="Lost").pk)
    merging.merge(deal, other, by=alice)

    pipelines.remove_stage(sales.stages.get(name="Lost"), by=alice)

    assert "Lost" not in names(sales)


def test_the_pipeline_in_front_is_where_records_begin(alice, sales, make):
    kind = schema.kind_of(alice.account, "deals")
    renewals = pipelines.add_pipeline(alice.account, kind, name="Renewals", by=alice)
    with pytest.raises(InvalidStage):
        pipelines.add_pipeline(alice.account, kind, name="Renewals", by=alice)
    with pytest.raises(InvalidStage):
        pipelines.change_pipeline(renewals, name="Sales", by=alice)

    pipelines.change_pipeline(renewals, name="Contracts", position=0, by=alice)

    assert make("deals").stage.pipeline.name == "Contracts"


def test_only_super_admins_change_pipelines(alice, bob, sales):
    stage = sales.stages.first()
    for change in (
        partial(pipelines.add_stage, sales, name="x"),
        partial(pipelines.change_stage, stage, name="x"),
        partial(pipelines.remove_stage, stage),
        partial(pipelines.change_pipeline, sales, name="x"),
        partial(pipelines.remove_pipeline, sales),
    ):
        with pytest.raises(NotSuperAdmin):
            change(by=bob)


@pytest.mark.django_db(transaction=True)
def test_two_super_admins_at_once_leave_one_stage_and_no_name_twice(alice, sales):
    first, second = list(sales.stages.all())[:2]
    for stage in list(sales.stages.all())[2:]:
        pipelines.remove_stage(stage, by=alice)

    removed = at_once(*(partial(pipelines.remove_stage, stage, by=alice) for stage in (first, second)))
    assert sorted(type(one).__name__ for one in removed) == ["NoneType", "StageInUse"]
    added = at_once(*(partial(pipelines.add_stage, sales, name="Talk", by=alice) for _time in range(2)))
    assert sorted(type(one).__name__ for one in added) == ["InvalidStage", "Stage"]
