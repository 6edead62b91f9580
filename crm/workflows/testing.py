"""Trying a workflow on one record: what would happen, without anything happening.

The steps are really done, by the same code, in a transaction that is undone: what the trial says is what would be.
"""

from dataclasses import dataclass

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.errors import DomainError
from crm import happenings, schema
from crm.kinds import Kind
from crm.models import ActionOutcome, Enrolment, Record, Workflow
from crm.workflows import enrolling, flow
from crm.workflows.actions import ACTIONS, Done, Turn
from crm.workflows.errors import CannotEnrol


@dataclass(frozen=True)
class TriedStep:
    """One step: what it would do, and whether it would do anything."""

    step_id: str
    do: str
    words: str
    would_happen: bool


def matches(workflow: Workflow, record: Record) -> bool:
    """Whether the conditions of the workflow hold for a record."""
    kind = schema.kind_of(workflow.account, workflow.kind)
    rows = Record.objects.live().of(workflow.account, workflow.kind).filter(pk=record.pk)
    return enrolling.matching(workflow, kind, rows).exists()


def try_on(workflow: Workflow, record: Record) -> list[TriedStep]:
    """What each step of the newest version would do with this record, on the branches it would take.

    Whatever the conditions say (see `matches`). Delays are not waited for. It ends where a step would fail.
    """
    if (record.account_id, record.kind) != (workflow.account_id, workflow.kind) or record.is_deleted:
        raise CannotEnrol(_("Choose a record of this kind that is not in the bin."))
    kind = schema.kind_of(workflow.account, workflow.kind)
    with transaction.atomic(), happenings.caused_by_workflow(1):
        tried = _tried(workflow, record, kind)
        transaction.set_rollback(True)
    return tried


def _tried(workflow: Workflow, record: Record, kind: Kind) -> list[TriedStep]:
    tried: list[TriedStep] = []
    row = Enrolment(pk=0, workflow=workflow, version=workflow.version, record=record)
    at = flow.first(workflow.steps)
    while at:
        step = flow.find(workflow.steps, at)
        assert step is not None
        now_is = Record.objects.select_related("account").get(pk=record.pk)
        try:
            with transaction.atomic():
                done = ACTIONS[step["do"]].run(step, Turn(workflow, kind, row, now_is, timezone.now()))
        except DomainError as error:
            tried.append(TriedStep(at, step["do"], _would_fail(error), would_happen=False))
            break
        tried.append(TriedStep(at, step["do"], done.words, would_happen=_happens(done)))
        at = flow.after(workflow.steps, at, done.side)
    return tried


def _happens(done: Done) -> bool:
    return done.outcome != ActionOutcome.NOTHING


def _would_fail(error: DomainError) -> str:
    lines = [line for several in error.fields.values() for line in several]
    return _("This step would fail: %(why)s") % {"why": " ".join(lines or [str(error)])}
