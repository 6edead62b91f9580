"""The doors of web push: keeping, testing and forgetting a browser, the worker's script, and what the tab says."""

import asyncio
import json
import re
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.conf import settings as project
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from accounts.models import Membership
from config.local import new_vapid_key
from notifications import events, examples, fanout, hub, live, presence, types
from notifications.models import BrowserSubscription, Delivery, DeliveryStatus, MemberSettings
from notifications.push import deciding, subscribing
from notifications.push.deciding import Where
from tests.notifications.test_consumers import Tab, signed_in, stop_listening, talk
from tests.push_service import PushService, Receiver

KIND = types.TYPES["deals.mentioned"]


@pytest.fixture
def service(settings: Settings) -> Iterator[PushService]:
    settings.VAPID_PRIVATE_KEY, settings.VAPID_SUBJECT = new_vapid_key(), "mailto:push@example.com"
    settings.OUTGOING_LOOPBACK = True
    server = PushService().start()
    yield server
    server.stop()


@pytest.fixture
def as_bob(client: Client, bob: Membership) -> Client:
    client.force_login(bob.user)
    return client


def url(name: str, hub_id: int = 1001) -> str:
    return reverse(f"notifications:{name}", kwargs={"hub_id": hub_id})


def send(client: Client, name: str, content: object) -> Any:
    return client.post(url(name), json.dumps(content), content_type="application/json")


def test_a_browser_is_kept_with_a_name_people_know(as_bob, bob, service):
    browser = Receiver(service)

    answer = as_bob.post(
        url("push-keep"),
        json.dumps(browser.subscription),
        content_type="application/json",
        HTTP_USER_AGENT="Mozilla/5.0 (X11; Linux x86_64; rv:153.0) Gecko/20100101 Firefox/153.0",
    )

    assert answer.status_code == 200
    assert answer.json()["key"]
    row = BrowserSubscription.objects.get()
    assert (row.user, row.browser, row.endpoint) == (bob.user, "Firefox on Linux", browser.endpoint)


@pytest.mark.parametrize("name", ["push-keep", "push-test", "push-forget"])
def test_a_stranger_and_the_neighbour_find_nothing(client, account, mallory, service, name):
    assert client.post(url(name)).status_code == 302
    client.force_login(mallory.user)
    assert client.post(url(name)).status_code == 404
    assert not BrowserSubscription.objects.exists()


@pytest.mark.parametrize(
    "content",
    [
        None,
        [],
        "text",
        {},
        {"endpoint": 7, "keys": []},
        {"endpoint": "https://8.8.8.8/x", "keys": {"p256dh": None, "auth": {}}},
        {"endpoint": "x" * 9000},
    ],
)
def test_what_is_no_subscription_is_refused_in_a_sentence(as_bob, service, content):
    answer = send(as_bob, "push-keep", content)

    assert answer.status_code == 422
    assert answer.json()["said"].endswith(".")
    assert not BrowserSubscription.objects.exists()


def test_an_address_inside_is_refused_in_a_sentence(as_bob, service):
    content = Receiver(service).subscription | {"endpoint": "https://169.254.169.254/latest/meta-data/"}

    answer = send(as_bob, "push-keep", content)

    assert (answer.status_code, answer.json()["code"]) == (422, "bad_address")
    assert not BrowserSubscription.objects.exists()


def test_another_sites_form_cannot_hand_in_a_browser(bob, service):
    client = Client(enforce_csrf_checks=True)
    client.force_login(bob.user)

    assert send(client, "push-keep", Receiver(service).subscription).status_code == 403


@pytest.mark.req("N-028")
def test_a_test_goes_to_the_browser_that_asks_and_to_no_other(as_bob, service):
    here, there = Receiver(service), Receiver(service)
    for browser in (here, there):
        send(as_bob, "push-keep", browser.subscription)

    answer = send(as_bob, "push-test", {"endpoint": here.endpoint})

    assert answer.status_code == 200
    assert [said["title"] for said in here.received] == ["This is a test"]
    assert there.received == []


def test_a_test_that_fails_says_why(as_bob, service):
    here = Receiver(service)
    send(as_bob, "push-keep", here.subscription)
    service.answer(500)

    failed = send(as_bob, "push-test", {"endpoint": here.endpoint})
    service.answer(410)
    gone = send(as_bob, "push-test", {"endpoint": here.endpoint})
    unknown = send(as_bob, "push-test", {"endpoint": here.endpoint})

    assert (failed.status_code, "500" in failed.json()["said"]) == (409, True)
    assert gone.json()["code"] == "push_not_delivered"
    assert (unknown.status_code, unknown.json()["code"]) == (404, "unknown_browser")


