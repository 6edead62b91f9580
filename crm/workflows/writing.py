"""Composing a workflow: its name, what enrols, and its steps. Super admins do. Nothing half-written: all or nothing."""

from collections.abc import Mapping, Sequence
from typing import Any

from accounts.models import Account, Membership
from crm.models import Workflow, WorkflowVersion


def create(account: Account, kind: str, name: str, by: Membership | None) -> Workflow:
    """A workflow that is off, without trigger and steps. Refuses a taken name (`InvalidWorkflow`, `name`)."""
    raise NotImplementedError


def change(
    workflow: Workflow,
    *,
    by: Membership | None,
    name: str | None = None,
    trigger: Mapping[str, Any] | None = None,
    conditions: Sequence[Mapping[str, Any]] | None = None,
    reenrols: bool | None = None,
) -> Workflow:
    """Change what is given; None leaves a thing as it is. `InvalidWorkflow` names `trigger.property`, `conditions[0]`."""
    raise NotImplementedError


def save_steps(workflow: Workflow, steps: Sequence[Mapping[str, Any]], by: Membership | None) -> WorkflowVersion:
    """A new version; the same steps again are the same version. `InvalidWorkflow` names `steps.s3.member`.

    Steps without an id get one. Records that are under way finish on the version they began with.
    """
    raise NotImplementedError


def delete(workflow: Workflow, by: Membership | None) -> None:
    """Take a workflow away; what is under way is cancelled. Twice is once."""
    raise NotImplementedError
