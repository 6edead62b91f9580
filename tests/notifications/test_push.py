"""Web push at its protocol boundary: a push service on loopback that checks, answers as it is told, and decrypts."""

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from email.utils import format_datetime

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings

from accounts.models import Membership
from config.local import new_vapid_key
from notifications import (
    claiming,
    delivering,
    events,
    fanout,
    live,
    outgoing,
    parcels,
    posting,
    preferences,
    presence,
    types,
    wires,
)
from notifications.channels import CARRIER
from notifications.channels.base import Parcel, Sent
from notifications.models import BrowserSubscription, Delivery, DeliveryStatus, Event, Notification
from notifications.outgoing import BadAddress
from notifications.push import deciding, payloads, showing, subscribing
from notifications.push.deciding import Case, Where, decide
from notifications.push.sending import Answer, Job, Verdict
from notifications.push.subscribing import Offer
from notifications.recording import BACK_OFF
from tests import factories
from tests.push_service import HANG_UP, PushService, Receiver

KIND = types.TYPES["deals.mentioned"]
BROWSER = CARRIER["browser"]
A_JOB = Job(
    ref=1,
    subscription_id=1,
    endpoint="",
    p256dh="",
    auth="",
    event_id=1,
    hub_id=1001,
    title="Hello",
    body="",
    url="/1001/",
    topic="",
    language="en",
)


@pytest.fixture
def service(settings: Settings) -> Iterator[PushService]:
    settings.VAPID_PRIVATE_KEY, settings.VAPID_SUBJECT = new_vapid_key(), "mailto:push@example.com"
    settings.OUTGOING_LOOPBACK = True
    server = PushService().start()
    yield server
    server.stop()


@pytest.fixture
def allowed(service: PushService) -> Callable[..., Receiver]:
    """A member allows notifications in a browser: `allowed(bob)`."""

    def allow(member: Membership, **facts: str) -> Receiver:
        receiver = Receiver(service)
        subscribing.keep(member.user, offer_of(receiver), **facts)
        live.client().flushdb()
        preferences.set_options(member, pushes_when_closed=True)
        return receiver

    return allow


def offer_of(receiver: Receiver) -> Offer:
    given = receiver.subscription
    return Offer(given["endpoint"], given["keys"]["p256dh"], given["keys"]["auth"])


def tell(*members: Membership, **data: str) -> Event:
    event = events.emit(KIND, audience=list(members), data=dict(KIND.example) | data)
    fanout.run_due()
    return event


def push() -> int:
    return delivering.run_due(BROWSER)


def parcels_due() -> list[Parcel]:
    """All that is due, as the carrier would get it."""
    claiming.write_deliveries(BROWSER, limit=100)
    ids = claiming.claim_due(BROWSER, limit=100, claim="test")
    packed = parcels.pack(BROWSER, ids)
    return [packed.parcel(id_) for id_ in packed.ready]


def delivery_of(event: Event) -> Delivery:
    return Delivery.objects.get(event=event, channel="browser")


def be(member: Membership, where: Where) -> None:
    """Put a member where the tabs would say they are."""
    until = timezone.now().timestamp() + 60
    if where in (Where.OPEN, Where.ACTIVE):
        live.client().zadd(presence.key_of(member.account_id), {str(member.pk): until})
    if where is Where.ACTIVE:
        live.client().zadd(presence.active_key_of(member.account_id), {f"{member.pk}:abc": until})


@pytest.mark.req("N-026")
def test_a_push_arrives_sealed_signed_and_readable(bob, allowed, service):
    browser = allowed(bob)

    event = tell(bob, actor="Ann", deal="Oak")

    assert push() == 1
    (said,) = browser.received
    assert said["title"] == "Ann mentioned you on the deal “Oak”"
    assert (said["id"], said["hub"]) == (event.pk, 1001)
    assert said["url"] == f"/1001/notifications/{event.pk}/open/"
    (post,) = service.posts
    assert (post.headers["TTL"], post.headers["Topic"], post.headers["Urgency"]) == ("86400", f"n{event.pk}", "normal")
    row = delivery_of(event)
    assert (row.status, row.sent_to) == (DeliveryStatus.SENT, service.url.removeprefix("http://"))
    assert BrowserSubscription.objects.get().last_success_at is not None


def test_every_browser_of_the_person_gets_it_and_one_that_took_it_is_enough(bob, allowed, service):
    at_home, at_work = allowed(bob), allowed(bob)
    service.answer(503, to=at_home.token)

    event = tell(bob)

    assert push() == 1
    assert len(at_work.received) == 1
    assert at_home.received == []
    assert delivery_of(event).status == DeliveryStatus.SENT
    assert BrowserSubscription.objects.get(endpoint=at_home.endpoint).last_error


