"""Who is asking, and in which account: the first thing every page does."""

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone, translation

from accounts.models import Account, Membership, User

P = ParamSpec("P")


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


def member_required(
    view: Callable[Concatenate[MemberRequest, P], HttpResponse],
) -> Callable[..., HttpResponse]:
    """Open a page `/<hub_id>/…` to members of that account. Anyone else gets the 404 of a page that is not there."""

    @login_required
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
