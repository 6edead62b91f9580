"""The bell's panel, the menus and the page of all notifications, by mouse and by keyboard."""

import re

import pytest
from playwright.sync_api import Page, Route, expect

from notifications import bell, preferences
from tests.browser.conditions import wait_for

BELL_PANEL = "**/notifications/bell/"
MENU = "[popover]:popover-open .menu__item"


def arrived(member, count):
    wait_for(lambda: bell.of(member).count() == count, f"{count} notifications")


def shows(page: Page, unread: str) -> None:
    expect(page.locator("unread-badge")).to_have_text(unread)


@pytest.mark.req("N-020")
def test_the_bell_opens_what_is_new_and_marks_all_of_it_read(device, bob, tell):
    tell(bob, deal="Oak")
    tell(bob, deal="Elm")
    arrived(bob, 2)
    page, elsewhere = device(bob).open(), device(bob).open("notifications/")
    shows(page, "2")

    page.click("#bell")
    panel = page.get_by_role("dialog", name="Notifications")
    expect(panel.get_by_role("listitem")).to_have_count(2)
    expect(panel.get_by_role("heading", name="Today")).to_be_visible()
    expect(panel.get_by_role("link", name=re.compile("Unread: .*Elm"))).to_be_visible()
    panel.get_by_role("button", name="Mark all as read").click()

    expect(panel.get_by_role("status")).to_contain_text("2 notifications marked as read.")
    for tab in (page, elsewhere):
        shows(tab, "")
        expect(tab.locator("li[data-unread]")).to_have_count(0)


def test_what_arrives_while_the_panel_is_open_is_in_it(device, bob, tell):
    page = device(bob).open()
    page.click("#bell")
    expect(page.get_by_text("You are all caught up")).to_be_visible()

    tell(bob)

    expect(page.locator("#bell-panel li")).to_have_count(1)


@pytest.mark.req("N-011", "N-012")
def test_dont_show_me_these_in_a_popup_turns_off_popups_of_that_kind(device, bob, tell):
    page = device(bob).open()
    tell(bob)
    page.locator(".popup").get_by_role("button", name=re.compile("More about this")).click()
    page.locator(MENU, has_text="Don't show me these anymore").click()
    expect(page.locator(".popup")).to_contain_text("No more pop-ups for “You are @mentioned on a deal record”.")
    page.locator(".popup").get_by_role("button", name="Dismiss").click()
    expect(page.locator(".popup")).to_have_count(0)

    tell(bob)

    shows(page, "2")  # the bell still gets them
    assert page.locator(".popup").count() == 0


@pytest.mark.req("N-012")
def test_dont_show_me_these_under_the_bell_can_be_taken_back(device, bob, tell):
    tell(bob)
    arrived(bob, 1)
    page = device(bob).open()
    page.click("#bell")
    page.locator("#bell-panel action-menu > button").click()
    page.locator(MENU, has_text="Don't show me these anymore").click()
    said = page.locator("#bell-said")
    expect(said).to_contain_text("will not show under the bell anymore")
    assert not preferences.standing(bob).own["deals.mentioned"].on & 1
    expect(said.get_by_role("button", name="Undo")).to_be_focused()
    page.keyboard.press("Enter")

    expect(said).to_contain_text("shows under the bell.")
    assert not preferences.standing(bob).own["deals.mentioned"].chosen & 1


@pytest.mark.req("N-014")
def test_the_menu_leads_to_the_preferences_of_that_kind_and_to_why(device, bob, tell):
    event = tell(bob)
    arrived(bob, 1)
    page = device(bob).open("notifications/")
    page.locator("main action-menu > button").click()

    expect(page.get_by_role("button", name="Turn off sound")).to_be_enabled()
    expect(page.get_by_role("link", name="Go to notification preferences")).to_have_attribute(
        "href", f"/{bob.account.hub_id}/settings/notifications/desktop/#type-deals-mentioned"
    )
    expect(page.get_by_role("link", name="Why did I get this?")).to_have_attribute(
        "href", f"/{bob.account.hub_id}/notifications/{event.pk}/why/"
    )


def test_everything_can_be_done_with_the_keyboard(device, bob, tell):
    tell(bob)
    arrived(bob, 1)
    page = device(bob).open()
    page.locator("#bell").focus()

    page.keyboard.press("Enter")
    panel = page.locator("#bell-panel")
    expect(panel.locator("li")).to_have_count(1)
    expect(panel).to_be_focused()
    page.locator("#bell-panel action-menu > button").focus()
    page.keyboard.press("Space")
    expect(page.locator(MENU).first).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(page.locator(MENU, has_text="Archive")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator("#bell-panel action-menu > button")).to_be_focused()
    expect(panel).to_be_visible()
    page.keyboard.press("Escape")
    expect(panel).to_be_hidden()
    expect(page.locator("#bell")).to_be_focused()

    page.keyboard.press("Space")
    expect(panel.locator("li")).to_have_count(1)
    page.keyboard.press("Tab")  # mark all as read
    page.keyboard.press("Enter")
    shows(page, "")


