"""The pages of lists: made, looked at, changed, filled by hand and in bulk, each seeing what they may."""

import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from crm import bulk, permissions, records, schema
from crm.filtering import Condition
from crm.lists import adding, making, processing, seeing
from crm.models import BulkJob, ListState, RecordList
from tests.crm.pages.test_index import names

LISTS = "/1001/lists/"
OSLO = {"where-0-property": "city", "where-0-operator": "is", "where-0-value": "Oslo"}
NEW = {"kind": "contacts", "name": "In Oslo", "type": "filtered"} | OSLO


@pytest.fixture
def contacts(made):
    return [made(first_name=f"Mia {i}", city="Oslo" if i % 2 else "Bergen") for i in range(4)]


@pytest.fixture
def static(account, alice):
    kind = schema.kind_of(account, "contacts")
    return making.create(account, kind, name="For the fair", is_filtered=False, by=alice)


@pytest.fixture
def filtered(account, alice, contacts):
    kind = schema.kind_of(account, "contacts")
    given = [Condition("city", "is", "Oslo")]
    one = making.create(account, kind, name="In Oslo", is_filtered=True, conditions=given, by=alice)
    process()
    return RecordList.objects.get(pk=one.pk)


def process():
    while processing.step():
        pass


def text(answer):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode()))


def test_without_lists_the_page_says_what_they_are_for(signed_in, bob):
    page = signed_in(bob).get(LISTS)

    assert "No list yet" in text(page)
    assert f'href="{LISTS}new/"' in page.content.decode()


def test_a_filtered_list_is_made_processed_and_shown(signed_in, contacts, bob):
    browser = signed_in(bob)
    assert "What is the list of?" in text(browser.get(f"{LISTS}new/"))
    assert 'name="where-0-property"' in browser.get(f"{LISTS}new/?kind=contacts").content.decode()

    made = browser.post(f"{LISTS}new/", NEW)
    waiting = browser.get(made["Location"])
    assert "Processing begins in a moment" in text(waiting)
    assert 'hx-trigger="every 2s"' in waiting.content.decode()
    assert 'hx-trigger="every 3s"' in browser.get(LISTS).content.decode()
    process()
    shown = browser.get(made["Location"])

    assert sorted(names(shown)) == ["Mia 1", "Mia 3"]
    assert "In it is what matches: City is “Oslo”" in text(shown)
    assert "every 2s" not in shown.content.decode()
    assert "In Oslo" in text(browser.get(LISTS))
    assert "every 3s" not in browser.get(LISTS).content.decode()


def test_the_piece_of_the_page_that_watches_asks_for_the_page_when_the_list_is_ready(signed_in, contacts, bob):
    browser = signed_in(bob)
    state = browser.post(f"{LISTS}new/", NEW)["Location"] + "state/"

    assert "HX-Refresh" not in browser.get(state).headers
    process()
    assert browser.get(state).headers["HX-Refresh"] == "true"


def test_a_new_list_says_how_many_match_now_before_it_is_saved(signed_in, contacts, bob, monkeypatch):
    browser = signed_in(bob)

    assert "may see: 2." in text(browser.post(f"{LISTS}preview/", NEW))
    assert "may see: 2." in text(browser.post(f"{LISTS}new/", NEW | {"verb": "preview"}))
    assert "Add a condition" in text(browser.post(f"{LISTS}preview/", {"kind": "contacts"}))
    assert "Finish the conditions" in text(browser.post(f"{LISTS}preview/", NEW | {"where-0-value": ""}))
    monkeypatch.setattr(seeing, "MOST_COUNTED", 1)
    assert "more than 1." in text(browser.post(f"{LISTS}preview/", NEW))
    monkeypatch.setattr(seeing, "PATIENCE", 1)
    monkeypatch.setattr(seeing, "_up_to_a_thousand", lambda rows: connection.cursor().execute("SELECT pg_sleep(1)"))
    assert "Too many records to count" in text(browser.post(f"{LISTS}preview/", NEW))
    assert browser.post(f"{LISTS}preview/", {"kind": "hangars"}).status_code == 404
    assert not RecordList.objects.exists()


def test_what_is_wrong_stands_beside_its_field_and_nothing_is_lost(signed_in, bob):
    given = NEW | {"name": "", "where-1-property": "city", "where-1-operator": "contains", "where-1-value": ""}
    page = signed_in(bob).post(f"{LISTS}new/", given)

    assert page.status_code == 422
    assert "Write a name of at most 120 characters." in text(page)
    assert "Write some text to look for." in text(page)
    page = signed_in(bob).post(f"{LISTS}new/", given | {"name": "Fair & square"})
    assert "Write some text to look for." in text(page)
    assert 'value="Oslo"' in page.content.decode()
    assert 'value="Fair &amp; square"' in page.content.decode()
    page = signed_in(bob).post(f"{LISTS}new/", {"kind": "contacts", "name": "All", "type": "filtered"})
    assert "Add at least one condition." in text(page)


