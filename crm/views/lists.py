"""Lists of records: all of them, a new one, what belongs to one. Who is in a list is in `list_members`."""

from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from typing import Any, Concatenate, ParamSpec

from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache

from accounts.access import MemberRequest, member_required
from accounts.errors import DomainError
from crm import conditions, paths, schema
from crm.filtering import Condition
from crm.kinds import Kind
from crm.lists import making, seeing
from crm.lists.seeing import Count
from crm.models import ListState, RecordList
from crm.views.doors import BOTH, READ, WRITE, Place, refused

P = ParamSpec("P")
LISTS_AT_ONCE = 50


def of_account(*methods: str) -> Callable[[Callable[..., HttpResponse]], Callable[..., HttpResponse]]:
    """A page of the account's lists, for its members. Who may not come in learns nothing about methods."""

    def door(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
        @wraps(view)
        def guarded(request: MemberRequest, /, **kwargs: Any) -> HttpResponse:
            if request.method not in methods:
                return HttpResponseNotAllowed(methods)
            return view(request, **kwargs)

        return never_cache(member_required(guarded))

    return door


def of_list(
    *methods: str, edits: bool = False
) -> Callable[[Callable[Concatenate[Place, RecordList, P], HttpResponse]], Callable[..., HttpResponse]]:
    """A page of one list. `edits`: only who may change it gets further; others are told so."""

    def door(view: Callable[Concatenate[Place, RecordList, P], HttpResponse]) -> Callable[..., HttpResponse]:
        @of_account(*methods)
        @wraps(view)
        def guarded(request: MemberRequest, /, list_id: int, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
            rows = RecordList.objects.of(request.account).select_related("account", "created_by__user")
            one = get_object_or_404(rows, pk=list_id)
            kinds = schema.of(request.account)
            if one.kind not in kinds:
                raise Http404
            place = Place(request, kinds[one.kind], kinds)
            if edits and not making.may_edit(one, request.member):
                words = _("Only who made a list, or a super admin, can change it.")
                return place.render("crm/refused.html", {"words": words}, status=403)
            return view(place, one, *args, **kwargs)

        return guarded

    return door


@of_account(*READ)
def index(request: MemberRequest) -> HttpResponse:
    """All lists by name, with the number of their records that one may see."""
    kinds = schema.of(request.account)
    words, after = _text(request, "q"), _text(request, "after")
    rows = RecordList.objects.of(request.account).filter(kind__in=kinds).select_related("account")
    if words:
        rows = rows.filter(name__icontains=words)
    if (kind := request.GET.get("kind", "")) in kinds:
        rows = rows.filter(kind=kind)
    found = list((rows.filter(name__gt=after) if after else rows).order_by("name")[: LISTS_AT_ONCE + 1])
    shown = found[:LISTS_AT_ONCE]
    count = seeing.counter(request.member)
    query = request.GET.copy()
    query["after"] = shown[-1].name if shown else ""
    context = {
        "lists": [(one, kinds[one.kind], count(one)) for one in shown],
        "is_processing": any(one.state == ListState.PROCESSING for one in shown),
        "kinds": kinds.values(),
        "kind": kind,
        "words": words,
        "is_narrow": bool(words or kind),
        "is_first_page": not after,
        "next_url": f"{request.path}?{query.urlencode()}" if len(found) > LISTS_AT_ONCE else "",
    }
    return render(request, "crm/lists.html", context)


@of_account(*BOTH)
def new(request: MemberRequest) -> HttpResponse:
    """First of what, then the list itself."""
    kinds = schema.of(request.account)
    key = request.POST.get("kind") or request.GET.get("kind", "")
    if key not in kinds:
        return render(request, "crm/list_kinds.html", {"kinds": kinds.values()})
    kind, given = kinds[key], request.POST
    is_filtered = given.get("type", "filtered") != "static"
    found = conditions.read(kind, given)
    if request.method != "POST":
        return _form(request, kind, None, name="", is_filtered=True, found=[Condition("", "is", "")])
    if given.get("verb") == "preview":
        return _form(request, kind, None, name=given.get("name", ""), is_filtered=is_filtered, found=found, counts=True)
    try:
        one = making.create(
            request.account,
            kind,
            name=given.get("name", ""),
            is_filtered=is_filtered,
            conditions=found,
            by=request.member,
        )
    except DomainError as error:
        return _form(
            request, kind, None, name=given.get("name", ""), is_filtered=is_filtered, found=found, refusal=error
        )
    return HttpResponseRedirect(paths.list_(one))


@of_list(*BOTH, edits=True)
def edit(place: Place, one: RecordList) -> HttpResponse:
    """Another name, other conditions. Other conditions are processed in the background."""
    request, kind, given = place.request, place.kind, place.request.POST
    if request.method != "POST":
        return _form(
            request,
            kind,
            one,
            name=one.name,
            is_filtered=one.is_filtered,
            found=conditions.from_json(one.conditions),
        )
    name, found = given.get("name", ""), conditions.read(kind, given)
    if given.get("verb") == "preview":
        return _form(request, kind, one, name=name, is_filtered=one.is_filtered, found=found, counts=True)
    try:
        making.change(one, kind, name=name, conditions=found if one.is_filtered else None, by=request.member)
    except DomainError as error:
        return _form(request, kind, one, name=name, is_filtered=one.is_filtered, found=found, refusal=error)
    messages.success(request, _("The list “%(name)s” is saved.") % {"name": " ".join(name.split())})
    return HttpResponseRedirect(paths.list_(one))


@of_account(*WRITE)
def preview(request: MemberRequest) -> HttpResponse:
    """How many records match now what is written in the form, as a piece of its page."""
    kinds = schema.of(request.account)
    kind = kinds.get(request.POST.get("kind", ""))
    if kind is None:
        raise Http404
    found = conditions.read(kind, request.POST)
    return render(request, "crm/_list_preview.html", _counted(kind, found, request) | {"kind": kind})


@of_list(*WRITE, edits=True)
def again(place: Place, one: RecordList) -> HttpResponse:
    """Try processing once more."""
    making.process_again(one, by=place.request.member)
    return HttpResponseRedirect(paths.list_(one))


@of_list(*WRITE, edits=True)
def delete(place: Place, one: RecordList) -> HttpResponse:
    """Delete the list, and none of its records."""
    try:
        making.delete(one, by=place.request.member)
    except DomainError as error:
        refused(place.request, error)
        return HttpResponseRedirect(paths.list_(one))
    messages.success(place.request, _("The list “%(name)s” is deleted. Its records stay.") % {"name": one.name})
    return redirect("crm:lists", hub_id=place.request.account.hub_id)


def _form(
    request: MemberRequest,
    kind: Kind,
    one: RecordList | None,
    *,
    name: str,
    is_filtered: bool,
    found: Sequence[Condition],
    refusal: DomainError | None = None,
    counts: bool = False,
) -> HttpResponse:
    """The form, with what was written and what is wrong with it."""
    problems: Mapping[str, Sequence[str]] = refusal.fields if refusal else {}
    beside = {"name", "where"} | {key for key in problems if key.startswith("where[")}
    context = {
        "list": one,
        "kind": kind,
        "name": name,
        "is_filtered": is_filtered,
        "rows": conditions.rows(kind, found, member=request.member),
        "problems": problems,
        "name_problems": problems.get("name", []),
        "where_problems": problems.get("where", []),
        "refusal": refusal if refusal and not beside & set(problems) else None,
        **(_counted(kind, found, request) if counts else {}),
    }
    return render(request, "crm/list_edit.html", context, status=422 if refusal else 200)


def _counted(kind: Kind, found: Sequence[Condition], request: MemberRequest) -> dict[str, Any]:
    """The number of records that match; None while there is nothing to look for, or if it takes too long."""
    if not found:
        return {}
    try:
        count: Count | None = seeing.would_match(kind, found, request.member)
    except DomainError as error:
        return {"wrong": "" if error.fields else str(error), "is_unclear": bool(error.fields)}
    return {"count": count}


def _text(request: MemberRequest, name: str) -> str:
    return request.GET.get(name, "").replace("\0", "").strip()[: making.LONGEST_NAME]
