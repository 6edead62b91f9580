"""What an action is."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django_stubs_ext import StrPromise

from crm.kinds import Kind
from crm.models import ActionOutcome, Enrolment, Record, Workflow
from crm.workflows.reading import Part

Step = Mapping[str, Any]


@dataclass(frozen=True)
class Turn:
    """All that a step has in hand when its turn has come. `record` is not in the bin, and not locked."""

    workflow: Workflow
    kind: Kind
    enrolment: Enrolment
    record: Record
    now: datetime


@dataclass(frozen=True)
class Done:
    """What became of a step. `words`: a sentence for the log. `side`: which way a branch goes; `until`: a delay."""

    words: str
    outcome: ActionOutcome = ActionOutcome.DONE
    side: str = ""
    until: datetime | None = None


@dataclass(frozen=True)
class Action:
    """One thing a step can do. `read` takes what somebody wrote apart; `run` does it, in the caller's transaction.

    `run` may raise: nothing of it stays then, it is tried again, and what keeps failing puts the workflow to review.
    """

    do: str
    label: StrPromise
    read: Callable[[Part], dict[str, Any]]
    run: Callable[[Step, Turn], Done]
