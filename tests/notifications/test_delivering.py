"""Claims, back-off, crashes, and what must not leave any more, with a channel that does as it is told."""

import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta

import pytest
from django.db import connection, connections
from django.utils import timezone

from notifications import claiming, delivering, events, fanout, parcels, preferences, types
from notifications.channels.base import Outcome, Parcel, Sent, TryLater, Unreachable
from notifications.models import Delivery, DeliveryStatus, Lock, Notification
from notifications.recording import BACK_OFF
from tests import factories

MOVED = types.TYPES["deals.stage_changed"]
REQUIRED = next(kind for kind in types.TYPES.values() if "email" in kind.required and not kind.for_role)


@dataclass
class Courier:
    """A channel that carries as it is told. It takes the e-mail bit, so that notifications wait for it."""

    decide: Callable[[Parcel], Outcome] = lambda parcel: Sent(parcel, "somewhere")
    key: str = "email"
    bit: int = 4
    label: str = "Courier"
    carried: list[Parcel] = field(default_factory=list)

    def send_many(self, given: Iterable[Parcel]) -> Iterator[Outcome | None]:
        for parcel in given:
            self.carried.append(parcel)
            yield self.decide(parcel)


class Killed(BaseException):
    """The process ends here."""


def tell(alice, *people, kind=MOVED):
    event = events.emit(kind, audience=list(people), account=alice.account, data=kind.example)
    fanout.run_due()
    return event


def due_again(**facts):
    Delivery.objects.filter(status=DeliveryStatus.DUE).update(due_at=timezone.now(), **facts)


def claims_end():
    Delivery.objects.exclude(claimed_until=None).update(claimed_until=timezone.now() - timedelta(seconds=1))


# --- Back-off


def test_the_back_off_grows_and_then_it_has_failed(alice, bob):
    courier = Courier(lambda parcel: TryLater(parcel, "451 busy"))
    tell(alice, bob)
    for attempt, seconds in enumerate(BACK_OFF, 1):
        delivering.run_due(courier)
        row = Delivery.objects.get()
        assert (row.status, row.attempts, row.error) == ("due", attempt, "451 busy")
        assert seconds - 10 < (row.due_at - timezone.now()).total_seconds() <= seconds
        delivering.run_due(courier)  # not before its time
        assert len(courier.carried) == attempt
        due_again()
    delivering.run_due(courier)
    row = Delivery.objects.get()
    assert (row.status, row.attempts) == ("failed", len(BACK_OFF) + 1)


@pytest.mark.parametrize(("asked", "waits"), [(5, 30), (900, 900), (10**9, 24 * 3600), (None, 30)])
def test_a_time_that_the_other_side_named_is_kept(alice, bob, asked, waits):
    tell(alice, bob)
    delivering.run_due(Courier(lambda parcel: TryLater(parcel, "429", seconds=asked)))

    left = (Delivery.objects.get().due_at - timezone.now()).total_seconds()
    assert waits - 10 < left <= waits


def test_what_has_failed_stays_so_until_somebody_retries(alice, bob):
    courier = Courier(lambda parcel: Unreachable(parcel, "550 nobody"))
    tell(alice, bob)
    delivering.run_due(courier)
    delivering.run_due(courier)
    row = Delivery.objects.get()
    assert (row.status, row.error, len(courier.carried)) == ("failed", "550 nobody", 1)

    courier.decide = lambda parcel: Sent(parcel, "there")
    assert delivering.retry([row]) == 1
    delivering.run_due(courier)
    row.refresh_from_db()
    assert (row.status, row.attempts, row.error, row.sent_to) == ("sent", 1, "", "there")
    with pytest.raises(delivering.NotRetryable):
        delivering.retry([row])


def test_odd_words_from_outside_can_be_stored(alice, bob):
    tell(alice, bob)
    delivering.run_due(Courier(lambda parcel: Unreachable(parcel, "550 \x00 \ud800" + "x" * 5000)))

    assert Delivery.objects.get().status == "failed"


# --- What must not leave any more


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda bob: preferences.choose(bob, {(MOVED.key, "email"): False}), parcels.TURNED_OFF),
        (lambda bob: preferences.switch(bob, "email", on=False), parcels.SWITCHED_OFF),
        (lambda bob: type(bob).objects.filter(pk=bob.pk).update(is_active=False), parcels.INACTIVE),
        (lambda bob: type(bob.user).objects.filter(pk=bob.user_id).update(is_active=False), parcels.INACTIVE),
        (
            lambda bob: Lock.objects.create(
                account=bob.account, type=MOVED.key, channel="email", is_on=False, reason="quiet week"
            ),
            parcels.LOCKED,
        ),
    ],
)
def test_what_nobody_wants_any_more_does_not_leave(alice, bob, change, why):
    courier = Courier(lambda parcel: TryLater(parcel, "busy"))
    tell(alice, bob)
    delivering.run_due(courier)
    change(bob)
    due_again()
    delivering.run_due(courier)

    row = Delivery.objects.get()
    assert (row.status, row.error) == ("dropped", why)
    assert len(courier.carried) == 1


