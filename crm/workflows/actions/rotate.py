"""Give records to several members in turn. Whose turn it was is kept in a row: fair whatever runs at once."""

from collections.abc import Collection, Sequence
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm.errors import InvalidRecord
from crm.models import Rotation
from crm.workflows.actions import assign
from crm.workflows.actions.base import Action, Done, Step, Turn
from crm.workflows.reading import Part, active


def read(part: Part) -> dict[str, Any]:
    members = part.members("members")
    if not active(part.place.account, members):
        part.wrong("members", _("Choose at least one active member."))
    return {"members": members}


def run(step: Step, turn: Turn) -> Done:
    Rotation.objects.get_or_create(workflow=turn.workflow, step=step["id"])
    row = Rotation.objects.select_for_update(of=("self",)).get(workflow=turn.workflow, step=step["id"])
    chosen = following(step["members"], row.last, active(turn.workflow.account, step["members"]))
    if chosen is None:
        raise InvalidRecord(_("None of the members who take turns is active."))
    row.last = chosen
    row.save(update_fields=["last"])
    return assign.give(turn, chosen)


def following(members: Sequence[int], last: int, there: Collection[int]) -> int | None:
    """Who comes after `last` in a circle of members, of those who are there. Pure."""
    begin = members.index(last) + 1 if last in members else 0
    circle = [*members[begin:], *members[:begin]]
    return next((one for one in circle if one in there), None)


ACTION = Action("rotate", gettext_lazy("Assign to members in turn"), read, run)
