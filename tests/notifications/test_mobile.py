"""The mobile channel: web push to phones, when they ring, and the app's own settings."""

import re
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from accounts.models import Membership
from config.local import new_vapid_key
from notifications import bell, defaults, delivering, events, fanout, live, phones, preferences, types
from notifications.channels import CARRIER
from notifications.defaults import Change
from notifications.models import BrowserSubscription, Delivery, DeliveryStatus, Event, Notification
from notifications.push import deciding, showing, subscribing
from notifications.push.deciding import Case, Where, decide_for_phone
from notifications.push.subscribing import Offer
from notifications.resolution import Layer
from tests.notifications.test_push import be
from tests.push_service import PushService, Receiver

KIND = types.TYPES["deals.mentioned"]
ANDROID = "Mozilla/5.0 (Linux; Android 16; Pixel 9) AppleWebKit/537.36 Chrome/150.0.0.0 Mobile Safari/537.36"
IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605.1.15 Version/19.0 Mobile Safari/604.1"


@pytest.fixture
def service(settings: Settings) -> Iterator[PushService]:
    settings.VAPID_PRIVATE_KEY, settings.VAPID_SUBJECT = new_vapid_key(), "mailto:push@example.com"
    settings.OUTGOING_LOOPBACK = True
    live.client().flushdb()
    server = PushService().start()
    yield server
    server.stop()


@pytest.fixture
def allowed(service: PushService) -> Callable[..., Receiver]:
    """A member allows notifications on a phone: `allowed(bob)`; on a computer: `allowed(bob, is_phone=False)`."""

    def allow(member: Membership, *, is_phone: bool = True, user_agent: str = ANDROID) -> Receiver:
        receiver = Receiver(service)
        given = receiver.subscription
        offer = Offer(given["endpoint"], **given["keys"], is_phone=is_phone, is_installed=is_phone)
        subscribing.keep(member.user, offer, user_agent=user_agent)
        return receiver

    return allow


def tell(*members: Membership) -> Event:
    event = events.emit(KIND, audience=list(members), data=dict(KIND.example))
    fanout.run_due()
    return event


def push(channel: str = "mobile") -> int:
    return delivering.run_due(CARRIER[channel])


def delivery_of(event: Event) -> Delivery:
    return Delivery.objects.get(event=event, channel="mobile")


@pytest.mark.req("N-037")
def test_a_notification_is_pushed_to_the_phone_with_what_is_unread(bob, allowed):
    phone = allowed(bob)
    tell(bob)
    event = tell(bob)

    assert push() == 2
    said = phone.received[-1]
    assert (said["id"], said["hub"], said["unread"]) == (event.pk, 1001, 2)
    assert said["url"] == f"/1001/notifications/{event.pk}/open/"
    assert delivery_of(event).status == DeliveryStatus.SENT
    assert BrowserSubscription.objects.get().last_success_at is not None


@pytest.mark.req("N-037")
def test_the_phone_is_the_phones_and_the_browser_the_computers(bob, allowed):
    phone, computer = allowed(bob), allowed(bob, is_phone=False)
    be(bob, Where.OPEN)

    tell(bob)

    assert (push("browser"), len(computer.received), len(phone.received)) == (1, 1, 0)
    assert (push("mobile"), len(computer.received), len(phone.received)) == (1, 1, 1)
    assert "unread" not in computer.received[0]


def test_nothing_waits_for_whoever_has_no_phone(bob, carol, allowed):
    allowed(bob)
    allowed(carol, is_phone=False)

    event = tell(bob, carol)

    bit = CARRIER["mobile"].bit
    assert {row.member_id: row.waiting & bit for row in Notification.objects.filter(event=event)} == {
        bob.pk: bit,
        carol.pk: 0,
    }


CASES = [
    (Case(Where.CLOSED), None),
    (Case(Where.OPEN), None),
    (Case(Where.ACTIVE), deciding.Wait(deciding.LOOK_AGAIN, deciding.STILL_AT_WORK)),
    (Case(Where.ACTIVE, age=145), deciding.Wait(5, deciding.STILL_AT_WORK)),
    (Case(Where.ACTIVE, age=deciding.AT_HAND), deciding.Drop(deciding.AT_HAND_ALL_THE_TIME)),
    (Case(Where.ACTIVE, pops_up=False), None),
    (Case(Where.CLOSED, is_read=True), deciding.Drop(deciding.READ)),
    (Case(Where.CLOSED, has_browser=False), deciding.Drop(deciding.NO_PHONE)),
    (Case(Where.OPEN, age=deciding.TTL + 1), deciding.Drop(deciding.TOO_OLD)),
]


