"""Refusals that several modules of the workflows share."""

from django.utils.translation import gettext as _

from accounts.errors import DomainError


class InvalidWorkflow(DomainError):
    """Nothing was saved. `fields` names each bad part: `name`, `trigger.property`, `conditions[0]`, `steps.s3.member`,
    `steps.s4.conditions[0]`."""

    code = "invalid_workflow"
    status = 422


class WorkflowNotOn(DomainError):
    """It does not run, so nothing is enrolled."""

    code = "workflow_not_on"


class CannotEnrol(DomainError):
    """The record is in it already, went through before, or does not match."""

    code = "cannot_enrol"


class WorkflowGone(DomainError):
    """Somebody deleted it while somebody else was at it."""

    code = "workflow_gone"
    status = 404

    def __init__(self) -> None:
        super().__init__(_("This workflow was deleted in the meantime."))
