"""Properties that several kinds have."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _

from crm.kinds.base import Property, Type

if TYPE_CHECKING:
    from django_stubs_ext import StrPromise


def owner(label: StrPromise) -> Property:
    return Property("owner", label, Type.USER, column="owner")


def stage(label: StrPromise) -> Property:
    return Property("stage", label, Type.STAGE, column="stage")


def name(label: StrPromise) -> Property:
    """The one property that names a record."""
    return Property("name", label, column="title", is_required=True)


DESCRIPTION = Property("description", _("Description"), Type.LONG_TEXT)
PHONE = Property("phone", _("Phone number"), Type.PHONE)
CITY = Property("city", _("City"))
COUNTRY = Property("country", _("Country"))
PRIORITY = Property(
    "priority",
    _("Priority"),
    Type.CHOICE,
    choices=(("low", _("Low")), ("medium", _("Medium")), ("high", _("High")), ("urgent", _("Urgent"))),
)