@pytest.mark.parametrize("status", [404, 410])
def test_a_browser_that_is_gone_is_forgotten_and_only_that_one(bob, allowed, service, status):
    gone, other = allowed(bob), allowed(bob)
    service.answer(status, to=gone.token)

    tell(bob)
    push()

    assert [row.endpoint for row in BrowserSubscription.objects.all()] == [other.endpoint]


@pytest.mark.parametrize("status", [400, 401, 403])
def test_our_own_faults_prune_nothing_and_say_what_was_answered(bob, allowed, service, status):
    allowed(bob)
    service.answer(status)

    event = tell(bob)
    push()

    row = delivery_of(event)
    assert row.status == DeliveryStatus.FAILED
    assert str(status) in row.error
    assert BrowserSubscription.objects.count() == 1


def test_a_push_that_is_too_large_goes_once_more_and_smaller(bob, allowed, service):
    browser = allowed(bob)
    service.answer(413)

    event = tell(bob, excerpt="ö" * 3000)

    assert push() == 1
    first, second = service.posts
    assert len(first.body) > 4000 > 2000 > len(second.body)
    assert len(browser.received) == 1
    assert delivery_of(event).status == DeliveryStatus.SENT


def test_one_that_stays_too_large_fails_and_prunes_nothing(bob, allowed, service):
    allowed(bob)
    service.answer(413, times=2)

    event = tell(bob)
    push()

    assert delivery_of(event).status == DeliveryStatus.FAILED
    assert (len(service.posts), BrowserSubscription.objects.count()) == (2, 1)


@pytest.mark.parametrize("status", [429, 500, 503])
def test_retry_after_is_honoured_in_seconds_and_as_a_date(bob, carol, allowed, service, status):
    first, second = allowed(bob), allowed(carol)
    service.answer(status, to=first.token, Retry_After="1800")
    service.answer(status, to=second.token, Retry_After=format_datetime(timezone.now() + timedelta(hours=2)))

    tell(bob, carol)
    push()

    due = {row.member_id: row.due_at - timezone.now() for row in Delivery.objects.filter(status=DeliveryStatus.DUE)}
    assert timedelta(minutes=29) < due[bob.pk] <= timedelta(minutes=30)
    assert timedelta(minutes=118) < due[carol.pk] <= timedelta(minutes=120)


def test_without_a_named_time_it_waits_as_every_delivery_does(bob, allowed, service):
    allowed(bob)
    service.answer(500)

    event = tell(bob)
    push()

    row = delivery_of(event)
    assert row.status == DeliveryStatus.DUE
    assert row.due_at > timezone.now() + timedelta(seconds=20)


def test_a_service_that_does_not_answer_may_have_taken_it(bob, allowed, service, monkeypatch):
    monkeypatch.setattr(wires, "ANSWER_WITHIN", 0.3)
    allowed(bob)
    service.answer(201, after=1)

    event = tell(bob)
    push()

    row = delivery_of(event)
    assert (row.status, row.is_repeat_possible) == (DeliveryStatus.DUE, True)
    assert "did not answer" in row.error


def test_a_service_that_is_not_there_is_tried_later(bob, allowed, service):
    allowed(bob)
    service.stop()

    event = tell(bob)
    push()

    row = delivery_of(event)
    assert (row.status, row.is_repeat_possible) == (DeliveryStatus.DUE, False)
    assert "cannot be reached" in row.error
    assert BrowserSubscription.objects.count() == 1


def test_a_service_that_hangs_up_may_have_taken_it(bob, allowed, service):
    allowed(bob)
    service.answer(HANG_UP, times=2)  # a connection that was open before is tried once more

    event = tell(bob)
    push()

    row = delivery_of(event)
    assert (row.status, row.is_repeat_possible) == (DeliveryStatus.DUE, True)
    assert BrowserSubscription.objects.count() == 1


@pytest.mark.parametrize("status", [429, 500])
def test_what_had_to_wait_goes_again_as_the_same_notification_and_arrives(bob, allowed, service, status):
    browser = allowed(bob)
    service.answer(status, Retry_After="60")
    event = tell(bob)
    push()
    assert push() == 0, "not before its time"

    Delivery.objects.update(due_at=timezone.now())

    assert push() == 1
    first, second = service.posts
    assert first.headers["Topic"] == second.headers["Topic"] == f"n{event.pk}"
    (arrived,) = browser.received
    assert arrived["id"] == event.pk
    row = delivery_of(event)
    assert (row.status, row.attempts, row.is_repeat_possible) == (DeliveryStatus.SENT, 2, False)
    assert BrowserSubscription.objects.get().last_error == ""


