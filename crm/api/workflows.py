"""Workflows: list, make, show, change, delete; their steps and state; the records in them; a trial on one record."""

from collections.abc import Callable

from django.db.models import Prefetch, QuerySet
from django.shortcuts import get_object_or_404
from rest_framework.response import Response

from accounts.api.doors import ApiRequest, Door
from accounts.api.paging import page
from accounts.api.schema import operation
from accounts.models import Membership
from crm.api import reaching
from crm.api.workflow_shapes import (
    ENROLMENT,
    ENROLMENTS,
    STEPS,
    TRIAL,
    WORKFLOW,
    WORKFLOWS,
    EnrolIn,
    EnrolmentOut,
    EnrolmentQuery,
    NumbersOut,
    StateIn,
    StepsIn,
    TrialOut,
    WaveOut,
    WorkflowChange,
    WorkflowIn,
    WorkflowOut,
    WorkflowQuery,
    word_enrolment,
    word_numbers,
    word_tried,
    word_workflow,
)
from crm.models import ActionRun, Enrolment, Workflow
from crm.workflows import enrolling, logbook, running, saving, testing, writing

STATES: dict[str, Callable[[Workflow, Membership | None], Workflow]] = {
    "on": running.turn_on,
    "paused": running.pause,
    "off": running.turn_off,
}


class Workflows(Door):
    required_scope = {"GET": "workflows.read", "POST": "workflows.write"}

    @operation(out=WORKFLOWS, query=WorkflowQuery, answer={"results": [WORKFLOW], "next": None})
    def get(self, request: ApiRequest) -> Response:
        """List workflows."""
        asked = self.query(WorkflowQuery)
        rows = Workflow.objects.of(request.account).select_related("account", "version")
        rows = rows.filter(**{key: asked[key] for key in ("kind", "state") if key in asked})
        return page(request, rows, asked, word=word_workflow)

    @operation(
        out=WorkflowOut,
        status=201,
        body=WorkflowIn,
        example={"kind": "deals", "name": "Large deals"},
        answer={**WORKFLOW, "trigger": {}, "conditions": [], "version": None, "steps": []},
    )
    def post(self, request: ApiRequest) -> Response:
        """Make a workflow, which is off and empty. With a session: super admins only."""
        given = self.body(WorkflowIn)
        row = saving.begin(request.account, given["kind"], given["name"], by=request.member)
        return Response(word_workflow(row), status=201)


class OneWorkflow(Door):
    required_scope = {"GET": "workflows.read", "PATCH": "workflows.write", "DELETE": "workflows.write"}

    @operation(out=WorkflowOut, answer=WORKFLOW)
    def get(self, request: ApiRequest, workflow_id: int) -> Response:
        """Show a workflow with its newest steps."""
        return Response(word_workflow(_one(request, workflow_id)))

    @operation(
        out=WorkflowOut,
        body=WorkflowChange,
        also=(409,),
        example={key: WORKFLOW[key] for key in ("trigger", "conditions", "reenrols", "mark")},
        answer=WORKFLOW,
    )
    def patch(self, request: ApiRequest, workflow_id: int) -> Response:
        """Change the name, the trigger, the conditions or whether records may be enrolled again.

        Triggers: `{"on": "created"}`, `{"on": "changed", "property": "stage", "to": 12}` (without `to`: to whatever),
        `{"on": "joined", "list": 5}`, `{"on": "submitted", "form": "contact-us"}` (empty: any form),
        `{"on": "schedule", "every": "week", "weekday": 0, "at": "08:00"}`, `{"on": "manual"}`.
        With a session: super admins only.
        """
        given = self.body(WorkflowChange)
        row = saving.change(_one(request, workflow_id), read=given.pop("mark", None), by=request.member, **given)
        return Response(word_workflow(row))

    @operation(status=204)
    def delete(self, request: ApiRequest, workflow_id: int) -> Response:
        """Delete a workflow. Records under way are taken out of it. With a session: super admins only."""
        writing.delete(_one(request, workflow_id), request.member)
        return Response(status=204)


class Steps(Door):
    required_scope = "workflows.write"

    @operation(
        out=WorkflowOut, body=StepsIn, also=(409,), example={"steps": STEPS, "mark": WORKFLOW["mark"]}, answer=WORKFLOW
    )
    def put(self, request: ApiRequest, workflow_id: int) -> Response:
        """Replace the steps of a workflow.

        What a step takes, by its `do`: `notify` subject, message, members, teams, owner (true: the record's owner);
        `assign` member; `rotate` members; `set` property, value; `task` name, due_in_days, member (an id or
        `"owner"`); `wait` amount, unit (minutes, hours, days); `branch` conditions, yes, no (lists of steps). A step
        keeps its `id`; one without gets one. Records under way finish on the steps they began with.
        With a session: super admins only.
        """
        row = _one(request, workflow_id)
        given = self.body(StepsIn)
        saving.replace_steps(row, given["steps"], read=given.get("mark"), by=request.member)
        return Response(word_workflow(_one(request, workflow_id)))


