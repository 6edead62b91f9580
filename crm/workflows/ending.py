"""Ending what is under way before its last step.

A workflow that is off has nothing under way: whoever turns it off cancels what they can at once, and the background the
rest, some thousands at a time. Until it has come to a row, that row counts as cancelled (`Enrolment.standing`).
"""

from collections.abc import Collection
from typing import Final

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from accounts.members import require_super_admin
from accounts.models import Membership
from crm.models import Enrolment, EnrolmentState, Wave, Workflow, WorkflowState

AT_ONCE: Final = 2_000  # records that are taken out in one transaction


def all_of(workflow: Workflow) -> None:
    """Cancel everything under way in a workflow that goes off, in the transaction of whoever holds it: some thousands
    now, the rest in the background (`step`)."""
    Wave.objects.filter(workflow=workflow, finished_at=None).update(finished_at=timezone.now())
    if _cancel_some(workflow) == AT_ONCE:
        transaction.on_commit(_wake, robust=True)


def rest_of(workflow: Workflow) -> None:
    """Cancel all that the background has not come to: whoever turns a workflow on again must not revive it."""
    while _cancel_some(workflow):
        pass


def has_rest() -> bool:
    """Whether anything is left to cancel."""
    return _with_rest().exists()


@transaction.atomic
def step() -> bool:
    """Cancel some of what is left in a workflow that is off. False: nothing is left, or others are at all of it."""
    held = _with_rest().select_for_update(of=("self",), skip_locked=True, no_key=True).first()
    return held is not None and _cancel_some(held) > 0


def _with_rest() -> QuerySet[Workflow]:
    off = Workflow.objects.filter(state=WorkflowState.OFF)  # what was deleted is off, too
    return off.with_first_due().filter(Q(first_due__isnull=False)).order_by("pk")


def _cancel_some(workflow: Workflow) -> int:
    under_way = Enrolment.objects.filter(workflow=workflow, state=EnrolmentState.WAITING)
    some = under_way.order_by("due_at", "pk").values("pk")[:AT_ONCE]
    return under_way.filter(pk__in=some).update(state=EnrolmentState.CANCELLED, ended_at=timezone.now())


def of_gone(records: Collection[int]) -> None:
    """Stop what is under way for records that are in the bin, in the transaction of whoever holds their workflows."""
    under_way = Enrolment.objects.filter(
        record__in=records, record__deleted_at__isnull=False, state=EnrolmentState.WAITING
    )
    under_way.update(state=EnrolmentState.STOPPED, ended_at=timezone.now())


def cancel(enrolment: Enrolment, by: Membership | None) -> None:
    """Take one record out of a workflow. Super admins do. Twice is once."""
    require_super_admin(enrolment.workflow.account, by)
    under_way = Enrolment.objects.filter(pk=enrolment.pk, state=EnrolmentState.WAITING)
    under_way.update(state=EnrolmentState.CANCELLED, ended_at=timezone.now())


def _wake() -> None:
    from crm.tasks import end_enrolments  # domain modules know no Celery
    from notifications.tasks import wake

    wake(end_enrolments)
