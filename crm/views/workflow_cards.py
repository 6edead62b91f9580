"""The steps of a workflow as its editor draws them: words, fields, problems, numbers."""

import zoneinfo
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from django.utils.dates import WEEKDAYS
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django_stubs_ext import StrPromise

from accounts.models import Membership, Team
from crm import choosing, conditions
from crm.choosing import Choice
from crm.conditions import Row, Rows
from crm.filtering import Condition
from crm.kinds import Kind
from crm.workflows import actions, drafting, explaining
from crm.workflows.drafting import Draft, Step
from crm.workflows.explaining import whole
from crm.workflows.logbook import Numbers

Problems = Mapping[str, Sequence[str]]
MOST_TEAMS = 200
TRIGGERS = (
    ("created", _("it is created")),
    ("changed", _("a property changes")),
    ("joined", _("it joins a list")),
    ("submitted", _("a form is submitted")),
    ("schedule", _("the hour has come: every day or week")),
    ("manual", _("somebody enrols it by hand")),
)


@dataclass(frozen=True)
class Shown:
    """One thing a step can do, as the menu offers it."""

    label: StrPromise
    hint: StrPromise
    icon: str
    template: str


LOOKS = {  # of each action: its hint and its icon
    "notify": (_("To the owner, teams or people"), "bell"),
    "assign": (_("It gets another owner"), "user"),
    "rotate": (_("Each record to the next one"), "users"),
    "set": (_("Of the record"), "edit"),
    "task": (_("Due some days later"), "check"),
    "wait": (_("Minutes, hours or days"), "clock"),
    "branch": (_("Go on in one of two ways"), "branch"),
}
ACTIONS = {
    key: Shown(action.label, *LOOKS[key], f"crm/workflows/do/{key}.html") for key, action in actions.ACTIONS.items()
}
UNITS = (("minutes", _("minutes")), ("hours", _("hours")), ("days", _("days")))


@dataclass
class Card:
    """One step, with all that its template shows."""

    step: Step
    into: str  # the list it stands in
    action: Shown
    words: str
    is_open: bool
    may_rise: bool
    may_sink: bool
    problems: dict[str, list[str]] = field(default_factory=dict)
    condition_problems: Problems = field(default_factory=dict)
    waiting: int = 0
    passed: int = 0
    member: str = ""
    members: list[Choice] = field(default_factory=list)
    row: Row | None = None
    value_name: str = ""
    rows: Rows | None = None
    prefix: str = ""
    sides: list["Side"] = field(default_factory=list)


@dataclass
class Side:
    """One way on from a branch."""

    key: str
    label: str
    words: str
    into: str
    cards: list[Card]


