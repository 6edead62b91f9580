"""Two companies to look around in: made once, never changed again."""

from dataclasses import dataclass

from allauth.account.models import EmailAddress
from django.db import transaction

from accounts.models import Account, Membership, Permission, Role, Seat, Team, User
from accounts.plans import Plan

PASSWORD = "bellhop-demo"  # noqa: S105 (printed on purpose: demo sign-ins exist in local mode only)


@dataclass(frozen=True)
class SignIn:
    email: str
    password: str
    who: str


SIGN_INS = [
    SignIn("alice@example.com", PASSWORD, "super admin of Nordic Oak"),
    SignIn("bob@example.com", PASSWORD, "member of Nordic Oak, Sales"),
    SignIn("mallory@example.com", PASSWORD, "works next door, at Harbour Coffee"),
    SignIn("operator@example.com", PASSWORD, "operator: sees everything at /admin/"),
]


@transaction.atomic
def load() -> bool:
    """Make the demo accounts unless they are there. Returns whether anything was made."""
    if Account.objects.filter(hub_id__in=[1001, 1002]).exists():
        return False
    oak = Account.objects.create(
        hub_id=1001,
        name="Nordic Oak",
        domain="nordicoak.example",
        plan=Plan.ENTERPRISE,
        time_zone="Europe/Stockholm",
        brand_colour="#2f6b4f",
    )
    coffee = Account.objects.create(
        hub_id=1002,
        name="Harbour Coffee",
        domain="harbourcoffee.example",
        plan=Plan.FREE,
        time_zone="America/New_York",
        brand_colour="#8a4b2a",
    )
    sales, service = (Team.objects.create(account=oak, name=name) for name in ("Sales", "Service"))
    alice = person("alice@example.com", "Alice Andersson")
    Membership.objects.create(account=oak, user=alice, role=Role.SUPER_ADMIN, seat=Seat.PAID, primary_team=sales)
    Membership.objects.create(account=coffee, user=alice)
    bob = Membership.objects.create(
        account=oak,
        user=person("bob@example.com", "Bob Berg"),
        seat=Seat.PAID,
        primary_team=sales,
        permissions=[Permission.FORMS],
    )
    bob.extra_teams.add(service)
    for email, name, team in [
        ("carol@example.com", "Carol Chen", service),
        ("dan@example.com", "Dan Dahl", service),
        ("eva@example.com", "Eva Ek", sales),
    ]:
        Membership.objects.create(account=oak, user=person(email, name), primary_team=team)
    Membership.objects.create(account=coffee, user=person("mallory@example.com", "Mallory Moss"), role=Role.SUPER_ADMIN)
    person("operator@example.com", "Olga Operator", is_superuser=True)
    return True


def person(email: str, name: str, **facts: object) -> User:
    """A person with the demo password and a verified address."""
    user = User.objects.create_user(email, PASSWORD, name=name, **facts)
    EmailAddress.objects.create(user=user, email=email, verified=True, primary=True)
    return user
