"""Who is asking, and in which account: the first thing every page does."""

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec
from urllib.parse import urlencode, urlsplit

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, resolve_url
from django.utils import timezone, translation
from django.utils.http import url_has_allowed_host_and_scheme
from django_htmx.http import HttpResponseClientRedirect

from accounts.models import Account, Membership, User

P = ParamSpec("P")
SAFE = {"GET", "HEAD", "OPTIONS", "TRACE"}


class MemberRequest(HttpRequest):
    """A request of a signed-in member, inside one account."""

    user: User
    member: Membership
    account: Account


def membership_of(user: User, hub_id: int) -> Membership | None:
    """The active membership of a person in the account with that Hub ID, or None."""
    return (
        Membership.objects.active().select_related("account", "user").filter(user=user, account__hub_id=hub_id).first()
    )


def sign_in_required(view: Callable[P, HttpResponse]) -> Callable[P, HttpResponse]:
    """Open a page to people who are signed in; everybody else signs in first.

    A page that was asked for is asked for again then. A click is not: its address has no page, and what was meant a
    while ago is not done behind anybody's back. So it leads back to the page it was made on, and sign-in says so.
    """
    for_pages = login_required(view)

    @wraps(view)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        request = args[0]
        assert isinstance(request, HttpRequest)
        if request.method in SAFE or request.user.is_authenticated:
            return for_pages(*args, **kwargs)
        way_back = _page_of(request) or (f"/{kwargs['hub_id']}/" if "hub_id" in kwargs else "/")
        sign_in = f"{resolve_url(settings.LOGIN_URL)}?{urlencode({'next': way_back, 'undone': 1})}"
        # htmx would follow a redirect by itself and put the whole page into the place of a line.
        return HttpResponseClientRedirect(sign_in) if "HX-Request" in request.headers else redirect(sign_in)

    return guarded


def _page_of(request: HttpRequest) -> str:
    """The path of the page on which somebody clicked, where the browser says it and it is one of ours."""
    given = request.headers.get("Referer", "")
    if not url_has_allowed_host_and_scheme(given, {request.get_host()}, require_https=request.is_secure()):
        return ""
    parts = urlsplit(given)
    path = parts._replace(scheme="", netloc="", fragment="").geturl()
    return path if url_has_allowed_host_and_scheme(path, None) else ""


def member_required(
    view: Callable[Concatenate[MemberRequest, P], HttpResponse],
) -> Callable[..., HttpResponse]:
    """Open a page `/<hub_id>/…` to members of that account. Anyone else gets the 404 of a page that is not there."""

    @sign_in_required
    @wraps(view)
    def guarded(request: MemberRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        hub_id = kwargs.pop("hub_id")
        assert isinstance(hub_id, int)
        member = membership_of(request.user, hub_id)
        if member is None:
            raise Http404
        request.member, request.account = member, member.account
        with translation.override(member.spoken_language), timezone.override(member.zone):
            request.LANGUAGE_CODE = member.spoken_language
            return view(request, *args, **kwargs)

    return guarded
