"""The delivery board, and sending again what failed."""

import html
import re
import threading
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from notifications import board, delivering, drawing, durations, events, reasons, redriving, tasks, types
from notifications.channels import CARRIER
from notifications.models import Delivery, DeliveryStatus, Redrive
from notifications.redriving import InvalidRange, NothingFailed, Range, RedriveUnderWay
from tests import factories

KIND = types.TYPES["deals.stage_changed"]
BOARD = "/admin/notifications/redrive/"
DAY, WEEK = board.SPANS["day"], board.SPANS["week"]


def words(answer):
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", answer.content.decode())).split())


@pytest.fixture
def event(alice, bob, fan_out):
    """An event whose own deliveries are out of the way."""
    event = events.emit(KIND, audience=[bob], by=alice, data=KIND.example)
    fan_out()
    event.notifications.update(waiting=0)
    return event


def made(event, members, status, *, hours=1, error="", took=None, channel="email", attempts=1, due=None):
    """Deliveries of an event that were made so many hours ago."""
    at = timezone.now() - timedelta(hours=hours)
    rows = Delivery.objects.bulk_create(
        Delivery(
            event=event,
            member=member,
            channel=channel,
            status=status,
            error=error,
            attempts=attempts,
            due_at=due or at,
            created_at=at,
            sent_at=at + timedelta(seconds=took) if took is not None else None,
        )
        for member in members
    )
    type(event).objects.filter(pk=event.pk).update(created_at=at)
    return rows


def lane(account, span=DAY, key="email"):
    return next(one for one in board.look(account, span).lanes if one.channel.key == key)


def last_day(**given):
    now = timezone.now()
    return Range(**{"channel": "email", "begins_at": now - timedelta(days=1), "ends_at": now} | given)


def test_the_board_says_what_waits_how_long_it_takes_and_what_failed(account, event):
    people = factories.members(account, 25)
    for member, took in zip(people[:20], range(1, 21), strict=True):
        made(event, [member], "sent", took=took)
    made(event, people[20:22], "failed", error="550 5.1.1 <a@b.example> No such user here", attempts=6)
    made(event, people[22:23], "due", attempts=2, due=timezone.now() + timedelta(minutes=5))
    made(event, people[23:24], "due", attempts=0)
    made(event, people[24:], "capped")

    seen = lane(account)

    assert (seen.sent, seen.failed, seen.capped, seen.dropped) == (20, 2, 1, 0)
    assert (seen.due, seen.retrying, seen.held, seen.under_way) == (1, 1, 0, 0)
    assert 3590 < (timezone.now() - seen.oldest).total_seconds() < 3700
    assert seen.median == pytest.approx(10.5)
    assert seen.slowest == pytest.approx(19.05)
    assert seen.retries == 11
    assert [(one.words, one.count) for one in seen.reasons] == [("No such mailbox", 2)]
    assert "b.example" not in seen.reasons[0].example
    assert (sum(step.sent for step in seen.steps), sum(step.failed for step in seen.steps)) == (20, 2)
    assert len(seen.steps) == 24
    assert len(lane(account, WEEK).steps) == 7


def test_what_has_no_delivery_yet_waits_as_well(account, alice, bob, fan_out):
    events.emit(KIND, audience=[bob], by=alice, data=KIND.example)
    fan_out()

    assert lane(account).due == 1
    delivering.run_due(CARRIER["email"])
    assert (lane(account).due, lane(account).sent) == (0, 1)


def test_nothing_of_next_door_is_counted(account, next_door, mallory, event, bob):
    theirs = events.emit(KIND, audience=[mallory], data=KIND.example, account=next_door)
    made(theirs, [mallory], "failed", error="theirs")
    made(theirs, factories.members(next_door, 1), "due", attempts=0)

    assert all(one.is_quiet for one in board.look(account, DAY).lanes)
    with pytest.raises(NothingFailed):
        redriving.start(account, last_day(), by=None)


def test_only_the_span_is_counted(account, event, bob, carol):
    made(event, [bob], "sent", hours=30, took=1)

    assert lane(account).sent == 0
    assert lane(account, WEEK).sent == 1


def test_the_board_takes_as_many_queries_however_many_rows(account, event):
    def queries():
        with CaptureQueriesContext(connection) as seen:
            board.look(account, WEEK)
        return len(seen)

    made(event, factories.members(account, 2), "failed", error="x")
    few = queries()
    made(event, factories.members(account, 200), "sent", took=1)
    assert queries() == few == 4


