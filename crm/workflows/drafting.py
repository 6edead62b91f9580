"""A workflow as the form of its editor holds it: steps put in, moved, taken out and put back. Nothing is judged here.

The steps stand in lists: `root`, and the `s4.yes` and `s4.no` of a branch. The form says where each step stands, in
reading order, as "s5 set s4.yes"; its fields are named by its id: `s5-property`. Whatever was written is kept as it is.
"""

import copy
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.http import QueryDict

from crm import conditions
from crm.kinds import Kind
from crm.models import Workflow
from crm.workflows import flow

ROOT = "root"
SIDES = flow.SIDES
MOST = 200  # steps that are read from a form: more than are taken, so that the refusal can say so

Step = dict[str, Any]


@dataclass
class Draft:
    """What the editor shows: the workflow as it is kept, or as somebody is just writing it."""

    name: str
    trigger: dict[str, Any]
    conditions: list[dict[str, Any]]
    reenrols: bool
    steps: list[Step]


def of(workflow: Workflow) -> Draft:
    """A workflow as it is kept."""
    steps: list[Step] = copy.deepcopy(workflow.steps)
    return Draft(workflow.name, dict(workflow.trigger), list(workflow.conditions), workflow.reenrols, _whole(steps))


def _whole(steps: list[Step]) -> list[Step]:
    """Every field of every step there, whatever was left out when it was saved."""
    for step in steps:
        for key, empty in EMPTY[step["do"]].items():
            step.setdefault(key, copy.deepcopy(empty) if key in ("yes", "no") else None)
        for side in SIDES if step["do"] == "branch" else ():
            _whole(step[side])
    return steps


def lists_of(steps: list[Step], name: str = ROOT) -> Iterator[tuple[str, list[Step]]]:
    """Every list of steps with its name, outer ones first."""
    yield name, steps
    for step in steps:
        for side in SIDES if step["do"] == "branch" else ():
            yield from lists_of(step[side], f"{step['id']}.{side}")


def all_of(steps: list[Step]) -> list[Step]:
    """Every step, at whatever depth, in reading order."""
    return [dict(step) for step, _depth in flow.flat(steps)]


def new_id(steps: list[Step], version: int) -> str:
    """An id that no step has, nor had in an earlier version: numbers per step would tell of another one."""
    there = {step["id"] for step in all_of(steps)}
    return next(found for n in range(1, 2 * MOST) if (found := f"s{100 * version + n}") not in there)


def find(steps: list[Step], wanted: str) -> tuple[str, list[Step], int] | None:
    """Where a step stands: the name of its list, the list, its place in it."""
    for name, there in lists_of(steps):
        for index, step in enumerate(there):
            if step["id"] == wanted:
                return name, there, index
    return None


def add(steps: list[Step], do: str, into: str, index: int, *, version: int) -> Step | None:
    """Put a new step into a list; None if there is no such list or action."""
    there = dict(lists_of(steps)).get(into)
    if there is None or do not in EMPTY:
        return None
    step: Step = {"id": new_id(steps, version), "do": do} | copy.deepcopy(dict(EMPTY[do]))
    there.insert(max(0, index), step)
    return step


def remove(steps: list[Step], wanted: str) -> dict[str, Any] | None:
    """Take a step out, with what stands in it. Returns what `put_back` needs."""
    if not (found := find(steps, wanted)):
        return None
    name, there, index = found
    return {"step": there.pop(index), "list": name, "index": index}


def put_back(steps: list[Step], removed: Mapping[str, Any]) -> Step | None:
    """Undo a removal, with what `remove` returned; None if its place is gone or it is there already."""
    step: Step = removed["step"]
    there = dict(lists_of(steps)).get(removed["list"])
    ids = {one["id"] for one in all_of(steps)}
    if there is None or any(one["id"] in ids for one in all_of([step])):
        return None
    there.insert(removed["index"], step)
    return step


def move_up(steps: list[Step], wanted: str) -> None:
    """One place up as one reads: past the step before, into a branch from below, out of it at its top."""
    if not (found := find(steps, wanted)):
        return
    name, there, index = found
    if index:
        before = there[index - 1]
        step = there.pop(index)
        if before["do"] == "branch":
            before["no"].append(step)
        else:
            there.insert(index - 1, step)
    elif name != ROOT:
        branch, _dot, side = name.partition(".")
        outer = find(steps, branch)
        assert outer is not None
        step = there.pop(0)
        if side == "no":
            outer[1][outer[2]]["yes"].append(step)
        else:
            outer[1].insert(outer[2], step)


def move_down(steps: list[Step], wanted: str) -> None:
    """One place down as one reads: the other way of `move_up`."""
    if not (found := find(steps, wanted)):
        return
    name, there, index = found
    if index < len(there) - 1:
        after = there[index + 1]
        step = there.pop(index)
        if after["do"] == "branch":
            after["yes"].insert(0, step)
        else:
            there.insert(index + 1, step)
    elif name != ROOT:
        branch, _dot, side = name.partition(".")
        outer = find(steps, branch)
        assert outer is not None
        step = there.pop()
        if side == "yes":
            outer[1][outer[2]]["no"].insert(0, step)
        else:
            outer[1].insert(outer[2] + 1, step)


