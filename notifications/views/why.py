"""“Why did I get this?” and “Why did I not?”: pages that name who decided, and lead to the very cell."""

from dataclasses import dataclass, replace
from datetime import datetime
from zoneinfo import ZoneInfo

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import formats
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts.access import MemberRequest, member_required
from accounts.models import Membership
from notifications import channels, grid, moments, personal, preferences, quiet, rendering, told, types
from notifications.forms import WhoseForm
from notifications.grid import Cell
from notifications.models import DeliveryStatus, Event, Held, Hushed
from notifications.push.deciding import NO_BROWSER, NO_PHONE
from notifications.quiet import State
from notifications.resolution import Layer
from notifications.types.base import NotificationType
from notifications.why import Explanation, Verdict, explain, of_interest


@dataclass(frozen=True)
class Line:
    """A verdict as the table shows it: a word with a colour, what became of it, and where to change it."""

    verdict: Verdict
    word: str
    kind: str
    sentence: str
    outcome: str
    until: str
    change_url: str
    together: tuple[tuple[str, int], ...] = ()  # what else the same mail tells: its title and its event


# What is said to the member themselves, said about them to somebody else.
OF_ANOTHER = {
    Layer.OWN: _lazy("their own choice"),
    Layer.SWITCH: _lazy("they switched the whole channel off"),
    Layer.PROFILE: _lazy("from a profile of their role or team"),
}
BY_STATUS = {
    DeliveryStatus.DUE: (_lazy("waiting"), "info"),
    DeliveryStatus.CLAIMED: (_lazy("on its way"), "info"),
    DeliveryStatus.SENDING: (_lazy("on its way"), "info"),
    DeliveryStatus.SENT: (_lazy("sent"), "on"),
    DeliveryStatus.FAILED: (_lazy("failed"), "danger"),
    DeliveryStatus.DROPPED: (_lazy("not sent"), "off"),
    DeliveryStatus.CAPPED: (_lazy("held back"), "warning"),
    DeliveryStatus.HELD: (_lazy("held"), "info"),
    DeliveryStatus.SUMMED: (_lazy("in a summary"), "on"),
    DeliveryStatus.MERGED: (_lazy("in one e-mail"), "on"),
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
        "told": bool(explanation.told_by),
        "sentence": _sentence(explanation, is_own=member == request.member),
    }
    is_held = any(verdict.hushed != Hushed.NOT for verdict in explanation.verdicts)
    silence = quiet.state_of(member) if is_held else State()
    is_theirs = explanation.is_recipient and explanation.held != Held.NOT_FOR
    if is_theirs or request.member.is_super_admin:
        context |= {
            "event": event,
            "kind": types.get(event.type),
            "message": personal.message(event, member, language=request.member.spoken_language),
            "lines": [_line(request, explanation, verdict, silence) for verdict in explanation.verdicts],
            "own_acts_url": _own_acts_url(request) if explanation.held == Held.OWN_ACT else "",
        }
    return render(request, "notifications/why.html", context)


@member_required
@never_cache
@require_safe
def why_not(request: MemberRequest) -> HttpResponse:
    """Choose a type: what would happen right now on each channel, and what became of the last ones."""
    member, problem = _whose(request)
    is_own = member == request.member
    asked = str(request.GET.get("type", ""))
    kinds = preferences.kinds_for(member)
    kind = next((kind for kind in kinds if kind.key == asked), None)
    if asked and kind is None:
        problem = problem or _("There is no such notification for this person.")
    context = {
        "account": request.account,
        "member": member,
        "is_own": is_own,
        "may_choose_member": request.member.is_super_admin,
        "problem": problem,
        "topics": _by_topic(kinds),
        "kind": kind,
    }
    if kind is not None:
        context |= {
            "cells": [
                _now(request, Cell(state), is_own=is_own)
                for state in preferences.standing(member, [kind]).cells(kind, of_interest(member))
            ],
            "events": [
                {"event": one.event, "title": _title(request, one.event), "sentence": one.sentence}
                for one in told.lately(kind, member, among_all=request.member.is_super_admin)
            ],
        }
    return render(request, "notifications/why_not.html", context)


def _whose(request: MemberRequest) -> tuple[Membership, str]:
    """The member the page is about, and what was wrong with the one asked for. Others only for super admins."""
    form = WhoseForm(request.GET)
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


def _now(request: MemberRequest, cell: Cell, *, is_own: bool) -> dict[str, object]:
    """What a cell says right now, of the one who looks or of another member."""
    state = cell.state
    return {
        "state": state,
        "sentence": _reason(state.is_on, state.layer, cell.sentence, is_own=is_own, named=bool(state.profile_name)),
        "url": _change_url(request, state.type.key, state.channel.key) if is_own and state.is_changeable else "",
    }


def _title(request: MemberRequest, event: Event) -> str:
    return rendering.render(event.type, event.data, language=request.member.spoken_language).title


def _words(request: MemberRequest, event: Event) -> str:
    """What tells an event from others of its thread."""
    message = rendering.render(event.type, event.data, language=request.member.spoken_language)
    return message.body or message.title


