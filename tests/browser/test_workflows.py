"""A workflow is built with the keyboard alone, turned on, caused, and its notification and log are watched (N-154)."""

import re

import pytest
from playwright.sync_api import expect

from crm import records
from crm.models import Workflow
from crm.workflows import enrolling, writing
from tests.browser.conditions import wait_for
from tests.crm.workflows import SET, build

EDITOR = "form.workflow"


def drawn(page):
    """The form is drawn anew and may be written in."""
    expect(page.locator("workflow-editor[aria-busy]")).to_have_count(0)


@pytest.mark.req("N-154")
def test_a_workflow_is_built_with_the_keyboard_alone_and_fires(device, alice, bob, no_violations):
    page = device(alice).open("workflows/")
    expect(page.get_by_text("No workflows yet")).to_be_visible()
    no_violations(page)
    page.get_by_role("link", name="New workflow").press("Enter")
    page.get_by_label("Name").fill("Large deals")
    page.get_by_label("For which records").select_option(label="Deals")
    page.get_by_label("Name").press("Enter")
    expect(page.get_by_role("heading", name="Large deals")).to_be_visible()

    begins = page.get_by_label("A record is enrolled when")
    begins.focus()
    page.keyboard.type("it is created")
    expect(begins).to_have_value("created")
    expect(page.get_by_text("Not saved yet")).to_be_visible()
    plus = page.get_by_role("button", name="Add a step at the beginning", exact=True)
    plus.press("Enter")
    expect(page.get_by_role("button", name="Send a notification")).to_be_focused()
    page.keyboard.press("Escape")
    expect(plus).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Send a notification")).to_be_focused()
    for key in ("ArrowUp", "ArrowDown", "Enter"):
        page.keyboard.press(key)
    subject = page.get_by_label("Subject")
    expect(subject).to_be_focused()
    drawn(page)
    page.keyboard.type("A large deal")
    page.keyboard.press("Tab")
    page.keyboard.type("Have a look today.")
    no_violations(page)
    page.get_by_role("button", name="Add a step after “Send a notification”").press("Enter")
    expect(page.locator(".menu:popover-open .menu__item").first).to_be_focused()
    page.keyboard.press("End")
    expect(page.get_by_role("button", name=re.compile("^Branch"))).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Add a condition").last).to_be_focused()
    drawn(page)
    page.get_by_role("button", name="Move “Branch” up").press("Enter")
    drawn(page)
    expect(page.get_by_role("button", name="Move “Branch” down")).to_be_focused()
    page.get_by_role("button", name="Remove “Branch”").press("Enter")
    drawn(page)
    expect(page.get_by_role("button", name="Undo")).to_be_focused()
    expect(page.get_by_text("The step is removed.")).to_be_visible()
    expect(page.get_by_role("link", name="0 enrolled now")).to_be_visible()
    expect(subject).to_have_value("A large deal")
    page.get_by_role("button", name="Turn on").press("Enter")
    expect(page.get_by_text("Saved and turned on.")).to_be_visible()
    expect(page.get_by_text("Not saved yet")).to_be_hidden()
    no_violations(page)

    watching = device(bob).open("notifications/")
    records.create(alice.account, "deals", {"name": "Nordic Oak 2027", "owner": bob.pk}, by=alice)
    expect(watching.locator(".popup").get_by_text("A large deal").first).to_be_visible()
    page.get_by_role("link", name=re.compile("enrolled now")).press("Enter")
    expect(page.get_by_role("heading", name="Log")).to_be_visible()
    page.locator("summary", has_text="Nordic Oak 2027").press("Space")
    expect(page.get_by_text("1 member was told: “A large deal”.")).to_be_visible()
    expect(page.locator(".badge", has_text="went through")).to_be_visible()
    no_violations(page)


def test_what_is_missing_is_named_and_leaving_is_asked(device, alice, no_violations):
    workflow = writing.create(alice.account, "deals", "Large deals", alice)
    page = device(alice).open(f"workflows/{workflow.pk}/")
    page.get_by_role("button", name="Add a step at the beginning").click()
    page.get_by_role("button", name="Create a task").click()
    name = page.get_by_label("Name of the task")
    expect(name).to_be_focused()
    name.fill("Call them")
    page.get_by_label("Due after so many days").fill("soon")
    page.get_by_role("button", name="Save", exact=True).last.click()
    expect(page.get_by_text("Write a whole number from 0 to 3650.")).to_be_visible()
    expect(name).to_have_value("Call them")
    no_violations(page)

    asked = []
    page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.dismiss()))
    page.get_by_role("link", name="Workflows", exact=True).first.click(no_wait_after=True)
    wait_for(lambda: asked == ["beforeunload"] or page.wait_for_timeout(20), "the question before leaving")
    page.get_by_label("Due after so many days").fill("2")
    page.get_by_role("button", name="Save", exact=True).last.click()

    expect(page.get_by_text("Saved.", exact=True)).to_be_visible()
    page.get_by_role("button", name="Add a step at the beginning").click()
    page.get_by_role("button", name=re.compile("^Branch")).click()
    expect(page.get_by_role("button", name="Add a condition").last).to_be_focused()
    drawn(page)
    page.keyboard.press("Enter")
    branch = page.get_by_role("group", name="Branch")
    branch.get_by_label("Property").select_option(label="Amount")
    branch.get_by_label("Value").fill("1000")
    page.get_by_role("button", name="Save", exact=True).last.click()
    expect(page.get_by_text("Amount is at least “1,000”")).to_be_visible()
    steps = Workflow.objects.get().steps
    assert steps[0]["conditions"] == [{"property": "amount", "operator": "at_least", "value": 1000}]
    assert steps[1]["due_in_days"] == 2


def test_turning_off_asks_first_and_keeps_what_is_written(device, alice, no_violations):
    workflow = build(alice, steps=[{"do": "wait", "amount": 3, "unit": "days"}, SET])
    ticket = records.create(alice.account, "tickets", {"name": "The printer smokes"}, by=alice)
    enrolling.enrol(workflow, ticket, alice)
    page = device(alice).open(f"workflows/{workflow.pk}/")
    page.get_by_label("Name").fill("Not saved")

    asks = page.locator("#op-turn_off")
    asks.press("Enter")
    expect(page.get_by_role("dialog")).to_contain_text("1 record is under way in it and is taken out.")
    no_violations(page)
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(asks).to_be_focused()
    page.keyboard.press("Enter")
    page.get_by_role("dialog").get_by_role("button", name="Turn off").press("Enter")

    expect(page.get_by_text("It is off.")).to_be_visible()
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page.get_by_label("Name")).to_have_value("Not saved")
    expect(page.get_by_role("button", name="Turn on")).to_be_focused()