def test_where_there_is_too_much_the_newest_is_counted_and_it_is_said(account, alice, bob, monkeypatch, as_alice):
    for hours in (5, 3, 1):
        event = events.emit(KIND, audience=[bob], by=alice, data=KIND.example)
        made(event, [bob], "sent", hours=hours, took=1)
    type(event).objects.update(recipients=1)
    monkeypatch.setattr("notifications.looking_back.RECIPIENTS", 2)

    seen = board.look(account, DAY)

    assert seen.lanes[0].sent == 2
    assert seen.cut_at == pytest.approx(timezone.now() - timedelta(hours=3), abs=timedelta(minutes=1))
    assert "There is more than can be counted at once" in words(as_alice.get(BOARD))


@pytest.mark.parametrize(
    ("error", "said"),
    [
        ("550 5.1.1 <x@y.example> no such user", "No such mailbox"),
        ("552 5.2.2 mailbox full", "The mailbox is full"),
        ("554 5.7.1 rejected as spam", "The mail server refused it by its policy"),
        ("the mail server cannot be reached: [Errno 111]", "The mail server could not be reached"),
        ("the mail server refused our sign-in: 535 no", "The mail server refused our sign-in"),
        ("451 later please", "The mail server kept saying “later”"),
        ("push.example answered 410: gone", "No browser takes its pushes"),
        ("push.example answered 503", "The other side had a fault of its own"),
        ("cut off at every attempt", "It was cut off at every attempt"),
        ("not an e-mail address", "The member’s e-mail address is none"),
        ("something for bob@example.com in 4F3A9B221C", "something for … in …"),
        ("", "Nobody said why"),
    ],
)
def test_errors_are_put_into_words(error, said):
    assert reasons.words_of(error) == said


def test_the_rarer_reasons_are_put_together():
    found = reasons.most_common([(f"reason {letter}", i) for i, letter in enumerate("abcdefg", start=1)], most=5)
    assert [(one.words, one.count) for one in found] == [
        ("reason g", 7), ("reason f", 6), ("reason e", 5), ("reason d", 4), ("Other reasons", 6),
    ]  # fmt: skip


def test_bars_stand_on_the_ground_and_on_each_other():
    chart = drawing.stacked("t", [("a", "A"), ("b", "B")], [("one", (3, 1)), ("two", (0, 0)), ("three", (1000, 0))])
    low, none, high = chart.places
    assert [bar.part for bar in low.bars] == ["a", "b"]
    assert low.bars[0].y + low.bars[0].height == drawing.HEIGHT
    assert low.bars[1].y + low.bars[1].height == low.bars[0].y
    assert none.bars == ()
    assert high.bars[0].height == drawing.HEIGHT
    assert chart.totals == (1003, 1)
    assert low.words == "one: A 3, B 1"


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0.42, "0.4 s"), (12.4, "12 s"), (200, "3 min"), (7300, "2 h"), (200_000, "2 days")],
)
def test_durations_in_words(seconds, said):
    assert durations.words_of(seconds) == said


# --- Sending again


@pytest.fixture
def failures(account, event):
    """Three that failed, and one of each state that must be left alone."""
    people = factories.members(account, 9)
    failed = made(event, people[:3], "failed", error="451 later", attempts=6)
    others = [
        made(event, [member], status)[0]
        for member, status in zip(people[3:], ("sent", "capped", "dropped", "due", "claimed", "sending"), strict=True)
    ]
    return failed, others


def states(rows):
    return list(
        Delivery.objects.filter(pk__in=[row.pk for row in rows]).order_by("pk").values_list("status", "attempts")
    )


def test_a_draft_counts_and_changes_nothing(account, failures):
    failed, others = failures
    before = states(failed + others)

    counted = redriving.draft(account, last_day())

    assert (counted.failed, counted.sent, counted.capped, counted.dropped, counted.under_way) == (3, 1, 1, 1, 3)
    assert counted.left_alone == 6
    assert states(failed + others) == before
    assert not Redrive.objects.exists()


def test_only_what_failed_goes_again_and_only_once(account, alice, failures):
    failed, others = failures
    before = states(others)
    made_redrive = redriving.start(account, last_day(), by=alice)

    assert redriving.run_step()
    assert not redriving.run_step()

    assert states(failed) == [("due", 0)] * 3
    assert states(others) == before
    made_redrive.refresh_from_db()
    assert (made_redrive.failed, made_redrive.sent_again, made_redrive.made_by) == (3, 3, alice)
    assert made_redrive.finished_at
    with pytest.raises(NothingFailed):
        redriving.start(account, last_day(), by=alice)


def test_what_may_have_arrived_goes_again_only_where_that_is_asked_for(account, failures):
    failed, _others = failures
    unsure = failed[:1]
    Delivery.objects.filter(pk=unsure[0].pk).update(is_repeat_possible=True)
    counted = redriving.draft(account, last_day())
    assert (counted.failed, counted.uncertain) == (2, 1)
    assert redriving.draft(account, last_day(may_repeat=True)).failed == 3

    assert redriving.start(account, last_day(), by=None).failed == 2
    tasks.redrive()
    assert states(failed) == [("failed", 6), ("due", 0), ("due", 0)]

    with pytest.raises(NothingFailed, match="may have arrived already"):
        redriving.start(account, last_day(), by=None)
    redriving.start(account, last_day(may_repeat=True), by=None)
    tasks.redrive()
    assert states(unsure) == [("due", 0)]


