"""The admin in a real browser: under the content-security policy, with the keyboard, on a phone."""

from playwright.sync_api import Page, expect

from notifications.models import AccountDefault, Delivery, PreferenceChange, Redrive
from tests.browser.conditions import wait_for
from tests.browser.conftest import Device

DEFAULTS = "/admin/notifications/accountdefault/"


def opened(device: Device, path: str) -> Page:
    """A page of the admin, its complaints heard like those of any other page."""
    page = device.context.new_page()
    page.on("pageerror", lambda error: device.errors.append(str(error)))
    page.on("console", lambda message: device._heard(message.type, message.text))
    page.goto(device.stack.url + path)
    return page


def test_a_default_is_found_set_reviewed_and_applied_with_the_keyboard(device, no_violations, alice, bob):
    page = opened(device(alice), DEFAULTS)
    page.get_by_role("searchbox", name="Search topics and notifications").fill("moves to another stage")
    row = page.locator("[data-search-item]:visible").filter(has_text="A deal you own or follow moves to another stage")
    expect(row).to_be_visible()
    cell = row.get_by_role("group", name="E-mail: A deal you own or follow")
    cell.get_by_role("radio").first.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    expect(cell.get_by_role("radio", name="Off")).to_be_checked()
    expect(page.locator("[data-changes]")).to_have_text("1 change")
    no_violations(page)

    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Review the changes")).to_be_visible()
    expect(page.locator(".review__sum")).to_contain_text("2 members, 2 cells")
    no_violations(page)
    page.get_by_role("button", name="Back").click()
    expect(page.locator("[data-changes]")).to_have_text("1 change")
    assert not AccountDefault.objects.exists()

    page.get_by_role("button", name="Review changes").click()
    page.get_by_role("button", name="Apply").click()
    expect(page.locator(".messagelist")).to_contain_text("Applied: 2 members, 2 settings changed")
    page.get_by_role("link", name="See it in the log, or undo it").click()
    page.get_by_role("button", name="Undo").click()
    expect(page.locator(".messagelist")).to_contain_text("Undone: 2 members")
    assert PreferenceChange.objects.count() == 2


def test_a_preset_fills_the_grid_and_is_applied_after_a_look(device, no_violations, alice, bob):
    page = opened(device(alice), DEFAULTS)
    page.get_by_label("Fill in a preset").select_option(label="Calm: e-mail for what is urgent only")
    page.get_by_role("button", name="Fill in").press("Enter")
    expect(page.locator(".presets__said")).to_contain_text("Nothing is saved yet")
    expect(page.locator("[data-changes]")).to_contain_text("changes")
    no_violations(page)
    page.get_by_role("button", name="Review changes").click()
    expect(page.locator(".review__sum")).to_contain_text("2 members")
    page.get_by_role("button", name="Apply").click()
    expect(page.locator(".answers-page__intro", has_text="Began with the preset")).to_contain_text("Not changed since.")
    expect(page.locator("[data-changes]")).to_have_text("Nothing changed yet")
    assert PreferenceChange.objects.get().preset == "calm"


def test_what_failed_is_counted_and_sent_again(device, no_violations, tell, alice, bob):
    event = tell(bob)
    wait_for(lambda: Delivery.objects.filter(event=event, channel="email", status="sent").exists(), "the mail")
    failed = Delivery.objects.get(event=event, channel="email")
    Delivery.objects.filter(pk=failed.pk).update(status="failed", error="550 5.1.1 no such user")
    page = opened(device(alice), "/admin/notifications/redrive/")
    expect(page.locator(".lane__reasons")).to_contain_text("No such mailbox")
    page.get_by_text("As a table").first.click()
    expect(page.get_by_role("table").first).to_be_visible()
    no_violations(page)

    page.get_by_role("button", name="Count what would go again").click()
    expect(page.locator(".review__sum")).to_have_text("1 failed delivery goes again.")
    no_violations(page)
    page.get_by_role("button", name="Send again").click()
    expect(page.locator(".messagelist")).to_contain_text("1 failed delivery is being sent again.")
    wait_for(lambda: Delivery.objects.get(pk=failed.pk).status == "sent", "the mail, again")
    assert Redrive.objects.get().made_by == alice


def test_no_page_of_the_admin_is_wider_than_a_phone_or_complains(device, no_violations, alice, bob, team):
    phone = device(alice, viewport={"width": 360, "height": 800}, color_scheme="dark")
    for path in (
        "/admin/",
        DEFAULTS,
        "/admin/notifications/lock/add/",
        "/admin/notifications/lock/",
        "/admin/notifications/profile/add/",
        "/admin/notifications/delivery/",
        "/admin/notifications/event/",
        "/admin/notifications/redrive/",
        "/admin/notifications/redrive/unreached/",
        "/admin/notifications/choicerecord/",
        "/admin/notifications/preferencechange/",
        "/admin/accounts/membership/",
        f"/admin/accounts/membership/{bob.pk}/change/",
        "/admin/accounts/membership/add/",
        "/admin/accounts/apikey/add/",
        f"/admin/accounts/account/{alice.account_id}/change/",
    ):
        page = opened(phone, path)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
        assert phone.errors == [], path
        no_violations(page)
        phone.errors.clear()  # axe tries to read the style sheet that Django's own imports, and is refused
        page.close()
