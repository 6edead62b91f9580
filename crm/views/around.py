"""What stands beside lists and records: the bin, the people for pickers, the way in."""

from datetime import timedelta

from django.http import HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts.access import MemberRequest, member_required
from crm import browsing, choosing, paths, permissions, schema
from crm.models import Record
from crm.records import KEPT_IN_BIN
from crm.views.doors import READ, Place, of_kind
from crm.views.index import with_query

MOST_DUE = 8
MOST_RECENT = 8
SOON = timedelta(days=7)


@of_kind(*READ)
def bin_of(place: Place) -> HttpResponse:
    """What was deleted in the last 90 days, newest first."""
    before = place.request.GET.get("before", "")
    rows = place.records("edits").in_bin().order_by("-deleted_at", "-pk")
    is_id = before.isascii() and before.isdigit() and len(before) < 19
    last = place.records("edits").in_bin().filter(pk=int(before)).first() if is_id else None
    if last:
        rows = rows.filter(deleted_at__lte=last.deleted_at).exclude(deleted_at=last.deleted_at, pk__gte=last.pk)
    found = list(rows[: browsing.SIZE + 1])
    shown = found[: browsing.SIZE]
    is_more = len(found) > browsing.SIZE
    context = {
        "records": shown,
        "days": KEPT_IN_BIN.days,
        "next_url": with_query(place.request, before=shown[-1].pk) if is_more else "",
    }
    return place.render("crm/bin.html", context)


@member_required
@require_safe
@never_cache
def people(request: MemberRequest) -> HttpResponse:
    """People of the account for pickers. `for=mention`: teams too, with what the text gets."""
    words = request.GET.get("q", "")
    if request.GET.get("for") == "mention":
        offers = choosing.to_mention(request.account, words)
        found = [{"name": one.name, "about": one.about, "token": one.token, "isTeam": one.is_team} for one in offers]
        return JsonResponse({"people": found})
    members, is_more = choosing.members(request.account, words=words)
    return JsonResponse({"people": [{"id": one.pk, "name": one.name} for one in members], "more": is_more})


@member_required
@require_safe
@never_cache
def start(request: MemberRequest) -> HttpResponse:
    """A piece of the account's first page: one's tasks that are due, and what one opened last."""
    member, now = request.member, timezone.now()
    tasks = (
        Record.objects.live()
        .filter(permissions.within_kind(member, "tasks"), owner=member, completed_at=None, due_at__lt=now + SOON)
        .select_related("account")
        .order_by("due_at", "pk")[:MOST_DUE]
    )
    recent = (
        Record.objects.live()
        .of(request.account)
        .visible_to(member)
        .filter(views__member=member)
        .select_related("account")
        .order_by("-views__last_opened_at")[:MOST_RECENT]
    )
    kinds = schema.of(request.account)
    context = {
        "tasks": [(one, paths.record(one), one.due_at is not None and one.due_at < now) for one in tasks],
        "recent": [(one, paths.record(one), kinds.get(one.kind)) for one in recent],
    }
    return render(request, "crm/_start.html", context)
