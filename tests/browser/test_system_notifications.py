"""From the push to the click on the system notification: real Firefox, real push protocol, a desktop of our own."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from accounts.models import Membership
from notifications import bell, live, preferences
from notifications.models import Event, Notification
from notifications.push import payloads
from tests.browser.chromium import Chromium
from tests.browser.conditions import wait_for
from tests.browser.conftest import Device
from tests.browser.desktop import CLICK, Desktop, Shown
from tests.browser.firefox import Firefox
from tests.browser.seat import Seat
from tests.push_service import PushService

TITLE = "Ann mentioned you on the deal “Oak”"


@pytest.fixture
def desktop() -> Iterator[Desktop]:
    found = Desktop()
    yield found
    found.close()


@pytest.fixture
def firefox(service: PushService, desktop: Desktop) -> Iterator[Firefox]:
    """One whose system notifications show on that desktop, and whose tabs come to the front as on a real one."""
    program = Firefox(desktop=desktop, dom__push__serverURL=service.socket_url, focusmanager__testmode=False)
    yield program
    program.close()


@pytest.fixture
def bobs(seat: Callable[[Membership], Seat], bob: Membership) -> Seat:
    """Bob at a Firefox in which he has allowed notifications, also while the application is closed."""
    found = seat(bob)
    found.allow()
    preferences.set_options(bob, pushes_when_closed=True)
    return found


@pytest.fixture
def pushed(
    bobs: Seat, bob: Membership, desktop: Desktop, tell: Callable[..., Event]
) -> Callable[[], tuple[Event, Shown]]:
    """Something is told to bob, who is elsewhere, and shows on his desktop."""

    def push() -> tuple[Event, Shown]:
        live.client().flushdb()  # a page that was closed a moment ago still counts as open or in use
        event = tell(bob, actor="Ann", deal="Oak", url="/1001/settings/notifications/email/")
        return event, desktop.seen.get(timeout=60)

    return push


def is_read(event: Event) -> bool:
    return Notification.objects.filter(event=event, read_at__isnull=False).exists()


def pages(bobs: Seat) -> list[str]:
    """The open tabs, by what stands behind the application's address."""
    return sorted(url.removeprefix(bobs.home) for url in bobs.firefox.tabs().values())


@pytest.mark.req("N-026", "N-030")
def test_a_click_opens_the_page_marks_it_read_and_clears_the_badge_elsewhere(bobs, bob, device, desktop, pushed):
    bobs.firefox.open("about:blank")
    event, shown = pushed()
    page = device(bob).open()
    expect(page.locator("unread-badge")).to_have_text("1")
    assert (shown.title, shown.application) == (TITLE, "Firefox")
    assert CLICK in shown.actions
    assert not is_read(event)

    desktop.click(shown)

    wait_for(lambda: pages(bobs) == ["about:blank", "settings/notifications/email/"], "the page opens in a new tab")
    wait_for(lambda: is_read(event), "it is read")
    expect(page.locator("unread-badge")).to_have_text("")


@pytest.mark.req("N-026")
def test_a_click_leads_an_open_tab_there_but_not_one_in_which_something_was_typed(bobs, desktop, pushed):
    bobs.firefox.open(bobs.home + "notifications/")
    bobs.wait("navigator.serviceWorker.controller !== null", "the tab belongs to the service worker")
    bobs.firefox.new_tab()
    _event, shown = pushed()

    desktop.click(shown)

    wait_for(lambda: pages(bobs) == ["about:blank", "settings/notifications/email/"], "the open tab is led there")
    bobs.wait("!document.hidden", "it is in front")

    bobs.firefox.js('document.dispatchEvent(new Event("input"))')
    bobs.firefox.new_tab()
    event, shown = pushed()
    desktop.click(shown)
    bobs.wait("!document.hidden", "the tab that is there already comes to the front, as it was")
    wait_for(lambda: is_read(event), "it is read")

    bobs.firefox.open(bobs.home + "notifications/")
    bobs.firefox.js('document.dispatchEvent(new Event("input"))')
    bobs.firefox.new_tab()
    _event, shown = pushed()
    desktop.click(shown)

    both = [*["about:blank"] * 3, "notifications/", "settings/notifications/email/"]
    wait_for(lambda: pages(bobs) == both, "the page opens beside what was typed")


