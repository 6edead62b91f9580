"""What workflows did: for one record, and for one workflow with numbers per step."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from django.db.models import Count, Prefetch, QuerySet

from accounts.models import Membership
from crm.models import ActionRun, Enrolment, EnrolmentState, Record, Workflow, WorkflowState

PAGE: Final = 50
BIGGEST: Final = 2**63 - 1
WAITING: Final = "waiting"


@dataclass(frozen=True)
class Numbers:
    """How many records are in which state, and what became of each step."""

    by_state: Mapping[str, int]  # EnrolmentState
    by_step: Mapping[str, Mapping[str, int]]  # step id: {ActionOutcome: n, "waiting": n that stand before it}


def of_record(record: Record, member: Membership) -> list[Enrolment]:
    """The newest enrolments of a record, each with its workflow and its `runs` in order. May not see it: none."""
    if not Record.objects.visible_to(member).filter(pk=record.pk).exists():
        return []
    rows = Enrolment.objects.filter(record=record, workflow__account=member.account_id)
    return list(_with_runs(rows).order_by("-pk")[:PAGE])


def of_workflow(
    workflow: Workflow, member: Membership, *, state: str = "", before: int | None = None, limit: int = PAGE
) -> list[Enrolment]:
    """The newest enrolments whose records the member may see, or those older than `before`; record and runs read."""
    mine = Record.objects.filter(account=workflow.account_id, kind=workflow.kind).visible_to(member)
    rows = Enrolment.objects.filter(workflow=workflow, pk__lt=before or BIGGEST, record__in=mine)
    if state:
        rows = standing(rows, workflow, state)
    return list(_with_runs(rows).order_by("-pk")[:limit])


def standing(rows: QuerySet[Enrolment], workflow: Workflow, state: str) -> QuerySet[Enrolment]:
    """Those of a workflow's enrolments that stand so (`Enrolment.standing`)."""
    if workflow.state != WorkflowState.OFF:
        return rows.filter(state=state)
    so = {EnrolmentState.WAITING: [], EnrolmentState.CANCELLED: [EnrolmentState.WAITING, EnrolmentState.CANCELLED]}
    return rows.filter(state__in=so.get(EnrolmentState(state), [state]))


def numbers(workflow: Workflow) -> Numbers:
    """Counted over all enrolments of the workflow. Three queries."""
    rows = Enrolment.objects.filter(workflow=workflow)
    by_step = defaultdict[str, dict[str, int]](dict)
    runs = ActionRun.objects.filter(workflow=workflow).values_list("step", "outcome").annotate(n=Count("pk"))
    for step, outcome, count in runs:
        by_step[step][outcome] = count
    before = standing(rows, workflow, WAITING).values_list("at").annotate(n=Count("pk"))
    for step, count in before:
        by_step[step][WAITING] = count
    by_state = Counter[str](dict(rows.values_list("state").annotate(n=Count("pk"))))
    if workflow.state == WorkflowState.OFF and (rest := by_state.pop(WAITING, 0)):
        by_state[EnrolmentState.CANCELLED.value] += rest
    return Numbers(by_state=dict(by_state), by_step=dict(by_step))


def _with_runs(rows: QuerySet[Enrolment]) -> QuerySet[Enrolment]:
    runs = Prefetch("runs", queryset=ActionRun.objects.order_by("pk"))
    return rows.select_related("workflow__account", "version", "record__account", "by__user").prefetch_related(runs)
