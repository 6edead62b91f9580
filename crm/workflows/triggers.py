"""What enrols records: one entry per trigger, how it is written down and which happenings it answers to."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.core.serializers.json import DjangoJSONEncoder
from django.utils.translation import gettext as _

from crm.models import Happening, RecordList, Trigger, What
from crm.workflows import reading
from crm.workflows.reading import Part
from notifications.types.values import problem_with_value

Given = Mapping[str, Any]
EVERY: Final = ("day", "week")
LONGEST_FORM: Final = 100  # as crm.form_submissions has it
_AT: Final = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]")


@dataclass(frozen=True)
class Rule:
    """`read`: what is kept of what was written; `answers`: whether a happening enrols its record."""

    read: Callable[[Part], dict[str, Any]] = lambda part: {}
    answers: Callable[[Given, Happening], bool] = lambda trigger, one: False
    is_heard: bool = True  # of what happens; else a clock or a person enrols


def read(part: Part) -> dict[str, Any]:
    """A trigger as it is kept; what is wrong is named in the part."""
    on = part.choice("on", Trigger.values)
    return {"on": on, **RULES[Trigger(on)].read(part)} if on else {}


def answers(trigger: Given, one: Happening) -> bool:
    """Whether this happening enrols its record in a workflow with this trigger."""
    rule = RULES.get(trigger.get("on", ""))
    return rule is not None and rule.answers(trigger, one)


def _changed(part: Part) -> dict[str, Any]:
    key = part.property("property")
    kept: dict[str, Any] = {"property": key}
    if key and part.given.get("to") not in (None, ""):
        kept["to"] = json.loads(json.dumps(part.value_of("to", key), cls=DjangoJSONEncoder))
    return kept


def _answers_change(trigger: Given, one: Happening) -> bool:
    if one.what not in (What.CHANGED, What.MERGED) or trigger["property"] not in one.lines:
        return False
    _before, after = one.lines[trigger["property"]]
    return "to" not in trigger or after == trigger["to"]


def _joined(part: Part) -> dict[str, Any]:
    number = reading.whole(part.given.get("list")) or 0
    lists = RecordList.objects.of(part.place.account, part.place.kind.key)
    if not 0 < number <= reading.BIGGEST or not lists.filter(pk=number).exists():
        part.wrong("list", _("Choose a list of these records. It may have been deleted a moment ago."))
    return {"list": number}


def _answers_join(trigger: Given, one: Happening) -> bool:
    return one.what == What.JOINED and one.lines["list"][1] == trigger["list"]


def _submitted(part: Part) -> dict[str, Any]:
    """Forms are known by their names, as they are handed in."""
    name = part.given.get("form") or ""
    if not isinstance(name, str) or len(name) > LONGEST_FORM or problem_with_value(name):
        part.wrong("form", _("Write the name of a form, or nothing for any form."))
        return {"form": ""}
    return {"form": " ".join(name.split())}


def _answers_form(trigger: Given, one: Happening) -> bool:
    return one.what == What.SUBMITTED and trigger["form"] in ("", one.lines["form"][1])


def _schedule(part: Part) -> dict[str, Any]:
    kept: dict[str, Any] = {"every": part.choice("every", EVERY)}
    if kept["every"] == "week":
        kept["weekday"] = part.number("weekday", 0, 6)
    at = part.given.get("at")
    if not isinstance(at, str) or not _AT.fullmatch(at):
        part.wrong("at", _("Write a time of day such as 08:00."))
        at = "08:00"
    return kept | {"at": at}


RULES: Final[Mapping[str, Rule]] = {
    Trigger.CREATED: Rule(answers=lambda _trigger, one: one.what == What.CREATED),
    Trigger.CHANGED: Rule(_changed, _answers_change),
    Trigger.JOINED: Rule(_joined, _answers_join),
    Trigger.SUBMITTED: Rule(_submitted, _answers_form),
    Trigger.SCHEDULE: Rule(_schedule, is_heard=False),
    Trigger.MANUAL: Rule(is_heard=False),
}
HEARD: Final = [key for key, rule in RULES.items() if rule.is_heard]
