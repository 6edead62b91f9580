"""A filtered list, built with the keyboard, and a record that joins it."""

import re

import pytest
from playwright.sync_api import expect

from crm import records

pytestmark = pytest.mark.browser


def test_a_filtered_list_is_built_with_the_keyboard_and_keeps_itself_right(device, alice, bob, no_violations):
    mia = records.create(alice.account, "contacts", {"first_name": "Mia", "city": "Oslo", "owner": bob.pk}, by=alice)
    nils = records.create(alice.account, "contacts", {"first_name": "Nils", "city": "Bergen"}, by=alice)
    page = device(bob).open("lists/new/?kind=contacts")
    page.get_by_label("Name").fill("Mine in Oslo")

    first = page.get_by_role("group", name="Condition").first
    first.get_by_label("Property").select_option(label="City")
    first.get_by_label("Comparison").select_option(label="is")
    first.get_by_label("Value").fill("Oslo")
    page.get_by_role("button", name="Add a condition").focus()
    page.keyboard.press("Enter")
    second = page.get_by_role("group", name="Condition").nth(1)
    expect(second.get_by_label("Property")).to_be_focused()
    second.get_by_label("Property").select_option(label="Contact owner")
    second.get_by_label("Value").select_option(label="Bob")
    expect(page.get_by_text("Contacts that match now and that you may see: 1.")).to_be_visible()
    second.get_by_label("Comparison").select_option(label="is empty")
    expect(second.get_by_label("Value")).to_be_hidden()
    expect(page.get_by_text("Contacts that match now and that you may see: 0.")).to_be_visible()
    no_violations(page)
    second.get_by_role("button", name="Remove this condition").focus()
    page.keyboard.press("Enter")
    expect(second).to_be_hidden()
    expect(first.get_by_role("button", name="Remove this condition")).to_be_focused()
    page.get_by_role("button", name="Save").click()

    expect(page.get_by_role("link", name="Mia")).to_be_visible()  # as soon as it is processed
    no_violations(page)
    records.change(nils, {"city": "Oslo"}, by=alice)
    records.change(mia, {"city": "Bergen"}, by=alice)
    for _ in range(20):
        page.wait_for_timeout(500)
        page.reload()
        if page.get_by_role("link", name="Nils").is_visible():
            break
    expect(page.get_by_role("link", name="Nils")).to_be_visible()
    expect(page.get_by_role("link", name=re.compile("^Mia"))).to_be_hidden()
