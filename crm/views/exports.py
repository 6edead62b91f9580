"""Exports: asked for at a list, watched and fetched here. One's own only (N-131)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import wraps
from typing import Any, Concatenate, ParamSpec

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache

from accounts.access import MemberRequest, member_required
from accounts.errors import DomainError
from accounts.models import Account
from crm import browsing, downloading, exporting, paths, schema, spreadsheets
from crm.browsing import Wanted
from crm.exporting import ExportExpired, ExportNotReady
from crm.kinds import Kind
from crm.models import Export
from crm.views.doors import BOTH, READ, WRITE, Place, is_htmx, of_kind

P = ParamSpec("P")

SHOWN = 50
ALL, CHOSEN = "all", "chosen"


@dataclass(frozen=True)
class Line:
    """An export as a page shows it. Its kind may be gone."""

    export: Export
    kind: Kind | None


@of_kind(*BOTH)
def new(place: Place) -> HttpResponse:
    """What the file should have. Ticked records come by POST, all that match by an address; `go` begins."""
    request = place.request
    given = request.POST if request.method == "POST" else request.GET
    problem, status = "", 200
    if request.method == "POST" and "go" in given:
        try:
            return HttpResponseRedirect(paths.export(_begin(place)))
        except DomainError as error:
            lines = [line for several in error.fields.values() for line in several]
            problem, status = " ".join(dict.fromkeys([str(error), *lines])), error.status
    wanted = Wanted.read(place.kind, given.dict())
    ids = _ids(given.getlist("ids"))
    is_all = request.method != "POST" or bool(given.get("all"))
    if not is_all and not ids:
        messages.error(request, _("Choose at least one record first."))
        return redirect(place.url("index"))
    chosen = {*given.getlist("column"), *([] if "go" in given else place.kind.title)}
    context = {
        "problem": problem,
        "number": _number(place, wanted) if is_all else len(set(ids)),
        "is_all": is_all,
        "ids": [] if is_all else ids,
        "query": wanted.as_query(),
        "wanted": wanted,
        "every": [(one, one.key in chosen) for one in spreadsheets.columns_of(place.kind, ())],
        "is_everything": given.get("columns", ALL) == ALL,
        "has_bom": "bom" in given or "go" not in given,
        "exports_url": paths.exports(request.account),
    }
    return place.render("crm/export_new.html", context, status=status)


def _begin(place: Place) -> Export:
    given = place.request.POST
    ids = None if given.get("all") else _ids(given.getlist("ids"))
    columns = given.getlist("column") if given.get("columns") == CHOSEN else []
    if given.get("columns") == CHOSEN and not columns:
        raise exporting.InvalidExport(_("Choose at least one column."))
    return exporting.start(
        place.request.account,
        place.kind,
        by=place.request.member,
        wanted=Wanted.read(place.kind, given.dict()) if ids is None else None,
        ids=ids,
        columns=columns,
        has_bom="bom" in given,
    )


def _ids(given: Sequence[str]) -> list[int]:
    return [int(one) for one in given if one.isascii() and one.isdigit() and len(one) < 19]


def _number(place: Place, wanted: Wanted) -> int | None:
    """How many match; None where that cannot be counted quickly."""
    try:
        page = browsing.page(place.request.member, place.kind, wanted, size=1)
    except DomainError:
        return None
    return None if page.is_more else page.count


def _of_mine(
    *methods: str,
) -> Callable[[Callable[Concatenate[MemberRequest, Export, P], Any]], Callable[..., Any]]:
    """Open a page about an export to the member who asked for it; to everybody else it is not there."""

    def door(view: Callable[Concatenate[MemberRequest, Export, P], Any]) -> Callable[..., Any]:
        @wraps(view)
        def guarded(request: MemberRequest, /, *args: P.args, **kwargs: P.kwargs) -> Any:
            export_id = kwargs.pop("export_id")
            assert isinstance(export_id, int)
            rows = Export.objects.asked_by(request.account, request.member)
            export = rows.filter(pk=export_id).select_related("account", "by__user").first()
            if export is None:
                raise Http404
            if request.method not in methods:
                return HttpResponseNotAllowed(methods)
            return view(request, export, *args, **kwargs)

        return never_cache(member_required(guarded))

    return door


@member_required
@never_cache
def mine(request: MemberRequest) -> HttpResponse:
    """What one asked for, newest first."""
    if request.method not in READ:
        return HttpResponseNotAllowed(READ)
    rows = Export.objects.asked_by(request.account, request.member).select_related("account")
    found = list(rows.order_by("-pk")[: SHOWN + 1])
    context = {"is_more": len(found) > SHOWN} | _frame(request.account, found[:SHOWN])
    return render(request, "crm/_exports.html" if is_htmx(request) else "crm/exports.html", context)


@_of_mine(*READ)
def one(request: MemberRequest, export: Export) -> HttpResponse:
    """How far it is; then the way to the file; in the end that it is over (410)."""
    context = {"export": export} | _frame(request.account, [export])
    template = "crm/_export.html" if is_htmx(request) else "crm/export.html"
    return render(request, template, context, status=410 if export.is_expired and not is_htmx(request) else 200)


@_of_mine(*READ)
def download(request: MemberRequest, export: Export) -> HttpResponseBase:
    """The file."""
    try:
        exporting.check_ready(export)
    except ExportNotReady as refusal:
        messages.info(request, str(refusal))
        return redirect(paths.export(export))
    except ExportExpired:
        return render(request, "crm/export.html", {"export": export} | _frame(request.account, [export]), status=410)
    return downloading.file(request, export)


@_of_mine(*WRITE)
def cancel(request: MemberRequest, export: Export) -> HttpResponse:
    """Stop before the next piece."""
    exporting.cancel(export)
    return redirect(paths.export(export))


@_of_mine(*WRITE)
def delete(request: MemberRequest, export: Export) -> HttpResponse:
    exporting.delete(export)
    messages.success(request, _("“%(file)s” is deleted.") % {"file": export.file})
    return redirect(paths.exports(request.account))


def _frame(account: Account, shown: Sequence[Export]) -> dict[str, Any]:
    kinds = schema.of(account)
    return {
        "lines": [Line(export, kinds.get(export.kind)) for export in shown],
        "is_under_way": any(export.is_under_way for export in shown),
        "days": settings.EXPORT_DAYS,
    }
