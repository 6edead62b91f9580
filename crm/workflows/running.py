"""Turning workflows on and off, and taking enrolled records through their steps.

A step, its line in the log and the moving on of its record are one transaction: whoever dies repeats nothing. Accounts
take turns, and within an account its workflows; a turn is a few steps, so that nobody waits behind a long queue.
"""

import logging
from typing import Any, Final

from django.db import transaction
from django.db.models import Exists, Max, OuterRef, Q, QuerySet, Subquery
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from accounts import plans
from accounts.models import Membership
from accounts.plans import Feature
from crm import happenings, schema
from crm.digests.timing import zone_of
from crm.filtering import InvalidFilter
from crm.models import (
    ActionRun,
    Enrolment,
    EnrolmentState,
    Wave,
    Workflow,
    WorkflowState,
    WorkflowVersion,
)
from crm.schema import UnknownKind
from crm.workflows import ending, enrolling, flow, reviewing, scheduling, writing
from crm.workflows.actions import ACTIONS, Done, Turn
from crm.workflows.errors import InvalidWorkflow, WorkflowNotOn

log = logging.getLogger(__name__)

IN_A_TURN: Final = 20  # steps of records, before the next workflow has its turn


# --- Turning on and off


@transaction.atomic
def turn_on(workflow: Workflow, by: Membership | None) -> Workflow:
    """From now on it enrols and runs. Refuses what is incomplete (`InvalidWorkflow`) and plans without workflows.

    After a review, what waits goes on with the newest steps: what was mended is mended for it, too.
    """
    row = writing.locked(workflow, by)
    plans.require(row.account.plan, Feature.WORKFLOWS)
    if problems := writing.problems_of(row):
        raise InvalidWorkflow(_("It cannot be turned on yet: something is missing or gone."), fields=problems)
    if row.state == WorkflowState.OFF:
        ending.rest_of(row)
    if row.state == WorkflowState.REVIEW:
        waiting = Enrolment.objects.filter(workflow=row, state=EnrolmentState.WAITING)
        _take_to_newest(row, waiting.exclude(version=row.version))
        waiting.filter(attempts__gt=0).update(attempts=0, due_at=timezone.now())
    if row.state != WorkflowState.ON:
        row.state, row.review_reason, row.checked_at = WorkflowState.ON, "", timezone.now()
        row.next_at = scheduling.following(row.trigger, row.account.time_zone, after=timezone.now())
        row.save(update_fields=["state", "review_reason", "checked_at", "next_at"])
        enrolling.wake_after_commit()
    return row


def _take_to_newest(row: Workflow, behind: QuerySet[Enrolment]) -> None:
    """Records on older steps go on with the newest: before the same step, or the next one that is left of their own.

    Who stood before a step that was removed would stumble over it again; who has none left is through.
    """
    there = flow.ids(row.steps)
    behind.filter(at__in=there).update(version=row.version)
    gone = behind.exclude(at__in=there)
    for version in WorkflowVersion.objects.filter(pk__in=gone.values("version")):
        for at in gone.filter(version=version).values_list("at", flat=True).distinct():
            following = flow.still(version.steps, at, there)
            end = {} if following else {"state": EnrolmentState.DONE, "ended_at": timezone.now()}
            gone.filter(version=version, at=at).update(version=row.version, at=following, why="", **end)


@transaction.atomic
def pause(workflow: Workflow, by: Membership | None) -> Workflow:
    """Enrol nothing and run nothing until it is turned on again; what is under way waits."""
    row = writing.locked(workflow, by)
    if row.state in (WorkflowState.OFF, WorkflowState.REVIEW):
        raise WorkflowNotOn(_("Only a workflow that is on can be paused."))
    return _set(row, WorkflowState.PAUSED)


@transaction.atomic
def turn_off(workflow: Workflow, by: Membership | None) -> Workflow:
    """Enrol nothing more; what is under way is cancelled."""
    row = writing.locked(workflow, by)
    ending.all_of(row)
    return _set(row, WorkflowState.OFF)


def _set(row: Workflow, state: WorkflowState) -> Workflow:
    row.state, row.next_at, row.review_reason = state, None, ""
    row.save(update_fields=["state", "next_at", "review_reason"])
    return row


# --- Running


def has_due() -> bool:
    return _due().exists()


