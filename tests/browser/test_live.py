"""Something happens, and every open tab shows it at once."""

import pytest
from playwright.sync_api import expect

BADGE = "unread-badge"


@pytest.mark.req("N-019", "N-021", "N-023")
def test_an_event_lights_badge_popup_and_tab_without_a_reload(device, bob, tell):
    page = device(bob).open("notifications/")
    expect(page.locator(BADGE)).to_have_text("")

    tell(bob, deal="Nordic Oak 2027")

    expect(page.locator(BADGE)).to_have_text("1")
    expect(page.locator("#bell")).to_have_accessible_name("Notifications, 1 unread")
    expect(page.locator(".popup__title")).to_have_text("Bilal Haddad mentioned you on the deal “Nordic Oak 2027”")
    expect(page.locator("[data-spoken]")).to_contain_text("Nordic Oak 2027")
    expect(page.locator('link[rel="icon"]')).to_have_attribute("href", "/static/img/favicon-dot.svg")
