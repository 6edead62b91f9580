"""Webhooks at their protocol boundary: an endpoint on loopback, and the specification's own library checks."""

import json
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings
from standardwebhooks import Webhook, WebhookVerificationError

from accounts.models import Membership
from notifications import (
    channels,
    claiming,
    delivering,
    events,
    fanout,
    layers,
    outgoing,
    posting,
    preferences,
    quiet,
    reaching,
    tasks,
    types,
    wires,
)
from notifications.channels import CARRIER
from notifications.models import Connection, Delivery, DeliveryStatus, Event, Notification, WebhookAttempt
from notifications.other_apps import connecting, webhook_log, webhooks
from notifications.other_apps.connecting import NotConnected, NotDelivered, TriedJustNow
from notifications.other_apps.speaking import BadOffer
from tests import factories
from tests.other_apps import OtherApps

KIND = types.TYPES["deals.mentioned"]
WEBHOOK = CARRIER["webhook"]


@pytest.fixture
def apps(settings: Settings) -> Iterator[OtherApps]:
    settings.OUTGOING_LOOPBACK = True
    server = OtherApps().start()
    yield server
    server.stop()


@pytest.fixture
def connected(apps: OtherApps) -> Callable[[Membership], str]:
    """Connect a member's webhook; returns its signing secret."""

    def connect(member: Membership) -> str:
        return connecting.connect(member, webhooks.webhook(), {"url": f"{apps.url}/hook"}).shown_once

    return connect


def emit(*to: Membership) -> Event:
    return events.emit(KIND, audience=list(to), account=to[0].account, data=KIND.example)


def send() -> int:
    fanout.run_due()
    return delivering.run_due(WEBHOOK)


def again_now() -> int:
    Delivery.objects.update(due_at=timezone.now())
    return delivering.run_due(WEBHOOK)


@pytest.mark.req("N-039")
def test_a_post_is_signed_so_that_any_library_of_the_specification_accepts_it(bob, apps, connected):
    secret = connected(bob)
    event = emit(bob)

    assert send() == 1

    (post,) = apps.posts
    told = Webhook(secret).verify(post.body, post.headers)
    assert post.path == "/hook"
    assert told["type"] == "deals.mentioned"
    assert told["timestamp"] == event.occurred_at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    assert told["data"]["event"] == {"id": event.pk, "data": dict(KIND.example)}
    assert told["data"]["account"] == {"hub_id": 1001, "name": "Nordic Oak"}
    assert told["data"]["member"] == {"id": bob.pk, "email": "bob@example.com"}
    assert told["data"]["title"]
    assert told["data"]["url"].startswith("http")
    assert told["data"]["topic"] == "Deals"
    row = Delivery.objects.get(channel="webhook")
    assert (row.status, row.sent_to) == (DeliveryStatus.SENT, apps.url.removeprefix("http://"))


def test_a_post_that_was_changed_on_the_way_is_not_accepted(bob, apps, connected):
    secret = connected(bob)
    emit(bob)
    send()

    (post,) = apps.posts
    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(post.body.replace(b"Nordic Oak", b"Harbour Co"), post.headers)


def test_an_event_reaches_only_those_who_connected(bob, carol, apps, connected):
    connected(bob)
    emit(bob, carol)

    assert send() == 1
    assert list(Delivery.objects.filter(channel="webhook").values_list("member_id", flat=True)) == [bob.pk]


def test_who_turned_it_off_gets_nothing_there(bob, apps, connected):
    connected(bob)
    preferences.choose(bob, {(KIND.key, "webhook"): False})
    emit(bob)

    assert send() == 0
    assert apps.posts == []


def test_a_failed_post_goes_again_with_the_same_id_and_a_new_time(bob, apps, connected):
    secret = connected(bob)
    apps.answer(500, text="out of order", Retry_After="600")
    emit(bob)

    assert send() == 0
    row = Delivery.objects.get(channel="webhook")
    assert row.status == DeliveryStatus.DUE
    assert 590 < (row.due_at - timezone.now()).total_seconds() <= 600
    assert row.error == f"{apps.url[7:]} answered 500: out of order"
    assert again_now() == 1

    first, second = apps.posts
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    Webhook(secret).verify(second.body, second.headers)


@pytest.mark.parametrize("status", [301, 307, 400, 404, 408, 429, 503])
def test_anything_but_success_is_tried_again(bob, apps, connected, status):
    connected(bob)
    apps.answer(status, Location="http://127.0.0.1:1/inside")
    emit(bob)

    assert send() == 0
    assert Delivery.objects.get(channel="webhook").status == DeliveryStatus.DUE
    assert Connection.objects.get().broken_at is None
    assert len(apps.posts) == 1