def test_who_asks_for_many_tests_is_told_to_wait(as_bob, service, monkeypatch):
    monkeypatch.setattr(subscribing, "MOST_TESTS", 1)
    receiver = Receiver(service)
    send(as_bob, "push-keep", receiver.subscription)
    assert send(as_bob, "push-test", {"endpoint": receiver.endpoint}).status_code == 200

    answer = send(as_bob, "push-test", {"endpoint": receiver.endpoint})

    assert (answer.status_code, answer.json()["code"]) == (429, "too_often")
    assert answer.json()["said"] == "That were many tests within a minute. Wait a little, then try again."
    assert len(service.posts) == 1


def test_nobody_tests_or_forgets_the_browser_of_somebody_else(as_bob, carol, service):
    browser = Receiver(service)
    carols = BrowserSubscription.objects.create(user=carol.user, endpoint=browser.endpoint, p256dh="x", auth="x")

    tested = send(as_bob, "push-test", {"endpoint": browser.endpoint})
    forgotten = as_bob.post(url("push-forget"), {"browser": carols.pk}, follow=True)

    assert tested.status_code == 404
    assert "not in your list any more" in forgotten.content.decode()
    assert BrowserSubscription.objects.filter(pk=carols.pk).exists()
    assert service.posts == []


@pytest.mark.parametrize("name", ["push-forget", "phone-forget"])
def test_what_is_forgotten_from_a_list_does_not_come_back_by_itself(as_bob, service, name):
    browser = Receiver(service).subscription | {"isPhone": name == "phone-forget"}
    send(as_bob, "push-keep", browser)
    row = BrowserSubscription.objects.get()
    as_bob.post(url(name), {"browser": row.pk, "phone": f"web-{row.pk}"})

    by_itself = send(as_bob, "push-keep", browser)
    assert (by_itself.status_code, by_itself.json()["code"]) == (409, "forgotten")

    assert send(as_bob, "push-keep", browser | {"asked": True}).status_code == 200


@pytest.mark.parametrize("given", ["", "x", "-1", "9" * 40, "²"])
def test_forgetting_nonsense_is_refused(as_bob, given):
    assert as_bob.post(url("push-forget"), {"browser": given}).status_code == 302


@pytest.mark.req("N-018", "N-029", "N-030")
def test_the_desktop_tab_lists_ones_browsers_and_says_what_to_do(as_bob, bob, carol, service):
    send(as_bob, "push-keep", Receiver(service).subscription)
    BrowserSubscription.objects.update(browser="Firefox on Linux", last_success_at=timezone.now())
    BrowserSubscription.objects.create(user=carol.user, endpoint="https://8.8.8.8/x", browser="Edge on Windows")

    page = as_bob.get(url("settings-desktop")).content.decode()

    assert "Firefox on Linux" in page
    assert "Edge on Windows" not in page
    assert "Last success" in page
    assert "wpush" not in page  # the address itself is nobody's business
    for words in ("Allow notifications", "operating system", "This counts for this browser only", "blocked"):
        assert words in page


def test_without_keys_the_page_says_so(as_bob, settings):
    settings.VAPID_PRIVATE_KEY = ""

    assert 'data-when="unavailable">' in as_bob.get(url("settings-desktop")).content.decode()


def test_pushes_with_no_tab_open_are_an_option_that_is_off(as_bob, bob):
    page = as_bob.get(url("settings-desktop")).content.decode()
    assert 'id="option-pushes_when_closed" name="on" aria' in page

    as_bob.post(
        reverse("notifications:settings-option", kwargs={"hub_id": 1001, "tab": "desktop"}),
        {"option": "pushes_when_closed", "on": "on"},
    )

    assert MemberSettings.objects.get(member=bob).pushes_when_closed


def test_signing_out_ends_the_pushes_to_that_browser_only(as_bob, bob, service):
    here, elsewhere = Receiver(service), Receiver(service)
    send(as_bob, "push-keep", here.subscription)
    send(signed_in(bob), "push-keep", elsewhere.subscription)

    as_bob.logout()

    assert [row.endpoint for row in BrowserSubscription.objects.all()] == [elsewhere.endpoint]


def test_the_worker_is_served_at_the_root_and_always_asked_for_anew(client):
    answer = client.get("/sw.js")

    assert answer["Content-Type"].startswith("text/javascript")
    assert answer["Cache-Control"] == "no-cache"
    assert "worker-src 'self'" in answer["Content-Security-Policy"]


def test_a_browser_renews_by_itself_only_what_is_its_persons(as_bob, carol, service):
    old, new = Receiver(service), Receiver(service)
    send(as_bob, "push-keep", old.subscription)
    content = json.dumps(new.subscription | {"replaces": old.endpoint})
    as_carol = signed_in(carol)

    refused = as_carol.post("/push/renew/", content, content_type="application/json")
    form = as_bob.post("/push/renew/", {"replaces": old.endpoint})
    renewed = as_bob.post("/push/renew/", content, content_type="application/json")

    assert (refused.status_code, form.status_code, renewed.status_code) == (404, 422, 200)
    assert [row.endpoint for row in BrowserSubscription.objects.all()] == [new.endpoint]
    assert Client().post("/push/renew/", content, content_type="application/json").status_code == 302


