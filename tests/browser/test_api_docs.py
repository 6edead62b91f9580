"""The API's page in a real browser: everything from our own address, under the strict policy."""

from collections.abc import Callable

from playwright.sync_api import expect

from accounts import api_keys
from accounts.models import Account, Membership
from tests.browser.conftest import Device


def test_the_api_can_be_read_and_tried(
    device: Callable[[Membership], Device], account: Account, bob: Membership
) -> None:
    _row, key = api_keys.make(account, name="docs", scopes=["members.read"], by=None)
    browser = device(bob)
    page = browser.context.new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text) if message.type in {"error", "warning"} else None)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{browser.stack.url}/api/v1/docs/")

    page.get_by_role("button", name="Authorize").click()
    page.get_by_label("auth-bearer-value").fill(key)
    page.locator(".auth-btn-wrapper .authorize").first.click()
    page.locator(".auth-btn-wrapper .btn-done").first.click()
    page.locator("#operations-tag-Teams").get_by_role("button").click()
    teams = page.locator("#operations-Teams-get-teams")
    teams.locator(".opblock-summary-control").click()
    expect(teams.get_by_text("Needs the scope members.read.")).to_be_visible()
    teams.get_by_role("button", name="Try it out").click()
    teams.get_by_role("button", name="Execute").click()
    expect(teams.locator(".live-responses-table tbody .response-col_status").first).to_contain_text("200")
    assert said == []
    assert [url for url in asked if not url.startswith((browser.stack.url, "data:", "blob:"))] == []