def test_what_is_required_leaves_whatever_was_switched_off(alice, bob):
    courier = Courier()
    tell(alice, bob, kind=REQUIRED)
    preferences.switch(bob, "email", on=False)
    delivering.run_due(courier)

    (parcel,) = courier.carried
    assert not parcel.may_turn_off


def test_a_lock_that_holds_it_on_is_stronger_than_the_members_choice(account, alice, bob):
    tell(alice, bob)
    preferences.choose(bob, {(MOVED.key, "email"): False})
    Lock.objects.create(account=account, type=MOVED.key, channel="email", is_on=True, reason="audit")
    courier = Courier()
    delivering.run_due(courier)

    (parcel,) = courier.carried
    assert not parcel.may_turn_off


def test_a_lock_that_has_ended_decides_nothing(account, alice, bob):
    tell(alice, bob)
    past = timezone.now() - timedelta(minutes=1)
    Lock.objects.create(account=account, type=MOVED.key, channel="email", is_on=False, reason="over", ends_at=past)
    assert delivering.run_due(Courier()) == 1


def test_a_member_who_is_gone_leaves_no_row_that_is_tried_for_ever(alice, bob):
    tell(alice, bob)
    claiming.write_deliveries(Courier(), limit=10)
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM notifications_notification WHERE member_id = %s", [bob.pk])
        cursor.execute("UPDATE notifications_delivery SET member_id = 999999999")
    delivering.run_due(Courier())

    assert Delivery.objects.values_list("status", "error").get() == ("dropped", parcels.GONE)


# --- Claims and crashes


def test_a_crash_while_handing_over_goes_again_and_is_marked(alice, bob, carol, caplog):
    """Between the mail and its record: it may have arrived, so it goes again and says so."""

    def die(parcel: Parcel) -> Outcome:
        raise Killed

    tell(alice, bob)
    with pytest.raises(Killed):
        delivering.run_due(Courier(die))
    row = Delivery.objects.get()
    assert row.status == "sending"
    assert claiming.give_back_expired() == 0  # its claim still holds

    claims_end()
    assert claiming.give_back_expired() == 1
    row.refresh_from_db()
    assert (row.status, row.is_repeat_possible, row.attempts) == ("due", True, 1)
    assert f"may arrive twice: {row.pk}" in caplog.text
    assert delivering.run_due(Courier()) == 1
    row.refresh_from_db()
    assert (row.status, row.is_repeat_possible) == ("sent", True)


def test_what_was_only_claimed_when_the_worker_died_goes_unmarked(alice, bob):
    tell(alice, bob)
    claiming.write_deliveries(Courier(), limit=10)
    claiming.claim_due(Courier(), limit=10, claim="dead")
    claims_end()
    claiming.give_back_expired()

    row = Delivery.objects.get()
    assert (row.status, row.is_repeat_possible, row.attempts, row.claim) == ("due", False, 0, "")


def test_what_is_cut_off_at_every_attempt_fails_in_the_end(alice, bob):
    tell(alice, bob)
    claiming.write_deliveries(Courier(), limit=10)
    for _attempt in range(len(BACK_OFF) + 1):
        claiming.claim_due(Courier(), limit=10, claim="dead")
        Delivery.objects.update(status=DeliveryStatus.SENDING)
        claims_end()
        claiming.give_back_expired()

    row = Delivery.objects.get()
    assert (row.status, row.error, row.is_repeat_possible) == ("failed", "cut off at every attempt", True)


def test_outcomes_known_before_the_end_are_written_down(alice, bob, carol):
    seen = []

    def die_at_the_second(parcel: Parcel) -> Outcome:
        if seen:
            raise Killed
        seen.append(parcel)
        return Sent(parcel, "there")

    tell(alice, bob, carol)
    with pytest.raises(Killed):
        delivering.run_due(Courier(die_at_the_second))
    assert sorted(Delivery.objects.values_list("status", flat=True)) == ["sending", "sent"]


def test_what_is_known_is_written_down_while_the_channel_waits(alice, bob, carol, monkeypatch):
    monkeypatch.setattr(delivering, "RECORD_EVERY", -1)
    seen = []

    class Slow(Courier):
        def send_many(self, given: Iterable[Parcel]) -> Iterator[Outcome | None]:
            first, second = given
            monkeypatch.setattr(delivering, "RECORD_EVERY", 3600)
            yield Sent(first, "there")
            monkeypatch.setattr(delivering, "RECORD_EVERY", -1)
            yield None
            seen.extend(Delivery.objects.order_by("pk").values_list("status", flat=True))
            yield Sent(second, "there")

    tell(alice, bob, carol)
    assert delivering.run_due(Slow()) == 2
    assert seen == ["sent", "sending"]


def test_a_fault_in_a_channel_is_tried_again_later_and_marked(alice, bob, caplog):
    def fail(parcel: Parcel) -> Outcome:
        raise ZeroDivisionError

    tell(alice, bob)
    delivering.run_due(Courier(fail))

    row = Delivery.objects.get()
    assert (row.status, row.attempts, row.is_repeat_possible) == ("due", 1, True)
    assert row.due_at > timezone.now()
    assert "broke off" in caplog.text


