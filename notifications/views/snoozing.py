"""Snooze: putting one notification off, the list of those that are, and waking one."""

from dataclasses import dataclass

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.html import escape
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from accounts.access import MemberRequest, member_required
from accounts.errors import DomainError
from notifications import quiet, rendering, snoozing
from notifications.forms import UntilForm
from notifications.live import Marks
from notifications.rendering import Message
from notifications.views import answering

BIGGEST_ID = 2**63 - 1


@dataclass(frozen=True)
class Line:
    """One snoozed notification as it is read."""

    event_id: int
    message: Message
    until: str


@member_required
@require_safe
@never_cache
def listing(request: MemberRequest) -> HttpResponse:
    """What is snoozed, the next to come back first, each with its time and “wake now”."""
    zone, language = request.member.zone, request.member.spoken_language
    found = [
        Line(
            row.event_id,
            rendering.render(row.event.type, row.event.data, language=language),
            quiet.until_words(row.due_at, zone),
        )
        for row in snoozing.of(request.member)
    ]
    return render(request, "notifications/snoozed.html", {"lines": found, "account": request.account})


@member_required
@require_POST
def snooze(request: MemberRequest, event_id: int) -> HttpResponse:
    """Put a notification off until a named or a chosen moment, and offer the way back."""
    event_id = _id(event_id)
    try:
        row = snoozing.snooze(request.member, event_id, until=UntilForm(request.POST).moment(request.member.zone))
    except snoozing.NotThere as gone:
        raise Http404 from gone
    except DomainError as refusal:
        return _refused(request, event_id, refusal)
    until = quiet.until_words(row.due_at, request.member.zone)
    undo = {
        "url": reverse("notifications:unsnooze", args=[request.account.hub_id, event_id]),
        "fields": [("at", request.POST.get("at", ""))],
    }
    marks = Marks(read=[event_id], archived=[event_id])
    return answering.done(request, _("Snoozed until %(until)s.") % {"until": until}, marks=marks, undo=undo)


@member_required
@require_POST
def undo(request: MemberRequest, event_id: int) -> HttpResponse:
    """Take a snooze back."""
    try:
        undone = snoozing.undo(request.member, _id(event_id))
    except snoozing.NotThere as gone:
        raise Http404 from gone
    marks = Marks(unarchived=[event_id], unread=[event_id] if undone.is_unread else [])
    return answering.done(request, _("It is back under the bell."), marks=marks)


@member_required
@require_POST
def wake(request: MemberRequest, event_id: int) -> HttpResponse:
    """Bring one back now."""
    try:
        snoozing.wake_now(request.member, _id(event_id))
    except snoozing.NotThere as gone:
        raise Http404 from gone
    return answering.done(request, _("It comes back in a moment."))


def _refused(request: MemberRequest, event_id: int, refusal: DomainError) -> HttpResponse:
    """Beside the time that was typed, where one was; else where the answer would have stood."""
    if "until" not in request.POST or "HX-Request" not in request.headers:
        return answering.refused(request, str(refusal), status=refusal.status)
    answer = HttpResponse(escape(str(refusal)), status=refusal.status)
    answer["HX-Retarget"] = f"#snooze-{answering.surface(request)}-{event_id}-error"
    return answer


def _id(given: int) -> int:
    if given > BIGGEST_ID:
        raise Http404
    return given
