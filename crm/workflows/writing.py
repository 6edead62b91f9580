"""Composing a workflow: its name, what enrols, and its steps. Super admins do. Nothing half-written: all or nothing."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from django.core.serializers.json import DjangoJSONEncoder
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.members import require_super_admin
from accounts.models import Account, Membership
from crm import schema
from crm.models import Workflow, WorkflowState, WorkflowVersion
from crm.workflows import composing, ending, flow, reading, scheduling, triggers
from crm.workflows.composing import Problems
from crm.workflows.errors import InvalidWorkflow, WorkflowGone
from notifications.types.values import problem_with_value

LONGEST_NAME: Final = 120


@transaction.atomic
def create(account: Account, kind: str, name: str, by: Membership | None) -> Workflow:
    """A workflow that is off, without trigger and steps. Refuses a taken name (`InvalidWorkflow`, `name`)."""
    require_super_admin(account, by)
    schema.kind_of(account, kind)
    row = Workflow(account=account, kind=kind, created_by=by)
    _put_name(row, name)
    _save(row)
    return row


@transaction.atomic
def change(
    workflow: Workflow,
    *,
    by: Membership | None,
    name: str | None = None,
    trigger: Mapping[str, Any] | None = None,
    conditions: Sequence[Mapping[str, Any]] | None = None,
    reenrols: bool | None = None,
) -> Workflow:
    """Change what is given; None leaves it. `InvalidWorkflow` names `trigger.property`, `conditions[0]`."""
    row = locked(workflow, by)
    place = reading.place(row.account, schema.kind_of(row.account, row.kind), by)
    problems: Problems = {}
    if trigger is not None:
        part = reading.Part(trigger, place)
        row.trigger = triggers.read(part)
        problems |= {f"trigger.{key}": lines for key, lines in part.problems.items()}
        if row.state == WorkflowState.ON and not part.problems:
            row.next_at = scheduling.following(row.trigger, row.account.time_zone, after=timezone.now())
    if conditions is not None:
        part = reading.Part({"conditions": conditions}, place)
        row.conditions = part.conditions("conditions")
        problems |= part.problems
    if problems:
        raise InvalidWorkflow(_("Nothing was saved: some parts need another value."), fields=problems)
    if reenrols is not None:
        row.reenrols = reenrols
    if name is not None:
        _put_name(row, name)
    _save(row)
    return row


@transaction.atomic
def save_steps(workflow: Workflow, steps: Sequence[Mapping[str, Any]], by: Membership | None) -> WorkflowVersion:
    """A new version; the same steps again are the same version. `InvalidWorkflow` names `steps.s3.member`.

    Steps without an id get one. Records that are under way finish on the version they began with.
    """
    row = locked(workflow, by)
    place = reading.place(row.account, schema.kind_of(row.account, row.kind), by)
    kept, problems = composing.steps(steps, place, used=_ids_so_far(row))
    if not problems and not kept and row.state != WorkflowState.OFF:
        problems = {"steps": [_("Keep at least one step, or turn the workflow off first.")]}
    if problems:
        raise InvalidWorkflow(_("Nothing was saved: some steps need another value."), fields=problems)
    kept = json.loads(json.dumps(kept, cls=DjangoJSONEncoder))  # as it comes back from its row
    if row.version is not None and row.version.steps == kept:
        return row.version
    number = row.version.number + 1 if row.version else 1
    row.version = WorkflowVersion.objects.create(workflow=row, number=number, steps=kept, by=by)
    row.save(update_fields=["version"])
    return row.version


@transaction.atomic
def delete(workflow: Workflow, by: Membership | None) -> None:
    """Take a workflow away; what is under way is cancelled. Twice is once."""
    require_super_admin(workflow.account, by)
    row = Workflow.objects.select_for_update(of=("self",), no_key=True).get(pk=workflow.pk)
    if row.deleted_at is None:
        ending.all_of(row)
        row.state, row.next_at, row.deleted_at = WorkflowState.OFF, None, timezone.now()
        row.save(update_fields=["state", "next_at", "deleted_at"])


def problems_of(workflow: Workflow) -> Problems:
    """All that keeps a workflow from running as it stands: what is missing, and what it names that is gone."""
    kind = schema.kind_of(workflow.account, workflow.kind)
    place = reading.place(workflow.account, kind, None)
    trigger = reading.Part(workflow.trigger, place)
    if not workflow.trigger:
        trigger.wrong("on", _("Choose what enrols records."))
    else:
        triggers.read(trigger)
    conditions = reading.Part({"conditions": workflow.conditions}, place)
    conditions.conditions("conditions")
    _steps, problems = composing.steps(workflow.steps, place)
    if not workflow.steps:
        problems["steps"] = [_("Add at least one step.")]
    return {f"trigger.{key}": lines for key, lines in trigger.problems.items()} | conditions.problems | problems


def problems_of_step(workflow: Workflow, step: Mapping[str, Any]) -> Problems:
    """What one step names that is gone; the steps on the sides of a branch are looked at when their turn comes."""
    alone = {**step, "yes": [], "no": []} if step["do"] == flow.BRANCH else step
    kind = schema.kind_of(workflow.account, workflow.kind)
    _kept, problems = composing.steps([alone], reading.place(workflow.account, kind, None))
    return problems


def locked(workflow: Workflow, by: Membership | None) -> Workflow:
    """The workflow as it is now, held until the transaction ends, for a super admin to change.

    Refuses (`WorkflowGone`) one that was deleted. Who holds a workflow may then take its enrolments, and then their
    records; never the other way round.
    """
    require_super_admin(workflow.account, by)
    rows = Workflow.objects.of(workflow.account).select_related("account", "version")
    row = rows.select_for_update(of=("self",), no_key=True).filter(pk=workflow.pk).first()
    if row is None:
        raise WorkflowGone
    return row


def _ids_so_far(workflow: Workflow) -> Iterable[str]:
    versions = WorkflowVersion.objects.filter(workflow=workflow).values_list("steps", flat=True)
    return {step_id for steps in versions for step_id in flow.ids(steps)}


def _put_name(row: Workflow, name: str) -> None:
    name = " ".join(name.split())
    problem = problem_with_value(name) or (
        ""
        if 0 < len(name) <= LONGEST_NAME
        else _("Write a name of at most %(most)d characters.") % {"most": LONGEST_NAME}
    )
    if problem:
        raise InvalidWorkflow(_("Give it another name."), fields={"name": [problem]})
    row.name = name


def _save(row: Workflow) -> None:
    try:
        with transaction.atomic():
            row.save()
    except IntegrityError as error:
        if "one_workflow_per_name" not in str(error):
            raise
        raise InvalidWorkflow(
            _("This name is taken."), fields={"name": [_("Another workflow has this name. Choose another one.")]}
        ) from error
