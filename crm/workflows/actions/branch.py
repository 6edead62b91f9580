"""Go one way or the other, by what holds for the record now."""

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm import conditions, filtering
from crm.digests.timing import zone_of
from crm.models import ActionOutcome, Record
from crm.workflows.actions.base import Action, Done, Step, Turn
from crm.workflows.reading import Part


def read(part: Part) -> dict[str, Any]:
    """The steps on its two sides are read by whoever reads steps: `crm.workflows.composing`."""
    kept = part.conditions("conditions")
    if not kept and not part.problems:
        part.wrong("conditions", _("Write at least one condition."))
    return {"conditions": kept}


def run(step: Step, turn: Turn) -> Done:
    wanted = conditions.from_json(step["conditions"])
    rows = Record.objects.filter(pk=turn.record.pk)
    zone = zone_of(turn.workflow.account.time_zone)
    if filtering.narrowed(rows, turn.kind, wanted, zone=zone).exists():
        return Done(_("The conditions held."), ActionOutcome.YES, side="yes")
    return Done(_("The conditions did not hold."), ActionOutcome.NO, side="no")


ACTION = Action("branch", gettext_lazy("Branch"), read, run)