def _line(request: MemberRequest, explanation: Explanation, verdict: Verdict, silence: State) -> Line:
    is_own = explanation.member == request.member
    may_change = verdict.is_changeable and is_own
    url = _change_url(request, explanation.event.type, verdict.channel.key) if may_change else ""
    word, colour = _word(explanation, verdict)
    zone = request.member.zone
    return Line(
        verdict,
        word,
        colour,
        sentence=_verdict_words(explanation, verdict, is_own=is_own),
        outcome=_outcome(verdict, zone, silence),
        until=_when(verdict.lock.ends_at, zone) if verdict.lock and verdict.lock.ends_at else "",
        change_url=url,
        together=tuple((_words(request, event), event.pk) for event in verdict.together),
    )


def _sentence(explanation: Explanation, *, is_own: bool) -> str:
    """The answer in one line, to the member themselves or about them."""
    if is_own:
        return explanation.sentence
    if not explanation.is_recipient:
        return _("Not meant for this member.")
    if explanation.held != Held.NOT:
        return _("Nothing was sent: %(reason)s.") % {"reason": _held_words(explanation.held, is_own=False)}
    if told := explanation.told_by:
        return _("Told by: %(channels)s.") % {"channels": told}
    return explanation.held_back or _("Every channel was off.")


def _verdict_words(explanation: Explanation, verdict: Verdict, *, is_own: bool) -> str:
    if explanation.held != Held.NOT:
        return _("Held back: %(reason)s") % {"reason": _held_words(explanation.held, is_own=is_own)}
    named = bool(verdict.profile_name)
    return _reason(verdict.is_on, verdict.layer, verdict.sentence, is_own=is_own, named=named)


def _held_words(held: Held, *, is_own: bool) -> str:
    return str(_("it was their own act") if held == Held.OWN_ACT and not is_own else held.label)


def _reason(is_on: bool, layer: Layer | None, sentence: str, *, is_own: bool, named: bool = False) -> str:
    """Who decided, to the member themselves or about them. `named`: the sentence names the profile already."""
    if is_own or layer not in OF_ANOTHER or (layer is Layer.PROFILE and named):
        return sentence
    words = _("On — %(why)s") if is_on else _("Off — %(why)s")
    return words % {"why": OF_ANOTHER[layer]}


def _outcome(verdict: Verdict, zone: ZoneInfo, silence: State) -> str:
    """What became of it: shown here, or sent when and where, or what went wrong."""
    if verdict.mail is not None:
        of_mail = _outcome(replace(verdict, delivery=verdict.mail, mail=None), zone, silence)
        return _("Told in the e-mail of an earlier one. %(outcome)s") % {"outcome": of_mail}
    delivery = verdict.delivery
    if verdict.is_unreached:
        return _("Not sent: %(why)s") % {"why": _(NO_PHONE if verdict.channel.key == "mobile" else NO_BROWSER)}
    if verdict.hushed != Hushed.NOT:
        return _hushed_words(verdict, silence, zone)
    if delivery is None:
        return _("Shown in Bellhop") if verdict.is_on and verdict.channel.key not in channels.CARRIER else ""
    if verdict.is_capped:
        return verdict.held_back
    if verdict.is_held:
        return _("%(why)s Until %(when)s") % {"why": _(delivery.error), "when": _when(delivery.due_at, zone)}
    status = DeliveryStatus(delivery.status)
    error = _(delivery.error) if delivery.error else ""  # our own reasons are stored untranslated
    if status is DeliveryStatus.SENT and delivery.sent_at:
        facts = {"to": delivery.sent_to, "when": _when(delivery.sent_at, zone)}
        if delivery.is_repeat_possible:
            return _("Sent to %(to)s, perhaps twice; last on %(when)s") % facts
        return _("Sent to %(to)s on %(when)s") % facts
    if status is DeliveryStatus.DUE and delivery.attempts:
        facts = {"error": error, "when": _when(delivery.due_at, zone)}
        return _("Not delivered yet (%(error)s). Next attempt: %(when)s") % facts
    label = str(capfirst(status.label))
    return _("%(status)s: %(error)s") % {"status": label, "error": error} if error else label


def _hushed_words(verdict: Verdict, silence: State, zone: ZoneInfo) -> str:
    """Why a pop-up waits and until when, or that it was told afterwards."""
    facts = {"reason": verdict.hushed.label, "when": _when(silence.until, zone) if silence.until else ""}
    if not verdict.is_held:
        return _("It came during %(reason)s, and was told afterwards") % facts
    return _("Held for %(reason)s until %(when)s") % facts if silence.until else _("Held for %(reason)s") % facts


def _when(moment: datetime, zone: ZoneInfo) -> str:
    return formats.date_format(moments.on_clocks(moment, zone), "DATETIME_FORMAT")


def _word(explanation: Explanation, verdict: Verdict) -> tuple[str, str]:
    """A channel's verdict in a word, and the colour of its badge."""
    if explanation.held != Held.NOT:
        return _("held back"), "warning"
    if not verdict.is_on:
        return _("off"), "off"
    if verdict.is_unreached:
        return _("not sent"), "off"
    if verdict.hushed != Hushed.NOT:
        return (_("held"), "info") if verdict.is_held else (_("told afterwards"), "on")
    if verdict.delivery is not None:
        status = verdict.mail.status if verdict.mail and not verdict.is_told else verdict.delivery.status
        word, colour = BY_STATUS[DeliveryStatus(status)]
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
