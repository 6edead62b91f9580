"""What each answer of a mail server means, asked over a real connection."""

import logging
import socket

import pytest
from django.utils import timezone

from notifications import events, types
from notifications.channels import email
from notifications.models import Delivery, DeliveryStatus
from tests.smtp_sink import HANG_UP, Sink, wait_for

MOVED = types.TYPES["deals.stage_changed"]


@pytest.fixture(autouse=True)
def _no_connections_of_other_tests():
    yield
    email._connections.cache_clear()


def moved(alice, *people):
    return events.emit(MOVED, audience=list(people), by=alice, data=MOVED.example)


def due_again():
    """As if the time until the next attempt were over."""
    Delivery.objects.filter(status=DeliveryStatus.DUE).update(due_at=timezone.now())


def test_a_recipient_refused_for_ever_stops_and_the_others_get_theirs(alice, bob, carol, sink, posting):
    sink.answer("RCPT", "550 5.1.1 No such person here", to="bob@")
    moved(alice, bob, carol)
    posting()

    assert [received.to for received in sink.mails] == [[carol.email]]
    refused = Delivery.objects.get(member=bob)
    assert (refused.status, refused.error) == ("failed", "550 5.1.1 No such person here")
    assert Delivery.objects.get(member=carol).status == "sent"


def test_a_mail_refused_for_ever_stops(alice, bob, sink, posting):
    sink.answer("END", "554 5.7.1 We take this for spam")
    moved(alice, bob)
    posting()
    due_again()
    posting()

    row = Delivery.objects.get()
    assert (row.status, row.error, row.attempts) == ("failed", "554 5.7.1 We take this for spam", 1)
    assert sink.commands["DATA"] == 1


@pytest.mark.parametrize(
    ("step", "answer"),
    [
        ("MAIL", "451 4.3.0 Later please"),
        ("MAIL", "421 4.7.0 Too busy"),
        ("MAIL", "550 5.7.1 We do not know your sender"),  # our own fault, not the recipient's
        ("RCPT", "450 4.2.1 Greylisted"),
        ("RCPT", "421 4.7.0 Too busy"),
        ("END", "452 4.2.2 The box is full"),
        ("END", "421 4.7.0 Too busy"),
    ],
)
def test_a_passing_trouble_is_tried_again_with_the_same_message_id(alice, bob, sink, posting, step, answer):
    sink.answer(step, answer)
    event = moved(alice, bob)
    posting()

    row = Delivery.objects.get()
    assert (row.status, row.error, row.attempts) == ("due", answer, 1)
    assert 20 < (row.due_at - timezone.now()).total_seconds() <= 30
    assert not row.is_repeat_possible

    sink.heal()
    assert posting() == []  # not before its time
    due_again()
    (received,) = posting()
    assert received.mail["Message-ID"] == f"<n.{event.pk}.{bob.pk}@127.0.0.1>"
    row.refresh_from_db()
    assert (row.status, row.error, row.sent_to, row.attempts) == ("sent", "", bob.email, 2)


def test_no_answer_after_the_mail_goes_again_and_is_marked(alice, bob, sink, posting):
    sink.answer("END", HANG_UP, times=1)
    moved(alice, bob)
    posting()

    row = Delivery.objects.get()
    assert row.status == "due"
    assert row.is_repeat_possible
    assert "did not answer after the mail" in row.error

    due_again()
    first, second = posting()
    assert first.mail["Message-ID"] == second.mail["Message-ID"]


def test_a_connection_lost_before_the_mail_left_is_not_marked(alice, bob, sink, posting):
    sink.answer("RCPT", HANG_UP)
    moved(alice, bob)
    posting()

    row = Delivery.objects.get()
    assert (row.status, row.is_repeat_possible) == ("due", False)


def test_connections_are_kept_between_batches_and_are_few(account, alice, sink, posting, settings):
    from tests import factories

    settings.EMAIL_CONNECTIONS = 3
    people = factories.members(account, 20)
    for _batch in range(3):
        moved(alice, *people)
        posting()

    assert len(sink.mails) == 60
    assert sink.connections <= 3


def test_a_server_that_hung_up_on_an_idle_connection_costs_no_attempt(alice, bob, sink, posting):
    moved(alice, bob)
    posting()
    sink.hang_up()
    moved(alice, bob)

    assert len(posting()) == 2
    assert set(Delivery.objects.values_list("status", "attempts")) == {("sent", 1)}
    assert sink.connections == 2


