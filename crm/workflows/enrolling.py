"""Putting records into workflows."""

from accounts.models import Membership
from crm.models import Enrolment, Record, Wave, Workflow


def enrol(workflow: Workflow, record: Record, by: Membership | None) -> Enrolment:
    """Enrol one record by hand, whatever the trigger. Refuses (`WorkflowNotOn`, `CannotEnrol`) with a sentence.

    The conditions must hold, `by` must be able to edit the record, and it must not be under way; having been through
    before does not matter by hand.
    """
    raise NotImplementedError


def enrol_all(workflow: Workflow, by: Membership | None) -> Wave:
    """Enrol all records that match, in the background; `Wave` tells how far. One is under way already: that one."""
    raise NotImplementedError


def cancel(enrolment: Enrolment, by: Membership | None) -> None:
    """Take one record out of a workflow. Super admins do. Twice is once."""
    raise NotImplementedError
