"""The pages behind the links in our mails. They work without signing in: the token says whom they speak of."""

from collections.abc import Callable
from functools import wraps

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import translation
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST

from notifications.mail import links, unsubscribing
from notifications.mail.links import Purpose
from notifications.preferences import FixedCell

Page = Callable[[HttpRequest, str], HttpResponse]


def _private(view: Page) -> Page:
    """Keep a page out of search engines, caches and the Referer of what is opened from it.

    Such pages send no Referer and so no Origin that Django's CSRF check could compare. They need none: who
    has the token may act, and nobody else can name it.
    """

    @csrf_exempt
    @wraps(view)
    def private(request: HttpRequest, token: str) -> HttpResponse:
        response = view(request, token)
        response["X-Robots-Tag"] = "noindex, nofollow"
        response["Cache-Control"] = "no-store, private"
        response["Referrer-Policy"] = "no-referrer"
        return response

    return private


@_private
@require_http_methods(["GET", "HEAD", "POST"])
def unsubscribe(request: HttpRequest, token: str) -> HttpResponse:
    """Turn one type's mails off, and on again. Only a POST changes anything: programs follow links too."""
    subscription = unsubscribing.find(links.open_token(Purpose.FOOTER, token))
    if subscription is None:
        return render(request, "notifications/unsubscribe_unknown.html", status=404)
    with translation.override(subscription.member.spoken_language):
        done = refusal = ""
        if request.method == "POST":
            done = "on" if request.POST.get("turn") == "on" else "off"
            try:
                (unsubscribing.turn_on if done == "on" else unsubscribing.turn_off)(subscription)
            except FixedCell as fixed:
                done, refusal = "", str(fixed)
            subscription = unsubscribing.find(links.open_token(Purpose.FOOTER, token)) or subscription
        context = {
            "subscription": subscription,
            "cell": subscription.cell,
            "done": done,
            "settings_url": links.preferences(subscription.member.account.hub_id),
        }
        return render(request, "notifications/unsubscribe.html", context, status=409 if refusal else 200)


@_private
@require_POST
def one_click(request: HttpRequest, token: str) -> HttpResponse:
    """What a mail program posts when its own “unsubscribe” is pressed (RFC 8058). Answers in one plain line."""
    if request.POST.get("List-Unsubscribe") != "One-Click":
        return _plain(_("This address takes only the one-click POST of RFC 8058."), status=400)
    subscription = unsubscribing.find(links.open_token(Purpose.ONE_CLICK, token))
    if subscription is None:
        return _plain(_("This link is not valid any more."), status=404)
    with translation.override(subscription.member.spoken_language):
        try:
            unsubscribing.turn_off(subscription)
        except FixedCell as refusal:
            return _plain(str(refusal), status=409)
        return _plain(_("You will get no more mails of this kind."))


def _plain(sentence: str, *, status: int = 200) -> HttpResponse:
    return HttpResponse(f"{sentence}\n", status=status, content_type="text/plain; charset=utf-8")