def step() -> bool:
    """Do some steps of the workflow whose turn it is. False: nothing is due, or others are at all of it."""
    workflow = _next()
    if workflow is None:
        return False
    account = workflow.account
    with translation.override(account.language), timezone.override(zone_of(account.time_zone)):
        done = int(_advance_wave(workflow))
        while done < IN_A_TURN and _take_one(workflow):
            done += 1
    return done > 0


def _advance_wave(workflow: Workflow) -> bool:
    """Enrol the next records of a wave. What stumbles stays for the next turn, and does not hold up the records."""
    try:
        return enrolling.advance_wave(workflow)
    except (UnknownKind, InvalidFilter) as error:
        with transaction.atomic():
            return reviewing.put(workflow, reviewing.reason_of(error.fields or {"kind": [str(error)]}))
    except Exception:
        log.exception("The records that match the workflow %s could not be enrolled", workflow.pk)
        return False


def _due() -> QuerySet[Workflow]:
    """Running workflows that have something to do now."""
    waves = Wave.objects.filter(workflow=OuterRef("pk"), finished_at=None)
    is_due = Q(first_due__lte=timezone.now()) | Q(Exists(waves))
    return Workflow.objects.running().with_first_due().filter(is_due)


@transaction.atomic
def _next() -> Workflow | None:
    """The workflow whose turn it is: of the account that waited longest, the one that waited longest."""
    same = Workflow.objects.filter(account=OuterRef("account")).order_by().values("account")
    rows = _due().annotate(account_served=Subquery(same.annotate(last=Max("served_at")).values("last")))
    rows = rows.select_related("account").order_by("account_served", "served_at", "pk")
    found = rows.select_for_update(of=("self",), skip_locked=True, no_key=True).first()
    if found is not None:
        Workflow.objects.filter(pk=found.pk).update(served_at=timezone.now())
    return found


def _take_one(workflow: Workflow) -> bool:
    """Do the next step of the record that waits longest. False: none is due, or others are at all of them."""
    row: Enrolment | None = None
    try:
        with transaction.atomic():
            row = _claimed(workflow)
            if row is None:
                return False
            _advance(row)
    except Exception as error:
        found = flow.find(row.version.steps, row.at) if row is not None else None
        if row is None or found is None:
            raise
        reviewing.stumbled(row, found, error)
    return True


def _claimed(workflow: Workflow) -> Enrolment | None:
    """The record that waits longest, held, as it is now.

    Read again once it is held: what stands beside it in the first look may be older than the step before this one.
    """
    rows = Enrolment.objects.filter(
        workflow=workflow, workflow__state=WorkflowState.ON, state=EnrolmentState.WAITING, due_at__lte=timezone.now()
    )
    held = rows.order_by("due_at", "pk").select_for_update(of=("self",), skip_locked=True).first()
    if held is None:
        return None
    return Enrolment.objects.select_related("workflow__account", "version", "record__account").get(pk=held.pk)


def _advance(row: Enrolment) -> None:
    """Do the step that a record stands before, and move it on."""
    if row.record.is_deleted:
        _write(row, state=EnrolmentState.STOPPED, ended_at=timezone.now())
        return
    found = flow.find(row.version.steps, row.at)
    assert found is not None
    done = _run(row, found)
    following = flow.after(row.version.steps, row.at, done.side)
    end = {} if following else {"state": EnrolmentState.DONE, "ended_at": timezone.now()}
    _write(row, at=following, due_at=done.until or row.due_at, attempts=0, why="", **end)


def _write(row: Enrolment, **facts: Any) -> None:
    """The object stays as it was claimed, for whoever has to say what went wrong with it."""
    Enrolment.objects.filter(pk=row.pk).update(**facts)


def _run(row: Enrolment, found: flow.Step) -> Done:
    """Do a step and write it down; one that was done before, on an older version, is not done again."""
    before = ActionRun.objects.filter(enrolment=row, step=row.at).first()
    if before is not None:
        return Done(before.words, side=before.outcome if found["do"] == flow.BRANCH else "")
    kind = schema.kind_of(row.workflow.account, row.workflow.kind)
    with happenings.caused_by_workflow(row.depth + 1):
        done = ACTIONS[found["do"]].run(found, Turn(row.workflow, kind, row, row.record, timezone.now()))
    ActionRun.objects.create(
        workflow=row.workflow,
        enrolment=row,
        step=row.at,
        do=found["do"],
        outcome=done.outcome,
        words=done.words[:500],
    )
    return done
