"""Building workflows, and letting time and workers pass."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.utils import timezone

from accounts.models import Membership
from crm import happenings
from crm.models import Enrolment, EnrolmentState, Workflow
from crm.workflows import running, writing

MANUAL = {"on": "manual"}
NOTIFY = {"do": "notify", "subject": "Look at this", "message": "It is urgent."}
SET = {"do": "set", "property": "description", "value": "Seen by a workflow"}


def build(
    by: Membership,
    *,
    name: str = "Urgent tickets",
    kind: str = "tickets",
    trigger: Mapping[str, Any] = MANUAL,
    conditions: Sequence[Mapping[str, Any]] = (),
    steps: Sequence[Mapping[str, Any]] = (SET,),
    reenrols: bool = False,
    is_on: bool = True,
) -> Workflow:
    """A workflow of a super admin's account, running unless said otherwise."""
    workflow = writing.create(by.account, kind, name, by)
    writing.change(workflow, trigger=trigger, conditions=conditions, reenrols=reenrols, by=by)
    writing.save_steps(workflow, steps, by)
    workflow = running.turn_on(workflow, by) if is_on else workflow
    return Workflow.objects.select_related("account", "version").get(pk=workflow.pk)


def follow() -> None:
    """Let the workflows hear what happened."""
    while happenings.step():
        pass


def carry() -> None:
    """Let the workflows hear and do all that is due."""
    follow()
    while running.step():
        follow()


def due_now() -> None:
    """Let the time come that whatever is under way waits for."""
    Enrolment.objects.filter(state=EnrolmentState.WAITING).update(due_at=timezone.now())
