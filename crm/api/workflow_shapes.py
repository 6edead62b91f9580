"""What requests about workflows may hold, and what answers look like."""

from collections.abc import Mapping
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from accounts.api.fields import AskedWhole, Flag, Strict, Text, Whole
from accounts.api.paging import PageQuery
from accounts.api.schema import page_of
from crm import filtering, paths
from crm.api.shapes import Anything, ConditionIn, kind_field
from crm.models import ActionRun, Enrolment, EnrolmentState, Trigger, Workflow, WorkflowState
from crm.workflows import saving
from crm.workflows.actions import ACTIONS
from crm.workflows.composing import MOST_STEPS
from crm.workflows.logbook import Numbers
from crm.workflows.testing import TriedStep

ON = {"on": {"type": "string", "enum": Trigger.values}}
DO = {"id": {"type": "string", "maxLength": 20}, "do": {"type": "string", "enum": list(ACTIONS)}}


class _Object(serializers.Field[Any, Any, Any, Any]):
    default_error_messages = {"invalid": "Send an object."}

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        if not isinstance(data, Mapping):
            self.fail("invalid")
        return dict(data)

    def to_representation(self, value: Any) -> Any:
        return value


@extend_schema_field({"type": "object", "properties": ON, "additionalProperties": True})
class TriggerField(_Object):
    """What enrols records."""


@extend_schema_field({"type": "object", "properties": DO, "required": ["do"], "additionalProperties": True})
class StepField(_Object):
    """One step: `do`, and what that takes."""


class WorkflowQuery(PageQuery):
    kind = kind_field(required=False)
    state = serializers.ChoiceField(choices=WorkflowState.values, required=False)


class WorkflowIn(Strict):
    kind = kind_field()
    name = Text(max_length=120)


class Marked(Strict):
    """What is saved over what was read."""

    mark = Text(
        max_length=20,
        required=False,
        help_text="The mark you read: refused with 409 if somebody saved this workflow in between.",
    )


class WorkflowChange(Marked):
    name = Text(max_length=120, required=False)
    trigger = TriggerField(required=False, help_text="What enrols records: `on`, and what that takes.")
    conditions = serializers.ListField(
        child=ConditionIn(),
        required=False,
        max_length=filtering.MOST,
        help_text="All hold for a record, or it stays out.",
    )
    reenrols = Flag(required=False, help_text="Whether a record that was through may be enrolled again.")


class StepsIn(Marked):
    steps = serializers.ListField(child=StepField(), max_length=MOST_STEPS)


class StateIn(Strict):
    state = serializers.ChoiceField(choices=[WorkflowState.ON, WorkflowState.PAUSED, WorkflowState.OFF])


class EnrolIn(Strict):
    record = Whole(help_text="The record's id.")


class EnrolmentQuery(PageQuery):
    state = serializers.ChoiceField(choices=EnrolmentState.values, required=False)
    record = AskedWhole(required=False, help_text="Only those of this record.")


