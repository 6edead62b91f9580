"""Pipelines and stages, for super admins."""

from typing import Any

from django.shortcuts import get_object_or_404
from rest_framework import serializers
from rest_framework.response import Response

from accounts.api.doors import ApiRequest, Door
from accounts.api.fields import Strict, Text
from accounts.api.schema import operation
from crm import pipelines, schema, stages
from crm.api.shapes import SALES, PipelineOut, StageOut, kind_field, place_field, word_pipeline
from crm.models import Outcome, Pipeline, Stage


class PipelineIn(Strict):
    kind = kind_field()
    name = Text(max_length=120)


class PipelineChange(Strict):
    name = Text(max_length=120, required=False)
    position = place_field()


class PipelineQuery(Strict):
    kind = kind_field()


class StageIn(Strict):
    name = Text(max_length=120)
    outcome = serializers.ChoiceField(choices=Outcome.values, required=False, help_text="`open` unless said.")


class StageChange(Strict):
    name = Text(max_length=120, required=False)
    outcome = serializers.ChoiceField(choices=Outcome.values, required=False)
    position = place_field()


STAGE = {"id": 13, "name": "Waiting", "outcome": "open"}


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
        pipeline = pipelines.add_pipeline(request.account, kind, name=given["name"], by=request.member)
        return Response(word_pipeline(pipeline), status=201)


class OnePipeline(Door):
    required_scope = "records.write"

    @operation(
        out=PipelineOut, body=PipelineChange, example={"name": "New business"}, answer={**SALES, "name": "New business"}
    )
    def patch(self, request: ApiRequest, pipeline_id: int) -> Response:
        """Change a pipeline's name or place. With a session: super admins only."""
        pipeline = get_object_or_404(Pipeline, account=request.account, pk=pipeline_id)
        changed = pipelines.change_pipeline(pipeline, **self.body(PipelineChange), by=request.member)
        return Response(word_pipeline(changed))

    @operation(status=204, also=(409,))
    def delete(self, request: ApiRequest, pipeline_id: int) -> Response:
        """Take a pipeline and its stages away. Refused while records stand in it. With a session: super admins only."""
        pipeline = get_object_or_404(Pipeline, account=request.account, pk=pipeline_id)
        pipelines.remove_pipeline(pipeline, by=request.member)
        return Response(status=204)


class Stages(Door):
    required_scope = "records.write"

    @operation(out=StageOut, status=201, body=StageIn, example={"name": "Waiting"}, answer=STAGE)
    def post(self, request: ApiRequest, pipeline_id: int) -> Response:
        """Add a stage at the end of a pipeline. With a session: super admins only."""
        pipeline = get_object_or_404(Pipeline, account=request.account, pk=pipeline_id)
        return Response(_stage(pipelines.add_stage(pipeline, **self.body(StageIn), by=request.member)), status=201)


class OneStage(Door):
    required_scope = "records.write"

    @operation(out=StageOut, body=StageChange, example={"name": "Waiting"}, answer=STAGE)
    def patch(self, request: ApiRequest, stage_id: int) -> Response:
        """Change a stage's name, outcome or place in its pipeline. With a session: super admins only."""
        stage = get_object_or_404(Stage, pipeline__account=request.account, pk=stage_id)
        return Response(_stage(pipelines.change_stage(stage, **self.body(StageChange), by=request.member)))

    @operation(status=204, also=(409,))
    def delete(self, request: ApiRequest, stage_id: int) -> Response:
        """Take a stage away. Refused while records stand in it. With a session: super admins only."""
        stage = get_object_or_404(Stage, pipeline__account=request.account, pk=stage_id)
        pipelines.remove_stage(stage, by=request.member)
        return Response(status=204)


def _stage(stage: Stage) -> dict[str, Any]:
    return {"id": stage.pk, "name": stage.name, "outcome": stage.outcome}
