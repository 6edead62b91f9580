"""“Why did I get this?” and “Why did I not?”: pages that name who decided, and lead to the very cell."""

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import formats
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts.access import MemberRequest, member_required
from accounts.models import Membership
from notifications import channels, grid, preferences, rendering, told, types
from notifications.forms import WhyForm
from notifications.grid import Cell
from notifications.models import Delivery, DeliveryStatus, Event, Held
from notifications.types.base import NotificationType
from notifications.why import Explanation, Verdict, explain


@dataclass(frozen=True)
class Line:
    """A verdict as the table shows it: a word with a colour, what became of it, and where to change it."""

    verdict: Verdict
    word: str
    kind: str
    outcome: str
    until: str
    change_url: str


BY_STATUS = {
    DeliveryStatus.DUE: (_lazy("waiting"), "info"),
    DeliveryStatus.CLAIMED: (_lazy("on its way"), "info"),
    DeliveryStatus.SENDING: (_lazy("on its way"), "info"),
    DeliveryStatus.SENT: (_lazy("sent"), "on"),
    DeliveryStatus.FAILED: (_lazy("failed"), "danger"),
    DeliveryStatus.DROPPED: (_lazy("not sent"), "off"),
}


@member_required
@never_cache
@require_safe
def why(request: MemberRequest, event_id: int) -> HttpResponse:
    """Each channel's verdict on one event. A super admin may ask for another member: ?member=<id or e-mail>."""
    event = get_object_or_404(Event.objects.filter(account=request.account), pk=event_id)
    member, problem = _whose(request)
    explanation = explain(event, member)
    context = {
        "account": request.account,
        "member": member,
        "is_own": member == request.member,
        "may_choose_member": request.member.is_super_admin,
        "problem": problem,
        "explanation": explanation,
        "told": any(verdict.is_on for verdict in explanation.verdicts),
        "sentence": _sentence(explanation, is_own=member == request.member),
    }
    if explanation.is_recipient or request.member.is_super_admin:
        context |= {
            "event": event,
            "kind": types.get(event.type),
            "message": _message(request, event),
            "lines": [_line(request, explanation, verdict) for verdict in explanation.verdicts],
            "own_acts_url": _own_acts_url(request) if explanation.held == Held.OWN_ACT else "",
        }
    return render(request, "notifications/why.html", context)


@member_required
@never_cache
@require_safe
def why_not(request: MemberRequest) -> HttpResponse:
    """Choose a type: what would happen right now on each channel, and what became of the last ones."""
    member, problem = _whose(request)
    asked = str(request.GET.get("type", ""))
    kinds = preferences.kinds_for(member)
    kind = next((kind for kind in kinds if kind.key == asked), None)
    if asked and kind is None:
        problem = problem or _("There is no such notification for this person.")
    context = {
        "account": request.account,
        "member": member,
        "is_own": member == request.member,
        "may_choose_member": request.member.is_super_admin,
        "problem": problem,
        "topics": _by_topic(kinds),
        "kind": kind,
    }
    if kind is not None:
        context |= {
            "cells": [
                (Cell(state), _change_url(request, kind.key, state.channel.key) if state.is_changeable else "")
                for state in preferences.standing(member, [kind]).cells(kind)
            ],
            "events": [
                {"event": one.event, "title": _message(request, one.event).title, "sentence": one.sentence}
                for one in told.lately(kind, member, among_all=request.member.is_super_admin)
            ],
        }
    return render(request, "notifications/why_not.html", context)


def _whose(request: MemberRequest) -> tuple[Membership, str]:
    """The member the page is about, and what was wrong with the one asked for. Others only for super admins."""
    form = WhyForm(request.GET)
    asked = str(form.cleaned_data["member"]) if form.is_valid() else ""
    if not asked or asked in (str(request.member.pk), request.member.email):
        return request.member, ""
    if not request.member.is_super_admin:
        return request.member, _("Only a super admin can look at somebody else’s notifications. These are yours.")
    members = Membership.objects.of(request.account).select_related("account", "user")
    one = {"pk": int(asked)} if asked.isdecimal() and len(asked) < 18 else {"user__email": asked.lower()}
    found = members.filter(**one).first()
    if found is None:
        return request.member, _("“%(asked)s” is nobody in this account. These are yours.") % {"asked": asked}
    return found, ""


