"""The records of a list: shown, found, put in and taken out."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.errors import DomainError
from crm import browsing, bulk, choosing, conditions, paths, searching, showing
from crm.browsing import Wanted
from crm.lists import adding, making, seeing
from crm.models import ListState, Record, RecordList, SavedView, Verb
from crm.views.doors import READ, WRITE, Place, back, pipelines_in, refused
from crm.views.index import columns_of, rows_of, with_query
from crm.views.lists import of_list

MOST_FOUND = 10


@of_list(*READ)
def page(place: Place, one: RecordList) -> HttpResponse:
    """The records of a list that one may see: search, order, a page at a time, with the columns one chose."""
    request, kind = place.request, place.kind
    wanted = Wanted.read(
        kind, {"q": request.GET.get("q", ""), "sort": request.GET.get("sort", ""), "list": str(one.pk)}
    )
    after, problem = request.GET.get("after", ""), ""
    try:
        shown = browsing.page(request.member, kind, wanted, after=after)
    except DomainError as error:
        problem, shown = str(error), browsing.Page([], "", 0, is_more=False)
    views = list(SavedView.objects.filter(kind=kind.key).visible_to(request.member))
    columns = columns_of(kind, views, None, [])
    words = showing.words_for(request.account, kind, shown.records, pipelines_in(place))
    owners, more_owners = choosing.members(request.account)
    context = {
        "rows": rows_of(place.url("index"), shown.records, columns, words),
        "columns": columns,
        "page": shown,
        "wanted": wanted,
        "query": wanted.as_query(),
        "problem": problem,
        "sorts": browsing.sorts_of(kind),
        "is_first_page": not after,
        "next_url": with_query(request, after=shown.next) if shown.next else "",
        "first_url": with_query(request, after=None),
        "owners": owners,
        "more_owners": more_owners,
        **_found(place, one),
    }
    return place.render("crm/list.html", context | _state(place, one))


@of_list(*READ)
def state(place: Place, one: RecordList) -> HttpResponse:
    """How far processing is, as a piece of the page."""
    shared = {"kind": place.kind}
    answer = render(place.request, "crm/_list_state.html", shared | _state(place, one))
    if one.state != ListState.PROCESSING:
        answer["HX-Refresh"] = "true"  # the records are there: show them
    return answer


@of_list(*WRITE, edits=True)
def change(place: Place, one: RecordList) -> HttpResponse:
    """POST {ids, verb}: put records into a static list, or take them out. `all`: whatever the words find, in a job."""
    request, given = place.request, place.request.POST
    ids = [int(pk) for pk in given.getlist("ids") if pk.isascii() and pk.isdigit() and len(pk) < 19]
    removes = given.get("verb") == "remove"
    try:
        if given.get("all") and removes:
            wanted = Wanted.read(place.kind, given.dict() | {"list": str(one.pk)})
            job = bulk.start(place.kind, verb=Verb.UNLIST, by=request.member, wanted=wanted, into=one)
            return HttpResponseRedirect(place.url("bulk-job", job_id=job.pk))
        number = (adding.remove if removes else adding.add)(one, ids[: bulk.MOST_CHOSEN], by=request.member)
    except DomainError as error:
        refused(request, error)
        return HttpResponseRedirect(paths.list_(one))
    said = ngettext("%(number)d record is in the list now.", "%(number)d records are in the list now.", number)
    if removes:
        said = ngettext("%(number)d record was taken out.", "%(number)d records were taken out.", number)
    messages.success(request, said % {"number": number} if number else _("Nothing was to be changed."))
    return back(request, paths.list_(one))


def _state(place: Place, one: RecordList) -> dict[str, Any]:
    given = conditions.from_json(one.conditions)
    return {
        "list": one,
        "count": seeing.counter(place.request.member)(one),
        "said": conditions.in_words(place.kind, given, place.request.account),
        "may_edit": making.may_edit(one, place.request.member),
    }


def _found(place: Place, one: RecordList) -> dict[str, Any]:
    """Records to put into a static list, by words."""
    sought = place.request.GET.get("find", "").replace("\0", "").strip()[: browsing.LONGEST]
    if not sought or one.is_filtered or not making.may_edit(one, place.request.member):
        return {"sought": sought, "found": []}
    others = place.records().live().exclude(in_lists__list=one.pk)
    found: list[Record] = list(searching.matching(others, place.request.account, sought).order_by("pk")[:MOST_FOUND])
    return {"sought": sought, "found": [(record, f"{place.url('index')}{record.pk}/") for record in found]}
