"""Snooze: a notification leaves the bell and comes back once, at its time."""

import threading
from datetime import timedelta

import pytest
from django.db import connections
from django.utils import timezone

from notifications import bell, claiming, events, fanout, live, preferences, quiet, snoozing, types, why
from notifications.channels import CARRIER
from notifications.models import BrowserSubscription, Delivery, Event, Notification, Snooze
from tests import factories

MENTION = types.TYPES["deals.mentioned"]


def tell(*them, kind=MENTION):
    event = events.emit(kind, audience=list(them), data=kind.example)
    fanout.run_due()
    return event


def tomorrow():
    return timezone.now() + timedelta(days=1)


def come_due():
    Snooze.objects.filter(woken_at=None).update(due_at=timezone.now() - timedelta(seconds=1))
    count = snoozing.run_due()
    fanout.run_due()
    return count


def unread(member):
    return live.state_of([member.pk])[0]["unread"]


def test_a_snoozed_one_leaves_the_bell_and_comes_back_on_top(bob):
    first, later = tell(bob), tell(bob)
    row = snoozing.snooze(bob, first.pk, until=tomorrow())
    assert unread(bob) == 1
    assert [one.pk for one in snoozing.of(bob)] == [row.pk]
    assert snoozing.run_due() == 0  # not yet

    assert come_due() == 1
    newest = bell.of(bob).first()
    assert newest.event_id > later.pk
    assert (newest.read_at, newest.event.data) == (None, first.data)
    assert unread(bob) == 2
    assert snoozing.of(bob) == []
    assert come_due() == 0


def test_it_comes_back_by_push_and_not_by_mail(bob):
    BrowserSubscription.objects.create(user=bob.user, endpoint="https://push.example/1", p256dh="x", auth="y")
    event = tell(bob)
    snoozing.snooze(bob, event.pk, until=tomorrow())
    come_due()

    back = Notification.objects.get(event=Snooze.objects.get().returned)
    assert back.channels == 1 | 2 | 8 | 16
    assert back.waiting == 8
    claiming.write_deliveries(CARRIER["email"], limit=10)
    assert [row.event_id for row in Delivery.objects.filter(channel="email")] == [event.pk]


def test_it_comes_back_even_where_its_kind_was_turned_off_under_the_bell(bob):
    event = tell(bob)
    snoozing.snooze(bob, event.pk, until=tomorrow())
    preferences.choose(bob, {(MENTION.key, "bell"): False, (MENTION.key, "popup"): False})
    come_due()

    assert Notification.objects.get(event=Snooze.objects.get().returned).channels == 1 | 8 | 16


@pytest.mark.parametrize("was_read", [True, False])
def test_undo_puts_it_back_as_it_was(bob, was_read):
    event = tell(bob)
    if was_read:
        bell.mark_read(bob, [event.pk])
    snoozing.snooze(bob, event.pk, until=tomorrow())
    snoozing.undo(bob, event.pk)

    row = bell.of(bob).get()
    assert row.archived_at is None
    assert (row.read_at is not None) is was_read
    assert not Snooze.objects.exists()
    with pytest.raises(snoozing.NotThere):
        snoozing.undo(bob, event.pk)


def test_snoozing_again_changes_its_time(bob):
    event = tell(bob)
    snoozing.snooze(bob, event.pk, until=tomorrow())
    until = timezone.now() + timedelta(days=2)
    snoozing.snooze(bob, event.pk, until=until)

    assert Snooze.objects.get().due_at == until


def test_what_was_moved_back_from_the_archive_does_not_come_twice(bob):
    event = tell(bob)
    snoozing.snooze(bob, event.pk, until=tomorrow())
    bell.unarchive(bob, [event.pk])

    assert come_due() == 0


def test_wake_now(bob):
    event = tell(bob)
    snoozing.snooze(bob, event.pk, until=tomorrow())
    snoozing.wake_now(bob, event.pk)
    fanout.run_due()

    assert unread(bob) == 1
    with pytest.raises(snoozing.NotThere):
        snoozing.wake_now(bob, event.pk)


def test_only_ones_own_can_be_snoozed_until_a_real_moment(bob, carol):
    event = tell(bob)
    with pytest.raises(snoozing.NotThere):
        snoozing.snooze(carol, event.pk, until=tomorrow())
    with pytest.raises(quiet.InvalidMoment):
        snoozing.snooze(bob, event.pk, until=timezone.now())


def test_there_is_an_end_to_putting_off(bob, monkeypatch):
    monkeypatch.setattr(snoozing, "MOST", 1)
    first, second = tell(bob), tell(bob)
    snoozing.snooze(bob, first.pk, until=tomorrow())
    with pytest.raises(snoozing.TooMany):
        snoozing.snooze(bob, second.pk, until=tomorrow())


def test_a_kind_that_is_gone_comes_back_as_the_old_line(bob):
    event = tell(bob)
    snoozing.snooze(bob, event.pk, until=tomorrow())
    Event.objects.update(type="gone.for_good")
    come_due()

    row = bell.of(bob).get()
    assert (row.event_id, row.read_at, row.archived_at) == (event.pk, None, None)


def test_why_says_that_it_was_snoozed(bob):
    event = tell(bob)
    snoozing.snooze(bob, event.pk, until=tomorrow())
    come_due()

    back = Snooze.objects.get().returned
    back.refresh_from_db()
    assert why.explain(back, bob).sentence == "You snoozed this, and it came back at its time."


@pytest.mark.django_db(transaction=True)
def test_two_workers_bring_each_back_once(account):
    crowd = factories.members(account, 40)
    event = tell(*crowd)
    for member in crowd:
        snoozing.snooze(member, event.pk, until=tomorrow())
    Snooze.objects.update(due_at=timezone.now() - timedelta(seconds=1))
    brought = []

    def work():
        try:
            brought.append(snoozing.run_due(limit=6))
        finally:
            connections.close_all()

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sum(brought) == 40
    assert Event.objects.filter(key__startswith="snooze:").count() == 40
