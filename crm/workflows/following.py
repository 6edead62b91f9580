"""Workflows listen to what happens to records: some of it enrols them, and what is in the bin goes no further.

See `crm.happenings.Listener`. Happenings that come while a workflow is paused or in review are passed by.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Final

from django.db.models import Count, Q, QuerySet
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from accounts import plans
from accounts.models import Account
from accounts.plans import Feature
from crm import schema
from crm.filtering import InvalidFilter
from crm.kinds import Kind
from crm.models import Enrolment, EnrolmentState, Happening, Record, Trigger, What, Workflow, WorkflowState
from crm.workflows import ending, enrolling, reviewing, triggers

DEEPEST: Final = 5  # workflows that follow from each other
MOST_AN_HOUR: Final = 20  # times that one record comes into one workflow
HOUR: Final = timedelta(hours=1)
ENDS: Final = (What.DELETED, What.MERGED)


def listens(account_id: int, kind: str) -> QuerySet[Any]:
    """Workflows that wait for something to happen, or have records under way that may be deleted."""
    waits = Q(state=WorkflowState.ON, trigger__on__in=triggers.HEARD) | Q(first_due__isnull=False)
    return Workflow.objects.with_first_due().filter(waits, account=account_id, kind=kind, deleted_at=None)


def listens_to_list(account_id: int, list_id: int) -> QuerySet[Any]:
    """Workflows that wait for records to join this list, which may fill with millions at once."""
    waits = Q(state=WorkflowState.ON, trigger__on=Trigger.JOINED, trigger__list=list_id)
    return Workflow.objects.filter(waits, account=account_id, deleted_at=None)


def heard(account: Account, batch: Sequence[Happening]) -> None:
    """Enrol what these enrol, and stop what was deleted. A few queries per workflow that answers."""
    answers = _answers(account, batch)
    gone = {one.record_id for one in batch if one.what in ENDS}
    under_way = Enrolment.objects.filter(record__in=gone, state=EnrolmentState.WAITING).values("workflow")
    rows = (
        Workflow.objects.of(account)
        .filter(Q(pk__in=answers) | Q(pk__in=under_way) if gone else Q(pk__in=answers))
        .select_related("account", "version")
        .select_for_update(of=("self",), no_key=True)
        .order_by("pk")
    )
    held = list(rows)  # first the workflows, then their enrolments, then records: see `writing.locked`
    ending.of_gone(gone)
    for workflow in held:
        if workflow.state == WorkflowState.ON and workflow.pk in answers:
            _enrol(workflow, answers[workflow.pk])


def _answers(account: Account, batch: Sequence[Happening]) -> Mapping[int, list[Happening]]:
    """The happenings that each workflow answers to."""
    if not plans.has(account.plan, Feature.WORKFLOWS):
        return {}
    found = defaultdict[int, list[Happening]](list)
    kinds = {one.kind for one in batch}
    rows = Workflow.objects.of(account).filter(state=WorkflowState.ON, kind__in=kinds, trigger__on__in=triggers.HEARD)
    for workflow in rows:
        for one in batch:
            if one.kind == workflow.kind and triggers.answers(workflow.trigger, one):
                found[workflow.pk].append(one)
    return dict(found)


def _enrol(workflow: Workflow, answered: Sequence[Happening]) -> None:
    kind = schema.kind_of(workflow.account, workflow.kind)
    by_depth = defaultdict[int, set[int]](set)
    for one in answered:
        by_depth[one.depth].add(one.record_id)
    try:
        if _loops(workflow, kind, by_depth):
            return
        for depth, records in sorted(by_depth.items()):
            enrolling.put_in(workflow, kind, Record.objects.live().filter(pk__in=records), depth=depth)
    except InvalidFilter as error:
        with translation.override(workflow.account.language):
            reviewing.put(workflow, reviewing.reason_of(error.fields or {"conditions": [str(error)]}))
    else:
        enrolling.wake_after_commit()


def _loops(workflow: Workflow, kind: Kind, by_depth: Mapping[int, set[int]]) -> bool:
    """The guard against workflows that start each other, or themselves, without end. True: it was put to review."""
    rows = Record.objects.live()
    deep = {pk for depth, records in by_depth.items() if depth >= DEEPEST for pk in records}
    with translation.override(workflow.account.language):
        if deep and enrolling.eligible(workflow, kind, rows.filter(pk__in=deep)).exists():
            words = _("workflows started each other or themselves %(most)d times in a row, this one at the end")
            return reviewing.put(workflow, words % {"most": DEEPEST})
        if workflow.reenrols and _too_often(workflow, {pk for records in by_depth.values() for pk in records}):
            words = _("one record came in %(most)d times within an hour")
            return reviewing.put(workflow, words % {"most": MOST_AN_HOUR})
    return False


def _too_often(workflow: Workflow, records: set[int]) -> bool:
    lately = Enrolment.objects.filter(workflow=workflow, record__in=records, enrolled_at__gt=timezone.now() - HOUR)
    return lately.values("record").annotate(times=Count("pk")).filter(times__gte=MOST_AN_HOUR).exists()
