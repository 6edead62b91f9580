"""What begins a workflow and what its steps do, in words: for the list, the editor and whoever only looks."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.utils.dates import WEEKDAYS
from django.utils.text import get_text_list
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import Account, Team
from crm import conditions, showing, stages
from crm.kinds import Kind, Type
from crm.models import RecordList
from crm.workflows import drafting

NOT_YET = "…"
MOST_LISTS = 500
LONGEST = 300  # of the words for all conditions of a branch


@dataclass(frozen=True)
class Names:
    """What ids stand for, looked up once for a whole page."""

    account: Account
    people: Mapping[int, str] = field(default_factory=dict)
    teams: Mapping[int, str] = field(default_factory=dict)
    lists: Mapping[int, str] = field(default_factory=dict)
    stages: Mapping[int, str] = field(default_factory=dict)

    def of(self, kind: Kind, key: str, value: Any) -> str:
        """A value of a property, as people read it, whatever was written."""
        one = kind.find(key)
        if one is None:
            return str(value)
        if one.type in (Type.USER, Type.STAGE) and (number := whole(value)):
            value = number
        words = showing.Words(kind, people=self.people, stages=self.stages)
        try:
            return words.of(one, value)
        except (ValueError, TypeError, AttributeError):  # it is not saved yet, and may be anything
            return str(value)


def names_for(
    account: Account,
    kinds: Iterable[Kind],
    *,
    triggers: Iterable[Mapping[str, Any]] = (),
    steps: Iterable[drafting.Step] = (),
) -> Names:
    """The names in these triggers and steps. At most a query for each sort of thing, and one for each kind's stages."""
    steps, triggers, kinds = list(steps), list(triggers), list(kinds)
    teams = {pk for step in steps for pk in step.get("teams", ())}
    return Names(
        account,
        people=showing.names_of(account, _people(kinds, triggers, steps)),
        teams=dict(Team.objects.filter(account=account, pk__in=_ids(teams)).values_list("pk", "name")),
        lists=_lists(account, triggers),
        stages=showing.stage_names(
            pipeline for kind in kinds if kind.has_stages for pipeline in stages.pipelines_of(account, kind)
        ),
    )


def trigger(kind: Kind | None, given: Mapping[str, Any], names: Names) -> str:
    """What enrols records: “Stage becomes “Won””."""
    say = _TRIGGERS.get(str(given.get("on", "")))
    return say(kind, given, names) if say and kind else _("Nothing begins it yet")


def step(kind: Kind, given: drafting.Step, names: Names) -> str:
    """What a step does: “2 days”, “To Bob Berg”."""
    return _STEPS[given["do"]](kind, given, names)


def whole(value: Any) -> int:
    """An id, however it was written; 0 for anything else."""
    text = str(value)
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else 0


def _ids(values: Iterable[Any]) -> set[int]:
    return {number for value in values if (number := whole(value))}


def _people(kinds: list[Kind], triggers: list[Mapping[str, Any]], steps: list[drafting.Step]) -> set[int]:
    keys = {one.key for kind in kinds for one in kind.people}
    found = {pk for one in steps for pk in one.get("members", ())} | {one.get("member") for one in steps}
    found |= {one.get("value") for one in steps if one.get("property") in keys and not isinstance(one["value"], list)}
    return _ids(found | {one.get("to") for one in triggers if one.get("property") in keys})


def lists_of(account: Account, kind: str = "", *, only: Iterable[int] | None = None) -> dict[int, str]:
    """The lists that records can join, by name."""
    rows = RecordList.objects.of(account, kind)
    rows = rows if only is None else rows.filter(pk__in=list(only))
    return dict(rows.order_by("name", "pk").values_list("pk", "name")[:MOST_LISTS])


def _lists(account: Account, triggers: list[Mapping[str, Any]]) -> dict[int, str]:
    wanted = _ids(one.get("list") for one in triggers)
    return lists_of(account, only=wanted) if wanted else {}


