"""Days on which a property was changed unusually often, with the records concerned (N-077)."""

from collections.abc import Iterable
from typing import Any

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import formats
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts.access import MemberRequest, member_required
from crm import anomalies, paths, permissions, schema
from crm.kinds import Kind
from crm.models import Anomaly, Record
from notifications import drawing
from notifications.drawing import Chart

MOST = 50
MOST_RECORDS = 100


@member_required
@require_safe
@never_cache
def listed(request: MemberRequest) -> HttpResponse:
    """The newest anomalies, of the kinds of which the member sees all records."""
    kinds = _kinds(request)
    found = list(anomalies.visible(request.account, kinds)[: MOST + 1])
    shown = [_word(one, kinds[one.kind]) for one in found[:MOST]]
    return render(request, "crm/anomalies.html", {"anomalies": shown, "is_more": len(found) > MOST})


@member_required
@require_safe
@never_cache
def one(request: MemberRequest, anomaly_id: int) -> HttpResponse:
    """One anomaly: the weeks before it as a chart, and the records concerned."""
    kinds = _kinds(request)
    anomaly: Anomaly = get_object_or_404(anomalies.visible(request.account, kinds), pk=anomaly_id)
    live = Record.objects.live().of(request.account, anomaly.kind).visible_to(request.member)
    rows = anomalies.concerned(anomaly, live).select_related("account", "owner__user").order_by("-pk")
    found = list(rows[: MOST_RECORDS + 1])
    context = _word(anomaly, kinds[anomaly.kind]) | {
        "chart": _chart(anomaly),
        "records": [(row, paths.record(row)) for row in found[:MOST_RECORDS]],
        "is_more": len(found) > MOST_RECORDS,
    }
    return render(request, "crm/anomaly.html", context)


def _kinds(request: MemberRequest) -> dict[str, Kind]:
    """The kinds of which the member sees all: numbers about all records are not for others."""
    kinds = schema.of(request.account)
    partly = permissions.limited_kinds(request.member)
    return {key: kind for key, kind in kinds.items() if key not in partly}


def _word(anomaly: Anomaly, kind: Kind) -> dict[str, Any]:
    known = kind.find(anomaly.property)
    return {
        "anomaly": anomaly,
        "kind": kind,
        "label": str(known.label) if known else anomaly.property,
        "sentence": anomalies.in_words(anomaly, kind),
        "url": paths.anomaly(anomaly),
    }


def _chart(anomaly: Anomaly) -> Chart:
    numbers: Iterable[Any] = anomalies.numbers_around(anomaly)
    rows = [(formats.date_format(day, "MONTH_DAY_FORMAT"), (number,)) for day, number in numbers]
    return drawing.stacked(_("That day and the four weeks before"), [("number", anomaly.get_move_display())], rows)
