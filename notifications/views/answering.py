"""How the doors of the bell answer: to htmx with a sentence and the new state, without scripts with the page again."""

import json
from typing import Any

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme

from accounts.access import MemberRequest
from accounts.models import Membership
from notifications import live
from notifications.live import Marks

SURFACES = {"bell": "bell", "list": "bell", "popup": "popup"}  # where a menu was opened → which channel it is about
SHOWN = ("at", "unread", "newest", "dot", "silence")


def state(member: Membership) -> dict[str, Any]:
    """What the page is told of the bell, as the socket would tell it."""
    (found,) = live.state_of([member.pk])
    return {"v": live.VERSION, "kind": "state", **{name: found[name] for name in SHOWN}}


def done(
    request: MemberRequest, sentence: str, *, marks: Marks = live.NO_MARKS, undo: dict[str, Any] | None = None
) -> HttpResponse:
    """It is done: say so, with the way back, and tell the page its new state."""
    if request.headers.get("HX-Request") != "true":
        if sentence:
            messages.success(request, sentence)
        return back(request)
    context = {"said": sentence, "undo": undo, "kind": "success", "surface": surface(request)}
    answer = render(request, "notifications/_said.html", context) if sentence else HttpResponse(status=204)
    answer["HX-Trigger"] = json.dumps({"bell:state": {**state(request.member), "marks": marks.as_json()}})
    return answer


def refused(request: MemberRequest, sentence: str, *, status: int) -> HttpResponse:
    """It was not done: say why."""
    if request.headers.get("HX-Request") != "true":
        messages.error(request, sentence)
        return back(request)
    context = {"said": sentence, "kind": "error", "surface": surface(request)}
    return render(request, "notifications/_said.html", context, status=status)


def surface(request: MemberRequest) -> str:
    at = request.POST.get("at", "")
    return at if at in SURFACES else "list"


def back(request: MemberRequest) -> HttpResponse:
    target = request.POST.get("next", "")
    if not url_has_allowed_host_and_scheme(target, allowed_hosts=None):
        target = reverse("notifications:list", kwargs={"hub_id": request.account.hub_id})
    return HttpResponseRedirect(target)
