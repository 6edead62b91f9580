"""The cast. alice owns the account, bob and carol work in it, mallory works next door."""

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.core import mail
from django.core.mail import EmailMessage

from accounts.models import Account, Membership, Role, Team
from notifications import channels, delivering, fanout
from tests import factories
from tests.house import House, furnish


@pytest.fixture
def account(db: None) -> Account:
    return factories.account(hub_id=1001, name="Nordic Oak")


@pytest.fixture
def next_door(db: None) -> Account:
    """Another account, of which nothing may ever show."""
    return factories.account(hub_id=2002, name="Harbour Coffee")


@pytest.fixture
def team(account: Account) -> Team:
    return Team.objects.create(account=account, name="Sales")


@pytest.fixture
def alice(account: Account) -> Membership:
    return factories.member(account, "alice", role=Role.SUPER_ADMIN)


@pytest.fixture
def bob(account: Account, team: Team) -> Membership:
    return factories.member(account, "bob", primary_team=team)


@pytest.fixture
def carol(account: Account) -> Membership:
    return factories.member(account, "carol")


@pytest.fixture
def mallory(next_door: Account) -> Membership:
    return factories.member(next_door, "mallory", role=Role.SUPER_ADMIN)


@pytest.fixture
def fan_out(db: None) -> Callable[[], int]:
    """Tell everybody about what was emitted, here and now."""
    return fanout.run_due


@pytest.fixture
def delivered(db: None) -> Callable[[str], list[EmailMessage]]:
    """Run the whole way and return what left over a channel."""

    def run(channel: str) -> list[EmailMessage]:
        fanout.run_due()
        delivering.run_due(channels.CARRIER[channel])
        return mail.outbox

    return run


@pytest.fixture
def new_house() -> Iterator[House]:
    """A house that was never started."""
    house = House(Path(os.environ["VAR_DIR"]) / f"house-{time.monotonic_ns()}")
    yield house
    house.stop()


@pytest.fixture
def house(new_house: House) -> House:
    """A house that ran before, with the demo in it."""
    furnish(new_house.var)
    return new_house
