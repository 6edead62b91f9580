"""Quiet hours, the pause, snooze and what-if, as people use them."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from notifications import bell, preferences, quiet, snoozing, types
from notifications.models import Silence, Snooze
from tests.browser.conditions import wait_for

QUIET, WHAT_IF = "settings/notifications/quiet-hours/", "settings/notifications/what-if/"
SNOOZED = "notifications/snoozed/"
MENU = "[popover]:popover-open .menu__item"
LOOKS = [
    {"viewport": {"width": 1280, "height": 900}, "color_scheme": "light"},
    {"viewport": {"width": 360, "height": 740}, "color_scheme": "dark"},
]


def arrived(member, count):
    wait_for(lambda: bell.of(member).count() == count, f"{count} notifications")


def fits(page: Page) -> bool:
    """Nothing makes the page wider than the window."""
    return bool(page.evaluate("document.documentElement.scrollWidth <= innerWidth"))


@pytest.mark.parametrize("look", LOOKS, ids=["wide light", "narrow dark"])
def test_the_pages_are_whole_and_axe_finds_nothing(device, bob, tell, no_violations, look):
    tell(bob, deal="Oak")
    tell(bob, deal="Elm")
    arrived(bob, 2)
    quiet.set_hours(bob, [quiet.Hours(day, quiet.time(22), quiet.time(7)) for day in range(5)])
    quiet.pause(bob, until=timezone.now() + timedelta(hours=2))
    snoozing.snooze(bob, bell.of(bob).last().event_id, until=timezone.now() + timedelta(hours=3))
    signed_in = device(bob, **look)
    for path in (QUIET, WHAT_IF, SNOOZED, "settings/notifications/email/"):
        page = signed_in.open(path)
        expect(page.locator("silence-note")).to_contain_text("Paused until")
        no_violations(page)
        assert fits(page), path
        page.close()


def test_quiet_hours_are_saved_and_refused_beside_the_day(device, bob):
    page = device(bob).open(QUIET)
    page.get_by_role("checkbox", name="Saturday").check()
    page.locator("#id_starts5").fill("09:00")
    page.locator("#id_ends5").fill("09:00")
    page.get_by_role("button", name="Save quiet hours").click()
    expect(page.locator("fieldset", has_text="Saturday")).to_contain_text("The end must differ from the beginning.")
    expect(page.locator("#id_starts5")).to_have_value("09:00")
    assert quiet.hours_of(bob) == []

    page.locator("#id_ends5").fill("18:30")
    page.get_by_role("button", name="Save quiet hours").click()
    expect(page.get_by_text("Your quiet hours are saved.")).to_be_visible()
    (saturday,) = quiet.hours_of(bob)
    assert (saturday.weekday, f"{saturday.ends:%H:%M}") == (5, "18:30")


def test_a_pause_from_the_bell_shows_in_every_tab_and_can_be_ended(device, bob, tell):
    one = device(bob)
    page, other = one.open(), one.open("notifications/")
    page.click("#bell")
    page.get_by_role("button", name="Pause").click()
    page.locator(MENU, has_text="For an hour").click()
    expect(page.locator("#bell-said")).to_contain_text("Everything but the bell is paused until")
    for tab in (page, other):
        expect(tab.locator("silence-note")).to_contain_text("Paused until")

    tell(bob)
    expect(page.locator("unread-badge")).to_have_text("1")
    expect(page.locator(".popup")).to_have_count(0)
    page.reload()
    page.click("#bell")
    expect(page.locator("#bell-panel li")).to_contain_text("Paused until")
    page.keyboard.press("Escape")

    other.locator("silence-note").get_by_role("button", name="Resume").click()
    for tab in (page, other):
        expect(tab.locator("silence-note")).to_be_hidden()
    wait_for(lambda: page.locator(".popup").count() + other.locator(".popup").count() == 1, "the one that was held")


def test_several_that_were_held_pop_up_as_one(device, bob, tell):
    page = device(bob).open()
    Silence.objects.create(
        member=bob, starts_at=timezone.now() - timedelta(hours=1), ends_at=timezone.now() + timedelta(hours=1)
    )
    tell(bob, deal="Oak")
    tell(bob, deal="Elm")
    expect(page.locator("unread-badge")).to_have_text("2")
    assert page.locator(".popup").count() == 0

    Silence.objects.update(ends_at=timezone.now())
    quiet.zone_changed(member=bob)
    expect(page.locator(".popup")).to_contain_text("While you were away: 2 notifications")
    page.locator(".popup__title").click()
    expect(page).to_have_url(re.compile(r"/notifications/\?unread=on$"))


def test_snooze_undo_and_wake(device, bob, tell):
    tell(bob, deal="Oak")
    arrived(bob, 1)
    page = device(bob).open("notifications/")
    for _again in range(2):
        page.locator("#results").get_by_role("button", name=re.compile("More about")).click()
        page.locator(MENU, has_text="Snooze").first.click()
        page.locator(MENU, has_text="Until tomorrow morning").click()
        expect(page.locator("#list-said")).to_contain_text("Snoozed until")
        expect(page.locator("unread-badge")).to_have_text("")
        if not _again:
            page.locator("#list-said").get_by_role("button", name="Undo").click()
            expect(page.locator("unread-badge")).to_have_text("1")
            page.reload()

    page.get_by_role("link", name="Snoozed").click()
    expect(page.get_by_role("listitem").filter(has_text="Oak")).to_contain_text("Comes back:")
    page.get_by_role("button", name=re.compile("Wake now")).click()
    expect(page.locator("unread-badge")).to_have_text("1")
    assert Snooze.objects.get().returned is not None


def test_a_time_that_is_past_is_refused_beside_it_and_stays_typed(device, bob, tell):
    tell(bob, deal="Oak")
    arrived(bob, 1)
    bobs = device(bob)
    page = bobs.open("notifications/")
    tell(bob, deal="Elm")
    expect(page.locator(".popup")).to_contain_text("Elm")
    for place in (page.locator("#results").get_by_role("listitem").filter(has_text="Oak"), page.locator(".popup")):
        place.get_by_role("button", name=re.compile("More about")).click()
        page.locator(MENU, has_text="Snooze").first.click()
        field = page.locator("[popover]:popover-open [name=until]")
        field.fill("2020-01-01T10:00")
        field.press("Enter")
        expect(field).to_have_attribute("aria-invalid", "true")
        expect(field).to_have_accessible_description(re.compile(r"\w"))
        expect(field).to_have_value("2020-01-01T10:00")
        expect(place).to_be_visible()
        page.keyboard.press("Escape")
    assert not Snooze.objects.exists()
    assert len(bobs.errors) == 2
    bobs.errors.clear()  # a refusal is a 422, which the browser notes


def test_what_if_counts_before_anything_is_saved(device, bob, tell):
    for name in ("Oak", "Elm", "Ash"):
        tell(bob, deal=name, type_key="deals.stage_changed")
    arrived(bob, 3)
    page = device(bob).open(WHAT_IF)
    box = page.get_by_role("checkbox", name=re.compile("^E-mail: A deal you own"))
    expect(page.locator("form#what-if [role=status]")).to_contain_text("would have been the same")
    box.uncheck()
    expect(page.locator("form#what-if [role=status]")).to_have_text(
        "In the last 14 days this would have been 0 mails instead of 3."
    )
    standing = preferences.standing(bob, [types.deals.STAGE_CHANGED])
    assert next(cell for cell in standing.cells(types.deals.STAGE_CHANGED) if cell.channel.key == "email").is_on

    page.get_by_role("button", name="Save these choices").click()
    expect(page.get_by_text("Your choices are saved.")).to_be_visible()
    standing = preferences.standing(bob, [types.deals.STAGE_CHANGED])
    assert not next(cell for cell in standing.cells(types.deals.STAGE_CHANGED) if cell.channel.key == "email").is_on
