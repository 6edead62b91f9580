"""The daily limit of mails: exact however many send at once, honest about what it held back, told once."""

import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from types import SimpleNamespace

import pytest
from django.db import connection, connections
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone, translation

from accounts.models import User
from notifications import caps, claiming, delivering, events, fanout, tasks, types, why
from notifications.channels import CARRIER
from notifications.channels.base import DailyCap, Outcome, Parcel, Sent, TryLater, Unreachable
from notifications.models import DailyCount, Delivery, DeliveryStatus, Lock
from tests import factories

MOVED = types.TYPES["deals.stage_changed"]
SYSTEM = next(kind for kind in types.TYPES.values() if "email" in kind.required and not kind.for_role)
OTHER = types.TYPES["tickets.status_changed"]
REACHED = "the daily limit of 1,000 e-mails of this kind was reached"


@dataclass
class Courier:
    """A channel that carries as it is told, so many a day."""

    limit: int = 1000
    decide: Callable[[Parcel], Outcome] = lambda parcel: Sent(parcel, parcel.email)
    key: str = "email"
    bit: int = 4
    label: str = "Courier"
    carried: list[Parcel] = field(default_factory=list)

    @property
    def daily_cap(self) -> DailyCap:
        return DailyCap(self.limit, CARRIER["email"].daily_cap.words)

    def send_many(self, given: Iterable[Parcel]) -> Iterator[Outcome | None]:
        for parcel in given:
            self.carried.append(parcel)
            yield self.decide(parcel)


class Killed(BaseException):
    """The process ends here."""


def tell(alice, *people, kind=MOVED, times=1):
    made = [
        events.emit(kind, audience=list(people), account=alice.account, data=dict(kind.example)) for _ in range(times)
    ]
    fanout.run_due()
    return made[-1]


def statuses():
    return Counter(Delivery.objects.values_list("status", flat=True))


def counts():
    return sorted(DailyCount.objects.values_list("address", "asked", "capped"))


def due_again():
    Delivery.objects.filter(status=DeliveryStatus.DUE).update(due_at=timezone.now())


def a_day_passes(days=1):
    for row in DailyCount.objects.order_by("day"):
        DailyCount.objects.filter(pk=row.pk).update(day=row.day - timedelta(days=days))


def claims_end():
    Delivery.objects.exclude(claimed_until=None).update(claimed_until=timezone.now() - timedelta(seconds=1))
    claiming.give_back_expired()


def at_once(couriers, **given):
    """Each courier carries all it gets, in a thread and over a database connection of its own."""
    start, faults = threading.Barrier(len(couriers)), []

    def work(courier):
        try:
            start.wait()
            delivering.run_due(courier, **given)
        except Exception as fault:  # noqa: BLE001 (a thread's fault is told by the test)
            faults.append(fault)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=work, args=(courier,)) for courier in couriers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []


# --- Exact


@pytest.mark.req("N-016", "N-017")
@pytest.mark.django_db(transaction=True)
def test_the_thousandth_mail_goes_and_the_next_does_not_while_eight_workers_send(alice, bob, carol):
    tell(alice, bob, times=1100)
    tell(alice, carol, times=3)
    couriers = [Courier() for _worker in range(8)]
    at_once(couriers, limit=40)

    carried = [parcel.delivery_id for courier in couriers for parcel in courier.carried if parcel.email == bob.email]
    assert len(carried) == len(set(carried)) == 1000
    assert statuses() == {"sent": 1003, "capped": 100}
    assert counts() == [(bob.email, 1100, 100), (carol.email, 3, 0)]
    assert set(Delivery.objects.filter(status="capped").values_list("error", "claim", "place")) == {(REACHED, "", None)}
    assert not delivering.has_due(Courier())  # dropped, not queued


