"""Making what tests talk about, with as few words as possible."""

import itertools
from typing import Any

from allauth.account.models import EmailAddress

from accounts.models import Account, Membership, User
from accounts.plans import Plan

_numbers = itertools.count(5000)
PASSWORD = "correct horse battery"


def account(**facts: Any) -> Account:
    number = next(_numbers)
    return Account.objects.create(
        **{
            "hub_id": number,
            "name": f"Company {number}",
            "domain": f"c{number}.example",
            "plan": Plan.ENTERPRISE,
        }
        | facts
    )


def user(name: str, **facts: Any) -> User:
    person = User.objects.create_user(f"{name}@example.com", PASSWORD, name=name.title(), **facts)
    EmailAddress.objects.create(user=person, email=person.email, verified=True, primary=True)
    return person


def member(account: Account, name: str, **facts: Any) -> Membership:
    person = User.objects.filter(email=f"{name}@example.com").first() or user(name)
    return Membership.objects.create(account=account, user=person, **facts)


def members(account: Account, count: int, **facts: Any) -> list[Membership]:
    """Many members at once, named member0, member1, …: without a password, for whoever never signs in."""
    start = next(_numbers) * 1_000_000
    people = User.objects.bulk_create(
        [User(email=f"m{start + i}@example.com", name=f"Member {i}", password="!") for i in range(count)]
    )
    return Membership.objects.bulk_create([Membership(account=account, user=person, **facts) for person in people])
