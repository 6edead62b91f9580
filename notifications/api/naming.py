"""From what a caller wrote (an id or an e-mail address) to members of their account."""

from collections.abc import Iterable

from django.db.models import Q
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from rest_framework.exceptions import ValidationError

from accounts.api.doors import ApiRequest
from accounts.api.fields import MemberRef
from accounts.models import Account, Membership

Ref = int | str


def ids_of(account: Account, refs: Iterable[Ref]) -> dict[Ref, int]:
    """Member ids by what they were named. Addresses the account does not know are missing; ids stand as given."""
    wanted = set(refs)
    emails = [ref for ref in wanted if isinstance(ref, str)]
    found: dict[Ref, int] = {ref: ref for ref in wanted if isinstance(ref, int)}
    if emails:
        found.update(
            Membership.objects.of(account).filter(user__email__in=emails).values_list("user__email", "pk").iterator()
        )
    return found


def members_of(account: Account, refs: Iterable[Ref]) -> dict[Ref, Membership]:
    """Members by what they were named, one query for all. Those the account does not know are missing."""
    wanted = set(refs)
    if not wanted:
        return {}
    ids = [ref for ref in wanted if isinstance(ref, int)]
    emails = [ref for ref in wanted if isinstance(ref, str)]
    found: dict[Ref, Membership] = {}
    for member in (
        Membership.objects.of(account).select_related("user").filter(Q(pk__in=ids) | Q(user__email__in=emails))
    ):
        found |= {member.pk: member, member.email: member}
    return found


def subject_of(request: ApiRequest) -> Membership:
    """Whose notifications or preferences this is about: the session's member; with a key, the one it names.

    A member may name only themselves: others are not there for them.
    """
    named = request.query_params.get("member", "")
    if request.member is not None and named in ("", str(request.member.pk), request.member.email):
        return request.member
    if not named:
        raise ValidationError({"member": [_("With a key, name the member: ?member= with an id or e-mail address.")]})
    ref = MemberRef().run_validation(int(named[:20]) if named.isascii() and named.isdecimal() else named)
    everyone = Membership.objects.active().of(request.account).select_related("account", "user")
    if request.member is not None:
        everyone = everyone.filter(pk=request.member.pk)
    return get_object_or_404(everyone, **({"pk": ref} if isinstance(ref, int) else {"user__email": ref}))