@pytest.mark.django_db(transaction=True)
def test_many_addresses_in_any_order_are_counted_exactly_and_nobody_waits_in_a_circle(account, alice):
    people = factories.members(account, 30)
    for event in range(12):
        tell(alice, *people[event % 7 :], *people[: event % 7])
    couriers = [Courier(limit=9) for _worker in range(8)]
    at_once(couriers, limit=23)

    got = Counter(parcel.email for courier in couriers for parcel in courier.carried)
    assert got == {person.email: 9 for person in people}
    assert statuses() == {"sent": 270, "capped": 90}


@pytest.mark.req("N-016")
def test_each_type_address_and_account_counts_by_itself(alice, bob, carol, mallory):
    tell(alice, bob, carol, times=2)
    tell(alice, bob, kind=OTHER, times=2)
    tell(mallory, mallory, times=2)
    delivering.run_due(Courier(limit=1))

    assert statuses() == {"sent": 4, "capped": 4}


def test_a_limit_is_counted_within_one_batch_too(alice, bob):
    tell(alice, bob, times=7)
    courier = Courier(limit=3)
    delivering.run_due(courier)

    first = sorted(Delivery.objects.values_list("pk", flat=True))[:3]
    assert [parcel.delivery_id for parcel in courier.carried] == first


def test_what_is_required_is_counted_like_everything_else(alice, bob):
    tell(alice, bob, kind=SYSTEM, times=3)
    delivering.run_due(Courier(limit=2))

    assert statuses() == {"sent": 2, "capped": 1}


def test_a_day_begins_anew(alice, bob):
    tell(alice, bob, times=3)
    delivering.run_due(Courier(limit=2))
    a_day_passes()
    tell(alice, bob, times=3)
    delivering.run_due(Courier(limit=2))

    assert statuses() == {"sent": 4, "capped": 2}


def test_the_address_counts_not_the_member(alice, bob, carol):
    """bob's address becomes carol's: she goes on where he was, and his new one starts anew."""
    tell(alice, bob, times=2)
    delivering.run_due(Courier(limit=3))
    old = bob.email
    User.objects.filter(pk=bob.user_id).update(email="Bob.New@example.com")
    User.objects.filter(pk=carol.user_id).update(email=old.upper())
    tell(alice, bob, carol, times=3)
    delivering.run_due(Courier(limit=3))

    assert counts() == [("bob.new@example.com", 3, 0), (old, 5, 2)]


@pytest.mark.parametrize(
    ("zone", "moment", "day"),
    [
        ("Europe/Stockholm", "2026-03-28T22:59:59Z", "2026-03-28"),  # the night the clocks go forward
        ("Europe/Stockholm", "2026-03-28T23:00:00Z", "2026-03-29"),
        ("Europe/Stockholm", "2026-03-29T22:00:00Z", "2026-03-30"),
        ("Europe/Stockholm", "2026-10-24T22:00:00Z", "2026-10-25"),  # the night they go back
        ("Europe/Stockholm", "2026-10-25T22:59:59Z", "2026-10-25"),
        ("Europe/Stockholm", "2026-10-25T23:00:00Z", "2026-10-26"),
        ("Pacific/Kiritimati", "2026-12-31T10:00:00Z", "2027-01-01"),
        ("America/Havana", "2026-03-08T04:59:00Z", "2026-03-07"),  # midnight does not exist the next day
        ("America/Havana", "2026-03-08T05:00:00Z", "2026-03-08"),
        ("Nowhere/Atlantis", "2026-12-31T23:59:00Z", "2026-12-31"),
    ],
)
def test_the_day_is_the_accounts_whatever_its_clocks_do(monkeypatch, zone, moment, day):
    monkeypatch.setattr(caps, "timezone", SimpleNamespace(now=lambda: datetime.fromisoformat(moment)))
    assert caps.today(zone) == date.fromisoformat(day)


def test_the_days_of_two_accounts_differ(alice, bob, mallory):
    type(alice.account).objects.filter(pk=alice.account_id).update(time_zone="Pacific/Kiritimati")
    type(alice.account).objects.filter(pk=mallory.account_id).update(time_zone="Pacific/Pago_Pago")
    tell(alice, bob)
    tell(mallory, mallory)
    delivering.run_due(Courier())

    far, near = (DailyCount.objects.get(account=one.account).day for one in (alice, mallory))
    assert far - near == timedelta(days=1)