def test_one_that_is_refused_again_and_again_fails_in_the_end_and_stays_in_the_list(bob, allowed, service):
    allowed(bob)
    service.answer(500, times=len(BACK_OFF) + 1)

    event = tell(bob)
    for _attempt in range(len(BACK_OFF) + 1):
        push()
        Delivery.objects.filter(status=DeliveryStatus.DUE).update(due_at=timezone.now())

    row = delivery_of(event)
    assert (row.status, len(service.posts)) == (DeliveryStatus.FAILED, len(BACK_OFF) + 1)
    assert BrowserSubscription.objects.get().last_error.endswith("answered 500: {}")


def test_what_waited_longer_than_it_is_worth_does_not_go(bob, allowed, service):
    allowed(bob)
    service.answer(503, Retry_After=str(deciding.TTL))
    event = tell(bob)
    push()

    long_ago = timezone.now() - timedelta(seconds=deciding.TTL + 1)
    Delivery.objects.update(created_at=long_ago, due_at=timezone.now())
    push()

    assert len(service.posts) == 1
    assert (delivery_of(event).status, delivery_of(event).error) == (DeliveryStatus.DROPPED, deciding.TOO_OLD)


def test_a_slow_service_does_not_hold_up_the_others(bob, carol, allowed, service, monkeypatch):
    monkeypatch.setattr(posting, "PER_ORIGIN", 1)
    other = PushService().start()
    try:
        slow, quick = allowed(bob), Receiver(other)
        subscribing.keep(carol.user, offer_of(quick))
        preferences.set_options(carol, pushes_when_closed=True)
        service.answer(201, to=slow.token, after=1.5)
        for _number in range(3):
            tell(bob, carol)

        taken: dict[int, float] = {}
        began = time.monotonic()
        for outcome in BROWSER.send_many(parcels_due()):
            if isinstance(outcome, Sent):
                taken[outcome.parcel.delivery_id] = time.monotonic() - began

        by_member = {row.pk: row.member_id for row in Delivery.objects.all()}
        assert max(at for id_, at in taken.items() if by_member[id_] == carol.pk) < 1.5
        assert len(taken) == 6
    finally:
        other.stop()


def test_no_redirect_is_followed(bob, allowed, service):
    allowed(bob)
    elsewhere = Receiver(service)
    service.answer(307, Location=elsewhere.endpoint)

    event = tell(bob)
    push()

    assert len(service.posts) == 1
    assert delivery_of(event).status == DeliveryStatus.FAILED


def test_many_are_under_way_at_once_but_not_too_many_to_one_service(account, service, monkeypatch):
    monkeypatch.setattr(posting, "PER_ORIGIN", 60)
    people = factories.members(account, 150)
    for member in people:
        subscribing.keep(member.user, offer_of(Receiver(service)))
        preferences.set_options(member, pushes_when_closed=True)
    service.answer(503, times=150, after=0.2)

    tell(*people)
    push()

    assert 20 < service.most_at_once <= 60
    assert Delivery.objects.filter(channel="browser", status=DeliveryStatus.DUE, attempts=1).count() == 150


def test_what_services_said_of_many_browsers_is_written_with_one_statement(account, service, django_assert_num_queries):
    people = factories.members(account, 6)
    rows = [subscribing.keep(member.user, offer_of(Receiver(service))) for member in people]
    jobs = [replace(A_JOB, subscription_id=row.pk, endpoint=row.endpoint) for row in rows]
    taken = [Answer(job, Verdict.TAKEN) for job in jobs[:4]]
    refused = [Answer(job, Verdict.REFUSED, "it answered 400\x00") for job in jobs[3:]]

    with django_assert_num_queries(1):
        subscribing.learn(taken + refused)

    known = BrowserSubscription.objects.order_by("pk").values_list("last_success_at", "last_error", "last_error_at")
    assert [(bool(at), words, bool(error_at)) for at, words, error_at in known] == [
        *[(True, "", False)] * 3,
        (True, "it answered 400", True),
        *[(False, "it answered 400", True)] * 2,
    ]


