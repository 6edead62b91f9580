"""Importing records from a file: all imports, a new file, its columns."""

from dataclasses import replace
from typing import Any

from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from accounts.access import MemberRequest, member_required
from accounts.errors import DomainError
from crm import schema
from crm.import_forms import MappingForm
from crm.importing import deciding, outcomes, plans, uploading
from crm.importing.plans import InvalidPlan, Plan
from crm.kinds import Kind
from crm.models import ImportJob, ImportState
from crm.uploads import TOO_LARGE

SHOWN = 50


@member_required
@require_safe
@never_cache
def history(request: MemberRequest) -> HttpResponse:
    """The member's imports, newest first; a super admin sees everybody's."""
    kinds = schema.of(request.account)
    rows = ImportJob.objects.visible_to(request.member).select_related("by__user").order_by("-pk")
    before = request.GET.get("before", "")
    if before.isascii() and before.isdigit() and len(before) < 19:
        rows = rows.filter(pk__lt=int(before))
    found = list(rows[: SHOWN + 1])
    jobs = [(job, kinds.get(job.kind), address(job), outcomes.tally(job)) for job in found[:SHOWN]]
    following = found[SHOWN - 1].pk if len(found) > SHOWN else 0
    return render(request, "crm/imports.html", {"jobs": jobs, "next": following})


@member_required
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def new(request: MemberRequest) -> HttpResponse:
    """Choose a kind and a file."""
    kinds = schema.of(request.account)
    given = request.POST if request.method == "POST" else request.GET
    wanted = given.get("kind", "")
    context: dict[str, Any] = {"kinds": kinds.values(), "wanted": wanted, "most_mb": uploading.most_mb()}
    context["most_rows"] = number_format(deciding.most_rows(), use_l10n=True, force_grouping=True)
    if request.method != "POST":
        return render(request, "crm/import_new.html", context)
    kind, file = kinds.get(wanted), request.FILES.get("file")
    problems: dict[str, list[str]] = {}
    if kind is None:
        problems["kind"] = [_("Choose what the rows are.")]
    if TOO_LARGE in request.META:
        problems["file"] = [uploading.too_large()]
    elif file is None:
        problems["file"] = [_("Choose a file.")]
    if kind is not None and file is not None and not problems:
        try:
            job = uploading.upload(request.account, kind, file=file.name or "", content=file.read(), by=request.member)
            return HttpResponseRedirect(address(job))
        except DomainError as error:
            problems = dict(error.fields)
    return render(request, "crm/import_new.html", context | {"problems": problems}, status=422)


@member_required
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def mapping(request: MemberRequest, import_id: int) -> HttpResponse:
    """How the file is read, and which column is what. POST `do=look` shows it read another way, else tries it out."""
    job = get_object_or_404(ImportJob.objects.filter(account=request.account, by=request.member), pk=import_id)
    kind = schema.of(request.account).get(job.kind)
    if kind is None:
        raise Http404
    if job.state not in deciding.OPEN:
        return HttpResponseRedirect(address(job))
    plan = Plan.read(job.plan)
    if request.method != "POST":
        return _page(request, job, kind, plan)
    plan = MappingForm.plan(request.POST, plan)
    if request.POST.get("do") == "look":
        return _page(request, job, kind, plan)
    try:
        deciding.check(job, plan)
    except InvalidPlan as error:
        return _page(request, job, kind, plan, error)
    except DomainError:
        pass  # somebody else went on with it: the page says where it stands
    return HttpResponseRedirect(reverse("crm:import", args=[request.account.hub_id, job.pk]))


def address(job: ImportJob) -> str:
    """Where an import is gone on with."""
    page = "crm:import-mapping" if job.state == ImportState.MAPPING else "crm:import"
    return reverse(page, args=[job.account.hub_id, job.pk])


def _page(
    request: MemberRequest, job: ImportJob, kind: Kind, plan: Plan, error: InvalidPlan | None = None
) -> HttpResponse:
    readable = plan
    if error is not None and "encoding" in error.fields:  # shown as it was read before, so that nothing is lost
        readable = replace(plan, encoding=Plan.read(job.plan).encoding)
    found = uploading.beginning(job, readable)
    if len(found.names) != len(plan.columns):  # read another way, the columns are others
        plan = plans.proposed_columns(kind, plan, found.names)
    form = MappingForm(plan, kind=kind, names=found.names)
    if error is not None:
        form.refuse(error)
    elif found.problem:
        form.refuse(InvalidPlan(found.problem, fields={found.field: [found.problem]}))
    samples = [[row[place] if place < len(row) else "" for row in found.samples] for place in range(len(found.names))]
    context = {
        "job": job,
        "form": form,
        "columns": list(zip(found.names, samples, form.columns(), strict=True)),
        "general": form.said,
    }
    return render(request, "crm/import_mapping.html", context, status=422 if error else 200)
