"""What the frame around every page needs to know: the account this is, and those one could switch to."""

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from accounts.models import Membership
from accounts.views import LAST


def shell(request: HttpRequest) -> dict[str, object]:
    """`switchable`: the person's active memberships by account name; `here`: the one this page belongs to.

    Pages outside an account (password, sessions) take the account last worked in, else the first. `here` is
    None for strangers. Costs one query when a template looks, none when it does not.
    """
    switchable = SimpleLazyObject(lambda: _memberships(request))
    return {"switchable": switchable, "here": SimpleLazyObject(lambda: _here(request, switchable))}


def _memberships(request: HttpRequest) -> list[Membership]:
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return []
    return list(user.memberships.filter(is_active=True).select_related("account").order_by("account__name", "pk"))


def _here(request: HttpRequest, switchable: object) -> Membership | None:
    member = getattr(request, "member", None)
    if isinstance(member, Membership):
        return member
    mine = list(switchable) if isinstance(switchable, list) else []
    last = request.session.get(LAST) if mine and hasattr(request, "session") else None
    return next((one for one in mine if one.account.hub_id == last), mine[0] if mine else None)
