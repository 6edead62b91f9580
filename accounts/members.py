"""Changes to who works in an account: inviting, changing, deactivating. An account never loses its last super admin."""

from collections.abc import Iterable
from typing import Any

from allauth.account.models import EmailAddress
from django.contrib.auth.hashers import make_password
from django.db import transaction
from django.utils.translation import gettext as _

from accounts import invitations
from accounts.errors import DomainError
from accounts.models import Account, Membership, Permission, Role, Seat, Team, User

CHANGEABLE = {
    "role", "permissions", "seat", "primary_team", "time_zone", "language", "working_hours", "availability",
}  # fmt: skip


class NotSuperAdmin(DomainError):
    code = "not_super_admin"
    status = 403


class LastSuperAdmin(DomainError):
    code = "last_super_admin"


class AlreadyMember(DomainError):
    code = "already_member"


class InvalidMember(DomainError):
    code = "invalid_member"
    status = 422


def require_super_admin(account: Account, by: Membership | None) -> None:
    """Refuse unless `by` is an active super admin of the account. None is the operator, who may."""
    if by is not None and not (by.account_id == account.pk and by.is_super_admin and by.is_active):
        raise NotSuperAdmin(_("Only a super admin of the account can change this."))


@transaction.atomic
def invite(
    account: Account,
    *,
    email: str,
    by: Membership | None,
    name: str = "",
    role: str = Role.MEMBER,
    permissions: Iterable[str] = (),
    seat: str = Seat.FREE,
    primary_team: Team | None = None,
    extra_teams: Iterable[Team] = (),
) -> Membership:
    """Let a person into an account and mail them. Who is new here chooses a password through the mail.

    A person who has a sign-in already keeps their name and password. Refuses who is a member already.
    """
    require_super_admin(account, by)
    email = email.strip().lower()
    facts_of_a_new_one = {"name": name.strip(), "password": make_password(None)}
    user, is_new = User.objects.get_or_create(email=email, defaults=facts_of_a_new_one)
    if is_new:
        EmailAddress.objects.create(user=user, email=email, primary=True, verified=False)
    elif Membership.objects.filter(account=account, user=user).exists():
        raise AlreadyMember(
            _("%(email)s is a member of this account already.") % {"email": email},
            fields={"email": [_("This person is a member already. If deactivated, activate them in the list.")]},
        )
    facts = {"role": role, "permissions": list(permissions), "seat": seat, "primary_team": primary_team}
    teams = list(extra_teams)
    _check(account, facts | {"extra_teams": teams})
    member = Membership.objects.create(account=account, user=user, **facts)
    member.extra_teams.set(teams)
    invitations.send_after_commit(member, by=by)
    return member


@transaction.atomic
def change(
    member: Membership, *, by: Membership | None, extra_teams: Iterable[Team] | None = None, **facts: Any
) -> None:
    """Change what a member may do and how they work. Refuses to take the role from the last super admin."""
    require_super_admin(member.account, by)
    unknown = sorted(set(facts) - CHANGEABLE)
    assert not unknown, unknown
    teams = None if extra_teams is None else list(extra_teams)
    _check(member.account, facts | ({} if teams is None else {"extra_teams": teams}))
    if facts.get("role", Role.SUPER_ADMIN) != Role.SUPER_ADMIN:
        _keep_a_super_admin(member)
    for name, value in facts.items():
        setattr(member, name, value)
    member.save(update_fields=list(facts))
    if teams is not None:
        member.extra_teams.set(teams)


@transaction.atomic
def deactivate(member: Membership, *, by: Membership | None) -> None:
    """Take a member's access at once: pages, API and open sockets. What they did stays. Twice is once."""
    require_super_admin(member.account, by)
    _keep_a_super_admin(member)
    member.is_active = False
    member.save(update_fields=["is_active"])


@transaction.atomic
def activate(member: Membership, *, by: Membership | None) -> None:
    """Give a deactivated member their access back."""
    require_super_admin(member.account, by)
    member.is_active = True
    member.save(update_fields=["is_active"])


def is_last_super_admin(member: Membership) -> bool:
    """Whether the account would be without an active super admin if this member were not one."""
    others = Membership.objects.active().filter(account=member.account_id, role=Role.SUPER_ADMIN)
    return member.role == Role.SUPER_ADMIN and member.is_active and not others.exclude(pk=member.pk).exists()


def _keep_a_super_admin(member: Membership) -> None:
    """Refuse for the last one. The account row is locked, so that two cannot step down past each other."""
    Account.objects.select_for_update(of=("self",)).get(pk=member.account_id)
    stored = Membership.objects.get(pk=member.pk)
    if is_last_super_admin(stored):
        raise LastSuperAdmin(
            _("%(name)s is the last super admin of %(account)s. Make somebody else a super admin first.")
            % {"name": member.name, "account": member.account.name}
        )


def _check(account: Account, facts: dict[str, Any]) -> None:
    """Refuse roles, permissions and teams that this account does not have."""
    problems: dict[str, list[str]] = {}
    if facts.get("role", Role.MEMBER) not in Role.values:
        problems["role"] = [_("There is no such role.")]
    if facts.get("seat", Seat.FREE) not in Seat.values:
        problems["seat"] = [_("There is no such seat.")]
    if set(facts.get("permissions", ())) - set(Permission.values):
        problems["permissions"] = [_("There is no such permission.")]
    for name in ("primary_team", "extra_teams"):
        given = facts.get(name) or []
        if any(team.account_id != account.pk for team in ([given] if isinstance(given, Team) else given)):
            problems[name] = [_("There is no such team.")]
    if problems:
        raise InvalidMember(next(iter(problems.values()))[0], fields=problems)