@pytest.mark.req("N-039")
def test_gone_ends_the_endpoint_until_it_is_connected_again(bob, apps, connected):
    connected(bob)
    apps.answer(410, text="closed")
    emit(bob)
    send()

    row = Connection.objects.get()
    assert row.broken_at is not None
    assert row.last_error == f"{apps.url[7:]} answered 410: closed"
    assert Delivery.objects.get(channel="webhook").status == DeliveryStatus.FAILED

    emit(bob)
    assert send() == 0
    assert len(apps.posts) == 1
    assert Delivery.objects.filter(channel="webhook").count() == 1

    connected(bob)
    emit(bob)
    assert send() == 1


def test_a_slow_endpoint_may_have_taken_it(bob, apps, connected, monkeypatch):
    monkeypatch.setattr(wires, "ANSWER_WITHIN", 0.3)
    connected(bob)
    apps.answer(200, after=1)
    emit(bob)

    send()

    row = Delivery.objects.get(channel="webhook")
    assert (row.status, row.is_repeat_possible) == (DeliveryStatus.DUE, True)
    assert WebhookAttempt.objects.get().status is None


def test_an_endpoint_that_is_away_is_tried_later(bob, apps, connected):
    connected(bob)
    apps.stop()
    emit(bob)

    assert send() == 0
    row = Delivery.objects.get(channel="webhook")
    assert (row.status, row.is_repeat_possible) == (DeliveryStatus.DUE, False)
    assert "cannot be reached" in row.error


def test_an_endless_answer_is_read_only_at_its_beginning(bob, apps, connected):
    connected(bob)
    apps.answer(500, text="x" * 3_000_000)
    emit(bob)

    send()

    assert len(WebhookAttempt.objects.get().words) <= 300


def test_a_hundred_members_are_told_at_once(account, apps, connected):
    members = factories.members(account, 100)
    for member in members:
        connected(member)
    emit(*members)

    assert send() == 100
    assert len({post.headers["webhook-id"] for post in apps.posts}) == 100
    assert WebhookAttempt.objects.filter(is_taken=True).count() == 100


# --- Where the server may be sent


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/hook",
        "https://example.com:25/hook",
        "https://10.0.0.1/hook",
        "https://[::ffff:10.0.0.1]/hook",
        "https://user@example.com/hook",
        "https://2130706433/hook",
        "ftp://example.com/",
        "example.com",
        "",
        "https://localhost/hook",
    ],
)
def test_only_public_addresses_are_connected(bob, url, db):
    with pytest.raises(BadOffer) as refused:
        connecting.connect(bob, webhooks.webhook(), {"url": url})

    assert "url" in refused.value.fields
    assert not Connection.objects.exists()


def test_another_port_is_named_as_what_is_wrong(bob):
    with pytest.raises(BadOffer, match="443 and 8443"):
        connecting.connect(bob, webhooks.webhook(), {"url": "https://hooks.example.com:9443/"})


def test_a_name_that_leads_inside_is_refused_when_it_is_connected(bob, db, monkeypatch):
    resolves_to(monkeypatch, "10.0.0.1")

    with pytest.raises(BadOffer):
        connecting.connect(bob, webhooks.webhook(), {"url": "https://hooks.example.com/"})


@pytest.mark.req("N-039")
def test_a_name_that_leads_inside_later_is_refused_when_it_is_posted_to(bob, apps, settings, monkeypatch):
    resolves_to(monkeypatch, "93.184.216.34")
    connecting.connect(bob, webhooks.webhook(), {"url": "https://hooks.example.com/"})
    resolves_to(monkeypatch, "127.0.0.1")
    settings.OUTGOING_LOOPBACK = False
    emit(bob)

    assert send() == 0
    row = Delivery.objects.get(channel="webhook")
    assert (row.status, row.error) == (DeliveryStatus.FAILED, outgoing.NOT_PUBLIC)


