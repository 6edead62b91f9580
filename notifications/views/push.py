"""The browsers of a person: taking one in, a test, forgetting one; and the service worker (N-026 … N-030)."""

from typing import Any

import orjson
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST, require_safe

from accounts.access import MemberRequest, member_required
from accounts.errors import DomainError
from accounts.models import User
from notifications import installing
from notifications.push import keys, subscribing
from notifications.push.subscribing import BadSubscription, Offer

LONGEST = 8000  # bytes of what a browser sends


@require_safe
def worker(request: HttpRequest) -> HttpResponse:
    """The service worker, at the root so that it is responsible for every page."""
    return HttpResponse(
        installing.worker_script(),
        content_type="text/javascript; charset=utf-8",
        headers={"Cache-Control": "no-cache"},
    )


@require_safe
@never_cache
def key(request: HttpRequest) -> HttpResponse:
    """Our public key. Nothing secret: every browser that subscribes sends it to its push service."""
    return JsonResponse({"key": keys.public()})


@member_required
@require_POST
@never_cache
def keep(request: MemberRequest) -> HttpResponse:
    """The page says which subscription its browser has, after asking and on each load; we take it in."""
    try:
        given = _read(request)
        subscribing.keep(
            request.user,
            _offer(given),
            user_agent=request.headers.get("User-Agent", ""),
            session_key=request.session.session_key,
            replaces=_text(given, "replaces"),
            is_asked=given.get("asked") is True,
        )
    except DomainError as refusal:
        return _refused(refusal)
    return JsonResponse({"key": keys.public()})


@member_required
@require_POST
@never_cache
def test(request: MemberRequest) -> HttpResponse:
    """Send a test to the browser that asks."""
    try:
        browser = subscribing.known(request.user, endpoint=_text(_read(request), "endpoint"))
        said = subscribing.send_test(request.member, browser)
    except DomainError as refusal:
        return _refused(refusal)
    return JsonResponse({"said": said})


@member_required
@require_POST
def forget(request: MemberRequest) -> HttpResponse:
    """Forget one browser of the list."""
    try:
        subscribing.forget(request.user, _number(request.POST.get("browser", "")))
    except DomainError as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, _("Forgotten. That browser gets no notifications any more."))
    return redirect("notifications:settings-desktop", hub_id=request.account.hub_id)


@csrf_exempt  # a service worker has no token; who does not know the old address can change nothing
@login_required
@require_POST
@never_cache
def renew(request: HttpRequest) -> HttpResponse:
    """A browser changed its subscription by itself, with no page open."""
    assert isinstance(request.user, User)
    try:
        given = _read(request)
        subscribing.renew(request.user, _offer(given), replaces=_text(given, "replaces"))
    except DomainError as refusal:
        return _refused(refusal)
    return JsonResponse({"key": keys.public()})


def _read(request: HttpRequest) -> dict[str, Any]:
    """The JSON object that was sent. Refuses everything else."""
    try:
        given = orjson.loads(request.body) if len(request.body) <= LONGEST else None
    except orjson.JSONDecodeError:
        given = None
    if request.content_type != "application/json" or not isinstance(given, dict):
        raise BadSubscription(_("What your browser sent cannot be used. Reload the page and try again."))
    return given


def _offer(given: dict[str, Any]) -> Offer:
    """A PushSubscription as browsers write it down."""
    sealed = given.get("keys")
    found = sealed if isinstance(sealed, dict) else {}
    return Offer(
        _text(given, "endpoint"),
        _text(found, "p256dh"),
        _text(found, "auth"),
        is_phone=given.get("isPhone") is True,
        is_installed=given.get("isInstalled") is True,
    )


def _text(given: dict[str, Any], name: str) -> str:
    value = given.get(name)
    return value if isinstance(value, str) and "\x00" not in value else ""


def _number(given: str) -> int:
    return int(given) if given.isascii() and given.isdecimal() and len(given) < 18 else 0


def _refused(refusal: DomainError) -> HttpResponse:
    return JsonResponse({"code": refusal.code, "said": str(refusal)}, status=refusal.status)
