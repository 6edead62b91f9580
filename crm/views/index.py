"""The lists: contacts, companies, deals, tickets, leads, tasks, custom objects."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from accounts.access import MemberRequest, member_required
from accounts.errors import DomainError
from crm import browsing, choosing, saving_views, showing
from crm.browsing import Wanted
from crm.kinds import BUILT_IN, Kind, Property, Type
from crm.lists import making
from crm.models import Record, RecordList, SavedView
from crm.showing import MOMENTS, Cell
from crm.views.doors import READ, WRITE, Place, back, of_kind, pipelines_in, refused

LAST = "last_kind"  # session key: the list that was opened last
USUAL_COLUMNS = {
    "contacts": ("email", "phone", "company_name", "lifecycle", "owner"),
    "companies": ("domain", "industry", "city", "owner"),
    "deals": ("stage", "amount", "currency", "close_date", "owner"),
    "tickets": ("stage", "priority", "owner"),
    "leads": ("status", "email", "came_through", "owner"),
    "tasks": ("due_at", "priority", "completed_at", "owner"),
}


@dataclass(frozen=True)
class Row:
    record: Record
    url: str
    cells: list[Cell]


@member_required
@require_safe
def records(request: MemberRequest) -> HttpResponse:
    """The way in: the list that was opened last, contacts at first."""
    kind = request.session.get(LAST, "")
    known = kind if kind in BUILT_IN else "contacts"
    return redirect("crm:index", hub_id=request.account.hub_id, kind=known)


@of_kind(*READ)
def index(place: Place) -> HttpResponse:
    """Search, filter, sort, a page at a time; the columns one chose; views by name."""
    request, kind = place.request, place.kind
    request.session[LAST] = kind.key
    wanted = Wanted.read(kind, request.GET.dict())
    views = list(SavedView.objects.filter(kind=kind.key).visible_to(request.member))
    current = next((view for view in views if view.name and str(view.pk) == request.GET.get("view")), None)
    columns = columns_of(kind, views, current, request.GET.getlist("column"))
    after = request.GET.get("after", "")
    problem = ""
    try:
        page = browsing.page(request.member, kind, wanted, after=after)
    except DomainError as error:
        problem, page = str(error), browsing.Page([], "", 0, is_more=False)
    pipelines = pipelines_in(place)
    words = showing.words_for(request.account, kind, page.records, pipelines)
    all_lists = list(RecordList.objects.of(request.account, kind.key).order_by("name"))
    owners, more_owners = choosing.members(
        request.account, chosen=[int(wanted.owner)] if wanted.owner.isdigit() else []
    )
    context = {
        "rows": rows_of(place.url("index"), page.records, columns, words),
        "columns": columns,
        "choosable": [(one, one in columns) for one in choosable(kind)],
        "page": page,
        "wanted": wanted,
        "problem": problem,
        "is_first_page": not after,
        "next_url": with_query(request, after=page.next) if page.next else "",
        "first_url": with_query(request, after=None),
        "pipelines": pipelines,
        "all_lists": all_lists,
        "lists": [one for one in all_lists if not one.is_filtered and making.may_edit(one, request.member)],
        "owners": owners,
        "more_owners": more_owners,
        "sorts": browsing.sorts_of(kind),
        "filters": filters_of(kind, wanted),
        "open_filters": bool(wanted.values or wanted.problems),
        "views": [(view, view_url(place, view)) for view in views if view.name],
        "current_view": current,
        "may_delete_view": current and (current.member_id == request.member.pk or request.member.is_super_admin),
        "query": wanted.as_query(),
        "export_url": _export_url(place, wanted, columns),
        "deleted": _just_deleted(place),
    }
    return place.render("crm/index.html", context)


@of_kind(*WRITE)
def save_view(place: Place) -> HttpResponse:
    """Keep what is shown under a name."""
    request, kind = place.request, place.kind
    given = request.POST
    try:
        view = saving_views.save(
            kind,
            name=given.get("name", ""),
            wanted=Wanted.read(kind, given.dict()),
            columns=given.getlist("column"),
            is_shared=bool(given.get("shared")),
            by=request.member,
        )
    except DomainError as error:
        refused(request, error)
        return back(request, place.url("index"))
    messages.success(request, _("The view “%(name)s” is saved.") % {"name": view.name})
    return HttpResponseRedirect(view_url(place, view))


@of_kind(*WRITE)
def delete_view(place: Place, view_id: int) -> HttpResponse:
    """Forget a view."""
    request = place.request
    mine = SavedView.objects.visible_to(request.member).filter(kind=place.kind.key).exclude(name="")
    view = get_object_or_404(mine, pk=view_id)
    try:
        saving_views.delete(view, by=request.member)
    except DomainError as error:
        refused(request, error)
    else:
        messages.success(request, _("The view “%(name)s” is deleted.") % {"name": view.name})
    return HttpResponseRedirect(place.url("index"))


@of_kind(*WRITE)
def choose_columns(place: Place) -> HttpResponse:
    """Which columns one sees from now on."""
    saving_views.choose_columns(place.kind, place.request.POST.getlist("column"), by=place.request.member)
    return back(place.request, place.url("index"))


def columns_of(
    kind: Kind, views: Sequence[SavedView], current: SavedView | None, given: Sequence[str]
) -> list[Property]:
    """The address's, the view's, the member's own, or the kind's usual columns."""
    own = next((view.columns for view in views if not view.name), [])
    keys = list(given) or (current.columns if current else []) or own or list(_usual(kind))
    there = {one.key: one for one in choosable(kind)}
    return [there[key] for key in saving_views.known(kind, keys) if key in there]


def _usual(kind: Kind) -> Sequence[str]:
    return USUAL_COLUMNS.get(kind.key) or [one.key for one in kind.properties if one.column != "title"][:4]


def choosable(kind: Kind) -> list[Property]:
    """What can be a column: the name always is one."""
    return [one for one in kind.properties if one.column != "title"] + list(MOMENTS)


def rows_of(base: str, found: Sequence[Record], columns: Sequence[Property], words: showing.Words) -> list[Row]:
    """Lines of a table below the list's address."""
    return [Row(record, f"{base}{record.pk}/", [_cell(words, record, one) for one in columns]) for record in found]