# --- Attempts


def test_another_attempt_needs_no_second_place(alice, bob):
    tell(alice, bob, times=2)
    delivering.run_due(Courier(limit=2, decide=lambda parcel: TryLater(parcel, "451 busy")))
    due_again()
    tell(alice, bob)
    delivering.run_due(Courier(limit=2))

    assert statuses() == {"sent": 2, "capped": 1}
    assert counts() == [(bob.email, 3, 1)]


def test_an_attempt_on_another_day_takes_a_place_of_that_day(alice, bob):
    tell(alice, bob, times=2)
    delivering.run_due(Courier(limit=2, decide=lambda parcel: TryLater(parcel, "451 busy")))
    a_day_passes()
    tell(alice, bob)
    delivering.run_due(Courier(limit=2))
    due_again()
    delivering.run_due(Courier(limit=2))

    assert statuses() == {"sent": 2, "capped": 1}


def test_a_place_whose_count_is_forgotten_is_taken_anew(alice, bob):
    tell(alice, bob)
    delivering.run_due(Courier(decide=lambda parcel: TryLater(parcel, "451 busy")))
    DailyCount.objects.all().delete()
    due_again()
    delivering.run_due(Courier())

    assert counts() == [(bob.email, 1, 0)]


def test_what_failed_for_good_keeps_its_place_and_goes_again_with_it(alice, bob):
    tell(alice, bob)
    delivering.run_due(Courier(limit=1, decide=lambda parcel: Unreachable(parcel, "550 no")))
    tell(alice, bob)
    delivering.run_due(Courier(limit=1))
    delivering.retry(Delivery.objects.filter(status="failed"))
    delivering.run_due(Courier(limit=1))

    assert statuses() == {"sent": 1, "capped": 1}


def test_what_nobody_wants_any_more_takes_no_place(account, alice, bob):
    tell(alice, bob)
    Lock.objects.create(account=account, type=MOVED.key, channel="email", is_on=False, reason="quiet")
    delivering.run_due(Courier())

    assert counts() == []


def test_a_worker_that_dies_at_any_mail_costs_no_place_and_lets_no_mail_more_out(alice, bob, monkeypatch):
    monkeypatch.setattr(delivering, "AT_ONCE", 3)
    tell(alice, bob, times=12)
    left: set[int] = set()

    def die_at_every_second(parcel: Parcel) -> Outcome:
        left.add(parcel.delivery_id)
        if parcel.attempt == 1 and parcel.delivery_id % 2:
            raise Killed
        return Sent(parcel, parcel.email)

    for _life in range(30):
        with suppress(Killed):
            delivering.run_due(Courier(limit=8, decide=die_at_every_second))
        claims_end()
    assert len(left) == 8
    assert statuses() == {"sent": 8, "capped": 4}
    assert counts() == [(bob.email, 12, 4)]


def test_a_claim_that_was_lost_takes_no_place(alice, bob):
    tell(alice, bob)
    claiming.write_deliveries(Courier(), limit=10)
    (id_,) = claiming.claim_due(Courier(), limit=10, claim="ours")
    keys = {id_: caps.key(alice.account_id, "UTC", MOVED.key, bob.email)}
    Delivery.objects.update(claim="another")

    assert caps.mark_sending("email", Courier().daily_cap, keys, claim="ours", seconds=60) == {}
    assert counts() == []
    assert Delivery.objects.get().status == "claimed"


# --- Saying so


@pytest.mark.req("N-017")
def test_the_next_days_first_mail_names_what_was_held_back_and_no_other_does(alice, bob, delivered, settings):
    settings.NOTIFICATION_DAILY_CAP = 2
    tell(alice, bob, times=5)
    assert len(delivered("email")) == 2
    a_day_passes()
    tell(alice, bob, times=2)
    _one, _two, first, second = delivered("email")

    line = "Yesterday 3 more of these were not mailed: the daily limit of 2 was reached."
    page = first.alternatives[0].content
    assert line in " ".join(first.body.split())
    assert line in page
    assert "http://127.0.0.1:8000/1001/notifications/" in first.body.split()
    assert 'href="http://127.0.0.1:8000/1001/notifications/"' in page
    assert "not mailed" not in second.body
    assert "not mailed" not in second.alternatives[0].content


