"""The daily paths: making, assigning, editing in place, mentioning with the picker, moving deals by hand and keys."""

import re

import pytest
from playwright.sync_api import expect

from crm import pipelines, records, saving_views, schema, stages
from crm.browsing import Wanted
from crm.lists import making
from crm.models import Mention, Record
from tests.browser.conditions import wait_for

OFFERS = ".mention-list [role=option]"


def was_refused(device):
    """A refusal is an answer, which the browser's console tells of; nothing else was told."""
    assert device.errors
    assert all("status of 4" in error for error in device.errors)
    device.errors.clear()


@pytest.fixture
def sales(alice):
    kind = schema.kind_of(alice.account, "deals")
    return list(stages.pipelines_of(alice.account, kind)[0].stages.all())


@pytest.fixture
def deal(alice, sales):
    return records.create(alice.account, "deals", {"name": "Nordic Oak 2027"}, by=alice)


def test_a_contact_is_made_found_and_assigned(device, alice, bob, no_violations):
    here = device(bob)
    page = here.open("contacts/")
    expect(page.get_by_text("Contacts: none yet")).to_be_visible()
    no_violations(page)
    page.get_by_role("link", name="New: Contact").click()
    page.get_by_label("First name").fill("Mia")
    page.get_by_label("E-mail address").fill("not an address")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_label("First name")).to_have_value("Mia")
    expect(page.get_by_label("E-mail address")).to_have_value("not an address")
    was_refused(here)
    no_violations(page)
    page.get_by_label("E-mail address").fill("mia@example.com")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", name="Mia")).to_be_visible()
    no_violations(page)

    page.get_by_role("link", name="Edit Contact owner").click()
    page.get_by_label("Contact owner").select_option(label="Alice")
    page.locator(".property--open").get_by_role("button", name="Save").click()
    expect(page.locator("#property-owner")).to_contain_text("Alice")
    expect(page.locator("#entries")).to_contain_text("changed Contact owner from “Bob” to “Alice”")

    page.get_by_role("navigation", name="Kinds of records").get_by_role("link", name="Contacts").click()
    page.get_by_label("Search Contacts").fill("zebra")
    expect(page.get_by_text("Nothing found")).to_be_visible()
    page.get_by_label("Search Contacts").fill("mia")
    expect(page.get_by_role("row", name=re.compile("Mia.*Alice"))).to_be_visible()


def test_a_property_is_edited_with_the_keyboard_alone(device, alice, bob):
    record = records.create(alice.account, "contacts", {"first_name": "Mia", "city": "Oslo"}, by=alice)
    page = device(bob).open(f"contacts/{record.pk}/")
    city = page.locator("#property-city")
    city.get_by_role("link").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_label("City")).to_be_focused()
    page.keyboard.type("Nowhere")
    page.keyboard.press("Escape")
    expect(city).to_contain_text("Oslo")
    expect(city.get_by_role("link")).to_be_focused()

    page.keyboard.press("Enter")
    expect(page.get_by_label("City")).to_be_focused()  # before that the form is still being wired up
    page.get_by_label("City").fill("Bergen")
    page.keyboard.press("Enter")

    expect(city).to_contain_text("Bergen")
    expect(city.get_by_role("status")).to_contain_text("Saved")


def test_somebody_elses_change_is_told_and_can_be_merged(device, alice, bob, no_violations):
    record = records.create(alice.account, "contacts", {"first_name": "Mia", "city": "Oslo"}, by=alice)
    page = device(bob).open(f"contacts/{record.pk}/")
    page.get_by_role("link", name="Edit City").click()
    expect(page.get_by_label("City")).to_be_focused()
    page.get_by_label("City").fill("Bergen")
    records.change(record, {"city": "Stavanger"}, by=alice)
    page.locator(".property--open").get_by_role("button", name="Save").click()

    expect(page.get_by_text("Nothing of yours is saved yet.")).to_be_visible()
    no_violations(page)
    page.get_by_label(re.compile("Save what I wrote")).check()
    page.locator(".property--open").get_by_role("button", name="Save").click()

    expect(page.locator("#property-city")).to_contain_text("Saved")
    assert Record.objects.get().values["city"] == "Bergen"


@pytest.mark.parametrize("key", ["Enter", "Tab"])
def test_somebody_is_mentioned_with_the_picker(device, alice, bob, carol, deal, no_violations, key):
    page = device(bob).open(f"deals/{deal.pk}/")
    text = page.locator("#log-text")
    text.focus()
    page.keyboard.type("Ask @")
    offers = page.locator(OFFERS)
    expect(offers).to_have_count(4)  # alice, bob, carol and the team
    no_violations(page)
    expect(text).to_have_attribute("aria-activedescendant", re.compile("-0$"))
    page.keyboard.press("ArrowDown")
    expect(offers.nth(1)).to_have_attribute("aria-selected", "true")
    page.keyboard.press("ArrowUp")
    page.keyboard.type("car")
    expect(offers).to_have_count(1)
    page.keyboard.press(key)
    expect(text).to_have_value("Ask @Carol ")
    expect(text).to_be_focused()
    page.keyboard.type("about @zzz")
    expect(page.locator("mention-box").first.get_by_role("status")).to_have_text("Nobody of that name")
    page.locator("#timeline").get_by_role("button", name="Save").click()

    expect(page.locator(".mention")).to_have_text("@Carol")
    wait_for(lambda: Mention.objects.filter(member=carol).exists(), "the mention")


