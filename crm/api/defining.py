"""What an account defines itself, for its super admins: kinds, properties, pipelines, stages."""

from typing import Any

from django.shortcuts import get_object_or_404
from rest_framework import serializers
from rest_framework.response import Response

from accounts.api.doors import ApiRequest, Door
from accounts.api.fields import Strict, Text
from accounts.api.paging import PageQuery, page
from accounts.api.schema import operation, page_of
from crm import defining, schema, stages
from crm.api.shapes import (
    DEALS,
    SALES,
    KindOut,
    PipelineOut,
    PropertyOut,
    StageOut,
    kind_field,
    word_kind,
    word_pipeline,
)
from crm.kinds import Type
from crm.models import CustomProperty, Outcome, Pipeline, Stage


class KindIn(Strict):
    key = Text(max_length=60, help_text="Lower-case words joined by _: part of addresses, never changed.")
    label = Text(max_length=80)  # type: ignore[assignment]
    plural = Text(max_length=80)


class ChoiceIn(Strict):
    key = Text(max_length=60)
    label = Text(max_length=80)  # type: ignore[assignment]


class PropertyIn(Strict):
    kind = kind_field()
    key = Text(max_length=60)
    label = Text(max_length=80)  # type: ignore[assignment]
    type = serializers.ChoiceField(choices=[one.value for one in Type if one is not Type.STAGE])
    choices = serializers.ListField(child=ChoiceIn(), required=False, max_length=500)


class OwnProperty(PropertyOut):
    id = serializers.IntegerField()
    kind = serializers.CharField()


class PipelineIn(Strict):
    kind = kind_field()
    name = Text(max_length=120)


class PipelineQuery(Strict):
    kind = kind_field()


class StageIn(Strict):
    name = Text(max_length=120)
    outcome = serializers.ChoiceField(choices=Outcome.values, required=False, help_text="`open` unless said.")


class StageName(Strict):
    name = Text(max_length=120)


STAGE = {"id": 13, "name": "Waiting", "outcome": "open"}
ADVISOR = {
    "id": 4,
    "kind": "deals",
    "key": "advisor",
    "label": "Advisor",
    "type": "user",
    "choices": [],
    "is_required": False,
    "is_custom": True,
}


class Kinds(Door):
    required_scope = {"GET": "records.read", "POST": "records.write"}

    @operation(out=KindOut(many=True), answer=[DEALS])
    def get(self, request: ApiRequest) -> Response:
        """List the kinds of records and their properties."""
        return Response([word_kind(kind) for kind in schema.of(request.account).values()])

    @operation(
        out=KindOut,
        status=201,
        body=KindIn,
        example={"key": "berths", "label": "Berth", "plural": "Berths"},
        answer={**DEALS, "key": "berths", "label": "Berth", "plural": "Berths", "is_custom": True},
    )
    def post(self, request: ApiRequest) -> Response:
        """Define a kind of record of the account's own. With a session: super admins only."""
        row = defining.define_kind(request.account, **self.body(KindIn), by=request.member)
        return Response(word_kind(schema.kind_of(request.account, row.key)), status=201)


class OwnProperties(Door):
    required_scope = {"GET": "records.read", "POST": "records.write"}

    @operation(out=page_of(OwnProperty), query=PageQuery, answer={"results": [ADVISOR], "next": None})
    def get(self, request: ApiRequest) -> Response:
        """List the properties that the account added to kinds."""
        rows = CustomProperty.objects.filter(account=request.account, archived_at=None)
        return page(request, rows, self.query(PageQuery), word=_word, newest_first=False)

    @operation(
        out=OwnProperty,
        status=201,
        body=PropertyIn,
        also=(404,),
        example={"kind": "deals", "key": "advisor", "label": "Advisor", "type": "user"},
        answer=ADVISOR,
    )
    def post(self, request: ApiRequest) -> Response:
        """Add a property to a kind. With a session: super admins only.

        Whoever is named in a property of the type `user` counts as assigned.
        """
        given = self.body(PropertyIn)
        choices = [(choice["key"], choice["label"]) for choice in given.pop("choices", ())]
        row = defining.define_property(request.account, given.pop("kind"), **given, choices=choices, by=request.member)
        return Response(_word(row), status=201)


class OneProperty(Door):
    required_scope = "records.write"

    @operation(status=204)
    def delete(self, request: ApiRequest, property_id: int) -> Response:
        """Hide a property everywhere; its values stay. With a session: super admins only. Twice is once."""
        row = get_object_or_404(CustomProperty, account=request.account, pk=property_id)
        defining.archive_property(row, by=request.member)
        return Response(status=204)


class Pipelines(Door):
    required_scope = {"GET": "records.read", "POST": "records.write"}

    @operation(out=PipelineOut(many=True), query=PipelineQuery, answer=[SALES])
    def get(self, request: ApiRequest) -> Response:
        """List the pipelines of a kind with their stages."""
        kind = schema.kind_of(request.account, self.query(PipelineQuery)["kind"])
        return Response([word_pipeline(pipeline) for pipeline in stages.pipelines_of(request.account, kind)])

    @operation(
        out=PipelineOut, status=201, body=PipelineIn, example={"kind": "deals", "name": "Renewals"}, answer=SALES
    )
    def post(self, request: ApiRequest) -> Response:
        """Add a pipeline, with one stage to begin with. With a session: super admins only."""
        given = self.body(PipelineIn)
        kind = schema.kind_of(request.account, given["kind"])
        pipeline = stages.add_pipeline(request.account, kind, name=given["name"], by=request.member)
        return Response(word_pipeline(pipeline), status=201)


class Stages(Door):
    required_scope = "records.write"

    @operation(out=StageOut, status=201, body=StageIn, example={"name": "Waiting"}, answer=STAGE)
    def post(self, request: ApiRequest, pipeline_id: int) -> Response:
        """Add a stage at the end of a pipeline. With a session: super admins only."""
        pipeline = get_object_or_404(Pipeline, account=request.account, pk=pipeline_id)
        return Response(_stage(stages.add_stage(pipeline, **self.body(StageIn), by=request.member)), status=201)


class OneStage(Door):
    required_scope = "records.write"

    @operation(out=StageOut, body=StageName, example={"name": "Waiting"}, answer=STAGE)
    def patch(self, request: ApiRequest, stage_id: int) -> Response:
        """Give a stage another name. With a session: super admins only."""
        stage = get_object_or_404(Stage, pipeline__account=request.account, pk=stage_id)
        return Response(_stage(stages.rename_stage(stage, **self.body(StageName), by=request.member)))

    @operation(status=204, also=(409,))
    def delete(self, request: ApiRequest, stage_id: int) -> Response:
        """Take a stage away. Refused while records stand in it. With a session: super admins only."""
        stage = get_object_or_404(Stage, pipeline__account=request.account, pk=stage_id)
        stages.remove_stage(stage, by=request.member)
        return Response(status=204)


def _stage(stage: Stage) -> dict[str, Any]:
    return {"id": stage.pk, "name": stage.name, "outcome": stage.outcome}


def _word(row: CustomProperty) -> dict[str, Any]:
    return {
        "id": row.pk,
        "kind": row.kind,
        "key": row.key,
        "label": row.label,
        "type": row.type,
        "choices": [key for key, _label in row.choices],
        "is_required": False,
        "is_custom": True,
    }