class Board:
    """All that the templates of one editor draw from. A constant number of queries, however many steps there are."""

    actions = tuple(ACTIONS.items())
    units = (("", UNITS),)
    every = (("", (("day", _("Every day")), ("week", _("Every week")))),)
    weekdays = (("", tuple((str(number), name) for number, name in WEEKDAYS.items())),)

    def __init__(
        self,
        draft: Draft,
        kind: Kind,
        member: Membership,
        *,
        may_edit: bool,
        problems: Problems | None = None,
        opened: Iterable[str] = (),
        numbers: Numbers | None = None,
    ) -> None:
        self.draft, self.kind, self.may_edit = draft, kind, may_edit
        self.problems, self.opened, self.numbers = problems or {}, set(opened), numbers
        account = member.account
        every = drafting.all_of(draft.steps)
        self.names = explaining.names_for(account, [kind], triggers=[draft.trigger], steps=every)
        chosen = [pk for step in every for pk in (*step.get("members", ()), step.get("member")) if whole(pk)]
        self.people, self.more_people = choosing.members(account, chosen=[whole(pk) for pk in chosen])
        self.people_groups = (("", tuple((str(one.pk), one.name) for one in self.people)),)
        owner = (("owner", _now("The owner of the record")),)
        self.assignees = (("", owner), (_now("People"), self.people_groups[0][1]))
        self.teams = list(Team.objects.filter(account=account).order_by("name")[:MOST_TEAMS])
        self.zone = zoneinfo.ZoneInfo(account.time_zone).key
        self._draw_conditions(member, every)
        self.properties = (("", tuple((key, label) for key, label, _control in self.rows.options)),)
        self._draw_trigger(member)
        self.cards = self._cards(draft.steps, drafting.ROOT)

    def _draw_conditions(self, member: Membership, every: list[Step]) -> None:
        """The rows of the filters and of all branches, and the fields for values to set, read in one go."""
        parts = {"": conditions.from_json(self.draft.conditions)}
        if self.draft.trigger.get("property"):
            parts["trigger"] = [Condition(str(self.draft.trigger["property"]), "is", self.draft.trigger.get("to"))]
        for step in every:
            if step["do"] == "branch":
                parts[step["id"]] = conditions.from_json(step["conditions"])
            elif step["do"] == "set" and step["property"]:
                parts[step["id"]] = [Condition(str(step["property"]), "is", step["value"])]
        found = conditions.rows(self.kind, [one for several in parts.values() for one in several], member=member)
        self._rows: dict[str, Rows] = {}
        begin = 0
        for at, several in parts.items():
            part = self._rows[at] = Rows(found[begin : begin + len(several)])
            part.options, part.controls, part.spare = found.options, found.controls, found.spare
            begin += len(several)
        self.rows = self._rows[""]
        self.filter_problems = {key: lines for key, lines in self.problems.items() if key.startswith("conditions[")}

    def _draw_trigger(self, member: Membership) -> None:
        trigger = self.draft.trigger
        lists = explaining.lists_of(member.account, self.kind.key)
        self.lists = (("", tuple((str(pk), name) for pk, name in lists.items())),)
        self.triggers = (("", tuple(one for one in TRIGGERS if one[0] != "joined" or lists or trigger.get("list"))),)
        self.to = self._value_field("trigger")
        self.to_name = f"trigger-to-{trigger.get('property', '')}"
        self.weekday, self.list = written(trigger.get("weekday")), written(trigger.get("list"))
        at = str(trigger.get("at", ""))
        self.at_type = "time" if not at or drafting.is_time(at) else "text"  # else what was written would be lost
        self.trigger_problems = beneath(self.problems, "trigger")
        self.words = explaining.trigger(self.kind, trigger, self.names)

    def _value_field(self, at: str) -> Row | None:
        """The field for a value, once it is known of which property."""
        row = next(iter(self._rows.get(at, ())), None)
        return row if row and row.is_known else None

    def _cards(self, steps: list[Step], into: str) -> list[Card]:
        return [self._card(step, into, index, len(steps)) for index, step in enumerate(steps)]

    def _card(self, step: Step, into: str, index: int, among: int) -> Card:
        at = step["id"]
        wrong = beneath(self.problems, f"steps.{at}")
        counted = self.numbers.by_step.get(at, {}) if self.numbers else {}
        is_inner = into != drafting.ROOT
        card = Card(
            step,
            into,
            ACTIONS[step["do"]],
            explaining.step(self.kind, step, self.names),
            is_open=at in self.opened or bool(wrong),
            may_rise=is_inner or index > 0,
            may_sink=is_inner or index < among - 1,
            problems=wrong,
            waiting=counted.get("waiting", 0),
            passed=sum(number for outcome, number in counted.items() if outcome not in ("waiting", "failed")),
            member=written(step.get("member")),
            members=[one for pk in step.get("members") or () for one in self.people if one.pk == whole(pk)],
        )
        if step["do"] == "set":
            card.row = self._value_field(at)
            card.value_name = f"{at}-value-{step['property']}"
        if step["do"] == "branch":
            card.rows, card.prefix = self._rows[at], f"{at}-where"
            card.condition_problems = {key: lines for key, lines in self.problems.items() if f"steps.{at}." in key}
            words = {"yes": (_now("Yes"), _now("if all of it holds")), "no": (_now("No"), _now("otherwise"))}
            card.sides = [
                Side(side, *words[side], f"{at}.{side}", self._cards(step[side], f"{at}.{side}"))
                for side in drafting.SIDES
            ]
        return card


def beneath(problems: Problems, prefix: str) -> dict[str, list[str]]:
    """The problems of one part by field; what is about the whole part under `step`."""
    found: dict[str, list[str]] = {}
    for name, lines in problems.items():
        if name == prefix or name.startswith(f"{prefix}."):
            found.setdefault(name.removeprefix(prefix).removeprefix(".") or "step", []).extend(lines)
    return found


def written(value: Any) -> str:
    """A value as a field shows it."""
    if value is None:
        return ""
    return cast(str, {True: "true", False: "false"}.get(value, value)) if isinstance(value, bool) else str(value)
