"""Native applications at their protocol boundary: local services that check as Google's and Apple's do."""

import dataclasses
import logging
from collections.abc import Iterator
from datetime import timedelta

import httpx
import pytest
from django.utils import timezone
from pytest_django import Settings

from accounts import sealing
from accounts.models import Membership
from notifications import delivering, events, fanout, live, phones, rendering, types
from notifications.channels import CARRIER
from notifications.channels.base import Parcel
from notifications.models import BrowserSubscription, Delivery, DeliveryStatus, Device, Event
from notifications.native import apns, devices, fcm, jobs, sending
from notifications.push import deciding
from tests import factories, native_services
from tests.native_services import NativeServices

KIND = types.TYPES["deals.mentioned"]
ANDROID, IPHONE = "fcm", "apns"
TOKENS = {ANDROID: "fGx7:APA91b_{}-token-of-an-android-phone", IPHONE: "{:0>64}"}


@pytest.fixture
def services(settings: Settings) -> Iterator[NativeServices]:
    server = NativeServices().start()
    settings.FCM_URL = settings.APNS_URL = server.url
    settings.FCM_CREDENTIALS = server.fcm_credentials
    settings.APNS_KEY, settings.APNS_KEY_ID = server.apns_key, native_services.KEY_ID
    settings.APNS_TEAM_ID, settings.APNS_TOPIC = native_services.TEAM, native_services.TOPIC
    live.client().flushdb()
    yield server
    server.stop()


def token_of(platform: str, number: int = 1) -> str:
    return TOKENS[platform].format(number)


def register(member: Membership, platform: str, number: int = 1, *, program: bool = False, **more: str) -> Device:
    return devices.register(member, platform, token_of(platform, number), program=program, **more).device


def tell(*members: Membership, **data: str) -> Event:
    event = events.emit(KIND, audience=list(members), data=dict(KIND.example) | data)
    fanout.run_due()
    return event


def push() -> int:
    return delivering.run_due(CARRIER["mobile"])


def delivery_of(event: Event) -> Delivery:
    return Delivery.objects.get(event=event, channel="mobile")


BOTH = pytest.mark.parametrize("platform", [ANDROID, IPHONE])


@pytest.mark.req("N-037")
def test_an_android_phone_gets_title_text_and_where_it_leads(bob, services, settings):
    register(bob, ANDROID)

    event = tell(bob, actor="Ann", deal="Oak")

    assert push() == 1
    (post,) = services.posts
    assert post.status == 200
    assert post.body["notification"]["title"] == "Ann mentioned you on the deal “Oak”"
    where = f"{settings.BASE_URL}/1001/notifications/{event.pk}/open/"
    assert (post.body["data"]["id"], post.body["data"]["url"]) == (str(event.pk), where)
    android = post.body["android"]
    assert (android["collapse_key"], android["ttl"]) == (f"n{event.pk}", f"{deciding.TTL}s")
    assert android["notification"] == {"tag": f"bellhop-{event.pk}", "notification_count": 1}
    assert (delivery_of(event).status, delivery_of(event).sent_to) == (
        DeliveryStatus.SENT,
        "Firebase Cloud Messaging",
    )
    assert Device.objects.get().last_success_at is not None


@pytest.mark.req("N-037")
def test_an_iphone_gets_it_over_http_2_with_a_signature_and_the_number_on_the_icon(bob, services):
    register(bob, IPHONE)

    event = tell(bob, actor="Ann", deal="Oak")

    assert push() == 1
    (post,) = services.posts
    assert (post.status, post.version) == (200, "2")
    assert post.body["aps"]["alert"]["title"] == "Ann mentioned you on the deal “Oak”"
    assert (post.body["aps"]["badge"], post.body["id"]) == (1, str(event.pk))
    assert post.headers["apns-collapse-id"] == f"n{event.pk}"
    assert post.headers["apns-push-type"] == "alert"
    assert int(post.headers["apns-expiration"]) > timezone.now().timestamp() + deciding.TTL - 60


def test_all_phones_of_a_person_get_it_and_one_that_took_it_is_enough(bob, services):
    register(bob, ANDROID)
    register(bob, IPHONE)
    services.answer(503, to=token_of(IPHONE))

    event = tell(bob)

    assert push() == 1
    assert {(post.token, post.status) for post in services.posts} == {
        (token_of(ANDROID), 200),
        (token_of(IPHONE), 503),
    }
    assert delivery_of(event).status == DeliveryStatus.SENT
    assert Device.objects.get(platform=IPHONE).last_error


