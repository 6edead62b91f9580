"""The editor of a workflow: one form. Every button posts all of it; what was written comes back, whatever happens."""

from collections.abc import Callable
from typing import Any

from django.core import signing
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from accounts import plans
from accounts.access import MemberRequest, member_required
from accounts.errors import DomainError
from accounts.models import Membership
from accounts.plans import Feature
from crm import schema
from crm.kinds import Kind
from crm.models import EnrolmentState, Workflow, WorkflowState
from crm.views.doors import BOTH, is_htmx
from crm.views.workflow_cards import Board, Problems
from crm.workflows import counting, drafting, explaining, logbook, running, saving, writing
from crm.workflows.drafting import Draft
from crm.workflows.saving import StaleWorkflow

SALT = "crm.workflow.removed"
STATES: dict[str, Callable[[Workflow, Membership], Workflow]] = {"pause": running.pause, "turn_off": running.turn_off}


@member_required
@require_http_methods(BOTH)
@never_cache
def editor(request: MemberRequest, workflow_id: int) -> HttpResponse:
    """How a workflow is set up. Super admins change it; POST `op` says which button it was.

    Who wrote in the form of one that was deleted meanwhile keeps what they wrote, and is told.
    """
    workflow = one(request, workflow_id, or_deleted=request.method == "POST")
    kind = schema.of(request.account).get(workflow.kind)
    if kind is None:
        raise Http404
    if request.method != "POST":
        needs_review = workflow.state == WorkflowState.REVIEW
        facts: dict[str, Any] = {"problems": writing.problems_of(workflow) if needs_review else None}
        return _drawn(request, workflow, kind, drafting.of(workflow), focus=request.GET.get("focus", "")[:80], **facts)
    if not request.member.is_super_admin:
        raise PermissionDenied(_("Super admins change workflows."))
    op, *more = request.POST.get("op", "save").split(" ")
    draft = drafting.read(kind, request.POST)
    if op in ("save", "save_over", "turn_on"):
        return _save(request, workflow, kind, draft, op)
    if op in STATES:
        return _set_state(request, workflow, kind, draft, op)
    facts = _RESHAPE[op](draft, workflow, [*more, "", "", ""], request) if op in _RESHAPE else {}
    return _drawn(request, workflow, kind, draft, is_changed=True, **facts)


def one(request: MemberRequest, workflow_id: int, *, or_deleted: bool = False) -> Workflow:
    """A workflow of the account, or 404."""
    rows = Workflow.objects.filter(account=request.account) if or_deleted else Workflow.objects.of(request.account)
    return get_object_or_404(rows.select_related("account", "version"), pk=workflow_id)


def _save(request: MemberRequest, workflow: Workflow, kind: Kind, draft: Draft, op: str) -> HttpResponse:
    read = request.POST.get("theirs" if op == "save_over" else "read", "")
    try:
        workflow = saving.save(workflow, draft, read=read, by=request.member)
    except StaleWorkflow as stale:
        facts: dict[str, Any] = {"conflict": str(stale), "theirs": stale.mark, "focus": "conflict"} | _undoable(request)
        return _drawn(request, workflow, kind, draft, is_changed=True, **facts)
    except DomainError as error:
        return _refused(request, workflow, kind, draft, error, is_changed=True)
    said, draft = _("Saved."), drafting.of(workflow)
    if op == "turn_on":
        try:
            workflow = running.turn_on(workflow, request.member)
        except DomainError as error:
            return _refused(request, workflow, kind, draft, error)
        said = _("Saved and turned on.")
    return _drawn(request, workflow, kind, draft, was_saved=said, focus="save")


def _set_state(request: MemberRequest, workflow: Workflow, kind: Kind, draft: Draft, op: str) -> HttpResponse:
    """Pausing and turning off leave what is written in the form as it is, not saved."""
    is_changed = bool(request.POST.get("changed"))
    try:
        workflow = STATES[op](workflow, request.member)
    except DomainError as error:
        return _refused(request, workflow, kind, draft, error, is_changed=is_changed)
    said = _("It is paused.") if op == "pause" else _("It is off.")
    facts: dict[str, Any] = {"was_saved": said, "focus": "op-turn_on"} | (_undoable(request) if is_changed else {})
    return _drawn(request, workflow, kind, draft, is_changed=is_changed, **facts)


