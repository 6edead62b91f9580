"""Contacts: people outside, each with at most one address, an address with at most one contact."""

from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from crm.kinds.base import Kind, Property, Told, Type
from crm.kinds.shared import CITY, COUNTRY, DESCRIPTION, PHONE, owner
from notifications.types import contacts as types

KIND = Kind(
    key="contacts",
    label=_("Contact"),
    plural=_("Contacts"),
    count=lambda n: ngettext("%(n)s contact", "%(n)s contacts", n) % {"n": n},
    title=("first_name", "last_name"),
    title_else=("email", "phone"),
    properties=(
        Property("first_name", _("First name")),
        Property("last_name", _("Last name")),
        Property("email", _("E-mail address"), Type.EMAIL, column="address", is_unique=True),
        PHONE,
        Property("job_title", _("Job title")),
        Property("company_name", _("Company name")),
        Property(
            "lifecycle",
            _("Lifecycle stage"),
            Type.CHOICE,
            choices=(
                ("subscriber", _("Subscriber")),
                ("lead", _("Lead")),
                ("opportunity", _("Opportunity")),
                ("customer", _("Customer")),
                ("other", _("Other")),
            ),
        ),
        CITY,
        COUNTRY,
        DESCRIPTION,
        owner(_("Contact owner")),
    ),
    told=Told("contact", types.CONTACT_ASSIGNED, types.MENTIONED_ON_CONTACT),
)
