"""What workflows did: for one record, and for one workflow with numbers per step."""

from collections.abc import Mapping
from dataclasses import dataclass

from accounts.models import Membership
from crm.models import Enrolment, Record, Workflow

PAGE = 50


@dataclass(frozen=True)
class Numbers:
    """How many records are in which state, and what became of each step."""

    by_state: Mapping[str, int]  # EnrolmentState
    by_step: Mapping[str, Mapping[str, int]]  # step id: {ActionOutcome: n, "waiting": n that stand before it}


def of_record(record: Record, member: Membership) -> list[Enrolment]:
    """The newest enrolments of a record, each with its workflow and its `runs` in order. May not see it: none."""
    raise NotImplementedError


def of_workflow(
    workflow: Workflow, member: Membership, *, state: str = "", before: int | None = None, limit: int = PAGE
) -> list[Enrolment]:
    """The newest enrolments whose records the member may see, or those older than `before`; record and runs read."""
    raise NotImplementedError


def numbers(workflow: Workflow) -> Numbers:
    """Counted over all enrolments of the workflow. Three queries."""
    raise NotImplementedError
