"""Refusals that several modules of the workflows share."""

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