EMPTY: Mapping[str, Mapping[str, Any]] = {  # what a new step holds
    "notify": {"subject": "", "message": "", "members": [], "teams": [], "owner": True},
    "assign": {"member": None},
    "rotate": {"members": []},
    "set": {"property": "", "value": None},
    "task": {"name": "", "due_in_days": 1, "member": "owner"},
    "wait": {"amount": 1, "unit": "days"},
    "branch": {"conditions": [], "yes": [], "no": []},
}


def read(kind: Kind, given: QueryDict) -> Draft:
    """What was posted, whatever was written."""
    return Draft(
        name=given.get("name", ""),
        trigger=_trigger(given),
        conditions=conditions.as_json(conditions.read(kind, given)),
        reenrols=bool(given.get("reenrols")),
        steps=_steps(kind, given),
    )


def _trigger(given: QueryDict) -> dict[str, Any]:
    on = given.get("trigger-on", "")
    trigger: dict[str, Any] = {"on": on}
    if on == "changed":
        trigger["property"] = given.get("trigger-property", "")
        to = given.get(f"trigger-to-{trigger['property']}", "")
        trigger |= {"to": to} if to else {}
    elif on == "joined":
        trigger["list"] = _number(given.get("trigger-list", ""))
    elif on == "submitted":
        trigger["form"] = given.get("trigger-form", "").strip()
    elif on == "schedule":
        trigger |= {"every": given.get("trigger-every", "day"), "at": given.get("trigger-at", "")}
        if trigger["every"] == "week":
            trigger["weekday"] = _number(given.get("trigger-weekday", "0"))
    return trigger


def _steps(kind: Kind, given: QueryDict) -> list[Step]:
    """The tree that the form describes. What names a list that is not there is left out: no page of ours posts it."""
    lists: dict[str, list[Step]] = {ROOT: []}
    ids: set[str] = set()
    for line in given.getlist("step")[:MOST]:
        parts = str(line).split(" ")
        if len(parts) != 3 or parts[0] in ids or parts[1] not in EMPTY or parts[2] not in lists:
            continue
        step_id, do, into = parts
        ids.add(step_id)
        step: Step = {"id": step_id, "do": do} | _READ[do](kind, given, step_id)
        lists[into].append(step)
        if do == "branch":
            lists |= {f"{step_id}.{side}": step[side] for side in SIDES}
    return lists[ROOT]


def _number(text: Any) -> Any:
    """A whole number; what is none stays as it was written, to be refused beside its field."""
    text = str(text).strip()
    return int(text) if text.isascii() and text.removeprefix("-").isdigit() and len(text) < 19 else text


def is_time(text: str) -> bool:
    """Whether it is a time of day such as 08:30."""
    return re.fullmatch(r"([01][0-9]|2[0-3]):[0-5][0-9]", text) is not None


def _ids(given: QueryDict, name: str) -> list[Any]:
    return list(dict.fromkeys(_number(one) for one in given.getlist(name) if one != ""))


def _person(given: QueryDict, name: str) -> Any:
    text = given.get(name, "")
    return _number(text) if text else None


def _notify(_kind: Kind, given: QueryDict, at: str) -> Step:
    return {
        "subject": given.get(f"{at}-subject", ""),
        "message": given.get(f"{at}-message", ""),
        "members": _ids(given, f"{at}-members"),
        "teams": _ids(given, f"{at}-teams"),
        "owner": bool(given.get(f"{at}-owner")),
    }


def _set(_kind: Kind, given: QueryDict, at: str) -> Step:
    wanted = given.get(f"{at}-property", "")
    value = given.get(f"{at}-value-{wanted}", "")
    return {"property": wanted, "value": None if value == "" else value}


def _task(_kind: Kind, given: QueryDict, at: str) -> Step:
    return {
        "name": given.get(f"{at}-name", ""),
        "due_in_days": _number(given.get(f"{at}-due_in_days", "")),
        "member": _person(given, f"{at}-member"),
    }


_READ: Mapping[str, Callable[[Kind, QueryDict, str], Step]] = {
    "notify": _notify,
    "assign": lambda _kind, given, at: {"member": _person(given, f"{at}-member")},
    "rotate": lambda _kind, given, at: {"members": _ids(given, f"{at}-members")},
    "set": _set,
    "task": _task,
    "wait": lambda _kind, given, at: {
        "amount": _number(given.get(f"{at}-amount", "")),
        "unit": given.get(f"{at}-unit", ""),
    },
    "branch": lambda kind, given, at: {
        "conditions": conditions.as_json(conditions.read(kind, given, prefix=f"{at}-where")),
        "yes": [],
        "no": [],
    },
}