class WorkflowOut(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    name = serializers.CharField()
    kind = serializers.CharField()
    url = serializers.CharField(help_text="Its page.")
    state = serializers.ChoiceField(choices=WorkflowState.values)
    review_reason = serializers.CharField(help_text="Why it needs review; else empty.")
    trigger = TriggerField()
    conditions = serializers.ListField(child=Anything())
    reenrols = serializers.BooleanField()
    version = serializers.IntegerField(allow_null=True, help_text="Of the steps; null before they are first saved.")
    steps = serializers.ListField(child=StepField())
    mark = serializers.CharField(help_text="Another one whenever any of this is saved. Send it with what you change.")
    created_at = serializers.DateTimeField()


class RunOut(serializers.Serializer[Any]):
    step = serializers.CharField()
    do = serializers.CharField()
    outcome = serializers.CharField()
    words = serializers.CharField()
    at = serializers.DateTimeField()


class EnrolmentOut(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    workflow = serializers.IntegerField()
    record = serializers.IntegerField()
    version = serializers.IntegerField(help_text="The version of the steps that it began with.")
    state = serializers.ChoiceField(choices=EnrolmentState.values)
    at = serializers.CharField(help_text="The step that comes next; empty when it ended.")
    due_at = serializers.DateTimeField(help_text="When that step is due.")
    why = serializers.CharField(help_text="What was wrong, if something was.")
    enrolled_at = serializers.DateTimeField()
    ended_at = serializers.DateTimeField(allow_null=True)
    runs = RunOut(many=True)


class WaveOut(serializers.Serializer[Any]):
    enrolled = serializers.IntegerField(help_text="So far.")
    finished_at = serializers.DateTimeField(allow_null=True)


class NumbersOut(serializers.Serializer[Any]):
    states = serializers.DictField(child=serializers.IntegerField(), help_text="How many records are in which state.")
    steps = serializers.DictField(
        child=serializers.DictField(child=serializers.IntegerField()),
        help_text="By step: what became of it how often, and how many wait before it.",
    )


class TriedOut(serializers.Serializer[Any]):
    step = serializers.CharField()
    do = serializers.CharField()
    words = serializers.CharField()
    would_happen = serializers.BooleanField()


class TrialOut(serializers.Serializer[Any]):
    matches = serializers.BooleanField(help_text="Whether all conditions of the workflow hold for the record.")
    steps = TriedOut(many=True)


WORKFLOWS, ENROLMENTS = page_of(WorkflowOut), page_of(EnrolmentOut)

STEPS = [
    {
        "id": "s1",
        "do": "notify",
        "subject": "A large deal",
        "message": "Have a look today.",
        "members": [7],
        "teams": [],
        "owner": True,
    },
    {"id": "s2", "do": "wait", "amount": 2, "unit": "days"},
]
WORKFLOW = {
    "id": 16,
    "name": "Large deals",
    "kind": "deals",
    "url": "/1001/workflows/16/",
    "state": "off",
    "review_reason": "",
    "trigger": {"on": "changed", "property": "stage", "to": 12},
    "conditions": [{"property": "amount", "operator": "at_least", "value": 10000}],
    "reenrols": False,
    "version": 3,
    "steps": STEPS,
    "mark": "5f0c2d9e71b34a8866d1",
    "created_at": "2027-03-09T08:30:00Z",
}
ENROLMENT = {
    "id": 4711,
    "workflow": 16,
    "record": 7,
    "version": 3,
    "state": "waiting",
    "at": "s2",
    "due_at": "2027-03-11T08:30:00Z",
    "why": "",
    "enrolled_at": "2027-03-09T08:30:00Z",
    "ended_at": None,
    "runs": [
        {
            "step": "s1",
            "do": "notify",
            "outcome": "done",
            "words": "2 members were told: “A large deal”.",
            "at": "2027-03-09T08:30:01Z",
        }
    ],
}
TRIAL = {
    "matches": True,
    "steps": [{"step": "s1", "do": "notify", "words": "2 members were told: “A large deal”.", "would_happen": True}],
}


def word_workflow(row: Workflow) -> dict[str, Any]:
    return {
        "id": row.pk,
        "name": row.name,
        "kind": row.kind,
        "url": paths.workflow(row),
        "state": row.state,
        "review_reason": row.review_reason,
        "trigger": row.trigger,
        "conditions": row.conditions,
        "reenrols": row.reenrols,
        "version": row.version.number if row.version else None,
        "steps": row.steps,
        "mark": saving.mark_of(row),
        "created_at": row.created_at,
    }


def word_enrolment(row: Enrolment) -> dict[str, Any]:
    return {
        "id": row.pk,
        "workflow": row.workflow_id,
        "record": row.record_id,
        "version": row.version.number,
        "state": row.standing.value,
        "at": row.at,
        "due_at": row.due_at,
        "why": row.why,
        "enrolled_at": row.enrolled_at,
        "ended_at": row.ended_at,
        "runs": [_word_run(run) for run in row.runs.all()],
    }


def _word_run(run: ActionRun) -> dict[str, Any]:
    return {"step": run.step, "do": run.do, "outcome": run.outcome, "words": run.words, "at": run.at}


def word_numbers(numbers: Numbers) -> dict[str, Any]:
    return {"states": numbers.by_state, "steps": numbers.by_step}


def word_tried(one: TriedStep) -> dict[str, Any]:
    return {"step": one.step_id, "do": one.do, "words": one.words, "would_happen": one.would_happen}
