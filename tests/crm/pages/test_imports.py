"""The pages of imports: a file goes up, its columns are chosen, it is tried out, imported and taken back."""

import csv
import io

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext

from crm.importing import running
from crm.models import ImportJob, Record

IMPORTS = "/1001/imports/"
PEOPLE = (
    "E-mail;Förnamn;City\r\nmia@fjordline.example;Mia;Bergen\r\nnobody;=1+1;\r\nzoë@fjordline.example;Zoë;Malmö\r\n"
)
COLUMNS = {"column-0": "email", "column-1": "first_name", "column-2": "city"}
CHOSEN = {
    "encoding": "utf-8",
    "delimiter": ";",
    "header": "on",
    "match": "email",
    "existing": "update",
    "dates": "iso",
    "numbers": "point",
} | COLUMNS


def carry_on():
    while running.step():
        pass


@pytest.fixture
def browser(signed_in, bob):
    return signed_in(bob)


def upload(browser, content=PEOPLE, kind="contacts", name="people.csv"):
    raw = content.encode() if isinstance(content, str) else content
    return browser.post(f"{IMPORTS}new/", {"kind": kind, "file": SimpleUploadedFile(name, raw)})


def check(browser, **more):
    job = ImportJob.objects.latest("pk")
    answer = browser.post(f"{IMPORTS}{job.pk}/mapping/", CHOSEN | {"do": "check"} | more)
    carry_on()
    return answer


def page(browser, query=""):
    job = ImportJob.objects.latest("pk")
    return browser.get(f"{IMPORTS}{job.pk}/{query}").content.decode()


def test_a_file_goes_all_the_way(browser):
    assert "/imports/new/?kind=contacts" in browser.get("/1001/contacts/").content.decode()
    assert '<option value="deals" selected>' in browser.get(f"{IMPORTS}new/?kind=deals").content.decode()
    mapping = upload(browser)
    shown = browser.get(mapping["Location"]).content.decode()
    assert "zoë@fjordline.example" in shown
    assert '<option value="first_name" selected>' in shown

    watched = check(browser)
    tried = browser.get(watched["Location"]).content.decode()
    assert "nothing is written yet" in tried
    assert "is not an e-mail address such as" in tried
    assert '<strong dir="auto">E-mail:</strong>' in tried
    assert not Record.objects.exists()

    browser.post(f"{watched['Location']}start/")
    assert 'hx-trigger="every 2s"' in page(browser)
    carry_on()
    done = page(browser)
    assert "Imported." in done
    assert "Line 3" in done
    assert Record.objects.count() == 2

    browser.post(f"{watched['Location']}rollback/")
    carry_on()
    assert "Rolled back by Bob." in page(browser)
    assert not Record.objects.live().exists()
    assert "people.csv" in browser.get(IMPORTS).content.decode()


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "The submitted file is empty.|The file is empty."),
        (b"\xff\xfe", "The file holds nothing but blanks."),
        (b"Name\r\n", "The file has a header but no rows."),
        (b"PK\x03\x04\x14\x00", "This is no CSV file."),
    ],
)
def test_what_is_no_file_of_rows_is_refused_beside_the_field(browser, content, sentence):
    answer = upload(browser, content)

    assert answer.status_code == 422
    assert any(one in answer.content.decode() for one in sentence.split("|"))
    assert not ImportJob.objects.exists()


def test_no_file_and_no_kind_are_asked_for(browser):
    answer = browser.post(f"{IMPORTS}new/", {"kind": "wings"})

    assert answer.status_code == 422
    assert "Choose a file." in answer.content.decode()
    assert "Choose what the rows are." in answer.content.decode()


def test_an_upload_stops_at_the_size_that_is_allowed(browser, settings):
    settings.IMPORT_LARGEST_BYTES = 100_000
    answer = upload(browser, b"Name\n" + b"x\n" * 100_000)

    assert answer.status_code == 422
    assert "The file is larger than" in answer.content.decode()
    assert not ImportJob.objects.exists()


def test_another_delimiter_and_encoding_show_the_file_anew(browser):
    upload(browser, PEOPLE.encode("cp1252"))
    job = ImportJob.objects.get()
    address = f"{IMPORTS}{job.pk}/mapping/"
    assert '<option value="cp1252" selected>' in browser.get(address).content.decode()

    shown = browser.post(address, CHOSEN | {"do": "look", "delimiter": ",", "encoding": "mac-roman"}).content.decode()
    assert "E-mail;Fˆrnamn;City" in shown
    assert "column-1" not in shown

    kept = browser.post(address, CHOSEN | {"do": "look", "encoding": "cp1252", "column-2": "job_title"})
    assert '<option value="job_title" selected>' in kept.content.decode()
    job.refresh_from_db()
    assert job.state == "mapping"


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        ({"column-2": "email"}, "Another column goes there, too."),
        ({"column-0": ""}, "No column goes to “E-mail address”."),
        ({"column-1": "wings"}, "Contact has no such property."),
        ({"encoding": "utf-16-le"}, "no text in this encoding"),
    ],
)
def test_choices_that_do_not_fit_are_said_and_nothing_is_lost(browser, more, sentence):
    upload(browser, PEOPLE + "\r")
    answer = check(browser, **more)

    assert answer.status_code == 422
    assert sentence in answer.content.decode()
    assert '<option value="email" selected>' in answer.content.decode()


