"""Deals: what may be sold, moving through a pipeline."""

from django.utils.formats import number_format
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from crm.kinds.base import Kind, Property, Told, Type
from crm.kinds.shared import DESCRIPTION, name, owner, stage
from crm.models import Record
from notifications.types import deals as types


def amount(record: Record) -> str:
    """The deal's amount as people read it: "18,400 EUR"."""
    worth = record.values.get("amount")
    if worth is None:
        return _now("No amount")
    return f"{number_format(worth, use_l10n=True, force_grouping=True)} {record.values.get('currency', '')}".strip()


def facts(record: Record) -> dict[str, str]:
    return {"amount": amount(record), "stage": record.stage.name if record.stage else _now("no stage")}


KIND = Kind(
    key="deals",
    label=_("Deal"),
    plural=_("Deals"),
    count=lambda n: ngettext("%(n)s deal", "%(n)s deals", n) % {"n": n},
    title=("name",),
    properties=(
        name(_("Deal name")),
        Property("amount", _("Amount"), Type.NUMBER),
        Property("currency", _("Currency")),
        Property("close_date", _("Close date"), Type.DATE),
        DESCRIPTION,
        stage(_("Deal stage")),
        owner(_("Deal owner")),
    ),
    stage_label=_("Deal stage"),
    stages=(
        (
            _("Sales"),
            (
                (_("Qualified"), "open"),
                (_("Meeting held"), "open"),
                (_("Offer made"), "open"),
                (_("Contract sent"), "open"),
                (_("Won"), "won"),
                (_("Lost"), "lost"),
            ),
        ),
    ),
    told=Told("deal", types.ASSIGNED, types.MENTIONED, moved=types.STAGE_CHANGED),
    facts=facts,
)