@pytest.mark.req("N-037")
@pytest.mark.parametrize(("case", "verdict"), CASES)
def test_the_phone_rings_unless_the_member_sees_it_where_they_are(case, verdict):
    assert decide_for_phone(case) == verdict


def test_a_phone_waits_longer_than_a_tab_believes_in_its_user():
    idle = re.search(r"const IDLE = ([\d_]+);", (live_js := _script("live.js")))
    assert idle, live_js
    assert int(idle[1].replace("_", "")) / 1000 < deciding.AT_HAND


def _script(name: str) -> str:
    from django.conf import settings

    return str((settings.BASE_DIR / "static/js" / name).read_text())


@pytest.mark.req("N-037")
def test_who_leaves_the_computer_hears_it_from_the_phone(bob, allowed):
    phone = allowed(bob)
    be(bob, Where.ACTIVE)
    event = tell(bob)
    showing.confirm([(bob.pk, event.pk)])

    assert push() == 0
    assert (delivery_of(event).status, delivery_of(event).error) == (DeliveryStatus.DUE, deciding.STILL_AT_WORK)

    live.client().flushdb()
    Delivery.objects.update(due_at=timezone.now())

    assert push() == 1
    assert len(phone.received) == 1


@pytest.mark.req("N-037")
def test_what_is_read_on_the_computer_does_not_ring(bob, allowed):
    phone = allowed(bob)
    be(bob, Where.ACTIVE)
    event = tell(bob)
    push()

    bell.mark_read(bob, [event.pk])
    Delivery.objects.update(due_at=timezone.now())
    push()

    assert (delivery_of(event).status, delivery_of(event).error) == (DeliveryStatus.DROPPED, deciding.READ)
    assert phone.received == []


def test_who_went_on_working_is_left_in_peace(bob, allowed):
    phone = allowed(bob)
    be(bob, Where.ACTIVE)
    event = tell(bob)
    push()

    Delivery.objects.update(due_at=timezone.now(), created_at=timezone.now() - timedelta(seconds=deciding.AT_HAND + 1))
    push()

    assert delivery_of(event).error == deciding.AT_HAND_ALL_THE_TIME
    assert phone.received == []


def test_what_pops_up_by_default_also_goes_to_the_phone_and_website_visits_stay_with_mail():
    for kind in types.TYPES.values():
        assert ("popup" in kind.defaults and "mobile" in kind.offered) == ("mobile" in kind.defaults), kind
    assert {kind.offered for kind in types.TYPES.values() if kind.topic.key == "website_visits"} == {
        frozenset({"email"})
    }


def test_an_account_default_and_a_lock_hold_for_the_phone_as_for_every_channel(account, alice, bob, allowed):
    account.plan = "enterprise"
    account.save()
    allowed(bob)
    cell = (KIND.key, "mobile")

    defaults.apply(account, Change(layer=Layer.DEFAULT, cells={cell: False}), by=alice)
    assert not _cell(bob).is_on
    defaults.apply(account, Change(layer=Layer.LOCK, cells={cell: True}, reason="On call."), by=alice)

    assert (_cell(bob).is_on, _cell(bob).is_changeable) == (True, False)


def _cell(member: Membership) -> preferences.CellState:
    return next(cell for cell in preferences.standing(member, [KIND]).cells(KIND) if cell.channel.key == "mobile")


# --- Taking phones in


def send(client, name: str, content: dict[str, object], user_agent: str):
    return client.post(
        reverse(f"notifications:{name}", kwargs={"hub_id": 1001}),
        content,
        content_type="application/json",
        HTTP_USER_AGENT=user_agent,
    )


@pytest.mark.req("N-037")
@pytest.mark.parametrize(
    ("told", "user_agent", "is_phone", "name"),
    [
        ({"isPhone": True, "isInstalled": True}, IPHONE, True, "Bellhop on iPhone"),
        ({"isPhone": True, "isInstalled": False}, ANDROID, True, "Chrome on Android"),
        ({}, ANDROID, False, "Chrome on Android"),  # a page from before phones were told apart
        ({"isPhone": "yes"}, ANDROID, False, "Chrome on Android"),
    ],
)
def test_the_page_says_whether_it_is_on_a_phone(client, bob, service, told, user_agent, is_phone, name):
    client.force_login(bob.user)

    send(client, "push-keep", Receiver(service).subscription | told, user_agent)

    row = BrowserSubscription.objects.get()
    assert (row.is_phone, row.browser) == (is_phone, name)


