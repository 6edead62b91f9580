"""Who asks: a program with a key, or a member with the session of their browser."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.contrib.auth.models import AnonymousUser
from django.utils.translation import gettext_lazy as _
from rest_framework.authentication import BaseAuthentication, SessionAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from accounts import api_keys
from accounts.errors import DomainError
from accounts.models import Account, Membership, Role, User

if TYPE_CHECKING:
    from django.contrib.auth.base_user import AbstractBaseUser

ACCOUNT_HEADER = "Bellhop-Account"

MAY = {  # what a member may do with their session, by role
    Role.MEMBER: frozenset(
        {
            "notifications.read",
            "notifications.write",
            "preferences.read",
            "preferences.write",
            "connections.write",
            "members.read",
            "records.read",
            "records.write",
            "workflows.read",
            "workflows.write",
        }
    ),
    Role.SUPER_ADMIN: frozenset(api_keys.SCOPES),
}


class AccountNotNamed(DomainError):
    code = "account_not_named"
    status = 400


class UnknownAccount(DomainError):
    code = "unknown_account"
    status = 404


class NoAccount(DomainError):
    code = "no_account"
    status = 403


@dataclass(frozen=True)
class Caller:
    """Who asks, in which account, and what they may do. A program has no member."""

    account: Account
    scopes: frozenset[str]
    member: Membership | None
    throttled_as: str

    @property
    def is_admin(self) -> bool:
        """Whether the caller may change what holds for the whole account: super admins, and programs by scope."""
        return self.member is None or self.member.is_super_admin


class KeyAuthentication(BaseAuthentication):
    """`Authorization: Bearer bh_…`."""

    def authenticate(self, request: Request) -> "tuple[AbstractBaseUser | AnonymousUser, Caller] | None":
        scheme, _space, key = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
        if not scheme:
            return None
        if scheme.lower() != "bearer":
            raise AuthenticationFailed(_("Send the key as “Authorization: Bearer bh_…”."))
        row = api_keys.recognise(key.strip())
        if row is None:
            raise AuthenticationFailed(_("This key is unknown or was revoked."))
        caller = Caller(row.account, frozenset(row.scopes), member=None, throttled_as=f"key:{row.pk}")
        return AnonymousUser(), caller

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="Bellhop"'


class MemberAuthentication(SessionAuthentication):
    """The session cookie, with the CSRF token on everything that changes something."""

    def authenticate(self, request: Request) -> tuple[User, Caller] | None:
        user = request._request.user
        if not user.is_authenticated:
            return None
        self.enforce_csrf(request)
        member = _member(user, request.headers.get(ACCOUNT_HEADER, ""))
        return user, Caller(member.account, MAY[Role(member.role)], member=member, throttled_as=f"member:{member.pk}")


def _member(user: User, named: str) -> Membership:
    """The membership a signed-in person acts as: the one they name, or the only one they have."""
    mine = list(Membership.objects.active().filter(user=user).select_related("account", "user").order_by("id")[:100])
    if not mine:
        raise NoAccount(_("You are not a member of any account."))
    if named:
        found = [member for member in mine if str(member.account.hub_id) == named.strip()]
        if not found:
            raise UnknownAccount(
                _("There is no such account."),
                fields={ACCOUNT_HEADER: [_("Give the Hub ID of an account you are a member of.")]},
            )
        return found[0]
    if len(mine) > 1:
        raise AccountNotNamed(
            _("You are a member of several accounts. Say which one you mean."),
            fields={ACCOUNT_HEADER: [_("Give the Hub ID of an account you are a member of.")]},
        )
    return mine[0]