UNREGISTERED = {
    "error": {
        "status": "NOT_FOUND",
        "message": "Requested entity was not found.",
        "details": [{"@type": "type.googleapis.com/google.firebase.fcm.v1.FcmError", "errorCode": "UNREGISTERED"}],
    }
}


@pytest.mark.parametrize(
    ("platform", "status", "said"),
    [
        (ANDROID, 404, UNREGISTERED),
        (IPHONE, 410, {"reason": "Unregistered", "timestamp": 1}),
        (IPHONE, 410, {"reason": "ExpiredToken"}),
        (IPHONE, 400, {"reason": "BadDeviceToken"}),
    ],
)
def test_a_device_that_is_gone_is_forgotten_and_only_that_one(bob, services, platform, status, said):
    register(bob, platform, 1)
    other = register(bob, platform, 2)
    services.answer(status, said, to=token_of(platform, 1))

    event = tell(bob)

    assert push() == 1
    assert list(Device.objects.all()) == [other]
    assert delivery_of(event).status == DeliveryStatus.SENT


@pytest.mark.parametrize(
    ("platform", "status", "said"),
    [
        (ANDROID, 400, {"error": {"status": "INVALID_ARGUMENT", "message": "no"}}),
        (ANDROID, 403, {"error": {"status": "PERMISSION_DENIED", "details": [{"errorCode": "SENDER_ID_MISMATCH"}]}}),
        (ANDROID, 404, {"error": {"status": "NOT_FOUND", "message": "no such project"}}),
        (ANDROID, 404, {}),
        (IPHONE, 400, {"reason": "DeviceTokenNotForTopic"}),
        (IPHONE, 403, {"reason": "InvalidProviderToken"}),
        (IPHONE, 403, {"reason": "ExpiredProviderToken"}),
        (IPHONE, 413, {"reason": "PayloadTooLarge"}),
        (IPHONE, 302, {}),
    ],
)
def test_our_own_faults_prune_nothing_and_say_what_was_answered(bob, services, platform, status, said):
    register(bob, platform)
    services.answer(status, said)

    event = tell(bob)
    push()

    row = delivery_of(event)
    assert row.status == DeliveryStatus.FAILED
    assert f"answered {status}" in row.error
    assert Device.objects.get().last_error == row.error
    assert len(services.posts) == 1


@BOTH
@pytest.mark.parametrize("status", [429, 500, 503])
def test_what_is_asked_to_wait_waits_as_long_as_it_is_told(bob, services, platform, status):
    register(bob, platform)
    services.answer(status, Retry_After="1800")

    event = tell(bob)
    push()

    row = delivery_of(event)
    assert row.status == DeliveryStatus.DUE
    assert timedelta(minutes=29) < row.due_at - timezone.now() <= timedelta(minutes=30)
    assert Device.objects.count() == 1


@BOTH
def test_a_service_that_is_not_there_is_tried_later(bob, services, platform, settings):
    register(bob, platform)
    if platform == ANDROID:
        settings.FCM_URL = "http://127.0.0.1:9"
    else:
        settings.APNS_URL = "http://127.0.0.1:9"

    event = tell(bob)
    push()

    row = delivery_of(event)
    assert (row.status, row.is_repeat_possible) == (DeliveryStatus.DUE, False)
    assert "cannot be reached" in row.error


@BOTH
def test_a_service_that_does_not_answer_may_have_taken_it(bob, services, platform, monkeypatch):
    monkeypatch.setattr(sending, "TIMEOUT", httpx.Timeout(0.5))
    register(bob, platform)
    services.answer(200, after=1)

    event = tell(bob)
    push()

    row = delivery_of(event)
    assert (row.status, row.is_repeat_possible) == (DeliveryStatus.DUE, True)


def test_the_access_token_is_asked_for_once_and_anew_when_it_is_refused(bob, services):
    register(bob, ANDROID)
    tell(bob)
    tell(bob)
    assert push() == 2
    assert len(services.access_tokens) == 1

    services.access_tokens[:] = ["another"]  # the one we have ended early
    event = tell(bob)

    assert push() == 1
    assert [post.status for post in services.posts] == [200, 200, 401, 200]
    assert delivery_of(event).status == DeliveryStatus.SENT


