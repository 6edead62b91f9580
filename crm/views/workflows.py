"""The workflows of an account: which there are and how they do, making one, taking one away."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Case, IntegerField, Value, When
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import plans
from accounts.access import MemberRequest, member_required
from accounts.errors import DomainError
from accounts.plans import Feature
from crm import schema
from crm.models import Workflow, WorkflowState
from crm.views.doors import BOTH, refused
from crm.views.workflow_editor import one
from crm.workflows import counting, explaining, saving, writing

MOST = 300
FIRST = (WorkflowState.REVIEW, WorkflowState.ON, WorkflowState.PAUSED, WorkflowState.OFF)
ORDER = Case(*(When(state=state, then=Value(place)) for place, state in enumerate(FIRST)), output_field=IntegerField())


@member_required
@require_safe
@never_cache
def everything(request: MemberRequest) -> HttpResponse:
    """All workflows: those that need review first, with their reason (N-155)."""
    found = list(Workflow.objects.of(request.account).order_by(ORDER, "name", "pk")[: MOST + 1])
    kinds = schema.of(request.account)
    ids = [row.pk for row in found[:MOST]]
    waiting, lately = counting.under_way(ids), counting.begun_lately(ids)
    there = [kinds[key] for key in dict.fromkeys(row.kind for row in found) if key in kinds]
    names = explaining.names_for(request.account, there, triggers=[row.trigger for row in found])
    rows = [
        {
            "workflow": row,
            "kind": kinds.get(row.kind),
            "trigger": explaining.trigger(kinds.get(row.kind), row.trigger, names),
            "waiting": waiting.get(row.pk, 0),
            "lately": lately.get(row.pk, 0),
        }
        for row in found[:MOST]
    ]
    return render(request, "crm/workflows/list.html", {"rows": rows, "is_more": len(found) > MOST} | _gate(request))


@member_required
@require_http_methods(BOTH)
@never_cache
def new(request: MemberRequest) -> HttpResponse:
    """A new workflow: its name, and the kind of record it is for. The rest is the editor's."""
    kinds = schema.of(request.account)
    name, kind = request.POST.get("name", ""), request.POST.get("kind", "")
    context: dict[str, Any] = {"groups": (("", [(key, one.plural) for key, one in kinds.items()]),), "name": name}
    context |= {"chosen": kind} | _gate(request)
    if request.method != "POST":
        return render(request, "crm/workflows/new.html", context)
    try:
        made = saving.begin(request.account, kind, name, by=request.member)
    except DomainError as error:
        problems: dict[str, Any] = {"problem": str(error), "problems": error.fields}
        status = error.status if error.status in (403, 422) else 422
        return render(request, "crm/workflows/new.html", context | problems, status=status)
    return HttpResponseRedirect(reverse("crm:workflow", args=[request.account.hub_id, made.pk]))


@member_required
@require_POST
def delete(request: MemberRequest, workflow_id: int) -> HttpResponse:
    """Take a workflow away. One that somebody else took away meanwhile is gone as well."""
    workflow = one(request, workflow_id, or_deleted=True)
    if not request.member.is_super_admin:
        raise PermissionDenied(_("Super admins change workflows."))
    try:
        writing.delete(workflow, request.member)
    except DomainError as error:
        refused(request, error)
        return HttpResponseRedirect(reverse("crm:workflow", args=[request.account.hub_id, workflow.pk]))
    messages.success(request, _("“%(name)s” is deleted.") % {"name": workflow.name})
    return HttpResponseRedirect(reverse("crm:workflows", args=[request.account.hub_id]))


def _gate(request: MemberRequest) -> dict[str, Any]:
    """Who may make one: super admins, on the plans that have workflows."""
    has_plan = plans.has(request.account.plan, Feature.WORKFLOWS)
    return {
        "may_edit": request.member.is_super_admin,
        "plan_problem": "" if has_plan else plans.sentence(Feature.WORKFLOWS),
    }
