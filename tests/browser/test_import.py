"""A file with errors in it, as people meet it: its columns, the dry run's reasons, the import, taking it back."""

import pytest
from playwright.sync_api import expect

from crm import records
from crm.models import Record

FAIR = (
    "E-mail;Vorname;Ort;Lifecycle stage\r\n"
    "mia@fjordline.example;Mia;Bergen;Lead\r\n"
    "nobody;Nobody;;\r\n"
    '"zoe@fjordline.example"x;Zoë;Porto;\r\n'
    "tomas@fjordline.example;Tomás;Porto;friend\r\n"
    "MIA@fjordline.example;Mia again;;\r\n"
    "old@fjordline.example;Old;Cork;Customer\r\n"
)


@pytest.mark.req("N-101", "N-132")
def test_a_file_with_errors_is_tried_out_imported_and_rolled_back(device, bob, alice, tmp_path, no_violations):
    old = records.create(alice.account, "contacts", {"email": "old@fjordline.example", "city": "Oslo"}, by=alice)
    file = tmp_path / "fair.csv"
    file.write_bytes(FAIR.encode("cp1252"))
    here = device(bob)
    page = here.open("contacts/")
    page.get_by_role("link", name="Import", exact=True).click()
    expect(page.get_by_label("CSV file")).to_be_visible()
    no_violations(page)
    page.get_by_label("CSV file").set_input_files(file)
    page.get_by_role("button", name="Upload").press("Enter")

    expect(page.get_by_label("Encoding")).to_have_value("cp1252")
    expect(page.get_by_label("What “Vorname” is")).to_have_value("first_name")
    page.get_by_label("What “Ort” is").select_option(label="City")
    expect(page.get_by_label("Find records that are there already by")).to_have_value("email")
    no_violations(page)
    page.get_by_role("button", name="Try it out").press("Enter")

    expect(page.get_by_text("nothing is written yet")).to_be_visible()
    expect(page.locator(".tally__one[data-outcome=refused] dd")).to_have_text("3")
    expect(page.get_by_role("row", name="Line 3")).to_contain_text("E-mail: “nobody” is not an e-mail address")
    expect(page.get_by_role("row", name="Line 4")).to_contain_text("The quotes in this row do not match")
    expect(page.get_by_role("row", name="Line 5")).to_contain_text("Lifecycle stage: Choose one of")
    expect(page.get_by_role("row", name="Line 6")).to_contain_text("The same as line 2.")
    assert Record.objects.count() == 1
    no_violations(page)
    page.get_by_role("button", name="Import now").press("Enter")

    expect(page.get_by_text("Imported.")).to_be_visible()
    expect(page.locator(".tally__one[data-outcome=created] dd")).to_have_text("1")
    expect(page.locator(".tally__one[data-outcome=updated] dd")).to_have_text("1")
    no_violations(page)
    old.refresh_from_db()
    assert old.values["city"] == "Cork"
    with page.expect_download() as downloading:
        page.get_by_role("link", name="What was not taken").click()
    assert len(downloading.value.path().read_text("utf-8-sig").splitlines()) == 5

    page.get_by_role("button", name="Roll back this import").press("Enter")
    no_violations(page)
    page.get_by_role("dialog").get_by_role("button", name="Roll back", exact=True).press("Enter")
    expect(page.get_by_text("Rolled back by Bob.")).to_be_visible()
    old.refresh_from_db()
    assert old.values["city"] == "Oslo"
    assert Record.objects.live().count() == 1