def test_escape_closes_the_picker_and_leaves_the_words(device, alice, bob, deal):
    page = device(bob).open(f"deals/{deal.pk}/")
    page.locator("#log-text").focus()
    page.keyboard.type("mail @bob")
    expect(page.locator(OFFERS)).to_have_count(1)

    page.keyboard.press("Escape")

    expect(page.locator(OFFERS)).to_have_count(0)
    expect(page.locator("#log-text")).to_have_value("mail @bob")


def test_a_deal_is_moved_by_dragging(device, alice, bob, deal, sales, no_violations):
    page = device(bob).open("deals/board/")
    no_violations(page)
    handle = page.get_by_role("button", name="Move Nordic Oak 2027").bounding_box()
    column = page.get_by_role("region", name=sales[2].name).bounding_box()
    page.mouse.move(handle["x"] + 5, handle["y"] + 5)
    page.mouse.down()
    page.mouse.move(column["x"] + 60, column["y"] + 90, steps=8)
    page.mouse.up()

    expect(page.locator("#board-said")).to_have_text(f"Nordic Oak 2027 is now in {sales[2].name}.")
    expect(page.get_by_role("region", name=sales[2].name).locator("[data-card]")).to_have_count(1)
    expect(page.get_by_role("region", name=sales[2].name).locator("[data-count]")).to_have_text("1")
    deal.refresh_from_db()
    assert deal.stage == sales[2]


def test_a_deal_is_moved_with_the_keyboard(device, alice, bob, deal, sales):
    page = device(bob).open("deals/board/")
    said, handle = page.locator("#board-said"), page.get_by_role("button", name="Move Nordic Oak 2027")
    handle.focus()
    page.keyboard.press("Space")
    expect(said).to_have_text(f"Nordic Oak 2027 is picked up, in {sales[0].name}.")
    page.keyboard.press("ArrowRight")
    expect(said).to_have_text(f"Nordic Oak 2027 is over {sales[1].name}.")
    page.keyboard.press("Escape")
    expect(said).to_have_text(f"Nordic Oak 2027 is back in {sales[0].name}.")
    expect(handle).to_be_focused()

    page.keyboard.press("Enter")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")

    expect(said).to_have_text(f"Nordic Oak 2027 is now in {sales[1].name}.")
    expect(handle).to_be_focused()
    deal.refresh_from_db()
    assert deal.stage == sales[1]


def test_a_refused_card_returns_to_its_place_and_says_why(device, alice, bob, deal, sales):
    here = device(bob)
    page = here.open("deals/board/")
    pipelines.remove_stage(sales[1], by=alice)
    page.get_by_role("button", name="Move Nordic Oak 2027").focus()
    for key in ("Space", "ArrowRight", "Space"):
        page.keyboard.press(key)

    expect(page.locator("#board-said")).to_contain_text("It may have been removed a moment ago.")
    expect(page.get_by_role("region", name=sales[0].name).locator("[data-card]")).to_have_count(1)
    was_refused(here)


def test_what_is_deleted_comes_back_with_undo(device, alice, bob, deal):
    page = device(bob).open(f"deals/{deal.pk}/")
    page.get_by_role("button", name="Delete").click()
    expect(page.get_by_text("“Nordic Oak 2027” is in the bin.")).to_be_visible()

    page.get_by_role("button", name="Undo").click()

    expect(page.get_by_role("heading", name="Nordic Oak 2027")).to_be_visible()
    assert not Record.objects.get().is_deleted


def test_ticked_records_are_assigned_in_the_background(device, alice, bob, carol, no_violations):
    for name in ("Mia", "Nils", "Ola"):
        records.create(alice.account, "contacts", {"first_name": name}, by=alice)
    page = device(bob).open("contacts/")
    for name in ("Mia", "Ola"):
        page.get_by_label(f"Select {name}").check()
    expect(page.get_by_text("2 selected")).to_be_visible()
    no_violations(page)
    page.get_by_label("New owner").select_option(label="Carol")
    page.get_by_role("button", name="Assign").click()
    expect(page.get_by_text("2 records.")).to_be_visible()
    page.get_by_role("button", name="Assign").click()

    expect(page.get_by_text("Finished. 2 records.")).to_be_visible()
    no_violations(page)
    assert set(Record.objects.filter(owner=carol).values_list("title", flat=True)) == {"Mia", "Ola"}


@pytest.mark.parametrize("width", [1280, 360])
def test_the_longest_words_break_and_push_no_page_sideways(device, alice, bob, sales, width):
    contact = records.create(alice.account, "contacts", {"first_name": "W" * 290}, by=alice)
    pipelines.change_stage(sales[0], name="W" * 120, by=alice)
    kind = schema.kind_of(alice.account, "contacts")
    saving_views.save(kind, name="W" * 80, wanted=Wanted(), columns=[], is_shared=False, by=bob)
    listed = making.create(alice.account, kind, name="W" * 120, is_filtered=False, by=alice)
    here = device(bob, viewport={"width": width, "height": 800})
    page = here.open()
    for path in (
        f"contacts/{contact.pk}/",
        f"contacts/{contact.pk}/edit/",
        "contacts/",
        "deals/",
        f"lists/{listed.pk}/",
    ):
        page.goto(here.home + path)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
