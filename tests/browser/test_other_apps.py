"""Settings › Other apps as people use it (N-039): connect, look, choose, test, disconnect."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from notifications import channels, delivering, events, fanout, preferences, types
from notifications.models import Connection
from notifications.other_apps import connecting, webhooks
from notifications.other_apps.speaking import Offer
from tests.browser.conditions import wait_for
from tests.other_apps import OtherApps

TAB = "settings/notifications/other-apps/"
KIND = types.TYPES["deals.stage_changed"]
PAGES = [TAB, "settings/notifications/apps/webhook/", "settings/notifications/apps/telegram/", "../developers/types/"]


@pytest.fixture
def apps(settings) -> Iterator[OtherApps]:
    settings.OUTGOING_LOOPBACK = True
    server = OtherApps().start()
    yield server
    server.stop()


@pytest.fixture
def busy(bob, apps):
    """Bob with every app, one of them broken, and a webhook that has taken and refused things."""
    hook = webhooks.webhook()
    connecting.connect(bob, hook, {"url": f"{apps.url}/hook"})
    for key in ("slack", "teams", "google_chat", "discord", "telegram"):
        connecting.keep(bob, channels.APP[key], Offer("somewhere", {}))
    row = connecting.connection_of(bob, channels.APP["telegram"])
    connecting.break_off(row, "api.telegram.org answered 403: Forbidden: bot was blocked by the user.")
    connecting.send_test(bob, hook)
    apps.answer(500, text="out of order")
    events.emit(types.TYPES["deals.mentioned"], audience=[bob], data=types.TYPES["deals.mentioned"].example)
    fanout.run_due()
    delivering.run_due(hook)
    webhooks.rotate(bob)
    return bob


@pytest.mark.req("N-039")
def test_a_webhook_is_connected_tested_and_disconnected(device, bob, apps):
    page = device(bob).open(TAB)
    expect(page.get_by_text("No app is connected yet")).to_be_visible()

    page.get_by_role("link", name=re.compile("Connect.*Webhook")).click()
    page.get_by_label("Address of your endpoint").fill("https://10.0.0.1/hook")
    page.get_by_role("button", name="Connect").click()
    expect(page.get_by_text("This address is not on the public internet, or not https.")).to_be_visible()
    expect(page.get_by_label("Address of your endpoint")).to_have_value("https://10.0.0.1/hook")

    page.get_by_label("Address of your endpoint").fill(f"{apps.url}/hook")
    page.get_by_role("button", name="Connect").click()
    expect(page.get_by_role("textbox", name="Signing secret")).to_have_value(re.compile(r"^whsec_.{40,}$"))

    page.get_by_role("button", name="Send a test").click()
    expect(page.get_by_text(f"Sent to {apps.url[7:]}.")).to_be_visible()
    expect(page.get_by_role("row", name=re.compile("Test 200"))).to_be_visible()

    page.get_by_role("button", name="Disconnect").click()
    page.get_by_role("dialog").get_by_role("button", name="Disconnect").click()
    expect(page.get_by_text("Webhook is disconnected and forgotten.")).to_be_visible()
    assert not Connection.objects.exists()


def test_a_connected_app_is_a_column_that_saves_as_you_go(device, bob, apps):
    connecting.connect(bob, webhooks.webhook(), {"url": f"{apps.url}/hook"})
    preferences.choose(bob, {(KIND.key, "webhook"): False})
    page = device(bob).open(TAB)

    page.locator("#topic-deals > summary").click()
    page.locator("#tick-deals-stage_changed-webhook").check()

    expect(page.locator("[data-said]")).to_have_text("Saved")
    wait_for(lambda: bool(bob.preferences.get(type=KIND.key).on & webhooks.webhook().bit), "the tick is kept")


@pytest.mark.parametrize("width", [1280, 360])
def test_nothing_is_wrong_with_the_pages_wide_and_narrow_light_and_dark(device, busy, no_violations, width):
    there = device(busy, viewport={"width": width, "height": 900})
    for path in PAGES:
        page = there.open(path)
        page.evaluate("document.querySelectorAll('main details').forEach((each, at) => { each.open = at < 3 })")
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            no_violations(page)
        page.close()
