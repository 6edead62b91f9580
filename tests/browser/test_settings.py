"""Settings › Notifications and the pages around it, as people use them."""

import re
from functools import partial

import pytest
from django.conf import settings
from playwright.sync_api import Page, Route, expect

from notifications import bell, delivering, events, fanout, preferences, types
from notifications.channels import CARRIER
from notifications.models import DailyCount, Delivery, Lock
from tests.browser.conditions import wait_for

STAGE = types.TYPES["deals.stage_changed"]
MAIL = "#tick-deals-stage_changed-email"
BELL = "#tick-deals-stage_changed-bell"
POPUP = "#tick-deals-stage_changed-popup"
EMAIL_TAB, DESKTOP_TAB = "settings/notifications/email/", "settings/notifications/desktop/"
UNFOLD = "document.querySelectorAll('main details').forEach((each, at) => { each.open = [0, 11, 15, 23].includes(at) })"
PAGES = [
    EMAIL_TAB,
    DESKTOP_TAB,
    "settings/notifications/other-apps/",
    "settings/notifications/mobile/",
    "notifications/why/",
    "notifications/why/?type=deals.stage_changed",
    "../developers/types/",
]


def is_on(member, channel="email", kind=STAGE):
    cells = preferences.standing(member, [kind]).cells(kind)
    return next(cell.is_on for cell in cells if cell.channel.key == channel)


def answer(status: int, route: Route) -> None:
    route.fulfill(status=status, body="<h1>No</h1>")


def open_topic(page: Page, key: str = "deals") -> None:
    page.locator(f"#topic-{key} > summary").click()


@pytest.fixture
def moved(alice, bob):
    """A deal of bob's moved."""
    event = events.emit(STAGE, audience=[bob], by=alice, data=STAGE.example)
    fanout.run_due()
    return event


# --- Saving as you go


@pytest.mark.req("N-008", "N-009", "N-040")
def test_a_tick_is_saved_without_a_reload_and_stays(device, bob):
    page = device(bob).open(EMAIL_TAB)
    page.evaluate("document.body.dataset.same = 'yes'")
    open_topic(page)
    page.uncheck(MAIL)

    expect(page.locator("preference-grid > [data-said]")).to_have_text("Saved")
    expect(page.locator("#cell-deals-stage_changed-email")).to_contain_text("your choice")
    expect(page.locator("#counts-deals")).to_have_text("2 of 3 on")
    expect(page.locator("body")).to_have_attribute("data-same", "yes")
    assert not is_on(bob)

    page.reload()
    open_topic(page)
    expect(page.locator(MAIL)).not_to_be_checked()
    page.locator("#cell-deals-stage_changed-email").get_by_role("button", name="Back to default").click()
    expect(page.locator("#cell-deals-stage_changed-email")).to_contain_text("built-in default")
    expect(page.locator(MAIL)).to_be_checked()
    expect(page.locator(MAIL)).to_be_focused()
    assert is_on(bob)


def test_a_tick_before_the_script_is_there_is_saved_too(device, bob):
    at = device(bob, service_workers="block")
    page = at.context.new_page()
    held: list[Route] = []
    page.route("**/preference-grid*.js", lambda route: held.append(route))
    page.goto(at.home + EMAIL_TAB, wait_until="commit")
    open_topic(page)
    page.uncheck(MAIL)
    held[0].continue_()

    expect(page.locator("preference-grid > [data-said]")).to_have_text("Saved")
    expect(page.locator("#cell-deals-stage_changed-email")).to_contain_text("your choice")
    assert not is_on(bob)


def test_whoever_ticks_faster_than_the_network_loses_nothing(device, bob):
    page = device(bob, service_workers="block").open(DESKTOP_TAB)
    open_topic(page)
    held: list[Route] = []
    page.route("**/cell/", lambda route: held.append(route), times=2)
    for selector in (BELL, POPUP, BELL, BELL):  # bell ends off, pop-up on
        page.click(selector)
    wait_for(lambda: page.evaluate("1") == 1 and len(held) == 2, "both ticks on their way")
    for route in held:
        route.continue_()

    expect(page.locator("#cell-deals-stage_changed-bell")).to_contain_text("Off your choice")
    expect(page.locator("#cell-deals-stage_changed-popup")).to_contain_text("On your choice")
    expect(page.locator(BELL)).not_to_be_checked()
    expect(page.locator(POPUP)).to_be_checked()
    assert (is_on(bob, "bell"), is_on(bob, "popup")) == (False, True)


def test_what_is_not_saved_goes_back_and_says_so_beside_it(device, bob):
    at = device(bob, service_workers="block")
    page = at.open(EMAIL_TAB)
    open_topic(page)
    cell = page.locator("#cell-deals-stage_changed-email")

    page.route("**/cell/", lambda route: route.abort("connectionrefused"))
    page.click(MAIL)
    expect(cell.get_by_role("alert")).to_have_text(re.compile("Bellhop cannot be reached"))
    expect(page.locator(MAIL)).to_be_checked()
    page.unroute("**/cell/")

    for status, words in [(500, "went wrong on our side"), (403, "out of date")]:
        page.route("**/cell/", partial(answer, status))
        page.click(MAIL)
        expect(cell.get_by_role("alert")).to_have_text(re.compile(words))
        expect(page.locator(MAIL)).to_be_checked()
        page.unroute("**/cell/")

    at.context.clear_cookies(name=settings.SESSION_COOKIE_NAME)
    page.click(MAIL)
    expect(cell.get_by_role("alert")).to_have_text(re.compile("you are signed out"))
    expect(page.locator(MAIL)).to_be_checked()
    at.sign_in()
    at.errors.clear()  # the browser reports each failed request; that was the point

    assert is_on(bob)