def test_what_fails_again_meanwhile_is_not_sent_for_ever(account, failures, monkeypatch):
    failed, _others = failures
    monkeypatch.setattr(redriving, "BITE", 1)
    redriving.start(account, last_day(), by=None)

    for _bite in range(4):
        redriving.run_step()
        Delivery.objects.filter(pk__in=[row.pk for row in failed], status="due").update(status="failed")

    assert Redrive.objects.get().sent_again == 3
    assert Redrive.objects.get().finished_at


def test_it_goes_on_where_it_was_cut_off(account, event, monkeypatch):
    monkeypatch.setattr(redriving, "BITE", 10)
    rows = made(event, factories.members(account, 25), "failed")
    redriving.start(account, last_day(), by=None)
    redriving.run_step()
    with transaction.atomic():
        redriving.run_step()
        transaction.set_rollback(True)  # the worker dies before its commit
    assert Redrive.objects.get().sent_again == 10
    assert Delivery.objects.filter(status="due").count() == 10

    tasks.redrive()

    assert Redrive.objects.get().sent_again == 25
    assert Delivery.objects.filter(pk__in=[row.pk for row in rows], status="due", attempts=0).count() == 25


def test_a_bite_is_one_statement_however_many_failed(account, event):
    made(event, factories.members(account, 300), "failed")
    redriving.start(account, last_day(), by=None)
    with CaptureQueriesContext(connection) as seen:
        redriving.run_step()
    assert Redrive.objects.get().sent_again == 300
    assert len(seen) <= 6


def test_a_type_and_a_range_limit_it(account, alice, bob, event, fan_out):
    other = events.emit(types.tasks.DUE, audience=[bob], by=alice, data=types.tasks.DUE.example)
    theirs = made(other, [bob], "failed", channel="email")
    ours = made(event, [bob], "failed", hours=1)
    early = made(event, factories.members(account, 1), "failed", hours=30)

    redriving.start(account, last_day(type=KIND.key), by=None)
    tasks.redrive()

    assert states(ours) == [("due", 0)]
    assert states(theirs) == states(early) == [("failed", 1)]


def test_other_accounts_rows_are_passed_by(account, next_door, mallory, event, bob):
    foreign = events.emit(KIND, audience=[mallory], data=KIND.example, account=next_door)
    theirs = made(foreign, factories.members(next_door, 5), "failed")
    ours = made(event, [bob], "failed")
    redriving.start(account, last_day(), by=None)
    tasks.redrive()
    assert states(ours) == [("due", 0)]
    assert states(theirs) == [("failed", 1)] * 5


@pytest.mark.django_db(transaction=True)
def test_two_accounts_at_the_same_time_lose_nothing_to_each_other(account, next_door, mallory, event, bob):
    """One bite is not committed yet while the other is taken, of the same stretch of the index."""
    foreign = events.emit(KIND, audience=[mallory], data=KIND.example, account=next_door)
    theirs = made(foreign, factories.members(next_door, 5), "failed")
    ours = made(event, factories.members(account, 5), "failed")
    first = redriving.start(next_door, last_day(), by=None)
    second = redriving.start(account, last_day(), by=None)

    def other_worker():
        try:
            redriving.run_step()
        finally:
            connection.close()

    with transaction.atomic():
        redriving.run_step()
        thread = threading.Thread(target=other_worker)
        thread.start()
        thread.join(20)
        assert not thread.is_alive()

    assert states(ours) == states(theirs) == [("due", 0)] * 5
    assert {(one.pk, one.sent_again) for one in Redrive.objects.all()} == {(first.pk, 5), (second.pk, 5)}


def test_a_second_range_waits_for_the_first(account, failures):
    redriving.start(account, last_day(), by=None)
    with pytest.raises(RedriveUnderWay):
        redriving.start(account, last_day(), by=None)


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"channel": "bell"}, "channel"),
        ({"channel": "fax"}, "channel"),
        ({"type": "no.such"}, "type"),
        ({"begins_at": timezone.now() + timedelta(days=1)}, "begins_at"),
        ({"ends_at": timezone.now() - timedelta(days=3)}, "ends_at"),
        ({"begins_at": timezone.now() - timedelta(days=90)}, "ends_at"),
        ({"begins_at": datetime.min.replace(tzinfo=UTC), "ends_at": datetime(1, 1, 2, tzinfo=UTC)}, "begins_at"),
        ({"ends_at": datetime.max.replace(tzinfo=UTC)}, "ends_at"),
    ],
)
def test_a_range_that_makes_no_sense_is_refused_by_name(account, given, field):
    with pytest.raises(InvalidRange) as refusal:
        redriving.draft(account, last_day(**given))
    assert field in refusal.value.fields


