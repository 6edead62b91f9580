"""What a workflow did and would do: its log, a test on one record, and the workflows of a record."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from accounts import plans
from accounts.access import MemberRequest, member_required
from accounts.errors import DomainError
from accounts.plans import Feature
from crm import browsing, paths, permissions, schema
from crm.browsing import Wanted
from crm.kinds import Kind
from crm.models import Enrolment, EnrolmentState, Record, Workflow, WorkflowState
from crm.views.doors import BOTH, Place, is_htmx, of_kind, refused
from crm.views.workflow_cards import ACTIONS
from crm.views.workflow_editor import one
from crm.workflows import enrolling, logbook, testing
from crm.workflows.explaining import whole

FOUND = 8
MOST_OFFERED = 100


@member_required
@require_safe
@never_cache
def log(request: MemberRequest, workflow_id: int) -> HttpResponse:
    """Each record that was enrolled, newest first, with what was done. `state` narrows, `before` goes on."""
    workflow = one(request, workflow_id)
    given = request.GET.get("state", "")
    state = given if given in EnrolmentState.values else ""
    before = whole(request.GET.get("before", "")) or None
    found = logbook.of_workflow(workflow, request.member, state=state, before=before, limit=logbook.PAGE + 1)
    rows, is_more = found[: logbook.PAGE], len(found) > logbook.PAGE
    following = urlencode({"state": state, "before": str(rows[-1].pk)}) if is_more else ""
    context: dict[str, Any] = {
        "workflow": workflow,
        "rows": [worded(row) for row in rows],
        "next_url": f"{request.path}?{following}" if following else "",
        "state": state,
        "states": EnrolmentState.choices,
        "may_edit": request.member.is_super_admin,
        "plan_problem": "" if _has_plan(workflow) else plans.sentence(Feature.WORKFLOWS),
        "wave": workflow.waves.filter(finished_at=None).first(),
    }
    if is_htmx(request) and before:
        return render(request, "crm/workflows/_log_rows.html", context)
    return render(request, "crm/workflows/log.html", context)


@member_required
@require_POST
def enrol_all(request: MemberRequest, workflow_id: int) -> HttpResponse:
    """Enrol all records that match, in the background."""
    workflow = one(request, workflow_id)
    if not request.member.is_super_admin:
        raise PermissionDenied(_("Super admins change workflows."))
    try:
        enrolling.enrol_all(workflow, request.member)
    except DomainError as error:
        refused(request, error)
    return HttpResponseRedirect(reverse("crm:workflow-log", args=[request.account.hub_id, workflow.pk]))


@member_required
@require_POST
def cancel(request: MemberRequest, workflow_id: int, enrolment_id: int) -> HttpResponse:
    """Take one record out of a workflow."""
    workflow = one(request, workflow_id)
    enrolment = get_object_or_404(Enrolment, workflow=workflow, pk=enrolment_id)
    if not request.member.is_super_admin:
        raise PermissionDenied(_("Super admins change workflows."))
    enrolling.cancel(enrolment, request.member)
    messages.success(request, _("The record is taken out of the workflow."))
    return HttpResponseRedirect(reverse("crm:workflow-log", args=[request.account.hub_id, workflow.pk]))


@member_required
@require_safe
@never_cache
def test(request: MemberRequest, workflow_id: int) -> HttpResponse:
    """What would happen with one record, step by step. Changes nothing."""
    workflow = one(request, workflow_id)
    kind = schema.of(request.account).get(workflow.kind)
    if kind is None:
        raise Http404
    words, chosen = request.GET.get("q", ""), whole(request.GET.get("record", ""))
    context: dict[str, Any] = {"workflow": workflow, "kind": kind, "words": words, "problem": ""}
    if chosen:
        context |= _tried(request, workflow, kind, chosen)
    else:
        try:
            page = browsing.page(request.member, kind, Wanted.read(kind, {"q": words}), size=FOUND)
            context["found"] = page.records
        except DomainError as error:
            context["problem"] = str(error)
    return render(request, "crm/workflows/test.html", context)


def _tried(request: MemberRequest, workflow: Workflow, kind: Kind, pk: int) -> dict[str, Any]:
    rows = Record.objects.live().filter(permissions.within_kind(request.member, kind.key))
    record = get_object_or_404(rows.select_related("account", "owner__user", "stage"), pk=pk)
    found = {
        "record": record,
        "record_url": paths.record(record),
        "steps": [(ACTIONS[tried.do], tried) for tried in testing.try_on(workflow, record)],
    }
    try:
        return found | {"matches": testing.matches(workflow, record)}
    except DomainError as error:  # what a filter names is gone
        lines = [line for several in error.fields.values() for line in several]
        return found | {"problem": " ".join(lines or [str(error)])}


@of_kind(*BOTH)
def of_record(place: Place, pk: int) -> HttpResponse:
    """A piece of a record's page: the workflows it is or was in. POST {workflow} enrols it by hand."""
    request = place.request
    if request.method == "POST":
        return _enrol(place, pk)
    record = place.record(pk)
    rows = [worded(row) for row in logbook.of_record(record, request.member)]
    under_way = {row["enrolment"].workflow_id for row in rows if row["enrolment"].state == EnrolmentState.WAITING}
    offered: list[Workflow] = []
    if place.may_change(record):
        running = Workflow.objects.of(request.account).running().filter(kind=place.kind.key)
        offered = list(running.exclude(pk__in=under_way).order_by("name", "pk")[:MOST_OFFERED])
    return place.render("crm/workflows/_of_record.html", {"record": record, "rows": rows, "offered": offered})


def _enrol(place: Place, pk: int) -> HttpResponse:
    request, record = place.request, place.record_to_change(pk)
    workflow = one(request, whole(request.POST.get("workflow", "")), or_deleted=True)
    if workflow.kind != place.kind.key:
        raise Http404
    try:
        enrolling.enrol(workflow, record, request.member)
    except DomainError as error:
        refused(request, error)
    else:
        messages.success(request, _("The record is enrolled in “%(name)s”.") % {"name": workflow.name})
    return HttpResponseRedirect(paths.record(record))


def worded(enrolment: Enrolment) -> dict[str, Any]:
    """An enrolment as the pages show it."""
    kinds = {
        EnrolmentState.WAITING: "info",
        EnrolmentState.DONE: "on",
        EnrolmentState.FAILED: "danger",
    }
    return {
        "enrolment": enrolment,
        "state": enrolment.standing.label,
        "badge": kinds.get(enrolment.standing, "off"),
        "url": paths.record(enrolment.record),
        "runs": [(ACTIONS.get(run.do), run) for run in enrolment.runs.all()],
        "is_waiting": enrolment.standing == EnrolmentState.WAITING,
        "is_running": enrolment.workflow.state == WorkflowState.ON,
        "has_plan": _has_plan(enrolment.workflow),
    }


def _has_plan(workflow: Workflow) -> bool:
    """Without it what is on stays on and waits."""
    return plans.has(workflow.account.plan, Feature.WORKFLOWS)
