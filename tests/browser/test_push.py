"""Web push in a real Firefox: allowed on the settings page, pushed by the worker, shown by the service worker."""

import json
from collections.abc import Callable, Iterator

import pytest
from django.conf import settings
from django.test import Client
from playwright.sync_api import expect

from accounts.models import Membership
from notifications import bell, preferences
from notifications.models import BrowserSubscription, Delivery, DeliveryStatus, Event
from notifications.push import deciding
from notifications.push.deciding import Where
from tests.browser.conftest import wait_for
from tests.browser.firefox import Firefox
from tests.browser.stack import Stack
from tests.push_service import PushService, Receiver

SHOWN = """navigator.serviceWorker.getRegistration("/").then((found) => found ? found.getNotifications() : [])
    .then((list) => JSON.stringify(list.map((one) => ({title: one.title, tag: one.tag, ...one.data}))))"""


@pytest.fixture
def service() -> Iterator[PushService]:
    server = PushService().start()
    yield server
    server.stop()


@pytest.fixture
def firefox(service: PushService) -> Iterator[Firefox]:
    program = Firefox(dom__push__serverURL=service.socket_url)
    yield program
    program.close()


class Seat:
    """A member at a Firefox."""

    def __init__(self, firefox: Firefox, stack: Stack, member: Membership) -> None:
        self.firefox, self.member = firefox, member
        self.home = f"{stack.url}/{member.account.hub_id}/"
        client = Client()
        client.force_login(member.user)
        firefox.bring_cookie(settings.SESSION_COOKIE_NAME, client.cookies[settings.SESSION_COOKIE_NAME].value)

    def settle(self) -> None:
        self.firefox.open(self.home + "settings/notifications/desktop/")
        self.wait('document.querySelector("push-browser").dataset.ready === ""', "the Browser section is ready")

    @property
    def state(self) -> str:
        return str(self.firefox.js('document.querySelector("push-browser").dataset.state'))

    def press(self, what: str) -> None:
        self.firefox.js(f"""document.querySelector('push-browser [data-{what}]').click()""")

    def allow(self) -> None:
        """Press “Allow notifications” and answer the browser's question with yes."""
        self.settle()
        assert self.state == "unasked"
        self.firefox.allow(self.home[: self.home.index("/", 8)])
        self.press("allow")
        wait_for(lambda: self.state == "allowed", "this browser is allowed")

    def shown(self) -> list[dict[str, object]]:
        return list(json.loads(self.firefox.js(SHOWN)))

    def wait(self, expression: str, what: str) -> None:
        wait_for(lambda: bool(self.firefox.js(expression)), what)


def subscribe(member: Membership, service: PushService) -> Receiver:
    """As if the member had allowed notifications in a browser somewhere."""
    receiver = Receiver(service)
    given = receiver.subscription
    BrowserSubscription.objects.create(user=member.user, endpoint=given["endpoint"], **given["keys"])
    return receiver


@pytest.fixture
def seat(firefox: Firefox, stack: Stack) -> Callable[[Membership], Seat]:
    return lambda member: Seat(firefox, stack, member)


@pytest.mark.req("N-026", "N-027", "N-028")
def test_allowed_pushed_shown_and_cleared_when_it_is_read_elsewhere(bob, seat, service, tell):
    bobs = seat(bob)
    bobs.allow()
    assert BrowserSubscription.objects.get().user == bob.user
    bobs.firefox.open("about:blank")  # the application is open in no tab
    preferences.set_options(bob, pushes_when_closed=True)

    event: Event = tell(bob, actor="Ann", deal="Oak")

    wait_for(lambda: bool(service.posts), "the push leaves", seconds=75)
    assert service.refused == []
    assert service.acknowledged.get(timeout=15)["code"] == 100  # decrypted and handed to the service worker
    wait_for(lambda: Delivery.objects.get(event=event, channel="browser").status == DeliveryStatus.SENT, "it is noted")
    bobs.firefox.open(bobs.home)
    wait_for(lambda: bool(bobs.shown()), "the notification shows")
    (shown,) = bobs.shown()
    assert shown["title"] == "Ann mentioned you on the deal “Oak”"
    assert shown["tag"] == f"bellhop-{event.pk}"
    assert shown["url"] == f"/1001/notifications/{event.pk}/open/"

    bell.mark_read(bob, [event.pk])

    wait_for(lambda: bobs.shown() == [], "the notification leaves")


@pytest.mark.req("N-018", "N-028", "N-029", "N-030")
def test_a_test_arrives_and_the_browser_can_be_forgotten(bob, seat, service):
    bobs = seat(bob)
    bobs.allow()

    bobs.press("test")

    bobs.wait('document.querySelector("push-browser [data-said]").textContent.includes("arrived")', "the test arrives")
    assert [one["title"] for one in bobs.shown()] == ["This is a test"]
    assert BrowserSubscription.objects.get().last_success_at is not None
    bobs.settle()
    bobs.wait('!document.querySelector("[data-mine]").hidden', "this browser is marked in the list")
    bobs.firefox.js('document.querySelector("[data-browser] form button").click()')
    wait_for(lambda: not BrowserSubscription.objects.exists(), "the browser is forgotten")
    bobs.settle()
    assert bobs.state == "off"


def test_a_server_that_forgot_this_browser_learns_of_it_on_the_next_load(bob, seat):
    bobs = seat(bob)
    bobs.allow()
    BrowserSubscription.objects.all().delete()

    bobs.settle()

    assert BrowserSubscription.objects.filter(user=bob.user).exists()
    assert bobs.state == "allowed"


@pytest.mark.req("N-028")
def test_a_browser_that_refuses_is_told_how_to_undo_it(bob, seat):
    bobs = seat(bob)
    bobs.settle()
    bobs.firefox.allow(bobs.home[: bobs.home.index("/", 8)], state="denied")

    bobs.settle()

    assert bobs.state == "blocked"
    said = bobs.firefox.js('document.querySelector("push-browser [data-when=blocked]").checkVisibility()')
    assert said is True


@pytest.mark.req("N-023", "N-026")
def test_in_a_tab_that_is_used_the_popup_comes_and_the_push_does_not(bob, device, service, tell):
    subscribe(bob, service)
    page = device(bob).open()
    page.bring_to_front()
    page.mouse.click(5, 5)
    wait_for(lambda: deciding.where(bob.account_id, {bob.pk})[bob.pk] is Where.ACTIVE, "the tab says that it is used")

    event: Event = tell(bob)

    expect(page.locator(".popup")).to_be_visible()
    rows = Delivery.objects.filter(event=event, channel="browser", status=DeliveryStatus.DROPPED)
    wait_for(rows.exists, "the push is called off")
    assert rows.get().error == deciding.SHOWN
    assert service.posts == []


@pytest.mark.req("N-027")
def test_with_another_tab_in_front_the_push_comes(bob, seat, service, tell):
    bobs = seat(bob)
    bobs.allow()
    bobs.firefox.open(bobs.home)
    bobs.wait('document.documentElement.dataset.live === "on"', "the line is open")
    bobs.firefox.new_tab()
    bobs.wait("document.hidden", "the tab is in the back")

    tell(bob)

    wait_for(lambda: bool(service.posts), "the push leaves")
    assert service.acknowledged.get(timeout=15)["code"] == 100
