"""Tickets: what somebody outside needs help with, moving through statuses."""

from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from crm.kinds.base import Kind, Told
from crm.kinds.shared import DESCRIPTION, PRIORITY, name, owner, stage
from crm.models import Record
from notifications.types import tickets as types


def facts(record: Record) -> dict[str, str]:
    words = dict(PRIORITY.choices)
    return {"priority": str(words.get(record.values.get("priority", ""), _now("none set")))}


KIND = Kind(
    key="tickets",
    label=_("Ticket"),
    plural=_("Tickets"),
    count=lambda n: ngettext("%(n)s ticket", "%(n)s tickets", n) % {"n": n},
    title=("name",),
    properties=(name(_("Ticket name")), PRIORITY, DESCRIPTION, stage(_("Ticket status")), owner(_("Ticket owner"))),
    stage_label=_("Ticket status"),
    stages=(
        (
            _("Support"),
            (
                (_("New"), "open"),
                (_("Waiting for us"), "open"),
                (_("Waiting for customer"), "open"),
                (_("Closed"), "won"),
            ),
        ),
    ),
    told=Told("ticket", types.ASSIGNED, types.MENTIONED, moved=types.STATUS_CHANGED, stage_word="status"),
    facts=facts,
)