@pytest.mark.parametrize(("days", "held", "words"), [(1, 1, "Yesterday 1 more of these was not"), (4, 2, "On ")])
def test_the_line_says_when_and_how_many(alice, bob, delivered, settings, days, held, words):
    settings.NOTIFICATION_DAILY_CAP = 1
    tell(alice, bob, times=1 + held)
    delivered("email")
    a_day_passes(days)
    tell(alice, bob)

    assert words in delivered("email")[-1].body


def test_the_line_is_of_its_own_type_and_address(alice, bob, carol):
    tell(alice, bob, times=3)
    delivering.run_due(Courier(limit=1))
    a_day_passes()
    tell(alice, carol)
    tell(alice, bob, kind=OTHER)
    courier = Courier(limit=1)
    delivering.run_due(courier)

    assert [parcel.missed for parcel in courier.carried] == [None, None]


def test_the_mail_that_names_it_does_so_at_every_attempt(alice, bob):
    tell(alice, bob, times=3)
    delivering.run_due(Courier(limit=1))
    a_day_passes()
    tell(alice, bob, times=2)
    busy = Courier(limit=5, decide=lambda parcel: TryLater(parcel, "451 busy"))
    for _attempt in range(3):
        delivering.run_due(busy)
        due_again()

    named = [parcel.delivery_id for parcel in busy.carried if parcel.missed]
    assert len(named) == 3
    assert len(set(named)) == 1
    assert len(busy.carried) == 6


def test_a_mail_that_died_before_it_could_name_it_names_it_when_it_goes(alice, bob, monkeypatch):
    tell(alice, bob, times=3)
    delivering.run_due(Courier(limit=1))
    a_day_passes()
    tell(alice, bob)

    def die(*_given: object) -> None:
        raise Killed

    with monkeypatch.context() as at_that_moment, suppress(Killed):
        at_that_moment.setattr(caps, "_name_what_was_missed", die)
        delivering.run_due(Courier(limit=1))
    claims_end()
    courier = Courier(limit=1)
    delivering.run_due(courier)

    assert [parcel.missed.count for parcel in courier.carried if parcel.missed] == [2]


def test_another_mail_takes_over_when_the_one_that_named_it_never_leaves(alice, bob):
    tell(alice, bob, times=3)
    delivering.run_due(Courier(limit=1))
    a_day_passes()
    tell(alice, bob)
    delivering.run_due(Courier(limit=3, decide=lambda parcel: Unreachable(parcel, "554 spam")))
    tell(alice, bob)
    courier = Courier(limit=3)
    delivering.run_due(courier)

    assert [parcel.missed.count for parcel in courier.carried if parcel.missed] == [2]


def test_two_days_are_named_by_two_mails(alice, bob):
    for held in (2, 3):
        day = DailyCount.objects.create(
            account=alice.account, channel="email", type=MOVED.key, address=bob.email,
            day=caps.today("UTC") - timedelta(days=held), asked=10, capped=held,
        )  # fmt: skip
        assert day.left == 10 - held
    tell(alice, bob, times=3)
    courier = Courier()
    delivering.run_due(courier)

    assert [parcel.missed and parcel.missed.count for parcel in courier.carried] == [3, 2, None]


@pytest.mark.django_db(transaction=True)
def test_eight_workers_name_it_once(account, alice):
    people = factories.members(account, 5)
    tell(alice, *people, times=3)
    delivering.run_due(Courier(limit=1))
    a_day_passes()
    tell(alice, *people, times=16)
    couriers = [Courier(limit=100) for _worker in range(8)]
    at_once(couriers, limit=3)

    named = Counter(parcel.email for courier in couriers for parcel in courier.carried if parcel.missed)
    assert named == {person.email: 1 for person in people}


