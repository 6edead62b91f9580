"""Make a task that belongs to the record, for a member or the record's owner."""

from datetime import datetime, timedelta
from typing import Any, Final

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import Membership
from crm import associating, records
from crm.models import Source
from crm.properties import LONGEST_TITLE
from crm.workflows.actions.base import Action, Done, Step, Turn
from crm.workflows.reading import Part, active

MOST_DAYS: Final = 3_650
OWNER: Final = "owner"
SOON: Final = timedelta(hours=1)


def read(part: Part) -> dict[str, Any]:
    return {
        "name": " ".join(part.text("name", LONGEST_TITLE).split()),
        "due_in_days": part.number("due_in_days", 0, MOST_DAYS),
        "member": OWNER if part.given.get("member") == OWNER else part.member("member"),
    }


def run(step: Step, turn: Turn) -> Done:
    account = turn.workflow.account
    wanted = turn.record.owner_id if step["member"] == OWNER else step["member"]
    is_there = bool(wanted and active(account, [wanted]))
    owner = wanted if is_there or step["member"] != OWNER else None  # an owner who left leaves it to nobody
    given = {"name": step["name"], "owner": owner, "due_at": _due(step["due_in_days"], owner, turn)}
    task = records.create(account, "tasks", given, by=None, source=Source.WORKFLOW)
    associating.associate(task, turn.record, by=None, source=Source.WORKFLOW)
    if task.owner is None:
        return Done(_("The task “%(name)s” was made. It has no owner, for the record has none.") % {"name": task.title})
    return Done(_("The task “%(name)s” was made for %(owner)s.") % {"name": task.title, "owner": task.owner.name})


def _due(days: int, owner: int | None, turn: Turn) -> str | datetime:
    """Nine in the morning on the owner's clock, so many days from now; in an hour when it is today."""
    if not days:
        return turn.now + SOON
    member = Membership.objects.select_related("account").get(pk=owner) if owner else None
    zone = (member or Membership(account=turn.workflow.account)).zone
    return (turn.now.astimezone(zone).date() + timedelta(days=days)).isoformat()


ACTION = Action("task", gettext_lazy("Create a task"), read, run)