def _refused(
    request: MemberRequest,
    workflow: Workflow,
    kind: Kind,
    draft: Draft,
    error: DomainError,
    *,
    is_changed: bool = False,
) -> HttpResponse:
    """Say what is wrong beside its place; what has no place, above."""
    problems = error.fields
    above = [line for key, lines in problems.items() if not _has_place(key, draft) for line in lines]
    facts: dict[str, Any] = {
        "problem": str(error),
        "other_problems": above,
        "focus": _first(problems, draft) or "problem",
    }
    facts |= _undoable(request) if is_changed else {}
    return _drawn(request, workflow, kind, draft, problems=problems, is_changed=is_changed, **facts)


def _undoable(request: MemberRequest) -> dict[str, Any]:
    """Nothing was saved, so what was taken out can still be put back."""
    return {"removed": request.POST.get("removed", "")}


def _has_place(key: str, draft: Draft) -> bool:
    head, *rest = key.split(".")
    if head == "steps" and rest:
        return drafting.find(draft.steps, rest[0]) is not None
    return head.split("[")[0] in ("name", "trigger", "conditions", "steps")


def _first(problems: Problems, draft: Draft) -> str:
    """What is to be looked at first: the first step with a problem, if nothing before the steps has one."""
    if any(not key.startswith("steps.") for key in problems):
        return ""
    wrong = {key.split(".")[1] for key in problems}
    return next((f"{step['id']}-head" for step in drafting.all_of(draft.steps) if step["id"] in wrong), "")


def _add(draft: Draft, workflow: Workflow, more: list[str], request: MemberRequest) -> dict[str, Any]:
    do, into, index, *_rest = more
    version = workflow.version.number if workflow.version else 0
    step = drafting.add(draft.steps, do, into, explaining.whole(index), version=version)
    return {"focus": f"{step['id']}-fields", "opened": [step["id"]]} if step else {}


def _remove(draft: Draft, workflow: Workflow, more: list[str], request: MemberRequest) -> dict[str, Any]:
    removed = drafting.remove(draft.steps, more[0])
    return {"removed": signing.dumps(removed, salt=SALT), "focus": "undo"} if removed else {}


def _undo(draft: Draft, workflow: Workflow, more: list[str], request: MemberRequest) -> dict[str, Any]:
    try:
        step = drafting.put_back(draft.steps, signing.loads(request.POST.get("removed", ""), salt=SALT))
    except signing.BadSignature:
        step = None
    return {"focus": f"{step['id']}-head"} if step else {"focus": "steps-title"}


def _up(draft: Draft, workflow: Workflow, more: list[str], request: MemberRequest) -> dict[str, Any]:
    drafting.move_up(draft.steps, more[0])
    return {"focus": f"{more[0]}-up"}


def _down(draft: Draft, workflow: Workflow, more: list[str], request: MemberRequest) -> dict[str, Any]:
    drafting.move_down(draft.steps, more[0])
    return {"focus": f"{more[0]}-down"}


_RESHAPE = {"add": _add, "remove": _remove, "undo": _undo, "up": _up, "down": _down}


def _drawn(
    request: MemberRequest,
    workflow: Workflow,
    kind: Kind,
    draft: Draft,
    *,
    problems: Problems | None = None,
    opened: list[str] | None = None,
    is_changed: bool = False,
    **facts: Any,
) -> HttpResponse:
    """The page, or only the form where a button of it was pressed.

    Counted are the records when the page is opened or saved, or the state is set. While steps are added and moved, the
    page keeps the numbers that it has: of a crowd, counting takes longer than all the rest.
    """
    may_edit = request.member.is_super_admin
    is_counted = not is_changed or "was_saved" in facts or not is_htmx(request)
    numbers = logbook.numbers(workflow) if is_counted else None
    board = Board(
        draft,
        kind,
        request.member,
        may_edit=may_edit,
        problems=problems,
        opened=[*request.POST.getlist("open"), *(opened or ())],
        numbers=numbers,
    )
    has_plan = plans.has(request.account.plan, Feature.WORKFLOWS)
    context: dict[str, Any] = {
        "workflow": workflow,
        "kind": kind,
        "draft": draft,
        "board": board,
        "read": request.POST.get("read", "") if is_changed else saving.mark_of(workflow),
        "may_edit": may_edit,
        "is_changed": is_changed,
        "plan_problem": "" if has_plan else plans.sentence(Feature.WORKFLOWS),
        **facts,
    }
    if numbers is not None:
        context["enrolled"] = numbers.by_state.get(EnrolmentState.WAITING, 0)
        context["week"] = counting.begun_lately([workflow.pk]).get(workflow.pk, 0)
    if is_htmx(request):
        return render(request, "crm/workflows/_editor.html", context)  # 200: refusals are swapped in, too
    is_refusal = "problem" in facts or "conflict" in facts
    return render(request, "crm/workflows/editor.html", context, status=422 if is_refusal else 200)
