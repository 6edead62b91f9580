"""How many records are in workflows: for lists of workflows, two queries however many there are."""

from collections.abc import Iterable
from datetime import timedelta

from django.db.models import Count
from django.utils import timezone

from crm.models import Enrolment, WorkflowState
from crm.models.workflows import WAITING

LATELY = timedelta(days=7)


def under_way(workflows: Iterable[int]) -> dict[int, int]:
    """How many are on their way, by workflow."""
    rows = Enrolment.objects.filter(WAITING, workflow__in=list(workflows)).exclude(workflow__state=WorkflowState.OFF)
    return dict(rows.values_list("workflow").annotate(number=Count("pk")))


def begun_lately(workflows: Iterable[int]) -> dict[int, int]:
    """How many were enrolled in the last seven days, by workflow."""
    rows = Enrolment.objects.filter(workflow__in=list(workflows), enrolled_at__gte=timezone.now() - LATELY)
    return dict(rows.values_list("workflow").annotate(number=Count("pk")))