def test_a_phone_known_as_a_browser_becomes_a_phone_on_its_next_page(client, bob, service):
    client.force_login(bob.user)
    content = Receiver(service).subscription
    send(client, "push-keep", content, ANDROID)

    send(client, "push-keep", content | {"isPhone": True}, ANDROID)

    assert BrowserSubscription.objects.get().is_phone


def test_a_phone_that_renews_by_itself_stays_a_phone(bob, allowed, service):
    old = allowed(bob)
    new = Receiver(service).subscription

    subscribing.renew(bob.user, Offer(new["endpoint"], **new["keys"]), replaces=old.endpoint)

    row = BrowserSubscription.objects.get()
    assert (row.is_phone, row.browser) == (True, "Bellhop on Android")


# --- The tab on the computer, and the app's own settings


def url(name: str, **given: object) -> str:
    return reverse(f"notifications:{name}", kwargs={"hub_id": 1001, **given})


@pytest.fixture
def as_bob(client, bob):
    client.force_login(bob.user)
    return client


@pytest.mark.req("N-038")
def test_the_tab_on_the_computer_has_the_way_onto_the_phone_and_no_cells(as_bob, settings):
    page = as_bob.get(url("settings-mobile")).content.decode()

    assert f"{settings.BASE_URL}/1001/settings/notifications/phone/" in page
    assert '<svg class="qr"' in page
    assert "the app’s own settings" in page
    assert "preference-grid" not in page
    assert "No phone yet" in page
    assert "begin with https://" in page  # this installation's address does not


@pytest.mark.req("N-038")
@pytest.mark.parametrize("user_agent", [ANDROID, IPHONE])
def test_on_a_phone_the_tab_leads_to_the_apps_own_settings(as_bob, user_agent):
    answer = as_bob.get(url("settings-mobile"), HTTP_USER_AGENT=user_agent)

    assert answer["Location"] == url("settings-phone")


@pytest.mark.req("N-038")
def test_the_apps_own_settings_hold_the_mobile_column_and_save_it(as_bob, bob):
    page = as_bob.get(url("settings-phone")).content.decode()
    assert 'id="switch-mobile"' in page
    assert 'id="switch-popup"' not in page
    assert "deals-mentioned-mobile" in page
    assert "website_visits" not in page.split("told by e-mail only")[0]

    answer = as_bob.post(url("settings-cell", tab="phone"), {"set": "deals.mentioned/mobile/off"})

    assert answer["Location"] == url("settings-phone")
    assert not _cell(bob).is_on
    assert "On this phone" in as_bob.get(answer["Location"]).content.decode()


@pytest.mark.req("N-037")
def test_ones_phones_are_listed_tested_and_forgotten_and_nobody_elses(as_bob, bob, carol, allowed):
    phone, carols = allowed(bob, user_agent=IPHONE), allowed(carol)
    allowed(bob, is_phone=False, user_agent="Firefox/153.0 Linux")
    (mine,), (hers,) = phones.of(bob.user), phones.of(carol.user)

    page = as_bob.get(url("settings-mobile")).content.decode()
    assert "Bellhop on iPhone" in page
    assert "Android" not in page.split('id="my-phones"')[1]
    assert "Firefox on Linux" not in page
    assert "wpush" not in page

    tested = as_bob.post(url("phone-test"), {"phone": mine.ref}, follow=True).content.decode()
    assert "Sent." in tested
    assert "Last success" in tested
    assert [said["title"] for said in phone.received] == ["This is a test"]
    assert phone.received[0]["url"] == url("settings-phone")

    for door in ("phone-test", "phone-forget"):
        for ref in (hers.ref, "web-x", "web-²", "native-1", "", "web-" + "9" * 40):
            refused = as_bob.post(url(door), {"phone": ref}, follow=True).content.decode()
            assert "not in your list any more" in refused
    assert carols.received == []

    as_bob.post(url("phone-forget"), {"phone": mine.ref})
    assert phones.of(bob.user) == []
    assert phones.of(carol.user) == [hers]


def test_the_desktop_tab_lists_no_phones(as_bob, bob, allowed):
    allowed(bob)

    assert "Bellhop on Android" not in as_bob.get(url("settings-desktop")).content.decode()
