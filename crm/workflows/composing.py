"""Reading the steps of a workflow: each by its action, the sides of branches too. All that is wrong is named."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from django.utils.translation import gettext as _

from crm.workflows import flow
from crm.workflows.actions import ACTIONS
from crm.workflows.reading import Part, Place

MOST_STEPS: Final = 50
DEEPEST: Final = 5
_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,20}")

Problems = dict[str, list[str]]


def steps(raw: object, place: Place, *, used: Iterable[str] = ()) -> tuple[list[dict[str, Any]], Problems]:
    """The steps as they are kept, and what is wrong, by `steps.s3.member`. Steps without an id get one.

    `used`: ids of steps that there were before, which no new step gets.
    """
    if not isinstance(raw, list | tuple):
        return [], {"steps": [_("Write a list of steps.")]}
    given = list(_each(raw))
    if len(given) > MOST_STEPS:
        return [], {"steps": [_("At most %(most)d steps fit, those on branches too.") % {"most": MOST_STEPS}]}
    named = [one["id"] for one in given if _has_id(one)]
    problems: Problems = {f"steps.{one}": [_("Two steps have this id.")] for one in named if named.count(one) > 1}
    return _read(raw, place, _new_ids({*named, *used}), problems, depth=0), problems


def _read(
    raw: Sequence[Any], place: Place, new: Iterator[str], problems: Problems, *, depth: int
) -> list[dict[str, Any]]:
    kept = []
    for given in raw:
        if not isinstance(given, Mapping):
            problems["steps"] = [_("Write each step as an object with what it does under “do”.")]
            continue
        step_id = given["id"] if _has_id(given) else next(new)
        action = ACTIONS.get(str(given.get("do")))
        if action is None:
            problems[f"steps.{step_id}.do"] = [_("Choose one of: %s.") % ", ".join(ACTIONS)]
            continue
        part = Part(given, place)
        step = {"id": step_id, "do": action.do, **action.read(part)}
        if action.do == flow.BRANCH:
            step |= _sides(given, part, new, problems, depth=depth + 1)
        problems |= {f"steps.{step_id}.{name}": lines for name, lines in part.problems.items()}
        kept.append(step)
    return kept


def _sides(
    given: Mapping[str, Any], part: Part, new: Iterator[str], problems: Problems, *, depth: int
) -> dict[str, Any]:
    if depth > DEEPEST:
        part.wrong("do", _("Branches stand in branches at most %(most)d deep.") % {"most": DEEPEST})
        return {}
    return {side: _read(_list(given.get(side)), part.place, new, problems, depth=depth) for side in flow.SIDES}


def _each(raw: Iterable[Any], depth: int = 0) -> Iterator[Mapping[str, Any]]:
    """Every step in what was given, whatever else is in it. Deeper than any branch may be, nobody looks."""
    for given in raw:
        if isinstance(given, Mapping):
            yield given
            for side in flow.SIDES if given.get("do") == flow.BRANCH and depth <= DEEPEST else ():
                yield from _each(_list(given.get(side)), depth + 1)


def _list(raw: object) -> Sequence[Any]:
    return raw if isinstance(raw, list | tuple) else ()


def _has_id(given: Mapping[str, Any]) -> bool:
    return isinstance(given.get("id"), str) and _ID.fullmatch(given["id"]) is not None


def _new_ids(taken: set[str]) -> Iterator[str]:
    number = max((int(one[1:]) for one in taken if re.fullmatch(r"s[0-9]{1,9}", one)), default=0)
    while True:
        number += 1
        yield f"s{number}"
