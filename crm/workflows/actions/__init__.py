"""What a step can do, one file each. A new one is a file, listed here."""

from crm.workflows.actions import assign, branch, notify, rotate, set_property, task, wait
from crm.workflows.actions.base import Action, Done, Turn

ALL: tuple[Action, ...] = tuple(module.ACTION for module in (notify, assign, rotate, set_property, task, wait, branch))
ACTIONS = {action.do: action for action in ALL}

__all__ = ["ACTIONS", "ALL", "Action", "Done", "Turn"]
