"""Something happens, and every open tab shows it at once."""

import pytest
from playwright.sync_api import Page, expect

from notifications import bell, live, preferences
from tests.browser.conditions import wait_for

STEP_IN = 500  # longer than a tab waits for the one in use
NO_SOCKETS = """
window.WebSocket = class extends EventTarget {
  static CONNECTING = 0;
  static OPEN = 1;
  constructor() {
    super();
    setTimeout(() => this.dispatchEvent(Object.assign(new Event("close"), { code: 1006 })));
  }
};
"""
PLAIN, DOTTED = "/static/img/favicon.svg", "/static/img/favicon-dot.svg"


def shows(page: Page, unread: str) -> None:
    expect(page.locator("unread-badge")).to_have_text(unread)


def icon(page: Page, href: str) -> None:
    expect(page.locator('link[rel="icon"]')).to_have_attribute("href", href)


@pytest.mark.req("N-019", "N-021", "N-023")
def test_an_event_lights_badge_popup_and_tab_without_a_reload(device, bob, tell):
    page = device(bob).open("notifications/")
    title = page.title()
    shows(page, "")
    icon(page, PLAIN)

    tell(bob, deal="Nordic Oak 2027")

    shows(page, "1")
    icon(page, DOTTED)
    expect(page.locator("#bell")).to_have_accessible_name("Notifications, 1 unread")
    expect(page.locator(".popup__title")).to_have_text("Bilal Haddad mentioned you on the deal “Nordic Oak 2027”")
    expect(page.locator("[data-spoken]")).to_contain_text("Nordic Oak 2027")
    assert page.evaluate("document.activeElement === document.body"), "a pop-up takes no focus"
    assert page.title() == title


@pytest.mark.req("N-021")
def test_the_tab_has_no_dot_for_who_does_not_want_it(device, bob, tell):
    preferences.set_options(bob, has_tab_dot=False)
    page = device(bob).open()

    tell(bob)

    shows(page, "1")
    icon(page, PLAIN)
    preferences.set_options(bob, has_tab_dot=True)
    icon(page, DOTTED)


@pytest.mark.req("N-023")
def test_of_two_tabs_only_the_one_in_use_shows_the_popup(device, bob, tell):
    person = device(bob, in_tabs=True)
    first, second = person.open(), person.open()
    wait_for(lambda: first.evaluate("document.hidden"), "a tab behind another")

    tell(bob, deal="One")
    expect(second.locator(".popup")).to_have_count(1)
    shows(first, "1")
    assert first.locator(".popup").count() == 0

    first.bring_to_front()
    tell(bob, deal="Two")
    expect(first.locator(".popup__title")).to_contain_text(["Two"])
    shows(second, "2")
    expect(second.locator(".popup")).to_have_count(1)  # only the one from before


@pytest.mark.req("N-023")
def test_of_two_windows_side_by_side_one_shows_each_popup(device, bob, tell):
    person = device(bob)
    windows = [person.open(), person.open()]
    assert [window.evaluate("document.hidden") for window in windows] == [False, False]

    for _ in range(3):
        tell(bob)
    for window in windows:
        shows(window, "3")

    def cards() -> list[str]:
        found = [card.get_attribute("data-event") for window in windows for card in window.locator(".popup").all()]
        return sorted(id_ or "" for id_ in found)

    wait_for(lambda: len(cards()) >= 3, "three pop-ups")
    windows[0].wait_for_timeout(STEP_IN)  # time in which the other window would step in
    assert len(cards()) == len(set(cards())) == 3


@pytest.mark.req("N-023")
def test_with_no_tab_in_view_nothing_pops_up(device, bob, tell):
    person = device(bob, in_tabs=True)
    page = person.open()
    person.context.new_page()
    wait_for(lambda: page.evaluate("document.hidden"), "a tab behind another")

    tell(bob)

    shows(page, "1")
    page.bring_to_front()
    shows(page, "1")
    assert page.locator(".popup").count() == 0


