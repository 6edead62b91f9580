"""Quiet hours and pauses: the page in the settings, the entry in the bell's panel, and the note in the header."""

from datetime import datetime
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from accounts.access import MemberRequest, member_required
from accounts.errors import DomainError
from notifications import moments, quiet
from notifications.forms import QuietHoursForm, UntilForm
from notifications.models import Delivery, DeliveryStatus
from notifications.views import answering
from notifications.views.settings import frame

MOST_COUNTED = 100


@member_required
@never_cache
def page(request: MemberRequest) -> HttpResponse:
    """Settings › Notifications › Quiet hours. A POST replaces the hours of all weekdays."""
    form = QuietHoursForm(request.POST if request.method == "POST" else None, hours=quiet.hours_of(request.member))
    if request.method == "POST" and form.is_valid():
        try:
            quiet.set_hours(request.member, form.hours())
        except DomainError as refusal:
            form.take(refusal)
        else:
            messages.success(request, _("Your quiet hours are saved."))
            return redirect("notifications:settings-quiet", hub_id=request.account.hub_id)
    return _page(request, form, UntilForm())


def _page(request: MemberRequest, form: QuietHoursForm, until: UntilForm) -> HttpResponse:
    now = timezone.now()
    state = quiet.state_of(request.member, now)
    held = Delivery.objects.filter(member=request.member, status=DeliveryStatus.HELD)
    context = frame(request, None) | {
        "form": form,
        "until_form": until,
        "state": state,
        "zone": request.member.zone.key,
        "now_words": _now_words(state, request, now),
        "next_words": _next_words(state, request, now),
        "held_count": min(held.count(), MOST_COUNTED),
        "moments": choices(request, now),
    }
    return render(request, "notifications/settings/quiet.html", context)


def _now_words(state: quiet.State, request: MemberRequest, now: datetime) -> str:
    if state.paused_until:
        until = quiet.until_words(state.paused_until, request.member.zone, now)
        return _("Everything is paused until %(until)s.") % {"until": until}
    if state.quiet_until:
        until = quiet.until_words(state.quiet_until, request.member.zone, now)
        return _("It is quiet until %(until)s.") % {"until": until}
    return ""


def _next_words(state: quiet.State, request: MemberRequest, now: datetime) -> str:
    if state.window is None or state.is_quiet:
        return ""
    zone = request.member.zone
    return _("Next: %(start)s to %(end)s.") % {
        "start": quiet.until_words(state.window.starts_at, zone, now),
        "end": quiet.until_words(state.window.ends_at, zone, now),
    }


def choices(request: MemberRequest, now: datetime | None = None) -> list[tuple[str, str, str]]:
    """The named moments that a pause or a snooze may last until: key, words, and when that is."""
    now, zone = now or timezone.now(), request.member.zone
    return [
        (key, str(moments.LATER[key]), quiet.until_words(moment, zone, now))
        for key, moment in moments.offered(now, zone)
    ]


@member_required
@require_POST
def pause(request: MemberRequest) -> HttpResponse:
    """Pause everything until a named or a chosen moment."""
    form = UntilForm(request.POST)
    try:
        quiet.pause(request.member, until=form.moment(request.member.zone))
    except DomainError as refusal:
        if request.headers.get("HX-Request") != "true" and "at" not in request.POST:
            form.add_error("until", str(refusal))
            hours = QuietHoursForm(None, hours=quiet.hours_of(request.member))
            return _page(request, hours, form)
        return answering.refused(request, str(refusal), status=refusal.status)
    state = quiet.state_of(request.member)
    assert state.paused_until is not None
    until = quiet.until_words(state.paused_until, request.member.zone)
    sentence = _("Everything but the bell is paused until %(until)s.") % {"until": until}
    undo = {"url": reverse("notifications:resume", args=[request.account.hub_id]), "fields": []}
    return answering.done(request, sentence, undo=undo)


@member_required
@require_POST
def resume(request: MemberRequest) -> HttpResponse:
    """End the pause: what it held is told."""
    ended = quiet.resume(request.member)
    return answering.done(request, _("The pause is over.") if ended else _("Nothing is paused."))


@member_required
@require_safe
@never_cache
def note(request: MemberRequest) -> HttpResponse:
    """The note in the header, for a page whose state has changed."""
    return render(request, "notifications/_silence.html", {"account": request.account, **note_of(request)})


def note_of(request: MemberRequest) -> dict[str, Any]:
    state = quiet.state_of(request.member)
    until = quiet.until_words(state.until, request.member.zone) if state.until else ""
    return {"is_paused": state.paused_until is not None, "until": until}
