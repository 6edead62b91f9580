"""Who sees and edits which records of a kind."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _

from accounts.errors import DomainError
from accounts.models import Membership
from crm import access, permissions
from crm.access import Access
from crm.browsing import LONGEST
from crm.models import Reach
from crm.views.doors import READ, WRITE, Place, of_setting


@of_setting(*READ)
def page(place: Place) -> HttpResponse:
    """All members, some at a time, for super admins; for everybody else, what they themselves see."""
    return _page(place, place.request.GET)


@of_setting(*WRITE)
def change(place: Place, member_id: int) -> HttpResponse:
    """Say what a member sees and edits."""
    request = place.request
    mine = Membership.objects.active().of(request.account)
    member = get_object_or_404(mine.select_related("account", "user"), pk=member_id)
    sees, edits = request.POST.get("sees", ""), request.POST.get("edits", "")
    try:
        permissions.set_reach(member, place.kind.key, sees=sees, edits=edits, by=request.member)
    except DomainError as error:
        lines = [line for several in error.fields.values() for line in several]
        told = {"member": member.pk, "sees": sees, "edits": edits, "words": " ".join([str(error), *lines])}
        return _page(place, request.POST, told, status=422)
    messages.success(request, _("Saved for %(name)s.") % {"name": member.name})
    kept = {name: request.POST[name] for name in ("q", "limited", "after") if request.POST.get(name)}
    return HttpResponseRedirect(f"{place.url('settings-access')}?{urlencode(kept)}#member-{member.pk}")


def _page(
    place: Place, given: "QueryDict", told: Mapping[str, Any] | None = None, *, status: int = 200
) -> HttpResponse:
    member = place.request.member
    words = given.get("q", "").replace("\0", "").strip()[:LONGEST]
    is_limited = given.get("limited") == "on"
    after = given.get("after", "")
    after = after if after.isascii() and after.isdigit() and len(after) < len(str(2**63)) else ""
    if member.is_super_admin:
        rows, following = access.page(
            member.account, place.kind.key, words=words, is_limited=is_limited, after=int(after or 0)
        )
    else:
        rows, following = [Access(member, *permissions.reach_of(member, place.kind.key))], 0
    kept = {name: value for name, value in (("q", words), ("limited", "on" if is_limited else "")) if value}
    base = place.url("settings-access")
    context = {
        "rows": rows,
        "words": words,
        "is_limited": is_limited,
        "after": after,
        "next_url": f"{base}?{urlencode(kept | {'after': following})}" if following else "",
        "first_url": f"{base}?{urlencode(kept)}" if after else "",
        "reaches": Reach.choices,
        "told": told or {},
        "is_admin": member.is_super_admin,
    }
    return place.render("crm/settings/access.html", context, status=status)