@pytest.mark.parametrize(
    ("status", "said", "is_tried_again"),
    [(400, {"error": "invalid_grant", "error_description": "Invalid JWT Signature."}, False), (503, {}, True)],
)
def test_credentials_that_google_refuses_prune_nothing(bob, services, settings, status, said, is_tried_again):
    settings.FCM_CREDENTIALS = settings.FCM_CREDENTIALS | {"client_email": f"other-{status}@example.com"}
    register(bob, ANDROID)
    services.answer(status, said, to="token", times=9)

    event = tell(bob)
    push()

    row = delivery_of(event)
    assert row.status == (DeliveryStatus.DUE if is_tried_again else DeliveryStatus.FAILED)
    assert "refused the credentials" in row.error
    assert Device.objects.count() == 1
    assert services.posts == []


def test_apples_signature_is_used_again(bob, services):
    register(bob, IPHONE)
    for _ in range(3):
        tell(bob)

    assert push() == 3
    assert len(services.signatures) == 1


@BOTH
def test_many_are_under_way_at_once_but_not_too_many(account, services, platform):
    people = factories.members(account, 150)
    for number, member in enumerate(people):
        register(member, platform, number + 1)
    services.answer(503, times=150, after=0.2)

    tell(*people)
    push()

    assert 10 < services.most_at_once <= sending.AT_ONCE
    assert Delivery.objects.filter(channel="mobile", status=DeliveryStatus.DUE, attempts=1).count() == 150


@BOTH
@pytest.mark.parametrize("text", ["x" * 10_000, "ö" * 10_000, '"\\\n' * 5_000, "😀" * 3_000])
def test_a_payload_fits_and_keeps_its_title_as_long_as_it_can(platform, text):
    job = jobs.DeviceJob(
        ref=1, row_id=1, platform=platform, address="x", token=token_of(platform), event_id=7, title="Short", body=text,
        data={"id": "7", "hub": "1001", "url": "https://bellhop.example.com/1001/", "topic": "Deals"}, unread=3,
    )  # fmt: skip
    packed = fcm.body(job) if platform == ANDROID else apns.body(job)

    assert b"Short" in packed
    assert len(packed) - (len(job.token) if platform == ANDROID else 0) <= jobs.MOST
    assert len(packed) > jobs.MOST - 40
    longer = dataclasses.replace(job, title=text)
    assert len(apns.body(longer)) <= jobs.MOST


# --- Nothing is configured


def test_without_credentials_the_list_says_so_and_nothing_fails(bob, settings):
    settings.FCM_CREDENTIALS, settings.APNS_KEY = {}, ""
    live.client().flushdb()
    register(bob, ANDROID)

    event = tell(bob)
    push()

    assert (delivery_of(event).status, delivery_of(event).error) == (DeliveryStatus.DROPPED, deciding.NO_PHONE)
    (phone,) = phones.of(bob.user)
    assert phone.why_not == jobs.NO_FCM
    with pytest.raises(devices.NotDelivered, match="no credentials"):
        phones.send_test(bob, phone.ref)


def test_the_platform_that_has_credentials_gets_it_beside_one_that_has_none(bob, services, settings):
    settings.APNS_KEY = ""
    register(bob, ANDROID)
    register(bob, IPHONE)

    tell(bob)

    assert push() == 1
    assert [post.token for post in services.posts] == [token_of(ANDROID)]


# --- Devices


def test_a_token_is_sealed_and_one_row_however_often_it_is_registered(bob, carol, services):
    first = devices.register(bob, IPHONE, "AB" * 32, program=False)
    again = devices.register(bob, IPHONE, "ab" * 32, program=False, name="Bob’s iPhone")
    others = devices.register(carol, IPHONE, "ab" * 32, program=False)

    assert (first.is_new, again.is_new, others.is_new) == (True, False, False)
    row = Device.objects.get()
    assert row.user == carol.user
    assert "ab" * 32 not in row.token
    assert sealing.unseal(row.token) == "ab" * 32


def test_a_token_stands_in_no_log(bob, services, caplog):
    register(bob, IPHONE)
    caplog.set_level(logging.DEBUG)
    tell(bob)

    assert push() == 1
    assert token_of(IPHONE) not in caplog.text


def test_a_refreshed_token_takes_the_place_of_the_old_one(bob, services):
    register(bob, ANDROID, 1)

    register(bob, ANDROID, 2, replaces=token_of(ANDROID, 1))

    assert [sealing.unseal(row.token) for row in Device.objects.all()] == [token_of(ANDROID, 2)]