def resolves_to(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    """What this machine's resolver says of every name from now on."""
    found = [(2, 1, 6, "", (address, 443))]
    monkeypatch.setattr("socket.getaddrinfo", lambda *_given, **_named: found)


# --- Tests, secrets, the log


def test_a_test_says_where_it_went_and_only_one_goes_in_ten_seconds(bob, apps, connected):
    secret = connected(bob)

    assert connecting.send_test(bob, webhooks.webhook()) == f"Sent to {apps.url[7:]}."
    with pytest.raises(TriedJustNow):
        connecting.send_test(bob, webhooks.webhook())

    (post,) = apps.posts
    assert Webhook(secret).verify(post.body, post.headers)["type"] == "bellhop.test"
    assert Connection.objects.get().last_success_at is not None


def test_a_test_that_fails_says_why_and_one_that_works_mends(bob, apps, connected):
    connected(bob)
    apps.answer(410)
    with pytest.raises(NotDelivered, match="answered 410"):
        connecting.send_test(bob, webhooks.webhook())
    assert Connection.objects.get().broken_at is not None

    Connection.objects.update(tested_at=timezone.now() - timedelta(seconds=11))
    connecting.send_test(bob, webhooks.webhook())

    assert Connection.objects.get().broken_at is None


@pytest.mark.req("N-039")
def test_after_a_rotation_both_secrets_sign_for_a_day(bob, apps, connected):
    old = connected(bob)

    new = webhooks.rotate(bob)
    emit(bob)
    send()
    (post,) = apps.posts
    Webhook(old).verify(post.body, post.headers)
    Webhook(new).verify(post.body, post.headers)

    row = Connection.objects.get()
    assert webhooks.old_until(row) is not None
    secret = connecting.opened(row) | {"old_until": (timezone.now() - timedelta(seconds=1)).isoformat()}
    Connection.objects.update(secret=connecting.sealed(secret))
    emit(bob)
    send()
    Webhook(new).verify(apps.posts[1].body, apps.posts[1].headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(old).verify(apps.posts[1].body, apps.posts[1].headers)
    assert webhooks.old_until(Connection.objects.get()) is None


def test_another_address_keeps_the_secret(bob, apps, connected):
    secret = connected(bob)

    made = connecting.connect(bob, webhooks.webhook(), {"url": f"{apps.url}/elsewhere"})

    assert made.shown_once == ""
    emit(bob)
    send()
    assert apps.posts[0].path == "/elsewhere"
    Webhook(secret).verify(apps.posts[0].body, apps.posts[0].headers)


def test_what_is_stored_shows_no_secret(bob, apps, connected):
    secret = connected(bob)

    row = Connection.objects.get()
    assert secret not in row.secret
    assert "/hook" not in row.secret + row.label
    assert json.dumps(secret) not in str(row.__dict__)


def test_keys_that_nobody_has_any_more_break_the_connection(bob, apps, connected, settings):
    connected(bob)
    settings.SEALING_KEYS = ["another key of thirty-two characters!"]
    emit(bob)

    assert send() == 0
    row = Connection.objects.get()
    assert row.broken_at is not None
    assert "Connect it again" in row.last_error


@pytest.mark.req("N-039")
def test_every_attempt_is_logged_and_what_failed_goes_again(bob, apps, connected):
    connected(bob)
    apps.answer(500, times=6, text="no")
    event = emit(bob)
    send()
    for _attempt in range(5):
        again_now()
    assert Delivery.objects.get(channel="webhook").status == DeliveryStatus.FAILED

    lines = webhook_log.lines(Connection.objects.get())
    assert [line.attempt.number for line in lines] == [6, 5, 4, 3, 2, 1]
    assert {line.attempt.status for line in lines} == {500}
    assert [line.may_go_again for line in lines] == [True, False, False, False, False, False]
    assert all(line.attempt.milliseconds is not None for line in lines)

    webhook_log.send_again(bob, lines[0].attempt.pk)
    assert delivering.run_due(WEBHOOK) == 1
    newest, *_rest = webhook_log.lines(Connection.objects.get())
    assert (newest.attempt.event_id, newest.attempt.is_taken, newest.may_go_again) == (event.pk, True, False)


def test_nobody_sends_again_what_is_somebody_elses(bob, carol, apps, connected):
    connected(bob)
    apps.answer(410)
    emit(bob)
    send()

    with pytest.raises(webhook_log.UnknownAttempt):
        webhook_log.send_again(carol, WebhookAttempt.objects.get().pk)


def test_the_sweeper_removes_what_is_too_old_to_show(bob, apps, connected, settings):
    connected(bob)
    emit(bob)
    send()
    WebhookAttempt.objects.update(made_at=timezone.now() - timedelta(days=settings.WEBHOOK_LOG_DAYS, seconds=1))

    tasks.sweep()

    assert not WebhookAttempt.objects.exists()


def test_disconnecting_forgets_everything_and_a_late_delivery_goes_nowhere(bob, apps, connected):
    connected(bob)
    emit(bob)
    fanout.run_due()

    connecting.disconnect(bob, webhooks.webhook())

    assert delivering.run_due(WEBHOOK) == 0
    assert Delivery.objects.get(channel="webhook").status == DeliveryStatus.FAILED
    assert apps.posts == []
    with pytest.raises(NotConnected):
        connecting.disconnect(bob, webhooks.webhook())


# --- Whom a fan-out reaches


def plan_for(event: Event) -> str:
    """How PostgreSQL finds out whom the carriers reach."""
    said = layers.load_one(event.account, KIND)
    decided, values = fanout.deciding_sql(event, KIND, said)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE notifications_connection, accounts_membership")
        asked = ["EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, BUFFERS OFF) WITH decided AS (", decided, "LIMIT 10000)"]
        cursor.execute(" ".join([*asked, "SELECT channels &", reaching.MASK, "FROM decided"]), values)
        return "\n".join(line for (line,) in cursor.fetchall())


def test_an_account_without_apps_is_asked_about_them_once_whatever_its_size(account, next_door):
    factories.members(account, 2000)
    strangers = factories.members(next_door, 500)
    Connection.objects.bulk_create(
        Connection(account=next_door, member=member, channel="webhook", label="x", secret="x") for member in strangers
    )
    event = events.emit(KIND, audience=events.Audience(everyone=True), account=account, data=KIND.example)

    plan = plan_for(event)

    looked = [line for line in plan.splitlines() if "notifications_connection" in line and "never executed" not in line]
    assert looked, plan
    assert all("loops=1)" in line for line in looked), plan


def test_each_is_reached_where_they_are_connected_and_it_works(bob, carol, alice, apps, connected):
    connected(bob)
    connected(carol)
    Connection.objects.filter(member=carol).update(broken_at=timezone.now())
    event = emit(alice, bob, carol)
    fanout.run_due()

    waiting = dict(Notification.objects.filter(event=event).values_list("member_id", "waiting"))

    apps_bits = sum(app.bit for app in channels.APPS)
    assert {member: bits & apps_bits for member, bits in waiting.items()} == {alice.pk: 0, bob.pk: 1024, carol.pk: 0}


def test_one_endpoint_gets_a_hundred_at_once_and_no_more(account, apps, connected):
    members = factories.members(account, 150)
    for member in members:
        connected(member)
    apps.answer(200, times=150, after=0.2)
    emit(*members)

    assert send() == 150
    assert 20 < apps.most_at_once <= posting.PER_ORIGIN


# --- How they are taken


def test_what_is_claimed_is_marked_as_being_sent_at_once_and_goes_again_when_its_worker_dies(bob, apps, connected):
    connected(bob)
    emit(bob)
    fanout.run_due()

    claiming.take(WEBHOOK, limit=10, claim="dead", status=DeliveryStatus.SENDING)

    row = Delivery.objects.get(channel="webhook")
    assert (row.status, row.claim, row.attempts) == (DeliveryStatus.SENDING, "dead", 1)
    assert claiming.give_back_expired() == 0
    Delivery.objects.update(claimed_until=timezone.now() - timedelta(seconds=1))
    assert claiming.give_back_expired() == 1
    assert again_now() == 1
    row.refresh_from_db()
    assert (row.status, row.attempts, row.is_repeat_possible) == (DeliveryStatus.SENT, 2, True)


def test_what_is_held_or_dropped_after_it_was_claimed_was_no_attempt_and_is_posted_to_nobody(
    bob, carol, apps, connected
):
    connected(bob)
    connected(carol)
    emit(bob, carol)
    fanout.run_due()
    quiet.pause(bob, until=timezone.now() + timedelta(hours=1))
    preferences.choose(carol, {(KIND.key, "webhook"): False})

    assert delivering.run_due(WEBHOOK) == 0
    rows = Delivery.objects.filter(channel="webhook").order_by("member_id").values_list("status", "claim", "attempts")
    assert list(rows) == [(DeliveryStatus.HELD, "", 0), (DeliveryStatus.DROPPED, "", 1)]
    assert apps.posts == []


def test_the_oldest_that_are_due_go_before_what_was_never_tried(bob, apps, connected):
    connected(bob)
    apps.answer(503)
    first = emit(bob)
    send()
    Delivery.objects.update(due_at=timezone.now())
    emit(bob)
    fanout.run_due()

    (taken,) = claiming.take(WEBHOOK, limit=1, claim="ours")
    assert Delivery.objects.get(pk=taken).event_id == first.pk
    assert len(claiming.take(WEBHOOK, limit=10, claim="ours")) == 1


def test_a_hundred_webhooks_take_as_many_statements_as_one(account, apps, connected):
    members = factories.members(account, 100)
    for member in members:
        connected(member)
    emit(*members)
    fanout.run_due()

    with CaptureQueriesContext(connection) as asked:
        assert delivering.run_due(WEBHOOK) == 100

    # taken in two, and once more when nothing is left; read in two; connections read, learned of, logged; recorded;
    # the last three again when answers come apart
    assert len(asked) <= 9 + 3 * 2
