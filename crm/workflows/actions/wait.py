"""Wait before the next step. Days end at the same time of day on the account's clock, whatever the clocks do."""

from datetime import datetime, timedelta
from typing import Any, Final

from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm.digests.timing import zone_of
from crm.workflows.actions.base import Action, Done, Step, Turn
from crm.workflows.reading import Part
from notifications.moments import instant

MOST: Final = {"minutes": 525_600, "hours": 8_760, "days": 365}


def read(part: Part) -> dict[str, Any]:
    unit = part.choice("unit", list(MOST))
    return {"amount": part.number("amount", 1, MOST.get(unit, 365)), "unit": unit}


def run(step: Step, turn: Turn) -> Done:
    zone = turn.workflow.account.time_zone
    moment = until(step["amount"], step["unit"], turn.now, zone)
    words = date_format(localtime(moment, zone_of(zone)), "DATETIME_FORMAT")
    return Done(_("Until %(moment)s it waits.") % {"moment": words}, until=moment)


def until(amount: int, unit: str, now: datetime, zone: str) -> datetime:
    """The moment at which a delay that begins now is over. Pure."""
    if unit != "days":
        return now + timedelta(**{unit: amount})
    here = zone_of(zone)
    local = now.astimezone(here)
    return instant(local.date() + timedelta(days=amount), local.time(), here)


ACTION = Action("wait", gettext_lazy("Wait"), read, run)
