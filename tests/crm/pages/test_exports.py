"""The pages of exports: asked for at a list, watched, fetched by one's own self only, gone after a while."""

import re

import pytest
from django.utils import timezone

from crm import exporting
from crm.models import Export

NEW = "/1001/contacts/export/"
MINE = "/1001/exports/"


@pytest.fixture
def contacts(made):
    return [made(first_name=f"Mia {number}", city="Oslo" if number % 2 else "") for number in range(4)]


def write():
    while exporting.step():
        pass


@pytest.fixture
def ready(signed_in, contacts, bob):
    """An export of bob's, ready."""
    signed_in(bob).post(NEW, {"go": "on", "all": "on", "columns": "all", "bom": "on"})
    write()
    return Export.objects.get()


def body(answer):
    return b"".join(answer.streaming_content).decode("utf-8-sig")


@pytest.mark.req("N-131")
def test_what_the_list_shows_is_exported_and_fetched(signed_in, contacts, bob):
    browser = signed_in(bob)
    page = browser.get("/1001/contacts/", {"is.city": "Oslo", "column": "email"}).content.decode()
    link = re.search(r'href="(/1001/contacts/export/[^"]*)"', page)[1].replace("&amp;", "&")

    question = browser.get(link).content.decode()
    assert "The 2 records that match the list’s words and filters." in question
    assert re.search(r'value="email" checked', question)
    assert not re.search(r'value="phone" checked', question)
    columns = ["first_name", "city"]
    given = {"go": "on", "all": "on", "is.city": "Oslo", "columns": "chosen", "column": columns}
    watched = browser.post(NEW, given)
    assert "Finding the records" in browser.get(watched["Location"]).content.decode()
    write()

    assert "The file is ready." in browser.get(watched["Location"]).content.decode()
    file = browser.get(f"{watched['Location']}download/")
    assert sorted(body(file).split("\r\n")[1:3]) == [f"{one.pk},{one.title},Oslo" for one in contacts[1::2]]
    assert file["Content-Disposition"].startswith('attachment; filename="contacts-')
    assert int(file["Content-Length"]) == Export.objects.get().size


def test_ticked_records_are_exported(signed_in, contacts, bob):
    browser, ids = signed_in(bob), [contacts[0].pk, contacts[2].pk]

    assert "2 ticked records." in browser.post(NEW, {"ids": ids, "column": "email"}).content.decode()
    browser.post(NEW, {"go": "on", "ids": ids, "columns": "all"})
    write()

    assert Export.objects.get().rows == 2


def test_nothing_ticked_is_said(signed_in, contacts, bob):
    page = signed_in(bob).post(NEW, {"column": "email"}, follow=True).content.decode()

    assert "Choose at least one record first." in page


def test_what_was_chosen_is_not_lost_with_a_refusal(signed_in, contacts, bob):
    given = {"go": "on", "ids": [contacts[0].pk], "columns": "chosen"}

    answer = signed_in(bob).post(NEW, given)

    assert answer.status_code == 422
    page = answer.content.decode()
    assert "Choose at least one column." in page
    assert f'name="ids" value="{contacts[0].pk}"' in page
    assert re.search(r'value="chosen" checked', page)
    assert not re.search(r'name="bom" checked', page)


@pytest.mark.parametrize("piece", ["", "download/"])
def test_nobody_else_finds_it_not_even_a_super_admin(signed_in, ready, alice, piece):
    browser = signed_in(alice)

    assert browser.get(f"{MINE}{ready.pk}/{piece}").status_code == 404
    assert ready.file not in browser.get(MINE).content.decode()


@pytest.mark.req("N-131")
def test_after_its_time_the_link_says_so(signed_in, ready, bob):
    Export.objects.update(expires_at=timezone.now())
    browser = signed_in(bob)

    for piece in ("", "download/"):
        answer = browser.get(f"{MINE}{ready.pk}/{piece}")
        assert answer.status_code == 410
        assert "This export has expired" in answer.content.decode()


def test_one_that_is_not_ready_leads_to_its_page(signed_in, contacts, bob):
    browser = signed_in(bob)
    page = browser.post(NEW, {"go": "on", "all": "on"})["Location"]

    answer = browser.get(f"{page}download/", follow=True)

    assert answer.redirect_chain[0][0] == page
    assert "This export is not ready." in answer.content.decode()


def test_one_under_way_is_cancelled_and_another_deleted(signed_in, ready, bob):
    browser = signed_in(bob)
    browser.post(f"{MINE}{ready.pk}/delete/")
    assert "No exports yet" in browser.get(MINE).content.decode()

    page = browser.post(NEW, {"go": "on", "all": "on"})["Location"]
    browser.post(f"{page}cancel/")
    write()

    assert "Cancelled. Nothing of it is kept." in browser.get(page).content.decode()


def test_the_list_asks_for_itself_while_one_is_under_way(signed_in, ready, bob):
    browser = signed_in(bob)
    assert "every 2s" not in browser.get(MINE).content.decode()
    browser.post(NEW, {"go": "on", "all": "on"})

    page = browser.get(MINE, headers={"HX-Request": "true"}).content.decode()

    assert "every 2s" in page
    assert "<html" not in page