def test_a_cell_locked_meanwhile_shows_the_lock(device, bob, account):
    at = device(bob)
    page = at.open(EMAIL_TAB)
    open_topic(page)
    Lock.objects.create(account=account, type=STAGE.key, channel="email", is_on=True, reason="Audit until May")
    page.click(MAIL)

    expect(page.locator("#cell-deals-stage_changed-email").get_by_role("alert")).to_contain_text("Audit until May")
    expect(page.locator(MAIL)).to_be_disabled()
    expect(page.locator("#type-deals-stage_changed")).to_contain_text("E-mail: on, locked by an administrator")
    at.errors.clear()


@pytest.mark.req("N-015")
def test_the_master_switch_changes_every_cell_at_once(device, bob):
    page = device(bob).open(EMAIL_TAB)
    open_topic(page)
    page.get_by_role("switch", name="Notifications by e-mail").click()

    expect(page.locator("#switched-off")).to_contain_text("E-mail is switched off")
    expect(page.locator("#cell-deals-stage_changed-email")).to_contain_text("channel is off")
    expect(page.locator(MAIL)).to_be_checked()  # what is kept
    assert not is_on(bob)
    page.get_by_role("switch", name="Notifications by e-mail").click()
    expect(page.locator("#cell-deals-stage_changed-email")).to_contain_text("built-in default")
    expect(page.locator("#switched-off .banner")).to_have_count(0)
    assert is_on(bob)


def test_a_whole_topic_with_one_button(device, bob):
    page = device(bob).open(DESKTOP_TAB)
    open_topic(page)
    page.get_by_role("group", name="Pop-up: Deals").get_by_role("button", name="All off").click()

    expect(page.locator("#counts-deals")).to_contain_text("Pop-up 0 of 3")
    for box in page.locator("#topic-deals input[id$=-popup]").all():
        expect(box).not_to_be_checked()


# --- Clear all


@pytest.mark.req("N-010")
def test_clear_all_asks_first_and_can_be_undone(device, bob):
    preferences.choose(bob, {("tasks.due", "email"): True})
    page = device(bob).open(EMAIL_TAB)
    page.get_by_role("button", name="Clear all preferences").click()
    dialog = page.get_by_role("dialog", name="Clear all preferences?")
    expect(dialog).to_contain_text("What is required or locked by an administrator stays on.")
    page.keyboard.press("Escape")
    expect(dialog).not_to_be_visible()
    assert is_on(bob)

    page.get_by_role("button", name="Clear all preferences").click()
    dialog.get_by_role("button", name="Turn everything off").click()
    expect(page.get_by_text("You turned everything off.")).to_be_visible()
    expect(page.locator("#counts-deals")).to_have_text("0 of 3 on")
    expect(page.locator("#counts-system")).to_have_text("2 of 9 on")
    assert not is_on(bob)

    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("Your choices are as they were before.")).to_be_visible()
    expect(page.locator("#counts-deals")).to_have_text("3 of 3 on")
    assert {row.type for row in bob.preferences.all()} == {"tasks.due"}


# --- Finding


@pytest.mark.req("N-008", "N-041")
def test_the_search_finds_topics_and_notifications(device, bob):
    page = device(bob).open(EMAIL_TAB)
    open_topic(page, "ads")
    box = page.get_by_role("searchbox", name="Search topics and notifications")

    box.fill("mentioned deal")
    expect(page.locator(".topic-search__count")).to_have_text("1 notification found")
    expect(page.locator("#type-deals-mentioned")).to_be_visible()
    expect(page.locator("#type-deals-assigned")).to_be_hidden()
    expect(page.locator("#topic-tickets")).to_be_hidden()

    box.fill("DEALS")  # a topic's name brings all of it
    expect(page.locator("#topic-deals .type:visible")).to_have_count(3)

    # A button for all of a topic would change what the search hides.
    expect(page.locator("#topic-deals").get_by_role("button", name="All off")).to_be_hidden()

    box.fill("approval")  # sub-headings without a match go, too
    expect(page.get_by_role("heading", name="Approvals")).to_be_visible()
    expect(page.get_by_role("heading", name="Projects")).to_be_hidden()

    box.fill("zebra")
    expect(page.locator(".topic-search__count")).to_have_text("Nothing found")
    expect(page.get_by_text("Nothing matches")).to_be_visible()

    box.fill("")
    expect(page.locator("#topic-ads")).to_have_attribute("open", "")
    expect(page.locator("#topic-deals")).not_to_have_attribute("open", "")
    expect(page.locator("details.topic:visible")).to_have_count(len({k.topic for k in preferences.kinds_for(bob)}))