@pytest.fixture
def held_back(alice, bob, settings):
    """The second of two events for bob, whose mail was held back."""
    settings.NOTIFICATION_DAILY_CAP = 1
    tell(alice, bob)
    event = tell(alice, bob)
    delivering.run_due(CARRIER["email"])
    return event


def test_the_page_says_that_it_was_held_back(client, alice, bob, held_back):
    page = reverse("notifications:why", args=[1001, held_back.pk])
    client.force_login(bob.user)
    mine = client.get(page).content.decode()
    assert "Held back: the daily limit of 1 e-mails of this kind was reached" in mine
    assert "You got this by: Bell." in mine
    assert "held back" in mine

    client.force_login(alice.user)
    assert "Told by: Bell." in client.get(page, {"member": bob.pk}).content.decode()


def test_without_another_channel_the_answer_is_that_it_was_held_back(alice, bob, held_back):
    said = why.explain(held_back, bob)
    only_mail = why.Explanation(
        said.event, bob, True, False, said.held, [one for one in said.verdicts if one.channel.key == "email"]
    )
    assert only_mail.sentence == "Held back: the daily limit of 1 e-mails of this kind was reached."


def test_the_reason_is_worded_anew_for_each_reader():
    delivery = Delivery(channel="email", status="capped", error=REACHED)
    assert caps.reason(delivery, CARRIER["email"]) == REACHED
    with translation.override("de"):
        assert "1.000" in caps.reason(delivery, CARRIER["email"])
    odd = Delivery(channel="email", status="capped", error="something else")
    assert caps.reason(odd, CARRIER["email"]) == "something else"


def test_the_admin_finds_what_was_held_back(client, alice, held_back):
    client.force_login(alice.user)
    listed = client.get("/admin/notifications/delivery/?status__exact=capped").content.decode()
    assert "the daily limit of 1 e-mails of this kind was reached" in listed
    assert "1 delivery" in listed


# --- The settings page


@pytest.mark.req("N-016")
def test_the_page_shows_the_limit_and_what_today_had(client, alice, bob, settings):
    settings.NOTIFICATION_DAILY_CAP = 1000
    tell(alice, bob, times=3)
    delivering.run_due(CARRIER["email"])
    client.force_login(bob.user)
    page = client.get(reverse("notifications:settings-email", args=[1001])).content.decode()

    assert f"They go to {bob.email}: at most 1,000 of one kind a day." in page
    assert page.count("Today 3 of 1,000") == 1
    assert page.count("of 1,000") == 1
    assert "Today" not in client.get(reverse("notifications:settings-desktop", args=[1001])).content.decode()

    a_day_passes()
    assert "Today 3" not in client.get(reverse("notifications:settings-email", args=[1001])).content.decode()


# --- Cost, and forgetting


def test_a_batch_costs_as_many_queries_with_a_limit_as_without(account, alice, django_assert_max_num_queries):
    tell(alice, *factories.members(account, 100))
    with django_assert_max_num_queries(9):
        assert delivering.run_due(Courier()) == 100


def test_old_counts_are_forgotten_in_bites_and_what_was_held_back_is_kept_longer(account, monkeypatch):
    monkeypatch.setattr(caps, "BITE", 2)
    for age, capped in [(0, 0), (caps.KEPT, 0), (5, 0), (6, 0), (7, 0), (8, 4), (caps.KEPT_CAPPED + 1, 4)]:
        DailyCount.objects.create(
            account=account, channel="email", type=MOVED.key, address="x@example.com", asked=9, capped=capped,
            day=timezone.now().date() - timedelta(days=age),
        )  # fmt: skip
    assert caps.forget_old() == 2
    tasks.sweep()
    assert DailyCount.objects.count() == 3
    with CaptureQueriesContext(connection) as seen:
        assert caps.forget_old() == 0
    assert len(seen) == 1
