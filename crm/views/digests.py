"""Settings › Task digest: how often and when, the next one, one right now, and what became of the last (N-141).

The same card is a page of its own and stands on the E-mail tab, which asks for it by its address.
"""

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import formats
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from accounts.access import MemberRequest, member_required
from accounts.errors import DomainError
from crm.digests import schedules, sending_now, standing, timing
from crm.models import Frequency


def _hours() -> list[tuple[int, str]]:
    now = localtime()
    return [(hour, formats.time_format(now.replace(hour=hour, minute=0), "TIME_FORMAT")) for hour in timing.HOURS]


class DigestForm(forms.Form):
    """How often, and at which hour."""

    frequency = forms.ChoiceField(
        label=_lazy("How often"),
        choices=[
            (schedules.OFF, _lazy("Off")),
            (Frequency.WEEKDAYS.value, _lazy("Every weekday")),
            (Frequency.WEEKLY.value, _lazy("Every Monday")),
        ],
    )
    hour = forms.TypedChoiceField(label=_lazy("At"), choices=_hours, coerce=int)


@member_required
@never_cache
def digest(request: MemberRequest) -> HttpResponse:
    """The card, alone where a page asks for it as a piece. A POST saves it."""
    form = DigestForm(request.POST) if request.method == "POST" else None
    if form is not None and form.is_valid():
        try:
            schedules.choose(request.member, **form.cleaned_data)
        except DomainError as refusal:
            messages.error(request, str(refusal))
        else:
            messages.success(request, _said(request))
        return _back(request)
    found = standing.of(request.member)
    context: dict[str, Any] = {
        "account": request.account,
        "member": request.member,
        "digest": found,
        "form": form or DigestForm(initial={"frequency": found.frequency, "hour": found.row.hour}),
        "zone": schedules.zone_name(request.member).replace("_", " "),
        "is_piece": _is_piece(request),
    }
    template = "crm/digest/_card.html" if context["is_piece"] else "crm/digest/page.html"
    return render(request, template, context, status=422 if form is not None else 200)


@member_required
@require_POST
def send(request: MemberRequest) -> HttpResponse:
    """One right now."""
    try:
        sending_now.send(request.member)
    except DomainError as refusal:
        messages.warning(request, str(refusal))
    else:
        messages.success(request, _("Your digest is on its way to %(to)s.") % {"to": request.member.email})
    return _back(request)


@member_required
@require_POST
def skip(request: MemberRequest) -> HttpResponse:
    """Leave the next one out, or take that back (`undo`)."""
    is_undone = "undo" in request.POST
    done = _("The next digest comes after all.") if is_undone else _("The next digest is left out.")
    try:
        schedules.skip(request.member, on=not is_undone, day=request.POST.get("day", ""))
    except DomainError as refusal:
        messages.warning(request, str(refusal))
    else:
        messages.success(request, done)
    return _back(request)


def _said(request: MemberRequest) -> str:
    found = standing.of(request.member)
    if not found.is_on:
        return _("Saved. No digest will come.")
    if found.is_skipped:
        facts = {"when": found.next_words, "next": found.following_words}
        return _("Saved. The digest of %(when)s is left out. Next digest: %(next)s") % facts
    return _("Saved. Next digest: %(when)s") % {"when": found.next_words}


def _is_piece(request: HttpRequest) -> bool:
    return "HX-Request" in request.headers


def _back(request: MemberRequest) -> HttpResponse:
    """To where the card stood."""
    hub_id = request.account.hub_id
    if request.POST.get("from") == "tab":
        return redirect(reverse("notifications:settings-email", args=[hub_id]) + "#task-digest")
    return redirect("crm:digest", hub_id)
