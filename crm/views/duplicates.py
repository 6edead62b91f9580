"""Records that look like one: side by side, to be made one or left as two (N-067, N-078)."""

from typing import Any

from django.contrib import messages
from django.db.models import Q
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts.access import MemberRequest, member_required
from accounts.errors import DomainError
from crm import duplicates, merging, paths, schema, showing
from crm.models import Record
from crm.views.doors import BOTH, Place, of_kind, refused

MOST = 50


@member_required
@require_safe
@never_cache
def everywhere(request: MemberRequest) -> HttpResponse:
    """All pairs nobody has settled, of records that the member may see, newest first."""
    kinds = schema.of(request.account)
    rows = duplicates.open_pairs(request.account, request.member).select_related("low__account", "high__account")
    found = list(rows.order_by("-found_at", "-pk")[: MOST + 1])
    pairs = [
        {"pair": pair, "kind": kinds.get(pair.low.kind), "url": paths.duplicates(pair.low)} for pair in found[:MOST]
    ]
    return render(request, "crm/duplicates_everywhere.html", {"pairs": pairs, "is_more": len(found) > MOST})


@of_kind(*BOTH)
def of_record(place: Place, pk: int) -> HttpResponse:
    """What seems to be the same as a record. POST {pair, verb} merges the other into it, or says that they are two."""
    request = place.request
    if request.method == "POST":
        record = place.record_to_change(pk)
        return _settle(place, record)
    record = place.record(pk)
    pairs = list(_pairs(place, record).order_by("-found_at")[:MOST])
    others = [pair.high if pair.low_id == record.pk else pair.low for pair in pairs]
    words = showing.words_for(request.account, place.kind, [record, *others], [])
    shown: list[dict[str, Any]] = [
        {
            "pair": pair,
            "other": other,
            "url": paths.record(other),
            "lines": [
                (one.label, words.cell(record, one).text, words.cell(other, one).text)
                for one in place.kind.properties
                if words.cell(record, one).text or words.cell(other, one).text
            ],
        }
        for pair, other in zip(pairs, others, strict=True)
    ]
    return place.render(
        "crm/duplicates.html", {"record": record, "pairs": shown, "may_change": place.may_change(record)}
    )


def _settle(place: Place, record: Record) -> HttpResponse:
    given = place.request.POST.get("pair", "")
    is_id = given.isascii() and given.isdigit() and len(given) < 19
    pair = get_object_or_404(_pairs(place, record), pk=int(given) if is_id else 0)
    other = place.record_to_change(pair.high_id if pair.low_id == record.pk else pair.low_id)
    if place.request.POST.get("verb") != "merge":
        duplicates.dismiss(pair)
        messages.success(place.request, _("They stay two."))
        return HttpResponseRedirect(paths.duplicates(record))
    try:
        merged = merging.merge(record, other, by=place.request.member)
    except DomainError as error:
        refused(place.request, error)
        return HttpResponseRedirect(paths.duplicates(record))
    messages.success(place.request, _("“%(other)s” is now part of this record.") % {"other": other.title})
    return HttpResponseRedirect(paths.record(merged))


def _pairs(place: Place, record: Record) -> Any:
    rows = duplicates.open_pairs(place.request.account, place.request.member, place.kind.key)
    mine: Any = rows.select_related("low__account", "high__account").filter(Q(low=record) | Q(high=record))
    return mine