def test_nobody_replaces_the_device_of_somebody_else(bob, carol, services):
    register(carol, ANDROID, 1)

    register(bob, ANDROID, 2, replaces=token_of(ANDROID, 1))

    assert Device.objects.count() == 2


def test_the_device_seen_longest_ago_makes_room(bob, services, monkeypatch):
    monkeypatch.setattr(devices, "MOST", 2)
    for number in (1, 2, 3):
        register(bob, ANDROID, number)

    assert {sealing.unseal(row.token) for row in Device.objects.all()} == {token_of(ANDROID, 2), token_of(ANDROID, 3)}


@pytest.mark.parametrize(
    ("platform", "token"),
    [
        (ANDROID, ""),
        (ANDROID, "short"),
        (ANDROID, "x" * 5000),
        (ANDROID, "with space in the middle of it"),
        (ANDROID, "ümläut" * 5),
        (IPHONE, "x" * 64),
        (IPHONE, "ab" * 20),
        (IPHONE, "../" * 22),
        (IPHONE, "ab" * 200),
    ],
)
def test_what_is_no_token_is_refused(bob, platform, token):
    with pytest.raises(devices.BadToken):
        devices.register(bob, platform, token, program=False)
    assert not Device.objects.exists()


def test_a_device_that_a_program_registered_hears_of_its_account_only(bob, next_door, services):
    there = factories.member(next_door, "bob")
    assert there.user_id == bob.user_id
    register(there, ANDROID, program=True)

    here_event, there_event = tell(bob), tell(there)

    assert push() == 1
    assert not Delivery.objects.filter(event=here_event, channel="mobile").exists()
    assert delivery_of(there_event).status == DeliveryStatus.SENT
    assert not CARRIER["mobile"].reaches(bob)
    assert CARRIER["mobile"].reaches(there)


def test_a_program_takes_nothing_away_from_what_the_person_registered(bob, services):
    register(bob, ANDROID)
    register(bob, ANDROID, program=True)

    assert Device.objects.get().account is None


def test_a_token_that_no_key_opens_any_more_is_said_and_skipped(bob, services, settings):
    register(bob, ANDROID)
    register(bob, IPHONE)
    Device.objects.filter(platform=ANDROID).update(token="nothing of ours")

    tell(bob)

    assert push() == 1
    assert "cannot be read" in Device.objects.get(platform=ANDROID).last_error


def test_a_test_reaches_the_device_and_a_device_that_is_gone_leaves_the_list(bob, services):
    register(bob, IPHONE, name="Bob’s iPhone")
    (phone,) = phones.of(bob.user)
    assert (phone.name, phone.why_not) == ("Bob’s iPhone", "")

    assert "Sent." in phones.send_test(bob, phone.ref)
    assert services.posts[0].body["aps"]["alert"]["title"] == "This is a test"
    services.answer(410, {"reason": "Unregistered"})
    with pytest.raises(devices.NotDelivered, match="no longer on that phone"):
        phones.send_test(bob, phone.ref)
    assert phones.of(bob.user) == []


def test_phones_of_both_kinds_stand_in_one_list_and_are_forgotten(bob, carol, services, client):
    register(bob, ANDROID, name="Bob’s Pixel")
    BrowserSubscription.objects.create(
        user=bob.user, endpoint="https://8.8.8.8/x", p256dh="x", auth="x", is_phone=True, browser="Bellhop on iPhone"
    )
    client.force_login(bob.user)

    page = client.get("/1001/settings/notifications/mobile/").content.decode()

    assert "Bob’s Pixel" in page
    assert "Bellhop on iPhone" in page
    with pytest.raises(phones.UnknownPhone):
        phones.forget(carol.user, phones.of(bob.user)[0].ref)
    for phone in phones.of(bob.user):
        phones.forget(bob.user, phone.ref)
    assert phones.of(bob.user) == []


def test_every_type_can_be_carried_to_a_phone(services):
    for kind in types.TYPES.values():
        message = rendering.render(kind.key, kind.example, language="en")
        parcel = Parcel(1, 7, 1, kind.key, "Bob", "bob@example.com", 1001, "Nordic Oak", "en", message)
        device = Device(pk=1, platform=IPHONE, token=sealing.seal("ab" * 32), token_digest="x")
        job = devices.job_for(parcel, device)
        assert job
        assert message.title.encode() in apns.body(job)
