"""Give a property of the record another value, or empty it."""

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm import records, showing, stages
from crm.kinds import Type
from crm.models import ActionOutcome, Source
from crm.workflows.actions.base import Action, Done, Step, Turn
from crm.workflows.reading import Part


def read(part: Part) -> dict[str, Any]:
    key = part.property("property")
    if not key:
        return {"property": "", "value": None}
    value, one = part.value_of("value", key), part.place.kind.find(key)
    if value is None and not part.problems and one is not None and one.type is Type.STAGE:
        part.wrong("value", _("Choose a stage."))
    return {"property": key, "value": value}


def run(step: Step, turn: Turn) -> Done:
    key, version = step["property"], turn.record.version
    record = records.change(turn.record, {key: step["value"]}, by=None, source=Source.WORKFLOW, kind=turn.kind)
    one = turn.kind.find(key)
    assert one is not None
    value = records.current(record, turn.kind, key)
    words = showing.Words(
        turn.kind,
        people=showing.names_of(turn.workflow.account, [value]) if one.type is Type.USER and value else {},
        stages=showing.stage_names(stages.pipelines_of(turn.workflow.account, turn.kind))
        if one.type is Type.STAGE
        else {},
    )
    facts = {"property": one.label, "value": words.of(one, value)[:200] or _("nothing")}
    if record.version == version:
        return Done(_("%(property)s was “%(value)s” already.") % facts, ActionOutcome.NOTHING)
    return Done(_("%(property)s was set to “%(value)s”.") % facts)


ACTION = Action("set", gettext_lazy("Set a property"), read, run)
