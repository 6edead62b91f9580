"""What one was assigned: the list behind a merged notification, and whether one heard of each (D9)."""

from datetime import timedelta

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.utils.translation import gettext_lazy as _lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts.access import MemberRequest, member_required
from crm import assigned, paths, schema
from crm.models import AssignmentOutcome, AssignmentWindow, Record
from crm.views.index import with_query

MOST_ASSIGNED = 500
SIZE = 50
PERIODS = {"1": _lazy("The last day"), "7": _lazy("The last 7 days"), "30": _lazy("The last 30 days")}


@member_required
@require_safe
@never_cache
def window(request: MemberRequest, window_id: int) -> HttpResponse:
    """The list behind “You have been assigned 2 contacts and 5 tasks” (N-083): one's own windows only."""
    window = get_object_or_404(AssignmentWindow.objects.filter(recipient=request.member), pk=window_id)
    kinds = schema.of(request.account)
    rows = (
        window.assignments.filter(record__in=Record.objects.live().of(request.account).visible_to(request.member))
        .select_related("record__account", "by__user")
        .order_by("pk")[:MOST_ASSIGNED]
    )
    told = {row.record_id: row for row in rows if row.outcome == AssignmentOutcome.TOLD}
    groups = [
        {"kind": kind, "rows": [(row, paths.record(row.record)) for row in told.values() if row.record.kind == key]}
        for key, kind in kinds.items()
    ]
    context = {"window": window, "groups": [group for group in groups if group["rows"]]}
    return render(request, "crm/assigned.html", context)


@member_required
@require_safe
@never_cache
def mine(request: MemberRequest) -> HttpResponse:
    """One's assignments and whether one was told of each: ?record=, ?days=, ?untold=on, ?before=."""
    asked = request.GET
    days = asked.get("days", "")
    since = timezone.now() - timedelta(days=int(days)) if days in PERIODS else None
    untold = bool(asked.get("untold"))
    rows = assigned.of(request.member, record=_id(asked.get("record")), since=since, untold=untold)
    if (before := _id(asked.get("before"))) is not None:
        rows = rows.filter(pk__lt=before)
    found = list(rows[: SIZE + 1])
    shown = assigned.lines(request.member, found[:SIZE])
    context = {
        "account": request.account,
        "lines": shown,
        "next_url": with_query(request, before=found[SIZE - 1].pk) if len(found) > SIZE else "",
        "record": asked.get("record", "") if _id(asked.get("record")) else "",
        "periods": PERIODS.items(),
        "days": days,
        "untold": untold,
    }
    return render(request, "crm/assignments.html", context)


def _id(text: str | None) -> int | None:
    """A row's id in a query; what makes no sense asks for nothing."""
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 19 else None