def _cell(words: showing.Words, record: Record, one: Property) -> Cell:
    if one in MOMENTS:
        return Cell(one, words.of(one, getattr(record, one.column)))
    return words.cell(record, one)


def filters_of(kind: Kind, wanted: Wanted) -> list[dict[str, Any]]:
    """One entry per property that can be filtered by, with what was given."""
    given = dict(wanted.values)
    found: list[dict[str, Any]] = []
    for one in browsing.filtered_by(kind):
        if one.type in browsing.BY_DAY:
            names = (f"from.{one.key}", f"to.{one.key}")
            bounds = [(name, given.get(name, ""), wanted.problems.get(name, "")) for name in names]
            found.append({"property": one, "what": "days", "bounds": bounds})
            continue
        name = f"is.{one.key}"
        options = [("true", _("Yes")), ("false", _("No"))] if one.type is Type.BOOLEAN else one.choices
        found.append({"property": one, "name": name, "value": given.get(name, ""), "options": options})
    return found


def view_url(place: Place, view: SavedView) -> str:
    """A view is an address: what it holds can be read from it and changed further."""
    return f"{place.url('index')}?{urlencode({**view.query, 'view': view.pk})}"


def _export_url(place: Place, wanted: Wanted, columns: Sequence[Property]) -> str:
    """Where all that is shown here, and has these columns, becomes a file."""
    given = {**wanted.as_query(), "column": [one.key for one in columns]}
    return f"{place.url('export-new')}?{urlencode(given, doseq=True)}"


def with_query(request: MemberRequest, **given: object) -> str:
    """This page's address with some of its query changed; None takes a part out."""
    query = request.GET.copy()
    query.pop("deleted", None)
    for name, value in given.items():
        query.pop(name, None)
        if value is not None:
            query[name] = str(value)
    return f"{request.path}?{query.urlencode()}" if query else request.path


def _just_deleted(place: Place) -> Record | None:
    """What was put into the bin a moment ago, to take it back out."""
    given = place.request.GET.get("deleted", "")
    if not (given.isascii() and given.isdigit() and len(given) < 19):
        return None
    return place.records("edits").in_bin().filter(pk=int(given)).first()