def test_the_browsers_of_many_are_read_with_as_few_queries_as_those_of_one(account, service, monkeypatch):
    def queries(count: int) -> int:
        for member in factories.members(account, count):
            subscribing.keep(member.user, offer_of(Receiver(service)))
            preferences.set_options(member, pushes_when_closed=True)
        tell(*account.members.all())
        with CaptureQueriesContext(connection) as seen:
            push()
        return sum(
            one["sql"].startswith("SELECT") and "notifications_browsersubscription" in one["sql"] for one in seen
        )

    assert queries(1) == queries(30)


def test_nothing_waits_for_people_who_allowed_no_browser(bob, carol, allowed):
    allowed(bob)

    event = tell(bob, carol)

    waiting = {row.member_id: row.waiting & BROWSER.bit for row in Notification.objects.filter(event=event)}
    assert waiting == {bob.pk: BROWSER.bit, carol.pk: 0}


# --- Pop-up or push

CASES = [
    (Case(Where.ACTIVE), deciding.Wait(deciding.PATIENCE, deciding.WAITING)),
    (Case(Where.ACTIVE, age=1), deciding.Wait(deciding.PATIENCE - 1, deciding.WAITING)),
    (Case(Where.ACTIVE, age=4), None),
    (Case(Where.ACTIVE, pops_up=False), deciding.Drop(deciding.AT_WORK)),
    (Case(Where.OPEN), None),
    (Case(Where.OPEN, pops_up=False), None),
    (Case(Where.CLOSED), deciding.Drop(deciding.CLOSED)),
    (Case(Where.CLOSED, wants_when_closed=True), None),
    (Case(Where.OPEN, is_read=True), deciding.Drop(deciding.READ)),
    (Case(Where.OPEN, has_browser=False), deciding.Drop(deciding.NO_BROWSER)),
    (Case(Where.OPEN, age=deciding.TTL + 1), deciding.Drop(deciding.TOO_OLD)),
]


@pytest.mark.req("N-026", "N-027")
@pytest.mark.parametrize(("case", "verdict"), CASES)
def test_where_the_member_is_decides(case, verdict):
    assert decide(case) == verdict


@pytest.mark.req("N-026", "N-027")
@pytest.mark.parametrize(
    ("where", "when_closed", "pushed"),
    [
        (Where.ACTIVE, True, 0),
        (Where.OPEN, False, 1),
        (Where.CLOSED, False, 0),
        (Where.CLOSED, True, 1),
    ],
)
def test_presence_is_looked_up_when_the_push_is_about_to_leave(bob, allowed, where, when_closed, pushed):
    browser = allowed(bob)
    preferences.set_options(bob, pushes_when_closed=when_closed)
    be(bob, where)

    tell(bob)

    assert push() == pushed
    assert len(browser.received) == pushed


@pytest.mark.req("N-023", "N-026")
def test_a_popup_that_no_tab_confirms_becomes_a_push(bob, allowed):
    browser = allowed(bob)
    be(bob, Where.ACTIVE)

    event = tell(bob)
    push()
    row = delivery_of(event)
    assert (row.status, row.attempts, row.error) == (DeliveryStatus.DUE, 0, deciding.WAITING)
    assert row.due_at > timezone.now() + timedelta(seconds=1)

    ago = timezone.now() - timedelta(seconds=5)
    Delivery.objects.filter(pk=row.pk).update(created_at=ago, due_at=ago)

    assert push() == 1
    assert len(browser.received) == 1


@pytest.mark.req("N-023", "N-026")
def test_a_popup_that_was_seen_calls_the_push_off_whenever_it_says_so(bob, allowed):
    browser = allowed(bob)
    be(bob, Where.ACTIVE)
    early, late = tell(bob), tell(bob)
    showing.confirm([(bob.pk, early.pk)])  # before anybody has written the delivery down
    push()

    assert showing.confirm([(bob.pk, late.pk), (bob.pk, late.pk)]) == 1

    for event in (early, late):
        assert (delivery_of(event).status, delivery_of(event).error) == (DeliveryStatus.DROPPED, deciding.SHOWN)
    Delivery.objects.update(due_at=timezone.now())
    assert push() == 0
    assert browser.received == []


def test_a_confirmation_changes_nothing_that_has_left_or_is_not_theirs(bob, carol, allowed):
    allowed(bob)
    be(bob, Where.OPEN)
    event = tell(bob)
    push()

    assert showing.confirm([(bob.pk, event.pk), (carol.pk, event.pk), (bob.pk, 999_999)]) == 0

    assert delivery_of(event).status == DeliveryStatus.SENT
    assert Delivery.objects.filter(channel="browser").count() == 1


