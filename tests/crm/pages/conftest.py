"""Signed in, and records to look at."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from accounts.models import Membership
from crm import records
from crm.models import Record


@pytest.fixture
def signed_in(client: Client) -> Callable[[Membership], Client]:
    """A browser in which a member is signed in."""

    def run(member: Membership) -> Client:
        client.force_login(member.user)
        return client

    return run


@pytest.fixture
def made(alice: Membership) -> Callable[..., Record]:
    """A record of a kind, made by alice: `made("deals", name="Oak")`."""

    def run(kind: str = "contacts", *, by: Membership | None = alice, **given: Any) -> Record:
        names: dict[str, Any] = {"first_name": "Mia", "last_name": "Lind"}
        if kind != "contacts":
            names = {"name": "Nordic Oak 2027"}
        elif {"first_name", "email"} & set(given):
            names = {}
        return records.create(alice.account, kind, names | given, by=by)

    return run