def test_an_example_names_the_browser_only_where_one_was_allowed(bob, service):
    assert examples.send(KIND, to=bob).sentence == "An example is on its way: Bell, Pop-up, E-mail."

    BrowserSubscription.objects.create(user=bob.user, endpoint="https://8.8.8.8/x", p256dh="x", auth="x")

    assert "Browser" in examples.send(KIND, to=bob).sentence


# --- What a tab says


def where(member: Membership) -> Where:
    return deciding.where(member.account_id, {member.pk})[member.pk]


async def until(condition: Callable[[], bool]) -> None:
    for _ in range(250):
        if await sync_to_async(condition)():
            return
        await asyncio.sleep(0.02)
    raise AssertionError("it never came to that")


@pytest.mark.req("N-026", "N-027")
@pytest.mark.django_db(transaction=True)
def test_a_tab_says_whether_somebody_is_at_work_in_it(bob):
    live.client().flushdb()
    assert where(bob) is Where.CLOSED

    async def work(socket: Tab) -> None:
        await socket.heard("state")
        await until(lambda: where(bob) is Where.OPEN)
        await socket.send_to(text='{"kind": "here", "active": true}')
        await until(lambda: where(bob) is Where.ACTIVE)
        await socket.send_to(text='{"kind": "here", "active": false}')
        await until(lambda: where(bob) is Where.OPEN)

    talk(signed_in(bob), work)


@pytest.mark.req("N-023", "N-026")
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("is_active", "is_called_off"), [(True, True), (False, False)])
def test_a_popup_counts_as_seen_only_where_somebody_is_at_work(bob, is_active, is_called_off):
    BrowserSubscription.objects.create(user=bob.user, endpoint="https://8.8.8.8/x", p256dh="x", auth="x")
    event = events.emit(KIND, audience=[bob], data=dict(KIND.example))
    fanout.run_due()
    rows = Delivery.objects.filter(event=event, channel="browser", status=DeliveryStatus.DROPPED)

    async def work(socket: Tab) -> None:
        await socket.heard("state")
        for nonsense in ("7", '{"kind": "here"}', '{"kind": "shown", "id": -1}', '{"kind": "shown", "id": "x"}'):
            await socket.send_to(text=nonsense)
        await socket.send_to(text=json.dumps({"kind": "here", "active": is_active}))
        await socket.send_to(text=json.dumps({"kind": "shown", "id": event.pk}))
        await socket.send_to(text='{"kind": "state?"}')
        await socket.heard("state")
        if is_called_off:
            await until(rows.exists)

    talk(signed_in(bob), work)

    assert rows.exists() is is_called_off


def test_who_left_a_page_counts_as_at_work_for_a_moment_only():
    assert 0 < presence.LEAVING < deciding.PATIENCE < presence.ACTIVE_SECONDS < presence.SECONDS


def test_who_stays_at_work_never_counts_as_gone_in_between():
    """A tab says it with each heartbeat; its process passes that on with its next refresh."""
    said = re.search(r"const HEARTBEAT = ([\d_]+);", (project.BASE_DIR / "static/js/live.js").read_text())
    heartbeat = int(said[1]) / 1000

    assert heartbeat + hub.REFRESH + 5 <= presence.ACTIVE_SECONDS
    assert 2 * hub.REFRESH < presence.SECONDS


def test_thousands_of_tabs_that_come_and_go_at_once_are_all_written_down(bob, account, caplog):
    """More at once than there are connections to Redis."""

    class Still:
        account_id, session, active_until = account.pk, "", 0.0

        def __init__(self, member_id: int) -> None:
            self.member_id = member_id

    tabs = [Still(number) for number in range(1, 2001)]
    of = {tab.member_id for tab in tabs}

    async def come_and_go() -> None:
        house = hub.Hub()
        await asyncio.gather(*(house.join(tab) for tab in tabs))
        for tab in tabs:
            house.here(tab, True)
        await until(lambda: len(presence.look(live.client(), account.pk, of)[1]) == len(tabs))
        for tab in tabs:
            house.leave(tab)
        ends = time.time() + presence.LEAVING + 1
        await until(lambda: highest() < ends)
        await stop_listening(house)

    def highest() -> float:
        return max(
            score for _entry, score in live.client().zrange(presence.active_key_of(account.pk), 0, -1, withscores=True)
        )

    live.client().flushdb()
    asyncio.run(come_and_go())

    assert len(presence.look(live.client(), account.pk, of)[0]) == len(tabs)
    assert not [record.message for record in caplog.records if record.name == "notifications.hub"]
