"""Leads: somebody who may become a customer."""

from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from crm.kinds.base import Kind, Property, Told, Type
from crm.kinds.shared import DESCRIPTION, PHONE, name, owner
from crm.models import Record
from notifications.types import custom_objects, leads


def facts(record: Record) -> dict[str, str]:
    return {"source": str(record.values.get("came_through") or _now("an unknown way"))}


KIND = Kind(
    key="leads",
    label=_("Lead"),
    plural=_("Leads"),
    count=lambda n: ngettext("%(n)s lead", "%(n)s leads", n) % {"n": n},
    title=("name",),
    properties=(
        name(_("Lead name")),
        Property("email", _("E-mail address"), Type.EMAIL),
        PHONE,
        Property("came_through", _("Came in through")),
        Property(
            "status",
            _("Status"),
            Type.CHOICE,
            choices=(
                ("new", _("New")),
                ("contacted", _("Contacted")),
                ("qualified", _("Qualified")),
                ("lost", _("Lost")),
            ),
        ),
        DESCRIPTION,
        owner(_("Lead owner")),
    ),
    told=Told("lead", leads.ASSIGNED, custom_objects.MENTIONED),  # no list has a mention type of its own for leads
    facts=facts,
)