def test_a_name_that_is_taken_is_refused_beside_the_field(signed_in, filtered, bob):
    page = signed_in(bob).post(f"{LISTS}new/", NEW)

    assert "There is a list with this name." in text(page)
    assert RecordList.objects.count() == 1


def test_other_conditions_are_processed_in_the_background_and_the_list_keeps_what_it_held(signed_in, filtered, alice):
    browser, given = signed_in(alice), {"name": "In Bergen"} | OSLO | {"where-0-value": "Bergen"}
    assert 'value="Oslo"' in browser.get(f"{LISTS}{filtered.pk}/edit/").content.decode()

    answer = browser.post(f"{LISTS}{filtered.pk}/edit/", given)
    assert sorted(names(browser.get(answer["Location"]))) == ["Mia 1", "Mia 3"]
    process()

    assert sorted(names(browser.get(answer["Location"]))) == ["Mia 0", "Mia 2"]


def test_a_list_that_failed_says_why_and_can_be_tried_again(signed_in, filtered, alice, bob):
    RecordList.objects.update(state=ListState.FAILED, problem="Contact has no such property.")
    browser, page = signed_in(alice), f"{LISTS}{filtered.pk}/"
    assert "Contact has no such property." in text(browser.get(page))

    browser.post(f"{page}again/")
    process()

    assert RecordList.objects.get().state == ListState.READY
    assert "again/" not in signed_in(bob).get(page).content.decode()


def test_who_did_not_make_a_list_looks_at_it_and_changes_nothing(signed_in, static, contacts, bob):
    browser = signed_in(bob)
    assert browser.get(f"{LISTS}{static.pk}/").status_code == 200
    for what in ("edit", "delete", "records", "again"):
        answer = browser.post(f"{LISTS}{static.pk}/{what}/", {"ids": contacts[0].pk, "name": "Mine"})
        assert answer.status_code == 403
        assert "Only who made a list" in text(answer)
    page = browser.get(f"{LISTS}{static.pk}/").content.decode()
    assert "delete-list" not in page
    assert "Put records in" not in page


def test_records_are_found_put_in_and_taken_out(signed_in, static, contacts, alice):
    browser, page = signed_in(alice), f"{LISTS}{static.pk}/"
    assert "The list is empty" in text(browser.get(page))
    found = browser.get(page, {"find": "mia 2"}).content.decode()
    assert f'name="ids" value="{contacts[2].pk}"' in found

    put = browser.post(f"{page}records/", {"ids": [one.pk for one in contacts[:3]]}, follow=True)
    assert "3 records are in the list now." in text(put)
    assert len(names(put)) == 3
    assert "Nothing else is found" in text(browser.get(page, {"find": "mia 2"}))
    out = browser.post(f"{page}records/", {"ids": [contacts[0].pk, "x"], "verb": "remove"}, follow=True)

    assert "1 record was taken out." in text(out)
    assert sorted(names(out)) == ["Mia 1", "Mia 2"]


def test_the_list_is_searched_sorted_and_cut_into_pages(signed_in, static, contacts, alice, monkeypatch):
    adding.add(static, [one.pk for one in contacts], by=alice)
    browser, page = signed_in(alice), f"{LISTS}{static.pk}/"

    assert names(browser.get(page, {"q": "mia 3"})) == ["Mia 3"]
    assert names(browser.get(page, {"sort": "title"})) == ["Mia 0", "Mia 1", "Mia 2", "Mia 3"]
    assert "Nothing found" in text(browser.get(page, {"q": "zebra"}))


def test_ticked_records_and_all_that_match_are_put_into_a_list_with_progress(signed_in, static, contacts, alice):
    browser, given = signed_in(alice), {"verb": "list", "into": static.pk}
    assert "Add to list" in text(browser.get("/1001/contacts/"))
    question = browser.post("/1001/contacts/bulk/", given | {"ids": [contacts[0].pk]})
    assert "They will be in “For the fair”." in text(question)

    watched = browser.post("/1001/contacts/bulk/", given | {"all": "on", "is.city": "Oslo", "sure": "on"})
    browser.post("/1001/contacts/bulk/", given | {"ids": [contacts[0].pk], "sure": "on"})
    while bulk.step():
        pass

    assert "Finished." in text(browser.get(watched["Location"]))
    assert sorted(names(browser.get(f"{LISTS}{static.pk}/"))) == ["Mia 0", "Mia 1", "Mia 3"]