def test_a_file_whose_header_cannot_be_read_says_so(browser):
    upload(browser, 'E-mail,"First"name,City\nmia@example.com,Mia,Oslo\n')
    job = ImportJob.objects.get()
    shown = browser.get(f"{IMPORTS}{job.pk}/mapping/").content.decode()

    assert "The header cannot be read" in shown
    assert "Try it out" not in shown


def test_the_outcomes_are_a_file_without_formulas(browser):
    upload(browser)
    job = browser.get(check(browser)["Location"]).context["job"]
    browser.post(f"{IMPORTS}{job.pk}/start/")
    carry_on()
    answer = browser.get(f"{IMPORTS}{job.pk}/outcomes.csv")
    rows = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))

    assert answer["Content-Disposition"] == f'attachment; filename="import-{job.pk}.csv"'
    assert rows[0] == ["Row", "Line", "Outcome", "Reason", "Record ID", "E-mail", "Förnamn", "City"]
    assert [row[2] for row in rows[1:]] == ["created", "refused", "created"]
    assert rows[2][3].startswith("E-mail: “nobody” is not")
    assert rows[2][6] == "'=1+1"
    problems = browser.get(f"{IMPORTS}{job.pk}/outcomes.csv?show=problems").content.decode("utf-8-sig")
    assert len(list(csv.reader(io.StringIO(problems)))) == 2


def test_progress_is_told_while_it_runs(browser, monkeypatch):
    monkeypatch.setattr(running, "IMPORTED_AT_ONCE", 1)
    upload(browser)
    watched = check(browser)["Location"]
    browser.post(f"{watched}start/")
    running.step()
    piece = browser.get(watched, headers={"HX-Request": "true"}).content.decode()

    assert "1 of 3" in piece
    assert "<html" not in piece
    browser.post(f"{watched}cancel/")
    carry_on()
    assert "Cancelled. What was done before is kept." in page(browser)


def test_rows_come_a_page_at_a_time(browser, monkeypatch):
    from crm.importing import outcomes

    monkeypatch.setattr(outcomes, "SIZE", 2)
    upload(browser)
    check(browser)
    first = page(browser, "?show=all")

    assert ("mia@fjordline" in first, "zoë@fjordline" in first) == (True, False)
    assert "?show=all&amp;after=2" in first
    assert "zoë@fjordline" in page(browser, "?show=all&after=2")


def test_an_import_is_its_members_own_and_super_admins_may_stop_it_and_take_it_back(signed_in, alice, bob, carol):
    upload(signed_in(bob))
    check(signed_in(bob))
    address = f"{IMPORTS}{ImportJob.objects.get().pk}/"

    for page_ in ("", "outcomes.csv", "mapping/"):
        assert signed_in(carol).get(f"{address}{page_}").status_code == 404
    for verb in ("start", "cancel", "rollback"):
        assert signed_in(carol).post(f"{address}{verb}/").status_code == 404
    assert "people.csv" not in signed_in(carol).get(IMPORTS).content.decode()

    seen = signed_in(alice).get(address).content.decode()
    assert "Import now" not in seen
    assert signed_in(alice).post(f"{address}start/").status_code == 404
    signed_in(bob).post(f"{address}start/")
    carry_on()
    signed_in(alice).post(f"{address}rollback/")
    carry_on()
    assert not Record.objects.live().exists()


def test_what_was_done_already_is_said(browser):
    upload(browser)
    watched = check(browser)["Location"]
    browser.post(f"{watched}start/")
    answer = browser.post(f"{watched}start/", follow=True)

    assert "banner--error" in answer.content.decode()
    assert browser.get(f"{watched}mapping/")["Location"] == watched


def test_the_page_costs_the_same_however_many_rows(browser):
    def queries(number):
        upload(browser, "E-mail,First name,City\n" + "nobody,x,\n" * number)
        check(browser, delimiter=",")
        with CaptureQueriesContext(connection) as asked:
            page(browser)
        return len(asked)

    assert queries(2) == queries(40)
