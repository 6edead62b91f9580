"""Make a member the owner."""

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import Membership
from crm import records
from crm.models import ActionOutcome, Source
from crm.workflows.actions.base import Action, Done, Step, Turn
from crm.workflows.reading import Part


def read(part: Part) -> dict[str, Any]:
    return {"member": part.member("member")}


def run(step: Step, turn: Turn) -> Done:
    return give(turn, step["member"])


def give(turn: Turn, member: int) -> Done:
    """Make a member the owner; refused as everywhere when they left."""
    if turn.record.owner_id == member:
        return Done(_("%(name)s was the owner already.") % {"name": name_of(member)}, ActionOutcome.NOTHING)
    records.change(turn.record, {"owner": member}, by=None, source=Source.WORKFLOW, kind=turn.kind)
    return Done(_("%(name)s was made the owner.") % {"name": name_of(member)})


def name_of(member: int) -> str:
    return Membership.objects.select_related("user").get(pk=member).name


ACTION = Action("assign", gettext_lazy("Assign to a member"), read, run)
