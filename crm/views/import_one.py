"""One import: how far it is, what would become and became of its rows, and what can be done with it."""

from collections.abc import Callable

from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from accounts.access import MemberRequest, member_required
from accounts.errors import DomainError
from crm import schema
from crm.importing import deciding, outcomes
from crm.models import ImportJob, ImportRow, ImportState, RowOutcome
from crm.views.doors import is_htmx, refused
from crm.views.imports import address

CELLS = 4  # of a row, to tell it by


@member_required
@require_safe
@never_cache
def one(request: MemberRequest, import_id: int) -> HttpResponse:
    """Where it stands. Asks for itself again while a worker is at it."""
    job = _visible(request, import_id)
    if job.state == ImportState.MAPPING and job.by_id == request.member.pk:
        return HttpResponseRedirect(address(job))
    kind = schema.of(request.account).get(job.kind)
    is_all = request.GET.get("show") == "all"
    after = request.GET.get("after", "")
    page = outcomes.Page([], 0)
    if not job.is_under_way:
        start = int(after) if after.isascii() and after.isdigit() and len(after) < 10 else 0
        page = outcomes.page(job, problems_only=not is_all, after=start)
    context = {
        "job": job,
        "kind": kind,
        "tally": outcomes.tally(job),
        "stage": outcomes.stage_of(job),
        "rows": [(row, _told_by(row), outcomes.words_of(job, row), row.reasons) for row in page.rows],
        "next": page.next,
        "is_all": is_all,
        "may_begin": job.by_id == request.member.pk,
        "writes": sum(job.forecast.get(key, 0) for key in (RowOutcome.CREATED, RowOutcome.UPDATED)),
        "written": sum(job.outcomes.get(key, 0) for key in (RowOutcome.CREATED, RowOutcome.UPDATED)),
        "taken_back": sum(job.undone.values()),
    }
    return render(request, "crm/_import.html" if is_htmx(request) else "crm/import.html", context)


@member_required
@require_POST
@never_cache
def start(request: MemberRequest, import_id: int) -> HttpResponse:
    """Import for good. One's own only: it is done in one's name."""
    job = get_object_or_404(ImportJob.objects.filter(account=request.account, by=request.member), pk=import_id)
    return _did(request, job, lambda: deciding.start(job))


@member_required
@require_POST
@never_cache
def cancel(request: MemberRequest, import_id: int) -> HttpResponse:
    """Stop before the next batch."""
    job = _visible(request, import_id)
    return _did(request, job, lambda: deciding.cancel(job))


@member_required
@require_POST
@never_cache
def roll_back(request: MemberRequest, import_id: int) -> HttpResponse:
    """Take back what it made and changed, as far as nobody touched it since."""
    job = _visible(request, import_id)
    return _did(request, job, lambda: deciding.roll_back(job, by=request.member))


@member_required
@require_safe
@never_cache
def download(request: MemberRequest, import_id: int) -> HttpResponse:
    """The rows with their outcomes as CSV: all, or with `show=problems` those that were not taken."""
    job = _visible(request, import_id)
    lines = outcomes.as_csv(job, problems_only=request.GET.get("show") == "problems")
    answer = HttpResponse(lines, content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="import-{job.pk}.csv"'
    return answer


def _visible(request: MemberRequest, import_id: int) -> ImportJob:
    rows = ImportJob.objects.visible_to(request.member).select_related("account", "by__user", "undone_by__user")
    return get_object_or_404(rows, pk=import_id)


def _did(request: MemberRequest, job: ImportJob, what: Callable[[], object]) -> HttpResponse:
    try:
        what()
    except DomainError as error:
        refused(request, error)
    return HttpResponseRedirect(reverse("crm:import", args=[request.account.hub_id, job.pk]))


def _told_by(row: ImportRow) -> str:
    """The first cells that hold something."""
    cells = [" ".join(cell.split())[:60] for cell in row.cells if cell.strip()]
    return " · ".join(cells[:CELLS]) or _("(empty)")
