"""The Mobile app tab on a computer, and what one does with a phone of one's list: a test, and forgetting it."""

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from accounts import browsers
from accounts.access import MemberRequest, member_required
from accounts.errors import DomainError
from notifications import grid, phones, qr
from notifications.views.settings import frame


@member_required
@require_safe
@never_cache
def tab(request: MemberRequest) -> HttpResponse:
    """The Mobile app tab (N-038): how it gets onto the phone, and which phones there are. It is set on the phone."""
    if _is_phone(request):
        return redirect("notifications:settings-phone", hub_id=request.account.hub_id)
    there = settings.BASE_URL + reverse("notifications:settings-phone", args=[request.account.hub_id])
    context = frame(request, grid.MOBILE) | {
        "phones": phones.of(request.user),
        "phone_url": there,
        "phone_code": qr.svg(there),
        "is_secure": there.startswith("https://"),
    }
    return render(request, "notifications/settings/mobile.html", context)


@member_required
@require_POST
def test(request: MemberRequest) -> HttpResponse:
    """Send a test to one phone of the list."""
    try:
        messages.success(request, phones.send_test(request.member, request.POST.get("phone", "")))
    except DomainError as refusal:
        messages.error(request, str(refusal))
    return _back(request)


@member_required
@require_POST
def forget(request: MemberRequest) -> HttpResponse:
    """Forget one phone of the list."""
    try:
        phones.forget(request.user, request.POST.get("phone", ""))
    except DomainError as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, _("Forgotten. That phone gets no notifications any more."))
    return _back(request)


def _back(request: MemberRequest) -> HttpResponse:
    """To where the list stands on this device."""
    to = "phone" if _is_phone(request) else "mobile"
    return redirect(f"notifications:settings-{to}", hub_id=request.account.hub_id)


def _is_phone(request: MemberRequest) -> bool:
    return browsers.is_phone(request.headers.get("User-Agent", ""))
