"""The pages of signing in and of choosing an account."""

from allauth.usersessions.models import UserSession
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts import sign_ins
from accounts.access import MemberRequest, member_required, sign_in_required
from accounts.models import Membership, SignIn

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


@sign_in_required
@require_POST
def end_session(request: HttpRequest, pk: int) -> HttpResponse:
    """Sign one's own person out somewhere else. Another person's session is not there."""
    get_object_or_404(UserSession, pk=pk, user_id=request.user.pk).end()
    messages.success(request, _("You are signed out there."))
    return redirect("usersessions_list")


@sign_in_required
def sign_in(request: HttpRequest, pk: int) -> HttpResponse:
    """“Was this you?” Opening the page changes nothing. Another person's sign-in is not there."""
    found = get_object_or_404(SignIn, pk=pk, user_id=request.user.pk)
    if request.method == "POST":
        was_me = request.POST.get("answer") == SignIn.Answer.MINE
        if not was_me and request.POST.get("answer") != SignIn.Answer.NOT_MINE:
            return HttpResponseBadRequest(_("Say whether it was you."))
        was_there = sign_ins.answer(found, was_me=was_me)
        messages.success(request, _said(was_me=was_me, was_there=was_there))
        return redirect("accounts:sign-in", pk=pk)
    return render(request, "accounts/sign_in.html", {"sign_in": found, "reasons": sign_ins.reasons(found.risks)})


def _said(*, was_me: bool, was_there: bool) -> str:
    if was_me:
        return _("Good. That browser and place count as yours from now on.")
    return _("That session is ended.") if was_there else _("That session had ended already.")
