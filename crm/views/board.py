"""Boards of deals and tickets: columns by stage, cards moved from one to the other."""

from typing import Any
from urllib.parse import urlencode

from django.http import Http404, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _

from accounts.errors import DomainError
from crm import boards, listing, paths, records, showing
from crm.errors import StaleRecord
from crm.models import Record, Stage
from crm.views.doors import READ, WRITE, Place, is_htmx, of_kind, pipelines_in
from crm.views.index import choosable

ON_CARD = {"deals": ("amount", "currency", "close_date", "owner"), "tickets": ("priority", "owner")}


@of_kind(*READ)
def board(place: Place) -> HttpResponse:
    """A pipeline as columns. Without stages there is no board."""
    request = place.request
    pipelines = pipelines_in(place)
    if not pipelines:
        raise Http404
    pipeline = next((one for one in pipelines if str(one.pk) == request.GET.get("pipeline")), pipelines[0])
    owner = "me" if request.GET.get("owner") == "me" else ""
    columns = boards.columns(request.member, place.kind, pipeline, owner=owner)
    shown = [record for column in columns for record in column.records]
    words = showing.words_for(request.account, place.kind, shown, pipelines)
    context = {
        "pipelines": pipelines,
        "pipeline": pipeline,
        "owner": owner,
        "columns": [
            (column, _cards(place, column.records, words), _more_url(place, column.stage, column.next, owner))
            for column in columns
        ],
    }
    return place.render("crm/board.html", context)


@of_kind(*READ)
def more(place: Place, stage_id: int) -> HttpResponse:
    """Further cards of a column. Without scripts: the list of that stage."""
    request = place.request
    mine = Stage.objects.filter(pipeline__account=request.account, pipeline__kind=place.kind.key)
    stage = get_object_or_404(mine, pk=stage_id)
    owner = "me" if request.GET.get("owner") == "me" else ""
    try:
        page = boards.more(request.member, place.kind, stage, after=request.GET.get("after", ""), owner=owner)
    except listing.InvalidCursor as error:
        raise Http404 from error
    words = showing.words_for(request.account, place.kind, page.records, pipelines_in(place))
    cards = _cards(place, page.records, words)
    context = {"cards": cards, "next_url": _more_url(place, stage, page.next or "", owner), "stage": stage}
    return place.render("crm/_cards.html" if is_htmx(request) else "crm/column.html", context)


@of_kind(*WRITE)
def move(place: Place, pk: int) -> HttpResponse:
    """Put a card into another column. A refusal says why, with the version to try again upon."""
    record = place.record(pk)
    if not place.may_change(record):
        return JsonResponse({"said": _("You may look at this record, but not change it.")}, status=403)
    given = place.request.POST
    stage, version = given.get("stage", ""), given.get("version", "")
    if not all(one.isascii() and one.isdigit() and len(one) < 19 for one in (stage, version)):
        return JsonResponse({"said": _("Say which stage, and which version of the record was read.")}, status=422)
    try:
        moved = records.move(record, to=int(stage), by=place.request.member, version=int(version))
    except StaleRecord as error:
        labels = [one.label for change in error.changes if (one := place.kind.find(change.what))]
        said = _("Somebody else changed this meanwhile (%(what)s). The card is back; look at it and move it again.")
        names = ", ".join(dict.fromkeys(str(label) for label in labels)) or "…"
        return JsonResponse({"said": said % {"what": names}, "version": error.version}, status=error.status)
    except DomainError as error:
        lines = [line for several in error.fields.values() for line in several]
        return JsonResponse({"said": " ".join(lines or [str(error)])}, status=error.status)
    return JsonResponse({"version": moved.version})


def _cards(place: Place, shown: list[Record], words: showing.Words) -> list[dict[str, Any]]:
    there = {one.key: one for one in choosable(place.kind)}
    properties = [there[key] for key in ON_CARD.get(place.kind.key, ("owner",))]
    return [
        {
            "record": record,
            "url": paths.record(record),
            "move_url": place.url("move", pk=record.pk),
            "texts": [cell.text for one in properties if (cell := words.cell(record, one)).text],
        }
        for record in shown
    ]


def _more_url(place: Place, stage: Stage, after: str, owner: str) -> str:
    if not after:
        return ""
    return f"{place.url('board-more', stage_id=stage.pk)}?{urlencode({'after': after, 'owner': owner})}"