def test_the_sweeper_finds_what_nobody_woke(account, failures):
    failed, _others = failures
    redriving.start(account, last_day(), by=None)
    tasks.sweep()
    tasks.redrive()
    assert not redriving.has_work()
    assert Delivery.objects.filter(pk__in=[row.pk for row in failed], status=DeliveryStatus.FAILED).count() == 0


# --- The page


@pytest.fixture
def as_alice(alice):
    client = Client()
    client.force_login(alice.user)
    return client


def asked(**given):
    now = timezone.now()
    form = "%Y-%m-%dT%H:%M"
    return {
        "channel": "email",
        "begins_at": (now - timedelta(days=1)).strftime(form),
        "ends_at": (now + timedelta(minutes=1)).strftime(form),
        "type": "",
    } | given


def test_the_page_draws_counts_and_sends_again(as_alice, alice, failures):
    page = words(as_alice.get(BOARD))
    assert "The mail server kept saying “later” 451 later" in page
    assert "E-mail: sent and failed per hour" in page

    draft = as_alice.post(BOARD, asked() | {"_draft": "1"})
    assert "3 failed deliveries go again." in words(draft)
    assert "6 deliveries stay as they are: 1 sent, 3 waiting or under way, 1 held back, 1 not sent any more." in words(
        draft
    )
    assert not Redrive.objects.exists()

    nothing = as_alice.post(BOARD, asked(channel="browser") | {"_draft": "1"})
    assert "Nothing failed in this range" in words(nothing)
    assert 'name="_apply"' not in nothing.content.decode()

    done = as_alice.post(BOARD, asked() | {"_apply": "1"}, follow=True)
    assert "3 failed deliveries are being sent again." in words(done)
    assert "0 of 3" in words(done)
    assert Redrive.objects.get().made_by == alice
    again = as_alice.post(BOARD, asked() | {"_apply": "1"})
    assert "Another range of this channel is being sent again" in words(again)
    tasks.redrive()
    assert "Nothing that failed is in this range any more." in words(as_alice.post(BOARD, asked() | {"_apply": "1"}))


def test_the_draft_counts_what_may_have_arrived_apart_and_asks(as_alice, failures):
    failed, _others = failures
    Delivery.objects.filter(pk=failed[0].pk).update(is_repeat_possible=True)

    draft = as_alice.post(BOARD, asked() | {"_draft": "1"})
    assert "2 failed deliveries go again." in words(draft)
    assert "Also those that may have arrived already (1)" in words(draft)
    assert 'name="may_repeat"' in draft.content.decode()
    assert 'name="may_repeat"' not in as_alice.get(BOARD).content.decode()

    as_alice.post(BOARD, asked(may_repeat="on") | {"_apply": "1"})
    made_redrive = Redrive.objects.get()
    assert (made_redrive.may_repeat, made_redrive.failed) == (True, 3)


def test_a_wrong_range_is_said_beside_the_field_and_nothing_is_lost(as_alice, alice):
    page = as_alice.post(BOARD, asked(ends_at="2001-01-01T10:00", type=KIND.key) | {"_draft": "1"})
    assert "The end must come after the beginning." in words(page)
    assert 'value="2001-01-01T10:00"' in page.content.decode()
    assert re.search(rf'<option value="{re.escape(KIND.key)}" selected', page.content.decode())
    for odd in ("soon", "2031-13-45T99:00", "", "0001-01-01T00:00", "9999-12-31T23:59"):
        assert as_alice.post(BOARD, asked(begins_at=odd) | {"_draft": "1"}).status_code == 200
    for odd in ("fax", "\0", ""):
        assert as_alice.post(BOARD, asked(channel=odd, type=odd) | {"_apply": "1"}).status_code == 200
    assert not Redrive.objects.exists()


def test_the_board_of_next_door_is_not_there(as_alice, alice, next_door, failures):
    assert as_alice.get(f"{BOARD}?account={next_door.pk}").status_code == 404
    assert as_alice.post(f"{BOARD}?account={next_door.pk}", asked() | {"_apply": "1"}).status_code == 404
    assert not Redrive.objects.exists()


def test_a_member_finds_no_board(bob):
    client = Client()
    client.force_login(bob.user)
    assert client.get(BOARD).status_code == 404


def test_the_operator_is_asked_which_account(account, next_door):
    client = Client()
    client.force_login(factories.user("olga", is_superuser=True))
    assert "In which account?" in words(client.get(BOARD))
    assert "Delivery board of Harbour Coffee" in words(client.get(f"{BOARD}?account={next_door.pk}&span=week"))
