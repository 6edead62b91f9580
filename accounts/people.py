"""What the operator does to a person, in whichever accounts they work."""

from allauth.usersessions.models import UserSession
from django.db import transaction
from django.utils.translation import gettext as _

from accounts.members import LastSuperAdmin
from accounts.models import Membership, Role, User


def end_sessions(user: User) -> int:
    """Sign a person out everywhere. Returns how many sign-ins ended."""
    sessions = list(UserSession.objects.filter(user=user))
    for session in sessions:
        session.end()
    return len(sessions)


@transaction.atomic
def bar(user: User) -> None:
    """Take a person's sign-in, in all accounts. Refused while they are the last super admin of one."""
    mine = Membership.objects.active().filter(user=user, role=Role.SUPER_ADMIN)
    others = Membership.objects.active().filter(role=Role.SUPER_ADMIN).exclude(user=user).values("account")
    if alone := mine.exclude(account__in=others).select_related("account").first():
        raise LastSuperAdmin(
            _("%(name)s is the last super admin of %(account)s. Make somebody else a super admin first.")
            % {"name": user.get_full_name(), "account": alone.account.name}
        )
    user.is_active = False
    user.save(update_fields=["is_active"])
    end_sessions(user)


def admit(user: User) -> None:
    """Let a barred person sign in again."""
    user.is_active = True
    user.save(update_fields=["is_active"])
