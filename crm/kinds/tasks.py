"""Tasks: what a member has to do, and by when."""

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from crm.kinds.base import Kind, Property, Told, Type
from crm.kinds.shared import DESCRIPTION, PRIORITY, name, owner
from crm.models import Record
from notifications.types import tasks as types


def facts(record: Record) -> dict[str, str]:
    if record.due_at is None:
        return {"due": _now("at any time")}
    return {"due": date_format(timezone.localtime(record.due_at), "DATETIME_FORMAT")}


KIND = Kind(
    key="tasks",
    label=_("Task"),
    plural=_("Tasks"),
    count=lambda n: ngettext("%(n)s task", "%(n)s tasks", n) % {"n": n},
    title=("name",),
    properties=(
        name(_("Task name")),
        Property("due_at", _("Due"), Type.DATETIME, column="due_at"),
        Property("remind_at", _("Reminder"), Type.DATETIME, column="remind_at", has_meaning_empty=True),
        Property("completed_at", _("Completed"), Type.DATETIME, column="completed_at", has_meaning_empty=True),
        PRIORITY,
        Property(
            "what",
            _("What kind of task"),
            Type.CHOICE,
            choices=(("todo", _("To do")), ("call", _("Call")), ("mail", _("E-mail")), ("meeting", _("Meeting"))),
        ),
        DESCRIPTION,
        owner(_("Assigned to")),
    ),
    told=Told("task", types.ASSIGNED, types.MENTIONED),
    facts=facts,
)