class State(Door):
    required_scope = "workflows.write"

    @operation(out=WorkflowOut, body=StateIn, also=(409,), example={"state": "on"}, answer={**WORKFLOW, "state": "on"})
    def post(self, request: ApiRequest, workflow_id: int) -> Response:
        """Turn a workflow on, pause it, or turn it off.

        One that is not complete is not turned on (422): `errors` names what is missing. Paused, what is under way
        waits; off, it is cancelled. With a session: super admins only.
        """
        row = _one(request, workflow_id)
        return Response(word_workflow(STATES[self.body(StateIn)["state"]](row, request.member)))


class NumbersOf(Door):
    required_scope = "workflows.read"

    @operation(
        out=NumbersOut,
        answer={"states": {"waiting": 8, "done": 4}, "steps": {"s1": {"done": 12}, "s2": {"waiting": 8}}},
    )
    def get(self, request: ApiRequest, workflow_id: int) -> Response:
        """Count the records of a workflow by state, and what became of each step."""
        return Response(word_numbers(logbook.numbers(_one(request, workflow_id))))


class Enrolments(Door):
    required_scope = {"GET": "workflows.read", "POST": "workflows.write"}

    @operation(out=ENROLMENTS, query=EnrolmentQuery, answer={"results": [ENROLMENT], "next": None})
    def get(self, request: ApiRequest, workflow_id: int) -> Response:
        """List the records that were enrolled, with what was done with each."""
        asked = self.query(EnrolmentQuery)
        workflow = _one(request, workflow_id)
        rows = _enrolments(request, workflow)
        if "record" in asked:
            rows = rows.filter(record=asked["record"])
        if "state" in asked:
            rows = logbook.standing(rows, workflow, asked["state"])
        return page(request, rows, asked, word=word_enrolment)

    @operation(
        out=EnrolmentOut, status=201, body=EnrolIn, also=(409,), example={"record": 7}, answer={**ENROLMENT, "runs": []}
    )
    def post(self, request: ApiRequest, workflow_id: int) -> Response:
        """Enrol a record by hand, whatever the trigger. With a session: one that the member may change."""
        workflow = _one(request, workflow_id)
        record = reaching.one_to_change(request, self.body(EnrolIn)["record"])
        row = enrolling.enrol(workflow, record, request.member)
        return Response(word_enrolment(_enrolments(request, workflow).get(pk=row.pk)), status=201)


class EnrolAll(Door):
    required_scope = "workflows.write"

    @operation(out=WaveOut, status=202, also=(409,), answer={"enrolled": 0, "finished_at": None})
    def post(self, request: ApiRequest, workflow_id: int) -> Response:
        """Enrol all records that match the conditions, in the background. With a session: super admins only."""
        wave = enrolling.enrol_all(_one(request, workflow_id), request.member)
        return Response({"enrolled": wave.enrolled, "finished_at": wave.finished_at}, status=202)


class OneEnrolment(Door):
    required_scope = "workflows.write"

    @operation(status=204)
    def delete(self, request: ApiRequest, workflow_id: int, enrolment_id: int) -> Response:
        """Take a record out of a workflow. With a session: super admins only."""
        row = get_object_or_404(_enrolments(request, _one(request, workflow_id)), pk=enrolment_id)
        enrolling.cancel(row, request.member)
        return Response(status=204)


class Trial(Door):
    required_scope = "workflows.read"

    @operation(out=TrialOut, body=EnrolIn, also=(409,), example={"record": 7}, answer=TRIAL)
    def post(self, request: ApiRequest, workflow_id: int) -> Response:
        """Say what a workflow would do with a record. Nothing is changed and nobody is told."""
        workflow, record = _one(request, workflow_id), reaching.one(request, self.body(EnrolIn)["record"])
        tried = testing.try_on(workflow, record)
        return Response({"matches": testing.matches(workflow, record), "steps": [word_tried(one) for one in tried]})


def _one(request: ApiRequest, pk: int) -> Workflow:
    rows = Workflow.objects.of(request.account).select_related("account", "version")
    return get_object_or_404(rows, pk=pk)


def _enrolments(request: ApiRequest, workflow: Workflow) -> QuerySet[Enrolment]:
    """Those of records that the caller may see."""
    rows = Enrolment.objects.filter(workflow=workflow).select_related("version", "workflow__account")
    if request.member:
        rows = rows.filter(record__in=reaching.visible(request).filter(kind=workflow.kind))
    return rows.prefetch_related(Prefetch("runs", queryset=ActionRun.objects.order_by("pk")))
