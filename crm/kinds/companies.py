"""Companies: known by their domain."""

from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from crm.kinds.base import Kind, Property, Told, Type
from crm.kinds.shared import CITY, COUNTRY, DESCRIPTION, PHONE, name, owner
from notifications.types import contacts as types

KIND = Kind(
    key="companies",
    label=_("Company"),
    plural=_("Companies"),
    count=lambda n: ngettext("%(n)s company", "%(n)s companies", n) % {"n": n},
    title=("name",),
    properties=(
        name(_("Company name")),
        Property("domain", _("Domain"), column="domain"),
        PHONE,
        Property("website", _("Website"), Type.URL),
        Property("industry", _("Industry")),
        Property("employees", _("Number of employees"), Type.NUMBER),
        CITY,
        COUNTRY,
        DESCRIPTION,
        owner(_("Company owner")),
    ),
    told=Told("company", types.COMPANY_ASSIGNED, types.MENTIONED_ON_COMPANY),
)