def test_a_server_that_wants_no_more_on_a_connection_gets_a_new_one(alice, bob, sink, posting):
    moved(alice, bob)
    posting()
    sink.answer("MAIL", "421 4.7.0 Enough on this connection", times=1)
    moved(alice, bob)

    assert len(posting()) == 2
    assert set(Delivery.objects.values_list("status", "attempts")) == {("sent", 1)}


def test_an_idle_connection_is_asked_before_it_is_used(alice, bob, sink, posting, monkeypatch):
    from notifications.mail import connections

    monkeypatch.setattr(connections, "ASK_AFTER", -1)
    moved(alice, bob)
    posting()
    sink.hang_up()
    moved(alice, bob)

    assert len(posting()) == 2


def test_no_server_at_all_is_for_later_with_one_line_in_the_log(account, alice, settings, sink, posting, caplog):
    from tests import factories

    with socket.create_server(("127.0.0.1", 0)) as taken:
        settings.EMAIL_PORT = taken.getsockname()[1]
    people = factories.members(account, 40)
    moved(alice, *people)
    with caplog.at_level(logging.WARNING, logger="notifications"):
        posting()

    rows = Delivery.objects.values_list("status", "attempts", "is_repeat_possible").distinct()
    assert list(rows) == [("due", 1, False)]
    assert "cannot be reached" in Delivery.objects.all()[0].error
    assert [record.message[:28] for record in caplog.records] == ["No mail can be sent now: the"]


def test_a_wrong_password_is_for_later_with_one_line_in_the_log(alice, bob, carol, sink, posting, settings, caplog):
    guarded = Sink(password="right").start()
    try:
        settings.EMAIL_PORT, settings.EMAIL_HOST_USER, settings.EMAIL_HOST_PASSWORD = guarded.port, "us", "wrong"
        moved(alice, bob, carol)
        posting()
        assert set(Delivery.objects.values_list("status", flat=True)) == {"due"}
        assert all("refused our sign-in" in error for error in Delivery.objects.values_list("error", flat=True))
        assert len([record for record in caplog.records if "No mail can be sent" in record.message]) == 1
        assert "wrong" not in caplog.text

        settings.EMAIL_HOST_PASSWORD = "right"
        due_again()
        posting()
        assert len(guarded.mails) == 2
    finally:
        guarded.stop()


def test_fewer_connections_than_we_wanted_are_enough(account, alice, sink, posting, settings):
    """A server that takes one connection and refuses the others still gets every mail."""
    from tests import factories

    settings.EMAIL_CONNECTIONS = 4
    sink.most_connections = 1
    people = factories.members(account, 30)
    moved(alice, *people)

    assert len(posting()) == 30
    assert set(Delivery.objects.values_list("status", "attempts")) == {("sent", 1)}


def test_an_answer_that_never_comes_ends_at_the_timeout(alice, bob, sink, posting, settings):
    settings.EMAIL_TIMEOUT = 0.2
    sink.latency = 30
    moved(alice, bob)
    posting()

    row = Delivery.objects.get()
    assert (row.status, row.is_repeat_possible) == ("due", False)
    sink.latency = 0


@pytest.mark.parametrize("address", ["", "nobody", "a b@example.com", "x@\r\nRCPT TO:<y@example.com>", "é@example.com"])
def test_an_address_that_is_none_fails_at_once(alice, bob, carol, sink, posting, address):
    type(bob.user).objects.filter(pk=bob.user.pk).update(email=address)
    moved(alice, bob, carol)
    posting()

    row = Delivery.objects.get(member=bob)
    assert row.status == "failed"
    assert row.error == ("not an e-mail address" if address else "no address")
    assert [received.to for received in sink.mails] == [[carol.email]]


def test_a_domain_of_any_script_is_reached(alice, bob, sink, posting):
    type(bob.user).objects.filter(pk=bob.user.pk).update(email="bob@straße-münchen.example")
    moved(alice, bob)
    (received,) = posting()

    assert received.to == ["bob@xn--strasse-mnchen-osb.example"]


def test_the_connections_are_closed_politely(alice, bob, sink, posting, settings):
    moved(alice, bob)
    posting()
    assert len(sink.open) == 1
    server = (settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_HOST_USER)
    import os

    kept = email._connections(os.getpid(), server, settings.EMAIL_CONNECTIONS)
    wait_for(lambda: kept.close() or not sink.open)  # the thread that sent may still be about to give its one back
