"""Custom objects: what the kind of a row that a super admin defined looks like."""

from django.utils.translation import gettext_lazy as _

from crm.kinds.base import Kind, Told
from crm.kinds.shared import DESCRIPTION, name, owner
from crm.models import CustomKind
from notifications.types import custom_objects as types


def kind(row: CustomKind) -> Kind:
    """The kind that a row defines; its custom properties are added by `crm.schema`."""
    return Kind(
        key=row.key,
        label=row.label,
        plural=row.plural,
        count=lambda n: f"{n} {row.label if n == 1 else row.plural}",
        title=("name",),
        properties=(name(_("Name")), DESCRIPTION, owner(_("Owner"))),
        told=Told("record", types.RECORD_ASSIGNED, types.MENTIONED),
        facts=lambda record: {"kind": row.label},
        is_custom=True,
    )
