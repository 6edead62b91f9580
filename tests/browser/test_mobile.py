"""The application on a phone: its own settings, and a push that arrives there."""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import expect

from accounts.models import Membership
from notifications import preferences, types
from notifications.models import BrowserSubscription, Delivery, DeliveryStatus, Event
from tests.browser.conditions import wait_for
from tests.browser.firefox import Firefox
from tests.browser.seat import Seat
from tests.browser.stack import Stack
from tests.notifications.test_mobile import ANDROID, IPHONE
from tests.push_service import PushService

PHONE = {"viewport": {"width": 360, "height": 740}, "has_touch": True, "is_mobile": True}
ANDROID_FIREFOX = "Mozilla/5.0 (Android 16; Mobile; rv:153.0) Gecko/153.0 Firefox/153.0"
SETTINGS = "settings/notifications/phone/"


@pytest.fixture
def service() -> Iterator[PushService]:
    server = PushService().start()
    yield server
    server.stop()


@pytest.fixture
def phone(service: PushService, stack: Stack) -> Iterator[Callable[[Membership], Seat]]:
    """A member at a Firefox that says it is on a phone."""
    program = Firefox(dom__push__serverURL=service.socket_url, general__useragent__override=ANDROID_FIREFOX)
    yield lambda member: Seat(program, stack, member)
    program.close()


@pytest.mark.req("N-037", "N-038")
def test_allowed_on_the_phone_in_its_own_settings_and_pushed_there(bob, phone, service, tell):
    bobs = phone(bob)
    bobs.firefox.open(bobs.home + "settings/notifications/mobile/")
    bobs.wait(f'location.pathname.endsWith("{SETTINGS}")', "the tab leads to the phone's own settings")
    bobs.wait('document.querySelector("push-browser").dataset.ready === ""', "they are ready")
    assert bobs.state == "unasked"
    bobs.firefox.allow(bobs.home[: bobs.home.index("/", 8)])
    bobs.press("allow")
    wait_for(lambda: bobs.state == "allowed", "notifications are allowed")
    row = BrowserSubscription.objects.get()
    assert (row.is_phone, row.browser) == (True, "Firefox on Android")
    bobs.press("test")
    bobs.wait('document.querySelector("[data-said]").textContent.includes("arrived")', "the test arrives")
    service.acknowledged.get(timeout=15)
    bobs.firefox.open("about:blank")

    event: Event = tell(bob, actor="Ann", deal="Oak")

    sent = Delivery.objects.filter(event=event, channel="mobile", status=DeliveryStatus.SENT)
    wait_for(sent.exists, "the push leaves", seconds=75)
    assert service.acknowledged.get(timeout=15)["code"] == 100
    bobs.firefox.open(bobs.home + SETTINGS)
    wait_for(lambda: any(one["title"].startswith("Ann mentioned") for one in bobs.shown()), "the notification shows")
    assert not Delivery.objects.filter(event=event, channel="browser").exists()


@pytest.mark.req("N-038")
def test_a_tick_in_the_apps_own_settings_is_saved(device, bob):
    page = device(bob, user_agent=ANDROID, **PHONE).open(SETTINGS)
    page.get_by_role("button", name="Unfold all topics").click()
    cell = page.locator("#tick-deals-mentioned-mobile")
    expect(cell).to_be_checked()

    cell.uncheck()

    expect(page.locator(".saved-note")).to_have_text("Saved")
    kind = types.TYPES["deals.mentioned"]
    (state,) = [one for one in preferences.standing(bob, [kind]).cells(kind) if one.channel.key == "mobile"]
    assert not state.is_on


@pytest.mark.parametrize(
    ("user_agent", "words"), [(ANDROID, "Install app"), (IPHONE, "Add to Home Screen")], ids=["android", "iphone"]
)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_apps_own_settings_say_how_to_install_and_fit_a_phone(
    device, bob, user_agent, words, scheme, no_violations
):
    page = device(bob, user_agent=user_agent, color_scheme=scheme, **PHONE).open(SETTINGS)

    expect(page.locator("install-app")).to_contain_text(words)
    expect(page.locator("install-app [data-for]:visible")).to_have_count(1)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    no_violations(page)


@pytest.mark.parametrize("width", [360, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_tab_on_the_computer_shows_the_code_and_ones_phones(device, bob, width, scheme, no_violations):
    BrowserSubscription.objects.create(
        user=bob.user, endpoint="https://8.8.8.8/x", p256dh="x", auth="x", is_phone=True, browser="Bellhop on iPhone"
    )
    page = device(bob, color_scheme=scheme, viewport={"width": width, "height": 900}).open(
        "settings/notifications/mobile/"
    )

    expect(page.locator("svg.qr")).to_be_visible()
    expect(page.get_by_role("button", name="Send a test to Bellhop on iPhone")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    no_violations(page)


def test_on_a_computer_the_apps_own_settings_say_so(device, bob):
    page = device(bob).open(SETTINGS)

    expect(page.locator("install-app")).to_contain_text("This is a computer.")
    expect(page.locator("push-browser")).to_have_attribute("data-state", "elsewhere")
    expect(page.get_by_role("button", name="Allow notifications on this phone")).to_be_hidden()


def test_on_a_phone_the_desktop_tab_leads_to_the_phones_settings(device, bob):
    page = device(bob, user_agent=ANDROID, **PHONE).open("settings/notifications/desktop/")

    page.get_by_role("link", name="Set what comes to your phone").click()

    expect(page).to_have_url(f"{page.url.split('/1001/')[0]}/1001/{SETTINGS}")
    expect(page.locator("html")).to_have_attribute("data-device", "phone")
