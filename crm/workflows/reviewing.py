"""When a workflow cannot go on by itself (N-155): super admins and who made it are told, and nothing runs until one
of them has looked and turns it on again.
"""

import logging
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Final

from django.db import transaction
from django.db.models import Q
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from accounts.errors import DomainError
from accounts.models import Membership, Role
from crm import paths, schema
from crm.models import ActionOutcome, ActionRun, Enrolment, EnrolmentState, Workflow, WorkflowState
from crm.workflows import flow, writing
from crm.workflows.actions import ACTIONS
from notifications import events
from notifications.types import workflows as types

RETRIES: Final = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 30, 120))
LONGEST: Final = 300
CHECKED_EVERY: Final = timedelta(hours=1)
CHECKED_AT_ONCE: Final = 20

log = logging.getLogger(__name__)


def put(workflow: Workflow, reason: str) -> bool:
    """Put a running workflow to review, in the transaction of whoever holds its row, and tell. Twice is once."""
    reason = _one_line(reason)
    now = timezone.now()
    rows = Workflow.objects.filter(pk=workflow.pk, state=WorkflowState.ON, deleted_at=None)
    if not rows.update(state=WorkflowState.REVIEW, review_reason=reason, next_at=None):
        return True
    people = (
        Membership.objects.active()
        .of(workflow.account)
        .filter(Q(role=Role.SUPER_ADMIN) | Q(pk=workflow.created_by_id))
        .select_related("user", "account")
    )
    if to := list(people):
        events.emit(
            types.REVIEW_NEEDED,
            audience=to,
            account=workflow.account,
            data={"workflow": workflow.name, "reason": reason, "url": paths.workflow(workflow)},
            key=f"crm.review:{workflow.pk}:{now.isoformat()}",
        )
    return True


@transaction.atomic
def stumbled(enrolment: Enrolment, step: Mapping[str, Any], error: Exception) -> None:
    """A step failed and nothing of it stayed: it is tried again later, or the workflow needs review.

    At once when what the step names is gone: the record waits before it. After the last attempt the record's
    enrolment ends as failed, so that turning the workflow on again does not begin with the same failure.
    """
    workflow = _held(enrolment.workflow_id)
    rows = Enrolment.objects.filter(state=EnrolmentState.WAITING, at=enrolment.at, attempts=enrolment.attempts)
    row = rows.select_for_update(of=("self",), skip_locked=True).filter(pk=enrolment.pk).first()
    if row is None:
        return  # somebody else took it meanwhile
    with translation.override(workflow.account.language):
        row.why = _said(error)
        if gone := _gone(workflow, step):
            row.why = reason_of(gone, [step])
            put(workflow, row.why)
        elif row.attempts < len(RETRIES):
            row.due_at = timezone.now() + RETRIES[row.attempts]
            row.attempts += 1
        else:
            row.state, row.ended_at = EnrolmentState.FAILED, timezone.now()
            ActionRun.objects.create(
                workflow=workflow,
                enrolment=row,
                step=step["id"],
                do=step["do"],
                outcome=ActionOutcome.FAILED,
                words=row.why,
            )
            facts = {"times": len(RETRIES) + 1, "why": row.why.rstrip(".")}
            put(workflow, _("a step failed %(times)d times in a row: %(why)s") % facts)
    row.save()


@transaction.atomic
def check_some() -> int:
    """Look whether all that running workflows name is still there, each about once an hour; returns how many."""
    now = timezone.now()
    rows = (
        Workflow.objects.running()
        .filter(checked_at__lt=now - CHECKED_EVERY)
        .select_related("account", "version")
        .select_for_update(of=("self",), skip_locked=True, no_key=True)
        .order_by("checked_at")[:CHECKED_AT_ONCE]
    )
    looked_at = list(rows)
    for workflow in looked_at:
        with translation.override(workflow.account.language):
            try:
                gone = writing.problems_of(workflow)
            except schema.UnknownKind as error:
                gone = {"kind": [str(error)]}
            if gone:
                put(workflow, reason_of(gone, workflow.steps))
    Workflow.objects.filter(pk__in=[one.pk for one in looked_at]).update(checked_at=now)
    return len(looked_at)


def reason_of(problems: Mapping[str, Sequence[str]], steps: Sequence[Mapping[str, Any]] = ()) -> str:
    """What is wrong, in words: the first of all sentences, with where it is, and how many more there are."""
    where, sentences = next(iter(problems.items()))
    facts = {
        "where": _place(where, steps),
        "what": (sentences[0] if sentences else "").rstrip("."),
        "more": len(problems) - 1,
    }
    if len(problems) == 1:
        return _one_line(_("something that it names is gone (%(where)s: %(what)s)") % facts)
    return _one_line(_("something that it names is gone (%(where)s: %(what)s; and %(more)d more)") % facts)


def _place(key: str, steps: Sequence[Mapping[str, Any]]) -> str:
    """Where a problem is, as people see it in the editor."""
    part, *more = key.split(".")
    step = flow.find(steps, more[0]) if part == "steps" and more else None
    if step is not None:
        return _("step “%(action)s”") % {"action": ACTIONS[step["do"]].label}
    words = {"trigger": _("what begins it"), "kind": _("its kind of record"), "steps": _("its steps")}
    return words.get(part, _("its filters"))


def _gone(workflow: Workflow, step: Mapping[str, Any]) -> Mapping[str, Sequence[str]]:
    """What a step names that is gone. Whatever happens while looking, the failure itself has to be written down."""
    try:
        with transaction.atomic():
            return writing.problems_of_step(workflow, step)
    except Exception:
        log.exception("It could not be seen whether the step %s of the workflow %s is whole", step["id"], workflow.pk)
        return {}


def _held(workflow_id: int) -> Workflow:
    rows = Workflow.objects.select_related("account", "version")
    return rows.select_for_update(of=("self",), no_key=True).get(pk=workflow_id)


def _said(error: Exception) -> str:
    """A refusal in its own words; what is nobody's words stays in the log of the program."""
    if not isinstance(error, DomainError):
        log.error("A step of a workflow failed", exc_info=error)
        return _("Something unexpected went wrong in Bellhop itself; the operator finds it in the log.")
    lines = [line for several in error.fields.values() for line in several]
    return _one_line(" ".join(lines or [str(error)]))


def _one_line(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= LONGEST else f"{line[: LONGEST - 1]}…"