def _message(request: MemberRequest, event: Event) -> rendering.Message:
    return rendering.render(event.type, event.data, language=request.member.spoken_language)


def _line(request: MemberRequest, explanation: Explanation, verdict: Verdict) -> Line:
    may_change = verdict.is_changeable and explanation.member == request.member
    url = _change_url(request, explanation.event.type, verdict.channel.key) if may_change else ""
    word, colour = _word(explanation, verdict)
    zone = request.member.zone
    return Line(
        verdict,
        word,
        colour,
        outcome=_outcome(verdict.delivery, zone) if verdict.delivery else "",
        until=_when(verdict.lock.ends_at, zone) if verdict.lock and verdict.lock.ends_at else "",
        change_url=url,
    )


def _sentence(explanation: Explanation, *, is_own: bool) -> str:
    """The answer in one line, to the member themselves or about them."""
    if is_own or explanation.held != Held.NOT:
        return explanation.sentence
    names = [str(verdict.channel.label) for verdict in explanation.verdicts if verdict.is_on]
    if not explanation.is_recipient:
        return _("Not meant for this member.")
    return _("Told by: %(channels)s.") % {"channels": ", ".join(names)} if names else _("Every channel was off.")


def _outcome(delivery: Delivery, zone: ZoneInfo) -> str:
    """What became of a delivery, with the time and place or what went wrong."""
    status = DeliveryStatus(delivery.status)
    if status is DeliveryStatus.SENT and delivery.sent_at:
        facts = {"to": delivery.sent_to, "when": _when(delivery.sent_at, zone)}
        words = _("Sent to %(to)s on %(when)s.") % facts
        return f"{words} {_('It may have gone twice.')}" if delivery.is_repeat_possible else words
    if status is DeliveryStatus.DUE and delivery.attempts:
        facts = {"error": delivery.error, "when": _when(delivery.due_at, zone)}
        return _("Not delivered yet (%(error)s). Next attempt: %(when)s.") % facts
    if delivery.error:
        return _("%(status)s: %(error)s") % {"status": str(status.label).capitalize(), "error": delivery.error}
    return str(status.label).capitalize() + "."


def _when(moment: datetime, zone: ZoneInfo) -> str:
    return formats.date_format(moment.astimezone(zone), "DATETIME_FORMAT")


def _word(explanation: Explanation, verdict: Verdict) -> tuple[str, str]:
    """A channel's verdict in a word, and the colour of its badge."""
    if explanation.held != Held.NOT:
        return _("held back"), "warning"
    if not verdict.is_on:
        return _("off"), "off"
    if verdict.delivery is not None:
        word, colour = BY_STATUS[DeliveryStatus(verdict.delivery.status)]
        return str(word), colour
    if verdict.channel.key in channels.CARRIER:
        return _("waiting"), "info"
    return _("on"), "on"


def _change_url(request: MemberRequest, type_key: str, channel_key: str) -> str:
    tab = grid.tab_of(channel_key)
    return f"{reverse(f'notifications:settings-{tab.key}', args=[request.account.hub_id])}#{grid.anchor(type_key)}"


def _own_acts_url(request: MemberRequest) -> str:
    return f"{reverse('notifications:settings-desktop', args=[request.account.hub_id])}#option-hears_own_acts"


def _by_topic(kinds: list[NotificationType]) -> list[tuple[str, list[NotificationType]]]:
    found: dict[str, list[NotificationType]] = {}
    for kind in kinds:
        found.setdefault(str(kind.topic.label), []).append(kind)
    return list(found.items())
