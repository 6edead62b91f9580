"""The order of steps: which one comes first, which one next, on the branches too. Pure: values in, values out."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, Final

Step = Mapping[str, Any]
BRANCH: Final = "branch"
SIDES: Final = ("yes", "no")


def flat(steps: Sequence[Step], depth: int = 0) -> Iterator[tuple[Step, int]]:
    """Each step, in the order in which it is read, with how many branches it stands in."""
    for step in steps:
        yield step, depth
        if step["do"] == BRANCH:
            for side in SIDES:
                yield from flat(step.get(side, ()), depth + 1)


def find(steps: Sequence[Step], step_id: str) -> Step | None:
    return next((step for step, _depth in flat(steps) if step["id"] == step_id), None)


def ids(steps: Sequence[Step]) -> list[str]:
    return [step["id"] for step, _depth in flat(steps)]


def first(steps: Sequence[Step], otherwise: str = "") -> str:
    """The id of the first step; of none: what comes otherwise."""
    return str(steps[0]["id"]) if steps else otherwise


def after(steps: Sequence[Step], step_id: str, side: str = "") -> str:
    """The id of the step that follows one, empty at the end. `side`: which one of a branch is taken.

    Both sides of a branch come together again: what stands behind the branch follows their last steps.
    """
    return _after(steps, step_id, side, "") or ""


def still(steps: Sequence[Step], step_id: str, there: Collection[str]) -> str:
    """The id of the first step, from one on, that is still among those `there`; empty when none is.

    A branch was not decided yet: what stood on its sides may have been moved out of it when it was removed.
    """
    while step_id:
        step = find(steps, step_id)
        assert step is not None
        if found := next((one for one in ids([step]) if one in there), ""):
            return found
        step_id = after(steps, step_id)
    return ""


def _after(steps: Sequence[Step], step_id: str, side: str, behind: str) -> str | None:
    """None: the step is not among these."""
    for place, step in enumerate(steps):
        following = first(steps[place + 1 :], behind)
        if step["id"] == step_id:
            return first(step.get(side, ()), following) if side else following
        for one in SIDES if step["do"] == BRANCH else ():
            found = _after(step.get(one, ()), step_id, side, following)
            if found is not None:
                return found
    return None
