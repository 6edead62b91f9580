"""The application installed from Chromium: its own installability check, offline page, number on the icon."""

import re

import pytest
from playwright.sync_api import expect

from notifications import bell
from tests.browser.conditions import wait_for

CONTROLLED = "navigator.serviceWorker.ready.then(() => !!navigator.serviceWorker.controller)"
KEPT = """caches.keys().then(async (names) => (await Promise.all(
    names.map(async (name) => (await (await caches.open(name)).keys()).map((request) => request.url)))).flat())"""
BADGES = """
window.badges = [];
Navigator.prototype.setAppBadge = function (number) { window.badges.push(number); return Promise.resolve(); };
Navigator.prototype.clearAppBadge = function () { window.badges.push(0); return Promise.resolve(); };
"""


def settled(device, member):
    """A page that the service worker answers for, with the offline page kept."""
    return settled_on(device(member))


def settled_on(seat):
    page = seat.open("notifications/")
    wait_for(lambda: bool(page.evaluate(CONTROLLED)), "the service worker is in charge")
    wait_for(lambda: any(url.endswith("/offline/") for url in page.evaluate(KEPT)), "the offline page is kept")
    return page


@pytest.mark.req("N-037")
def test_chromium_finds_nothing_that_keeps_it_from_being_installed(device, bob):
    page = settled(device, bob)
    tools = page.context.new_cdp_session(page)

    manifest = tools.send("Page.getAppManifest")
    assert manifest["url"].endswith("/manifest.webmanifest")
    assert manifest["errors"] == []
    wanting = [
        error
        for error in tools.send("Page.getInstallabilityErrors")["installabilityErrors"]
        if error["errorId"] != "in-incognito"  # every profile that a test makes is one
    ]
    assert wanting == []


@pytest.mark.req("N-037")
def test_without_a_connection_a_calm_page_shows_and_goes_by_itself(device, bob, no_violations):
    page = settled(device, bob)
    where = page.url

    page.context.set_offline(True)
    page.goto(where)

    expect(page).to_have_title(re.compile("You are offline"))
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    assert page.url == where
    expect(page.get_by_text("What still arrives")).to_be_visible()
    expect(page.locator("p[data-when]:visible")).to_have_count(1)
    expect(page.locator("p[data-when]:visible")).to_contain_text("comes back by itself")
    page.set_viewport_size({"width": 360, "height": 700})
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    no_violations(page)
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_role("status")).to_have_text("Still no answer. We keep trying.")

    page.context.set_offline(False)

    expect(page.get_by_role("heading", level=1)).to_have_text("Notifications")


def test_nothing_of_the_account_is_kept_on_the_device(device, bob):
    page = settled(device, bob)
    page.goto(page.url)

    kept = page.evaluate(KEPT)
    assert kept
    assert [url for url in kept if not re.search(r"//[^/]+/(static/|offline/$)", url)] == []


@pytest.mark.req("N-037")
def test_the_number_on_the_icon_is_what_is_unread(device, bob, tell):
    bobs = device(bob)
    bobs.context.add_init_script(BADGES)
    page = bobs.open("settings/notifications/email/")

    event = tell(bob)
    wait_for(lambda: page.evaluate("window.badges.at(-1)") == 1, "the icon says 1")
    bell.mark_read(bob, [event.pk])

    wait_for(lambda: page.evaluate("window.badges.at(-1)") == 0, "the icon says nothing")
    page.context.clear_cookies()
    page.goto(bobs.stack.url + "/accounts/login/")
    assert page.evaluate("window.badges") == [0]


@pytest.mark.req("N-037")
def test_a_push_shows_itself_and_puts_the_number_on_the_icon_with_no_page_open(device, bob):
    bobs = device(bob)
    bobs.context.grant_permissions(["notifications"])
    page = settled_on(bobs)
    (worker,) = (one for one in bobs.context.service_workers if one.url.endswith("/sw.js"))
    worker.evaluate("self.navigator.setAppBadge = async (number) => { self.badge = number; }")
    said = {"v": 1, "id": 7, "hub": 1001, "title": "Ann mentioned you", "body": "", "url": "/1001/", "unread": 3}

    worker.evaluate(
        """(said) => self.dispatchEvent(new PushEvent("push", {data: JSON.stringify(said)}))""",
        said,
    )

    wait_for(lambda: worker.evaluate("self.badge") == 3, "the icon says 3")
    assert worker.evaluate("self.registration.getNotifications().then((all) => all.map((one) => one.title))") == [
        "Ann mentioned you"
    ]
    page.close()
