"""Ending what is under way before its last step."""

from collections.abc import Collection

from django.utils import timezone

from accounts.members import require_super_admin
from accounts.models import Membership
from crm.models import Enrolment, EnrolmentState, Wave, Workflow


def all_of(workflow: Workflow) -> None:
    """Cancel everything under way in a workflow, in the transaction of whoever holds it."""
    now = timezone.now()
    Wave.objects.filter(workflow=workflow, finished_at=None).update(finished_at=now)
    under_way = Enrolment.objects.filter(workflow=workflow, state=EnrolmentState.WAITING)
    under_way.update(state=EnrolmentState.CANCELLED, ended_at=now)


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