def test_what_was_read_meanwhile_is_not_pushed(bob, allowed):
    allowed(bob)
    event = tell(bob)
    Notification.objects.filter(event=event).update(read_at=timezone.now())

    assert push() == 0
    assert delivery_of(event).error == deciding.READ


# --- Addresses (nothing lets the server be sent elsewhere)


@pytest.mark.parametrize(
    "endpoint",
    [
        "",
        "http://push.example.com/x",
        "ftp://push.example.com/x",
        "https://",
        "https:///x",
        "https://localhost/x",
        "https://127.0.0.1/x",
        "https://127.1/x",
        "https://2130706433/x",
        "https://0x7f000001/x",
        "https://0x7f.1/x",
        "https://017700000001/x",
        "https://0.0.0.0/x",
        "https://10.0.0.1/x",
        "https://172.16.3.4/x",
        "https://192.168.1.1/x",
        "https://169.254.169.254/latest/meta-data/",
        "https://100.64.0.1/x",
        "https://224.0.0.1/x",
        "https://255.255.255.255/x",
        "https://[::1]/x",
        "https://[::]/x",
        "https://[fe80::1]/x",
        "https://[fc00::1]/x",
        "https://[::ffff:127.0.0.1]/x",
        "https://[::ffff:10.0.0.1]/x",
        "https://[64:ff9b::7f00:1]/x",
        "https://[2002:7f00:1::]/x",
        "https://8.8.8.8:22/x",
        "https://user:secret@8.8.8.8/x",
        "https://8.8.8.8\\@127.0.0.1/x",
        "https://8.8.8.8/x#part",
        "https://8.8.8.8/ x",
        "https://8.8.8.8/\nx",
        "https://8.8.8.8:99999/x",
        "https://[::1/x",
        "https://8.8.8.8/" + "x" * 2000,
    ],
)
def test_no_address_inside_is_taken(endpoint, settings):
    settings.OUTGOING_LOOPBACK = False
    with pytest.raises(BadAddress):
        outgoing.check(endpoint, resolve=True)


@pytest.mark.parametrize(
    "endpoint", ["https://8.8.8.8/wpush/v2/abc", "https://[2606:4700::1111]/x", "https://8.8.8.8:8443/x"]
)
def test_public_addresses_are_taken(endpoint):
    outgoing.check(endpoint, resolve=True)


def test_before_each_push_the_address_is_looked_at_again(settings):
    settings.OUTGOING_LOOPBACK = True
    assert outgoing.may_receive("http://127.0.0.1:4000/x")

    settings.OUTGOING_LOOPBACK = False
    assert not outgoing.may_receive("http://127.0.0.1:4000/x")
    assert not outgoing.may_receive("https://8.8.8.8/ x")
    assert not outgoing.may_receive("8.8.8.8/x")
    assert outgoing.may_receive("https://8.8.8.8/x")
    assert outgoing.origin_of("https://8.8.8.8:8443?/a") == "https://8.8.8.8:8443"


def test_a_name_in_other_letters_is_asked_for_in_its_ascii_form():
    with pytest.raises(BadAddress, match="ASCII form, which begins with xn--"):
        outgoing.check("https://bücher.example/hook", resolve=False)
    outgoing.check("https://xn--bcher-kva.example/hook", resolve=False)


def test_a_name_that_leads_inside_is_refused(settings, monkeypatch):
    inside = [(2, 1, 6, "", ("8.8.8.8", 443)), (2, 1, 6, "", ("10.1.2.3", 443))]
    monkeypatch.setattr("socket.getaddrinfo", lambda *_args, **_more: inside)

    with pytest.raises(BadAddress):
        outgoing.check("https://push.example.com/x", resolve=True)


def test_a_name_that_leads_inside_only_later_is_refused_when_it_is_sent(bob, service, settings, monkeypatch):
    offer = offer_of(Receiver(service))
    monkeypatch.setattr("socket.getaddrinfo", lambda *_args, **_more: [(2, 1, 6, "", ("8.8.8.8", 443))])
    subscribing.keep(bob.user, Offer("https://push.example.com/x", offer.p256dh, offer.auth))
    preferences.set_options(bob, pushes_when_closed=True)
    monkeypatch.setattr("socket.getaddrinfo", lambda *_args, **_more: [(2, 1, 6, "", ("10.1.2.3", 443))])

    event = tell(bob)
    push()

    row = delivery_of(event)
    assert (row.status, row.error) == (DeliveryStatus.FAILED, outgoing.NOT_PUBLIC)
    assert service.posts == []


