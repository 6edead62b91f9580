"""Records to talk about, and two ways of looking: at what was emitted, and past the five minutes."""

import threading
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

import pytest
from django.db import connections
from django.utils import timezone

from accounts.models import Membership
from crm import assigning, records
from crm.models import AssignmentWindow, Record
from notifications.models import Event

NAMES: dict[str, dict[str, object]] = {
    "contacts": {"first_name": "Mia", "last_name": "Lind"},
    "companies": {"name": "Fjordline Logistics"},
    "deals": {"name": "Nordic Oak 2027", "amount": 18400, "currency": "EUR"},
    "tickets": {"name": "Label printer offline", "priority": "high"},
    "leads": {"name": "Hofmann Bakeries"},
    "tasks": {"name": "Send the revised offer"},
}


@pytest.fixture
def make(alice: Membership) -> Callable[..., Record]:
    """A record of a kind, made by alice unless said otherwise."""

    def run(kind: str = "deals", *, by: Membership | None = alice, **given: Any) -> Record:
        more = {key: given.pop(key) for key in ("source", "tells") if key in given}
        return records.create(alice.account, kind, NAMES.get(kind, {}) | given, by=by, **more)

    return run


@pytest.fixture
def deal(make: Callable[..., Record]) -> Record:
    return make("deals")


@pytest.fixture
def told() -> Callable[..., list[tuple[str, list[int], dict[str, Any]]]]:
    """What was emitted so far: type, member ids, data. With a type: only the data of those."""

    def run(*types: str) -> list[Any]:
        rows = Event.objects.order_by("pk")
        if types:
            return [(row.audience["members"], row.data) for row in rows.filter(type__in=types)]
        return [(row.type, row.audience["members"], row.data) for row in rows]

    return run


@pytest.fixture
def five_minutes_later() -> Callable[[], int]:
    """Let the open windows come to their end."""

    def run() -> int:
        late = timezone.now() - timedelta(seconds=1)
        AssignmentWindow.objects.filter(closed_at=None).update(due_at=late)
        return assigning.close_due()

    return run


def at_once(*works: Callable[[], Any]) -> Sequence[Any]:
    """Run these at the same time, each in a thread with its own connection; what each returned or raised."""
    start, outcomes = threading.Barrier(len(works)), [None] * len(works)

    def run(index: int) -> None:
        try:
            start.wait()
            outcomes[index] = works[index]()
        except Exception as fault:  # noqa: BLE001 (handed to the test)
            outcomes[index] = fault
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(index,)) for index in range(len(works))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return outcomes