@pytest.mark.req("N-023")
def test_a_popup_stays_while_it_is_pointed_at_and_then_leaves(device, bob, tell):
    page = device(bob).open()
    page.clock.install()
    tell(bob)
    expect(page.locator(".popup")).to_have_count(1)

    page.locator(".popup").hover()
    page.clock.run_for(20_000)
    expect(page.locator(".popup")).to_have_count(1)

    page.mouse.move(5, 300)
    page.clock.run_for(10_000)
    expect(page.locator(".popup")).to_have_count(0)
    shows(page, "1")


def test_more_than_three_popups_are_counted(device, bob, tell):
    page = device(bob).open()

    for number in range(5):
        tell(bob, deal=f"Deal {number}")

    shows(page, "5")
    expect(page.locator("[data-more]")).to_have_text("+2 more")
    expect(page.locator(".popup")).to_have_count(3)


def test_reading_on_one_device_clears_all_others(device, bob, tell):
    laptop, phone = device(bob).open("notifications/"), device(bob).open()
    event = tell(bob, url="/a-page/that-is-gone/")
    for page in (laptop, phone):
        shows(page, "1")
        expect(page.locator(".popup")).to_have_count(1)  # a pop-up on each device

    laptop.locator(".popup__title").click()
    laptop.wait_for_url(f"**/notifications/{event.pk}/why/")

    shows(phone, "")
    icon(phone, PLAIN)
    expect(phone.locator(".popup")).to_have_count(0)


def test_lines_and_panel_follow_what_happens_on_another_device(device, bob, tell):
    event = tell(bob)
    laptop = device(bob).open("notifications/")
    shows(laptop, "1")
    laptop.click("#bell")
    unread = laptop.locator(f'li[data-event="{event.pk}"][data-unread]')
    expect(unread).to_have_count(2)  # on the page and in the panel

    bell.mark_read(bob, [event.pk])
    expect(unread).to_have_count(0)

    bell.mark_unread(bob, [event.pk])
    expect(unread).to_have_count(2)
    shows(laptop, "1")

    bell.archive(bob, [event.pk])
    expect(laptop.locator("li[data-event]:visible")).to_have_count(0)
    expect(laptop.locator("#bell-panel .empty")).to_be_visible()


def test_the_badge_is_right_again_after_the_web_process_was_killed(device, bob, tell, stack):
    page = device(bob).open("notifications/")
    stack.kill_web()
    expect(page.locator("html")).to_have_attribute("data-live", "off")
    tell(bob)
    stack.start_web()
    stack.wait()

    expect(page.locator("unread-badge")).to_have_text("1", timeout=10_000)


def test_without_sockets_the_state_comes_over_http(device, bob, tell):
    person = device(bob)
    person.context.add_init_script(NO_SOCKETS)
    page = person.context.new_page()
    page.goto(person.home)
    expect(page.locator("html")).to_have_attribute("data-live", "off")

    tell(bob)

    shows(page, "1")
    icon(page, DOTTED)


def test_a_sign_in_that_ends_takes_its_tabs_along(device, bob):
    person = device(bob)
    page, other_device = person.open("notifications/"), device(bob).open()
    (session,) = [c["value"] for c in person.context.cookies() if c["name"] == "bellhop_session"]

    live.close(session_key=session)

    expect(page.get_by_role("alert")).to_contain_text("You are signed out")
    expect(page.get_by_role("link", name="Sign in again")).to_have_attribute(
        "href", f"/accounts/login/?next=%2F{bob.account.hub_id}%2Fnotifications%2F"
    )
    expect(other_device.locator("html")).to_have_attribute("data-live", "on")


def test_a_member_who_is_deactivated_loses_the_line(device, bob):
    page = device(bob).open()
    bob.is_active = False
    bob.save()

    live.close(members=[bob.pk])

    expect(page.get_by_role("alert")).to_contain_text("You no longer have access to Nordic Oak")
