"""From what a caller wrote (an id or an e-mail address) to members of their account."""

from collections.abc import Iterable
from typing import Any

from django.db.models import Q
from django.http import Http404
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from rest_framework import serializers
from rest_framework.exceptions import ValidationError

from accounts.api.doors import ApiRequest
from accounts.api.fields import Strict
from accounts.api.paths import LARGEST_ID
from accounts.models import Account, Membership

Ref = int | str


def members_of(account: Account, refs: Iterable[Ref]) -> dict[Ref, Membership]:
    """Members by what they were named, one query for all. Those the account does not know are missing."""
    wanted = set(refs)
    if not wanted:
        return {}
    ids = [ref for ref in wanted if isinstance(ref, int)]
    emails = [ref for ref in wanted if isinstance(ref, str)]
    named = Membership.objects.of(account).filter(Q(pk__in=ids) | Q(user__email__in=emails))
    found: dict[Ref, Membership] = {}
    for member in named.select_related("user").only("account_id", "user__email"):
        found |= {member.pk: member, member.email: member}
    return found


class AboutQuery(Strict):
    """Whose notifications or preferences."""

    member = serializers.CharField(
        required=False, max_length=254, help_text="The member, by id or e-mail address. Required with a key."
    )


def subject_of(request: ApiRequest, asked: dict[str, Any]) -> Membership:
    """Whose notifications or preferences this is about: the session's member; with a key, the one it names.

    A member may name only themselves: others are not there for them.
    """
    named = asked.get("member", "")
    if request.member is not None and named in ("", str(request.member.pk), request.member.email):
        return request.member
    if not named:
        raise ValidationError({"member": [_("With a key, name the member: ?member= with an id or e-mail address.")]})
    is_id = named.isascii() and named.isdecimal()
    if is_id and int(named) > LARGEST_ID:
        raise Http404
    everyone = Membership.objects.active().of(request.account).select_related("account", "user")
    if request.member is not None:
        everyone = everyone.filter(pk=request.member.pk)
    return get_object_or_404(everyone, **({"pk": int(named)} if is_id else {"user__email": named.lower()}))
