"""Turning workflows on and off, and taking enrolled records through their steps."""

from accounts.models import Membership
from crm.models import Workflow


def turn_on(workflow: Workflow, by: Membership | None) -> Workflow:
    """From now on it enrols and runs. Refuses what is incomplete (`InvalidWorkflow`) and plans without workflows."""
    raise NotImplementedError


def pause(workflow: Workflow, by: Membership | None) -> Workflow:
    """Enrol nothing and run nothing until it is turned on again; what is under way waits."""
    raise NotImplementedError


def turn_off(workflow: Workflow, by: Membership | None) -> Workflow:
    """Enrol nothing more; what is under way is cancelled."""
    raise NotImplementedError