def test_a_link_to_a_type_unfolds_its_topic(device, bob):
    page = device(bob).open(f"{DESKTOP_TAB}#type-deals-stage_changed")

    expect(page.locator(BELL)).to_be_visible()
    expect(page.locator(BELL)).to_be_in_viewport()


# --- Keyboard, no scripts, looks


def test_everything_works_by_keyboard_and_the_focus_stays(device, bob):
    page = device(bob).open(EMAIL_TAB)
    page.locator("#topic-deals > summary").focus()
    page.keyboard.press("Enter")
    for _step in range(2):  # over “All on” and “All off”
        page.keyboard.press("Tab")
    expect(page.get_by_role("group", name="E-mail: Deals").get_by_role("button", name="All off")).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.locator("#tick-deals-assigned-email")).to_be_focused()
    page.keyboard.press("Space")

    expect(page.locator("#cell-deals-assigned-email")).to_contain_text("your choice")
    expect(page.locator("#tick-deals-assigned-email")).to_be_focused()
    page.keyboard.press("Space")
    expect(page.locator("#cell-deals-assigned-email")).to_contain_text("On your choice")
    expect(page.locator("#tick-deals-assigned-email")).to_be_focused()


def test_without_scripts_a_button_saves_the_page(device, bob):
    at = device(bob, java_script_enabled=False)
    page = at.context.new_page()
    page.goto(at.home + EMAIL_TAB)
    open_topic(page)
    page.uncheck(MAIL)
    page.get_by_role("button", name="Save", exact=True).last.click()

    expect(page.get_by_text("Your choices are saved.")).to_be_visible()
    assert {row.type: (row.chosen, row.on) for row in bob.preferences.all()} == {STAGE.key: (4, 0)}


def test_an_example_says_where_it_arrives_and_arrives(device, bob):
    page = device(bob).open(DESKTOP_TAB)
    open_topic(page)
    page.get_by_role("button", name=f"Send myself an example: {STAGE.label}").click()

    expect(page.locator("#type-deals-stage_changed")).to_contain_text("An example is on its way: Bell, E-mail.")
    expect(page.locator("unread-badge")).to_have_text("1")
    page.get_by_role("link", name="See what happened").click()
    expect(page.get_by_role("heading", name="Why did I get this?")).to_be_visible()
    expect(page.get_by_role("row", name=re.compile("E-mail"))).to_contain_text("On — the built-in default")


def test_why_leads_to_the_very_cell(device, bob, moved):
    page = device(bob).open(f"notifications/{moved.pk}/why/")
    page.get_by_role("row", name=re.compile("E-mail")).get_by_role("link", name="Change for next time").click()
    page.uncheck(MAIL)

    expect(page.locator("#cell-deals-stage_changed-email")).to_contain_text("Off your choice")
    assert bell.of(bob).exists()


def test_axe_finds_nothing_and_nothing_scrolls_sideways_on_a_phone(device, alice, account, moved, no_violations):
    Lock.objects.create(account=account, type=STAGE.key, channel="email", is_on=True, reason="Audit " * 40)
    preferences.choose(alice, {("deals.assigned", "email"): False})
    preferences.switch(alice, "popup", on=False)
    at = device(alice, viewport={"width": 360, "height": 740})
    page = at.open()
    why, reference = f"notifications/{moved.pk}/why/", "../developers/types/"

    def look_at(path, *schemes):
        page.goto(at.home + path)
        page.evaluate(UNFOLD)
        for scheme in schemes:
            page.emulate_media(color_scheme=scheme)
            no_violations(page)

    for path in (*PAGES, why, f"{why}?member=bob@example.com"):
        look_at(path, *(["dark"] if path in (DESKTOP_TAB, why) else []), "light")
        assert page.evaluate("document.documentElement.scrollWidth") <= 360, path
    page.set_viewport_size({"width": 1280, "height": 900})
    for path in (DESKTOP_TAB, reference):
        look_at(path, "dark", "light")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_day_that_reached_the_limit_reads_well_on_a_phone(device, bob, moved, no_violations, scheme):
    delivering.run_due(CARRIER["email"])  # unless the worker is at it
    wait_for(lambda: Delivery.objects.filter(member=bob, status="sent").exists(), "the mail is sent")
    reached = str(CARRIER["email"].daily_cap.words) % {"limit": "1,000"}
    Delivery.objects.update(status="capped", error=reached)
    DailyCount.objects.update(asked=1037, capped=37)
    at = device(bob, color_scheme=scheme, viewport={"width": 360, "height": 740})
    page = at.open(EMAIL_TAB)
    open_topic(page)
    expect(page.locator("#type-deals-stage_changed")).to_contain_text("Today 1,000 of 1,000")
    expect(page.locator("#switch-email-help")).to_contain_text("at most 1,000 of one kind a day")
    no_violations(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360

    page = at.open(f"notifications/{moved.pk}/why/")
    expect(page.get_by_role("main")).to_contain_text(f"Held back: {reached}")
    no_violations(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