@pytest.fixture
def chromium_at_the_desktop(chromium: Browser, desktop: Desktop, tmp_path: Path) -> Iterator[BrowserContext]:
    """A Chromium whose system notifications show on that desktop."""
    program = Chromium(tmp_path, desktop=desktop)
    try:
        browser = chromium.browser_type.connect_over_cdp(program.address, no_defaults=True)
        yield browser.contexts[0]
        browser.close()
    finally:
        program.close()


@pytest.mark.req("N-026")
def test_in_chromium_too_a_click_leads_an_open_tab_there(chromium_at_the_desktop, stack, bob, desktop, tell):
    """The push itself is handed to the service worker by the browser's own tools: its push service is elsewhere."""
    context = chromium_at_the_desktop
    context.grant_permissions(["notifications"], origin=stack.url)
    at = Device(context, stack, bob)
    at.sign_in()
    page = at.open("notifications/")
    page.evaluate("navigator.serviceWorker.register('/sw.js').then(() => navigator.serviceWorker.ready)")
    wait_for(
        lambda: page.evaluate("navigator.serviceWorker.controller !== null"), "the tab belongs to the service worker"
    )
    context.new_page().bring_to_front()
    wait_for(lambda: page.evaluate("document.hidden"), "the tab is in the back")
    event = tell(bob, actor="Ann", deal="Oak", url="/1001/settings/notifications/email/")
    wait_for(lambda: bell.of(bob).filter(event=event).exists(), "it is told")
    words = payloads.packed(
        event_id=event.pk,
        hub_id=1001,
        title=TITLE,
        body="",
        url=f"/1001/notifications/{event.pk}/open/",
        page="",
        topic="",
        language="en",
    )

    deliver(context, page, stack.url, words.decode())
    shown = desktop.seen.get(timeout=15)
    assert shown.title == TITLE
    desktop.click(shown)

    page.wait_for_url("**/settings/notifications/email/")
    wait_for(lambda: not page.evaluate("document.hidden"), "it is in front")
    assert is_read(event)
    assert at.errors == []


def deliver(context: BrowserContext, page: Page, origin: str, words: str) -> None:
    """Hand a push to the page's service worker."""
    tools = context.new_cdp_session(page)
    known: list[str] = []
    tools.on(
        "ServiceWorker.workerRegistrationUpdated",
        lambda said: known.extend(one["registrationId"] for one in said["registrations"]),
    )
    tools.send("ServiceWorker.enable")
    wait_for(lambda: page.evaluate("1") == 1 and bool(known), "the service worker is known")
    tools.send("ServiceWorker.deliverPushMessage", {"origin": origin, "registrationId": known[0], "data": words})
    tools.detach()


@pytest.mark.req("N-026")
def test_sweeping_it_away_does_nothing_else(bobs, desktop, pushed):
    bobs.firefox.open("about:blank")
    first, shown = pushed()

    desktop.dismiss(shown)

    second, shown = pushed()
    desktop.click(shown)  # when this has done its work, the other would have too
    wait_for(lambda: is_read(second), "the second is read")
    wait_for(lambda: pages(bobs) == ["about:blank", "settings/notifications/email/"], "one page opens")
    assert not is_read(first)


@pytest.mark.req("N-026")
def test_read_in_one_browser_it_leaves_the_desktop_of_the_other(bobs, bob, device, desktop, pushed):
    bobs.firefox.open(bobs.home)
    bobs.wait('document.documentElement.dataset.live === "on"', "the line is open")
    bobs.firefox.new_tab()
    event, shown = pushed()
    page = device(bob).open()
    page.click("#bell")

    page.get_by_role("dialog", name="Notifications").get_by_role("button", name="Mark all as read").click()

    assert desktop.closed.get(timeout=15) == shown.id
    assert bell.of(bob).filter(event=event, read_at__isnull=False).exists()
