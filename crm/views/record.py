"""The page of a record: its properties, what happened, what belongs to it."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _

from accounts.errors import DomainError
from crm import associating, browsing, following, history, paths, records, schema, searching, showing, wording
from crm.history import Entry
from crm.kinds import Kind
from crm.lists import seeing
from crm.models import ActivityKind, Record
from crm.views.doors import BOTH, READ, WRITE, Place, back, is_htmx, is_looking_ahead, of_kind, pipelines_in, refused

MOST_ASSOCIATED = 100
MOST_FOUND = 10
LOGGED = [kind for kind in ActivityKind if kind != ActivityKind.COMMENT]


@dataclass(frozen=True)
class Linked:
    """An associated record, or one that could be."""

    record: Record
    kind: Kind
    url: str


@of_kind(*READ)
def page(place: Place, pk: int) -> HttpResponse:
    """A record. Opening it is remembered: an assignment before that needs no telling any more (D9)."""
    record = place.record(pk)
    if not is_looking_ahead(place.request):
        following.mark_opened(record, place.request.member)
    shown = history.page(record, after=place.request.GET.get("after", ""))
    more = {"next_url": _timeline_url(place, record, shown.next) if shown.next else ""}
    return place.render("crm/record.html", context_of(place, record, shown.entries) | more)


@of_kind(*READ)
def timeline(place: Place, pk: int) -> HttpResponse:
    """Further entries of the timeline, for the page that is open. Without scripts: the page, from there on."""
    record = place.record(pk)
    after = place.request.GET.get("after", "")
    if not is_htmx(place.request):
        return page(place.request, hub_id=place.request.account.hub_id, kind=place.kind.key, pk=pk)
    shown = history.page(record, after=after)
    more = {"next_url": _timeline_url(place, record, shown.next) if shown.next else ""}
    return place.render("crm/_entries.html", entries_of(place, record, shown.entries) | more)


def context_of(place: Place, record: Record, entries: list[Entry]) -> dict[str, Any]:
    """All that the page shows besides where the timeline goes on."""
    member = place.request.member
    may_change = place.may_change(record)
    shared = entries_of(place, record, entries)
    words: showing.Words = shared["words"]
    return shared | {
        "record": record,
        "cells": [words.cell(record, one) for one in place.kind.properties],
        "may_change": may_change,
        "follows": record.followers.filter(member=member).exists(),
        "logged": LOGGED,
        "lists": seeing.of_record(record),
        "made_by": record.created_by,
        **associations_of(place, record),
    }


def entries_of(place: Place, record: Record, entries: list[Entry]) -> dict[str, Any]:
    """The entries of a timeline with the words they need."""
    changes = [change for entry in entries for change in entry.changes]
    named = wording.people_in(changes, [one.key for one in place.kind.people])
    words = showing.words_for(place.request.account, place.kind, [record], pipelines_in(place), also=named)
    sentences = wording.sentences(changes, words, place.request.member)
    lines = [(entry, [sentences[change.pk] for change in entry.changes]) for entry in entries]
    return {"record": record, "entries": lines, "words": words, "me": place.request.member}


def associations_of(place: Place, record: Record) -> dict[str, Any]:
    """What belongs to the record, and what was found to associate."""
    member = place.request.member
    rows = associating.associated_with(record, member).select_related("account").order_by("kind", "sort_title", "id")
    there = list(rows[: MOST_ASSOCIATED + 1])
    sought = place.request.GET.get("find", "").replace("\0", "").strip()[: browsing.LONGEST]
    found: list[Record] = []
    if sought:
        others = Record.objects.live().of(place.request.account).visible_to(member).exclude(pk=record.pk)
        found = list(searching.matching(others, place.request.account, sought).select_related("account")[:MOST_FOUND])
    known = {one.pk for one in there}
    return {
        "associated": [_linked(place, one) for one in there[:MOST_ASSOCIATED]],
        "more_associated": len(there) > MOST_ASSOCIATED,
        "sought": sought,
        "found": [_linked(place, one) for one in found if one.pk not in known],
    }


@of_kind(*BOTH)
def associations(place: Place, pk: int) -> HttpResponse:
    """GET finds records to associate. POST {other, verb} associates or separates."""
    request = place.request
    if request.method == "POST":
        record = place.record_to_change(pk)
        try:
            _associate(place, record)
        except DomainError as error:
            refused(request, error)
        return HttpResponseRedirect(f"{paths.record(record)}#associations")
    record = place.record(pk)
    context = associations_of(place, record) | {"record": record, "may_change": place.may_change(record)}
    if is_htmx(request):
        return place.render("crm/_associations.html", context)
    return page(request, hub_id=request.account.hub_id, kind=place.kind.key, pk=pk)


def _associate(place: Place, record: Record) -> None:
    given = place.request.POST.get("other", "")
    if not (given.isascii() and given.isdigit() and len(given) < 19):
        raise Http404
    mine = Record.objects.live().of(place.request.account).visible_to(place.request.member)
    other = get_object_or_404(mine, pk=int(given))
    if place.request.POST.get("verb") == "remove":
        associating.separate(record, other, by=place.request.member)
    else:
        associating.associate(record, other, by=place.request.member)


@of_kind(*WRITE)
def follow(place: Place, pk: int) -> HttpResponse:
    """Hear what happens to a record, or not any more."""
    record = place.record(pk)
    if place.request.POST.get("verb") == "unfollow":
        following.unfollow(record, place.request.member)
        messages.success(place.request, _("You do not follow this record any more."))
    else:
        following.follow(record, place.request.member)
        messages.success(place.request, _("You follow this record: you hear what happens to it."))
    return HttpResponseRedirect(paths.record(record))


@of_kind(*WRITE)
def complete(place: Place, pk: int) -> HttpResponse:
    """Tick a task off, or open it again."""
    if place.kind.find("completed_at") is None:
        raise Http404
    task = place.record_to_change(pk)
    reopens = place.request.POST.get("verb") == "reopen"
    (records.reopen if reopens else records.complete)(task, by=place.request.member)
    messages.success(place.request, _("The task is open again.") if reopens else _("Done. The task is completed."))
    return back(place.request, paths.record(task))


@of_kind(*WRITE)
def delete(place: Place, pk: int) -> HttpResponse:
    """Put a record into the bin; the list that follows offers the way back."""
    record = place.record_to_change(pk)
    records.delete(record, by=place.request.member)
    return HttpResponseRedirect(f"{place.url('index')}?deleted={record.pk}")


@of_kind(*WRITE)
def restore(place: Place, pk: int) -> HttpResponse:
    """Take a record out of the bin."""
    request = place.request
    if place.records().live().filter(pk=pk).exists():
        return HttpResponseRedirect(paths.record(place.record(pk)))  # somebody was faster
    record = place.record_to_change(pk, in_bin=True)
    try:
        records.restore(record, by=request.member)
    except DomainError as error:
        refused(request, error)
        return HttpResponseRedirect(place.url("bin"))
    messages.success(request, _("“%(title)s” is back.") % {"title": record.title})
    return HttpResponseRedirect(paths.record(record))


def _linked(place: Place, record: Record) -> Linked:
    kind = place.kinds.get(record.kind) or schema.kind_of(record.account, record.kind)
    return Linked(record, kind, paths.record(record))


def _timeline_url(place: Place, record: Record, after: str) -> str:
    return f"{place.url('timeline', pk=record.pk)}?{urlencode({'after': after})}"