def _changed(kind: Kind, given: Mapping[str, Any], names: Names) -> str:
    one = kind.find(str(given.get("property", "")))
    facts = {"property": str(one.label) if one else NOT_YET}
    if given.get("to") in (None, ""):
        return _("%(property)s changes") % facts
    return _("%(property)s becomes “%(value)s”") % {**facts, "value": names.of(kind, given["property"], given["to"])}


def _joined(_kind: Kind, given: Mapping[str, Any], names: Names) -> str:
    return _("A record joins the list “%(list)s”") % {"list": names.lists.get(whole(given.get("list")), NOT_YET)}


def _submitted(_kind: Kind, given: Mapping[str, Any], _names: Names) -> str:
    form = str(given.get("form") or "")
    return _("The form “%(form)s” is submitted") % {"form": form} if form else _("A form is submitted")


def _schedule(_kind: Kind, given: Mapping[str, Any], _names: Names) -> str:
    at = str(given.get("at") or NOT_YET)
    if given.get("every") != "week":
        return _("Every day at %(at)s") % {"at": at}
    return _("Every %(day)s at %(at)s") % {"day": WEEKDAYS.get(given.get("weekday", 0), NOT_YET), "at": at}


_TRIGGERS: Mapping[str, Callable[[Kind, Mapping[str, Any], Names], str]] = {
    "created": lambda _kind, _given, _names: _("A record is created"),
    "changed": _changed,
    "joined": _joined,
    "submitted": _submitted,
    "schedule": _schedule,
    "manual": lambda _kind, _given, _names: _("Only by hand"),
}


def _notify(_kind: Kind, given: drafting.Step, names: Names) -> str:
    who = [_("the owner")] if given.get("owner") else []
    who += [names.teams[pk] for one in given.get("teams", ()) if (pk := whole(one)) in names.teams]
    who += _named(given.get("members", ()), names)
    facts = {"subject": given.get("subject") or NOT_YET, "who": get_text_list(who, _("and")) or NOT_YET}
    return _("“%(subject)s” to %(who)s") % facts


def _set(kind: Kind, given: drafting.Step, names: Names) -> str:
    one = kind.find(str(given.get("property", "")))
    if one is None:
        return NOT_YET
    if given.get("value") in (None, ""):
        return _("%(property)s is emptied") % {"property": one.label}
    return _("%(property)s becomes “%(value)s”") % {
        "property": one.label,
        "value": names.of(kind, one.key, given["value"]),
    }


def _task(_kind: Kind, given: drafting.Step, names: Names) -> str:
    days = whole(given.get("due_in_days"))
    who = _("the owner") if given.get("member") == "owner" else names.people.get(whole(given.get("member")), NOT_YET)
    due = ngettext("due after %(days)d day", "due after %(days)d days", days) % {"days": days}
    return _("“%(name)s”, %(due)s, for %(who)s") % {"name": given.get("name") or NOT_YET, "due": due, "who": who}


def _wait(_kind: Kind, given: drafting.Step, _names: Names) -> str:
    amount = whole(given.get("amount"))
    words = {
        "minutes": ngettext("%(number)d minute", "%(number)d minutes", amount),
        "hours": ngettext("%(number)d hour", "%(number)d hours", amount),
        "days": ngettext("%(number)d day", "%(number)d days", amount),
    }
    return words.get(str(given.get("unit")), NOT_YET) % {"number": amount} if amount else NOT_YET


def _named(members: Iterable[Any], names: Names) -> list[str]:
    return [names.people[pk] for one in members if (pk := whole(one)) in names.people]


_STEPS: Mapping[str, Callable[[Kind, drafting.Step, Names], str]] = {
    "notify": _notify,
    "assign": lambda _kind, given, names: names.people.get(whole(given.get("member")), NOT_YET),
    "rotate": lambda _kind, given, names: get_text_list(_named(given.get("members", ()), names), _("and")) or NOT_YET,
    "set": _set,
    "task": _task,
    "wait": _wait,
    "branch": lambda kind, given, names: (
        conditions.in_words(kind, conditions.from_json(given.get("conditions")), names.account)[:LONGEST] or NOT_YET
    ),
}
