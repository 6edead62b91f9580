"""Web push in a real Firefox: allowed on the settings page, pushed by the worker, shown by the service worker."""

import pytest
from playwright.sync_api import expect

from notifications import bell, live, preferences
from notifications.models import BrowserSubscription, Delivery, DeliveryStatus, Event
from notifications.push import deciding, subscribing
from notifications.push.deciding import Where
from tests.browser.conditions import wait_for
from tests.browser.seat import subscribe


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


def test_a_browser_that_was_forgotten_elsewhere_stays_forgotten_until_it_is_allowed_again(bob, seat):
    bobs = seat(bob)
    bobs.allow()
    subscribing.forget(bob.user, BrowserSubscription.objects.get().pk)

    bobs.settle()
    assert bobs.state == "off"
    bobs.settle()
    assert not BrowserSubscription.objects.exists()

    bobs.press("allow")
    wait_for(lambda: bobs.state == "allowed", "this browser is allowed again")
    assert BrowserSubscription.objects.get().user == bob.user


@pytest.mark.req("N-026")
def test_a_browser_that_was_given_a_new_address_brings_it_with_no_page_open(bob, seat, service, tell):
    bobs = seat(bob)
    bobs.allow()
    preferences.set_options(bob, pushes_when_closed=True)
    bobs.firefox.open("about:blank")
    before = BrowserSubscription.objects.get()

    service.forget_browsers()

    wait_for(lambda: not BrowserSubscription.objects.filter(endpoint=before.endpoint).exists(), "the old one is gone")
    now = BrowserSubscription.objects.get()
    assert (now.user, now.browser, now.session) == (before.user, before.browser, before.session)
    live.client().flushdb()
    tell(bob)
    assert service.acknowledged.get(timeout=60)["code"] == 100


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
