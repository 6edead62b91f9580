"""What browsers fetch of the application to install it: manifest, offline page, and the ways its shortcuts lead."""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_safe

from accounts.context import shell
from accounts.models import Membership
from notifications import installing

WAYS = {"notifications": "notifications:list", "settings": "notifications:settings-phone"}


@require_safe
def manifest(request: HttpRequest) -> HttpResponse:
    """The web app manifest. Browsers fetch it without cookies: it holds nothing of any account."""
    return JsonResponse(
        installing.manifest(), content_type="application/manifest+json", headers={"Cache-Control": "max-age=3600"}
    )


@require_safe
def offline(request: HttpRequest) -> HttpResponse:
    """The page the service worker keeps for when there is no way to us."""
    return HttpResponse(installing.offline_page(), headers={"Cache-Control": "no-cache"})


@login_required
@require_safe
def way(request: HttpRequest, to: str) -> HttpResponse:
    """A shortcut of the installed application: to the account that was worked in last."""
    here = shell(request)["here"]
    if not here:
        return redirect("accounts:start")
    assert isinstance(here, Membership)
    return redirect(WAYS[to], hub_id=here.account.hub_id)
