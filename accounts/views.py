"""The pages of signing in and of choosing an account."""

from allauth.usersessions.models import UserSession
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts.access import MemberRequest, member_required
from accounts.models import Membership

LAST = "last_hub_id"  # session key: where the person was last


@login_required
def start(request: HttpRequest) -> HttpResponse:
    """/ leads to the account where the person was last, or to their first; without any, says so."""
    assert request.user.is_authenticated
    memberships = Membership.objects.active().filter(user=request.user).select_related("account")
    by_hub = {membership.account.hub_id: membership for membership in memberships.order_by("id")}
    if not by_hub:
        return render(request, "accounts/no_account.html")
    hub_id = request.session.get(LAST)
    return redirect("accounts:home", hub_id=hub_id if hub_id in by_hub else next(iter(by_hub)))


@member_required
def home(request: MemberRequest) -> HttpResponse:
    """An account's first page."""
    request.session[LAST] = request.account.hub_id
    return render(request, "accounts/home.html")


@login_required
@require_POST
def end_session(request: HttpRequest, pk: int) -> HttpResponse:
    """Sign one's own person out somewhere else. Another person's session is not there."""
    get_object_or_404(UserSession, pk=pk, user_id=request.user.pk).end()
    messages.success(request, _("You are signed out there."))
    return redirect("usersessions_list")