# --- What is in a push


@pytest.mark.parametrize(
    ("title", "body"),
    [
        ("Short", "Short"),
        ("Short", "x" * 10_000),
        ("Short", "ö" * 10_000),
        ("Short", '"\\\n' * 5_000),
        ("😀" * 3_000, "😀" * 3_000),
        ("x" * 5_000, ""),
    ],
)
def test_a_payload_fits_and_keeps_its_title_as_long_as_it_can(title, body):
    packed = payloads.packed(
        event_id=7, hub_id=1001, title=title, body=body, url="/1001/", page="", topic="Deals", language="en"
    )

    said = json.loads(packed)
    assert len(packed) <= payloads.MOST
    assert said["title"]
    assert said["title"] == title or said["body"] == ""
    if (said["title"], said["body"]) != (title, body):
        assert len(packed) > payloads.MOST - 20


# --- Taking browsers in


def test_a_browser_is_one_row_and_belongs_to_whoever_is_signed_in_there(bob, carol, service):
    offer = offer_of(Receiver(service))

    subscribing.keep(bob.user, offer)
    subscribing.keep(bob.user, offer)
    subscribing.keep(carol.user, offer)

    assert [row.user for row in BrowserSubscription.objects.all()] == [carol.user]


def test_a_new_subscription_of_the_same_browser_takes_the_place_of_the_old_one(bob, carol, service):
    old, new = offer_of(Receiver(service)), offer_of(Receiver(service))
    subscribing.keep(bob.user, old, user_agent="Firefox/153.0 Linux")

    with pytest.raises(subscribing.UnknownBrowser):
        subscribing.renew(carol.user, new, replaces=old.endpoint)
    subscribing.renew(bob.user, new, replaces=old.endpoint)

    row = BrowserSubscription.objects.get()
    assert (row.endpoint, row.browser) == (new.endpoint, "Firefox on Linux")


def test_a_browser_that_was_forgotten_comes_back_only_when_it_is_asked_for(bob, carol, service):
    offer, moved = offer_of(Receiver(service)), offer_of(Receiver(service))
    subscribing.forget(bob.user, subscribing.keep(bob.user, offer).pk)

    with pytest.raises(subscribing.Forgotten):
        subscribing.keep(bob.user, offer)
    with pytest.raises(subscribing.Forgotten):
        subscribing.keep(bob.user, moved, replaces=offer.endpoint)
    assert not BrowserSubscription.objects.exists()
    subscribing.keep(carol.user, offer)  # she forgot nothing

    subscribing.keep(bob.user, offer, is_asked=True)
    BrowserSubscription.objects.all().delete()  # lost, and by nobody's wish
    assert subscribing.keep(bob.user, offer).user == bob.user


def test_the_browser_seen_longest_ago_makes_room(bob, service, monkeypatch):
    monkeypatch.setattr(subscribing, "MOST", 2)
    offers = [offer_of(Receiver(service)) for _ in range(3)]
    for offer in offers:
        subscribing.keep(bob.user, offer)

    assert {row.endpoint for row in BrowserSubscription.objects.all()} == {offer.endpoint for offer in offers[1:]}


@pytest.mark.parametrize(
    ("p256dh", "auth"), [("", ""), ("AAAA", "AAAA"), ("B" * 87, "A" * 22), ("ä" * 87, "A" * 22), ("A" * 9000, "x")]
)
def test_keys_that_are_none_are_refused(bob, service, p256dh, auth):
    with pytest.raises(subscribing.BadSubscription):
        subscribing.keep(bob.user, Offer(f"{service.url}/x", p256dh, auth))
    assert not BrowserSubscription.objects.exists()


def test_without_keys_of_ours_nothing_is_taken_in_and_it_is_said(bob, service, settings):
    settings.VAPID_PRIVATE_KEY = ""

    with pytest.raises(subscribing.NoPush, match="no keys"):
        subscribing.keep(bob.user, offer_of(Receiver(service)))


def test_a_browser_that_was_silent_for_a_week_says_so(bob, allowed):
    allowed(bob)
    row = BrowserSubscription.objects.get()
    assert not row.is_silent

    row.created_at = row.last_success_at = timezone.now() - timedelta(days=8)

    assert row.is_silent


def test_what_pops_up_by_default_also_goes_to_the_browser():
    for kind in types.TYPES.values():
        assert ("popup" in kind.defaults and "browser" in kind.offered) == ("browser" in kind.defaults), kind
