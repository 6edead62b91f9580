"""What happens to records reaches those who listen: in order, once, and never standing in front of others."""

from collections.abc import Sequence
from typing import Any

import pytest
from django.db.models import QuerySet, Value

from accounts.models import Account
from crm import happenings, listeners, records
from crm.models import Happening, Source, What


class Listening:
    """One who listens to the deals of an account and keeps what was heard."""

    def __init__(self) -> None:
        self.heard_of: list[tuple[str, str]] = []
        self.stumbles_over = ""

    def listens(self, account_id: int, kind: str) -> QuerySet[Any]:
        return Account.objects.annotate(kind=Value(kind)).filter(pk=account_id, kind="deals")

    def heard(self, account: Account, batch: Sequence[Happening]) -> None:
        for one in batch:
            if one.record.title == self.stumbles_over:
                raise ValueError(one.record.title)
        self.heard_of += [(one.what, one.record.title) for one in batch]


@pytest.fixture
def listener(monkeypatch: pytest.MonkeyPatch) -> Listening:
    one = Listening()
    monkeypatch.setattr(listeners, "ALL", (one,))
    return one


def follow() -> None:
    while happenings.step():
        pass


def test_what_happens_is_heard_in_order_and_once(make, alice, listener):
    deal = make("deals")
    records.change(deal, {"name": "Birch Street"}, by=alice)
    records.delete(deal, by=alice)

    follow()
    follow()

    assert [what for what, _title in listener.heard_of] == [What.CREATED, What.CHANGED, What.DELETED]
    assert not Happening.objects.exists()


def test_nobody_listens_and_nothing_is_written(make, listener):
    make("tickets")

    assert not Happening.objects.exists()


def test_the_same_value_again_is_nothing(make, alice, listener):
    deal = make("deals")
    follow()
    records.change(deal, {"name": deal.title}, by=alice)

    assert not Happening.objects.exists()


def test_what_cannot_be_followed_waits_alone(make, listener):
    listener.stumbles_over = "Nordic Oak 2027"
    make("deals")
    make("deals", name="Birch Street")

    follow()

    assert listener.heard_of == [(What.CREATED, "Birch Street")]
    (left,) = Happening.objects.all()
    assert left.again_at is not None


def test_each_account_has_its_turn(make, mallory, listener, monkeypatch):
    monkeypatch.setattr(happenings, "IN_A_BATCH", 2)
    for number in range(5):
        make("deals", name=f"Deal {number}")
    records.create(mallory.account, "deals", {"name": "Roastery"}, by=mallory)

    happenings.step()

    assert listener.heard_of == [
        (What.CREATED, "Deal 0"),
        (What.CREATED, "Deal 1"),
        (What.CREATED, "Roastery"),
    ]


def test_the_work_of_workflows_is_known_by_its_depth(make, alice, listener):
    deal = make("deals")
    with happenings.caused_by_workflow(3):
        records.change(deal, {"name": "Birch Street"}, by=None, source=Source.WORKFLOW)
    records.change(deal, {"name": "Elm Street"}, by=alice)

    depths = Happening.objects.order_by("pk").values_list("depth", flat=True)

    assert list(depths) == [0, 3, 0]