def test_what_a_broken_channel_never_took_is_given_back_untouched(account, alice, monkeypatch):
    monkeypatch.setattr(delivering, "AT_ONCE", 2)

    def fail(parcel: Parcel) -> Outcome:
        raise ZeroDivisionError

    tell(alice, *factories.members(account, 7))
    delivering.run_due(Courier(fail))

    rows = Delivery.objects.values_list("status", "attempts", "is_repeat_possible")
    assert sorted(rows) == [("due", 0, False)] * 6 + [("due", 1, True)]


def test_a_claim_that_somebody_else_took_over_is_not_written_on(alice, bob):
    """A worker that was away too long comes back with an answer: the row belongs to somebody else by now."""

    def lose(parcel: Parcel) -> Outcome:
        Delivery.objects.filter(pk=parcel.delivery_id).update(claim="another", status=DeliveryStatus.SENDING)
        return Unreachable(parcel, "too late")

    tell(alice, bob)
    delivering.run_due(Courier(lose))

    row = Delivery.objects.get()
    assert (row.status, row.claim, row.error) == ("sending", "another", "")


def test_a_slow_channel_keeps_its_claim(alice, bob, carol, monkeypatch):
    monkeypatch.setattr(delivering, "RENEW_EVERY", -1)
    until = []

    def slow(parcel: Parcel) -> Outcome:
        until.append(Delivery.objects.get(pk=parcel.delivery_id).claimed_until)
        claims_end()
        return Sent(parcel, "there")

    tell(alice, bob, carol)
    delivering.run_due(Courier(slow))
    assert until[1] > timezone.now() + timedelta(seconds=60)


def test_nothing_new_is_taken_after_the_end_of_the_turn(account, alice, monkeypatch):
    tell(alice, *factories.members(account, 5))
    courier = Courier()

    assert delivering.carry_for(courier, seconds=-1) is True
    assert courier.carried == []
    assert delivering.carry_for(courier, seconds=60) is False
    assert len(courier.carried) == 5
    assert delivering.carry_for(courier, seconds=60) is False


def test_what_another_worker_holds_is_left_to_it(alice, bob, monkeypatch):
    """Rows that are due but locked by somebody else must not keep a thread busy."""
    tell(alice, bob)
    claiming.write_deliveries(Courier(), limit=10)
    monkeypatch.setattr(claiming, "claim_due", lambda *_, **__: [])
    assert delivering.has_due(Courier())
    assert delivering.carry_for(Courier(), seconds=60) is False


# --- Another channel


def test_a_second_channel_is_carried_like_the_first(alice, bob):
    tell(alice, bob)
    Notification.objects.update(waiting=4 + 8)
    letters, pushes = Courier(), Courier(key="browser", bit=8)

    assert delivering.has_due(pushes)
    assert delivering.run_due(pushes) == 1
    assert not delivering.has_due(pushes)
    assert delivering.has_due(letters)
    assert delivering.run_due(letters) == 1
    assert sorted(Delivery.objects.values_list("channel", "status")) == [("browser", "sent"), ("email", "sent")]
    assert Notification.objects.get(member=bob).waiting == 0


# --- Several workers


@pytest.mark.django_db(transaction=True)
def test_several_workers_share_the_work_and_none_is_done_twice(account, alice):
    people = factories.members(account, 120)
    for _event in range(3):
        tell(alice, *people)
    couriers = [Courier() for _worker in range(3)]
    start, faults = threading.Barrier(len(couriers)), []

    def work(courier: Courier) -> None:
        try:
            start.wait()
            delivering.run_due(courier, limit=17)
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
    carried = [parcel.delivery_id for courier in couriers for parcel in courier.carried]
    assert len(carried) == len(set(carried)) == 360
    assert set(Delivery.objects.values_list("status", "attempts")) == {("sent", 1)}
    assert not Notification.objects.filter(waiting__gt=0).exists()


@pytest.mark.django_db(transaction=True)
def test_one_thread_of_a_process_is_enough_and_looks_once_more(account, alice):
    """The second finds the first at it and goes; what was told meanwhile is carried by the first."""
    people = factories.members(account, 3)
    tell(alice, *people)
    answers = []

    def second() -> None:
        try:
            answers.append(delivering.carry_for(Courier(), seconds=60))
        finally:
            connections.close_all()

    def first_does(parcel: Parcel) -> Outcome:
        if not answers:
            tell(alice, *people)
            thread = threading.Thread(target=second)
            thread.start()
            thread.join()
        return Sent(parcel, "there")

    courier = Courier(first_does)
    assert delivering.carry_for(courier, seconds=60) is False
    assert answers == [False]
    assert len(courier.carried) == 6


def test_a_batch_costs_few_queries_whatever_its_size(account, alice, django_assert_max_num_queries):
    tell(alice, *factories.members(account, 100))
    with django_assert_max_num_queries(9):
        assert delivering.run_due(Courier()) == 100