def test_who_is_already_at_work_in_the_panel_keeps_their_place_when_it_is_read_again(device, bob, tell):
    tell(bob)
    arrived(bob, 1)
    page = device(bob, service_workers="block").open()
    page.click("#bell")
    panel = page.locator("#bell-panel")
    expect(panel.locator("li")).to_have_count(1)
    page.keyboard.press("Escape")
    expect(panel).to_be_hidden()
    tell(bob)
    arrived(bob, 2)
    asked: list[Route] = []
    page.route(BELL_PANEL, lambda route: asked.append(route))

    page.press("#bell", "Enter")
    wait_for(lambda: page.evaluate("1") == 1 and bool(asked), "the panel asks for what is new")
    panel.locator(".rows__title").focus()
    asked[0].continue_()

    expect(panel.locator("li")).to_have_count(2)
    expect(panel.locator(".rows__title").nth(1)).to_be_focused()


def test_what_is_done_while_the_panel_is_read_again_is_not_undone_on_it(device, bob, tell):
    tell(bob)
    arrived(bob, 1)
    page = device(bob, service_workers="block").open()
    page.click("#bell")
    panel = page.locator("#bell-panel")
    expect(panel.locator("li[data-unread]")).to_have_count(1)
    page.keyboard.press("Escape")
    expect(panel).to_be_hidden()
    asked: list[Route] = []
    page.route(BELL_PANEL, lambda route: asked.append(route))

    page.press("#bell", "Enter")
    wait_for(lambda: page.evaluate("1") == 1 and bool(asked), "the panel asks for what is new")
    before = asked[0].fetch()
    panel.get_by_role("button", name="Mark all as read").press("Enter")
    shows(page, "")
    asked[0].fulfill(response=before)

    expect(panel.get_by_role("status")).to_contain_text("1 notification marked as read.")
    expect(panel.locator("li")).to_have_count(1)
    expect(panel.locator("li[data-unread]")).to_have_count(0)


def test_archiving_can_be_taken_back(device, bob, tell):
    tell(bob)
    arrived(bob, 1)
    page = device(bob).open("notifications/")
    row = page.locator("main li[data-event]")
    row.get_by_role("button", name=re.compile("^Archive")).click()
    expect(row).to_be_hidden()
    expect(page.get_by_text("You are all caught up")).to_be_visible()

    page.get_by_role("button", name="Undo").click()

    expect(row).to_be_visible()


def test_several_are_chosen_and_read_at_once(device, bob, tell):
    for deal in ("Oak", "Elm", "Ash"):
        tell(bob, deal=deal)
    arrived(bob, 3)
    page = device(bob).open("notifications/")
    expect(page.get_by_role("button", name="Archive", exact=True)).to_be_hidden()
    page.get_by_role("checkbox", name=re.compile("Select .*Oak")).check()
    page.get_by_role("checkbox", name=re.compile("Select .*Elm")).check()
    expect(page.get_by_text("2 selected")).to_be_visible()

    page.get_by_role("button", name="Read", exact=True).click()

    shows(page, "1")
    expect(page.locator("li[data-unread]")).to_have_count(1)


def test_show_more_goes_on_where_the_keyboard_was(device, bob, tell):
    for number in range(27):
        tell(bob, deal=f"Deal {number}")
    arrived(bob, 27)
    page = device(bob).open("notifications/")
    rows = page.locator("main li[data-event]")
    expect(rows).to_have_count(25)

    page.get_by_role("link", name="Show more").press("Enter")

    expect(rows).to_have_count(27)
    expect(rows.nth(25).get_by_role("link")).to_be_focused()


def test_search_finds_as_one_types(device, bob, tell):
    tell(bob, deal="Oak")
    tell(bob, deal="Elm")
    arrived(bob, 2)
    page = device(bob).open("notifications/")
    search = page.get_by_role("searchbox")

    search.fill("elm")
    expect(page.locator("main li[data-event]")).to_have_count(1)
    search.fill("beech")
    expect(page.get_by_text("Nothing found for “beech”")).to_be_visible()


def test_a_panel_that_cannot_be_loaded_says_so_and_tries_again(device, bob, tell):
    tell(bob)
    arrived(bob, 1)
    person = device(bob, service_workers="block")
    page = person.open()
    page.route(BELL_PANEL, lambda route: route.abort())
    page.click("#bell")
    expect(page.get_by_text("Your notifications could not be loaded")).to_be_visible()
    person.errors.clear()  # the browser's own word about it

    page.unroute(BELL_PANEL)
    page.get_by_role("button", name="Try again").click()

    expect(page.locator("#bell-panel li")).to_have_count(1)


def test_axe_finds_nothing(device, bob, tell, no_violations):
    page = device(bob).open("notifications/")
    no_violations(page)
    tell(bob)
    expect(page.locator(".popup")).to_have_count(1)
    no_violations(page)
    page.reload()
    expect(page.locator("main li")).to_have_count(1)
    page.click("#bell")
    expect(page.locator("#bell-panel li")).to_have_count(1)
    page.locator("#bell-panel action-menu > button").click()
    expect(page.locator(MENU).first).to_be_visible()
    no_violations(page)