def test_all_that_match_in_a_list_are_taken_out_with_progress(signed_in, static, contacts, alice, monkeypatch):
    monkeypatch.setattr(bulk, "LISTED_AT_ONCE", 1)
    adding.add(static, [one.pk for one in contacts], by=alice)

    signed_in(alice).post(f"{LISTS}{static.pk}/records/", {"all": "on", "verb": "remove", "q": "Oslo"})
    while bulk.step():
        pass

    assert sorted(seeing.within(static).values_list("title", flat=True)) == ["Mia 0", "Mia 2"]
    assert bulk.progress(BulkJob.objects.get()).by_outcome == {"done": 2}


def test_nobody_puts_records_into_a_list_of_others_or_into_a_filtered_one(signed_in, static, filtered, bob, alice):
    given = {"verb": "list", "all": "on", "sure": "on"}
    assert "Add to list" not in text(signed_in(bob).get("/1001/contacts/"))
    signed_in(bob).post("/1001/contacts/bulk/", given | {"into": static.pk})
    signed_in(alice).post("/1001/contacts/bulk/", given | {"into": filtered.pk})
    assert signed_in(alice).post("/1001/deals/bulk/", given | {"into": static.pk}).status_code == 404
    assert signed_in(alice).post("/1001/contacts/bulk/", given).status_code == 404

    assert not BulkJob.objects.exists()


def test_a_list_that_goes_while_records_are_put_into_it_refuses_the_rest(signed_in, static, contacts, alice):
    given = {"verb": "list", "all": "on", "sure": "on", "into": static.pk}
    watched = signed_in(alice).post("/1001/contacts/bulk/", given)
    making.delete(static, by=alice)
    while bulk.step():
        pass

    assert "The list was deleted meanwhile." in text(signed_in(alice).get(watched["Location"]))


def test_each_sees_the_records_they_may_see_and_the_number_says_so(signed_in, filtered, contacts, alice, bob):
    permissions.set_reach(bob, "contacts", sees="own", edits="own", by=alice)
    records.assign(contacts[1], to=bob, by=alice)
    browser = signed_in(bob)

    assert names(browser.get(f"{LISTS}{filtered.pk}/")) == ["Mia 1"]
    assert re.search(r'data-label="Records">\s*1\s*<', browser.get(LISTS).content.decode())


def test_a_deleted_list_is_not_there_any_more(signed_in, static, contacts, alice):
    adding.add(static, [contacts[0].pk], by=alice)
    browser = signed_in(alice)
    assert "For the fair" in text(browser.get(f"/1001/contacts/{contacts[0].pk}/"))

    gone = browser.post(f"{LISTS}{static.pk}/delete/", follow=True)

    assert "Its records stay." in text(gone)
    assert browser.get(f"{LISTS}{static.pk}/").status_code == 404
    assert "For the fair" not in text(browser.get(f"/1001/contacts/{contacts[0].pk}/"))


def test_the_index_of_records_can_be_narrowed_to_a_list(signed_in, filtered, next_door, mallory, bob):
    browser = signed_in(bob)
    assert sorted(names(browser.get("/1001/contacts/", {"list": filtered.pk}))) == ["Mia 1", "Mia 3"]

    browser.force_login(mallory.user)
    assert names(browser.get("/2002/contacts/", {"list": filtered.pk})) == []


def test_lists_are_found_by_name_and_kind_and_cut_into_pages(signed_in, static, filtered, bob, monkeypatch):
    monkeypatch.setattr("crm.views.lists.LISTS_AT_ONCE", 1)
    browser = signed_in(bob)

    assert names(browser.get(LISTS, {"q": "oslo"})) == ["In Oslo"]
    assert names(browser.get(LISTS, {"kind": "deals"})) == []
    first = browser.get(LISTS)
    (url,) = re.findall(r'class="button" href="([^"]*after=[^"]*)"', first.content.decode())
    assert names(first) == ["For the fair"]
    assert names(browser.get(url.replace("&amp;", "&"))) == ["In Oslo"]


def test_the_number_of_queries_is_the_same_however_many_there_are(signed_in, static, contacts, account, alice):
    browser, kind = signed_in(alice), schema.kind_of(account, "contacts")

    def queries(address):
        with CaptureQueriesContext(
            connection,
        ) as asked:
            browser.get(address)
        return len(asked)

    pages = [LISTS, f"{LISTS}{static.pk}/", f"/1001/contacts/{contacts[0].pk}/"]
    adding.add(static, [contacts[0].pk], by=alice)
    before = [queries(page) for page in pages]
    for i in range(10):
        more = making.create(account, kind, name=f"More {i}", is_filtered=False, by=alice)
        adding.add(more, [one.pk for one in contacts], by=alice)
    adding.add(static, [one.pk for one in contacts], by=alice)

    assert [queries(page) for page in pages] == before
