"""The lists: found by words and filters, in every order, a page at a time, with the columns and views one keeps."""

import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from crm import browsing, defining, listing, permissions, records, saving_views, schema, stages
from crm.browsing import Wanted
from crm.models import Record, SavedView

LIST = "/1001/contacts/"


def names(answer):
    """The records that a page lists, in their order."""
    return re.findall(r'class="records__name"[^>]*>([^<]*)<', answer.content.decode())


@pytest.mark.parametrize("kind", ["contacts", "companies", "deals", "tickets", "leads", "tasks"])
def test_every_kind_has_its_list(signed_in, made, bob, kind):
    record = made(kind)

    assert names(signed_in(bob).get(f"/1001/{kind}/")) == [record.title]


def test_a_kind_that_the_account_defined_has_its_list(signed_in, made, alice, bob):
    defining.define_kind(alice.account, key="berths", label="Berth", plural="Berths", by=alice)
    made("berths", name="Quay 4")
    page = signed_in(bob).get("/1001/objects/berths/")

    assert names(page) == ["Quay 4"]
    assert signed_in(bob).get("/1001/objects/hangars/").status_code == 404


def test_words_find_what_holds_all_of_them_whatever_case_and_accents(signed_in, made, bob):
    made(first_name="Tomás", last_name="Ørsted", email="tomas@example.com")
    made(first_name="Tomas", last_name="Lind")

    assert names(signed_in(bob).get(LIST, {"q": "TOMAS example.c"})) == ["Tomás Ørsted"]


def test_owner_stage_and_properties_filter(signed_in, made, alice, bob):
    kind = schema.kind_of(alice.account, "deals")
    _first, second = (stages.pipelines_of(alice.account, kind)[0].stages.all())[:2]
    made("deals", name="Oak", owner=bob.pk, close_date="2026-11-30")
    made("deals", name="Elm", stage=second.pk, close_date="2027-02-01", currency="EUR")
    page = signed_in(bob)

    def found(**given):
        return names(page.get("/1001/deals/", {key.replace("__", "."): value for key, value in given.items()}))

    assert found(owner="me") == ["Oak"]
    assert found(owner=str(bob.pk)) == ["Oak"]
    assert found(owner="nobody") == ["Elm"]
    assert found(stage=str(second.pk)) == ["Elm"]
    assert found(is__currency="eur") == ["Elm"]
    assert found(from__close_date="2026-12-01") == ["Elm"]
    assert found(to__close_date="2026-11-30") == ["Oak"]
    assert found(from__created_at="2020-01-01", to__created_at="2020-12-31") == []
    assert found(from__created_at=timezone.localdate().replace(day=1).isoformat(), sort="title") == ["Elm", "Oak"]


def test_a_choice_is_a_filter(signed_in, made, bob):
    made(first_name="Mia", lifecycle="customer")
    made(first_name="Nils")

    assert names(signed_in(bob).get(LIST, {"is.lifecycle": "customer"})) == ["Mia"]


def test_a_day_that_does_not_exist_is_told_beside_its_field(signed_in, made, bob):
    made()
    page = signed_in(bob).get(LIST, {"from.created_at": "2026-02-30"})

    assert "“2026-02-30” is no day of the calendar." in page.content.decode()
    assert len(names(page)) == 1


@pytest.mark.parametrize("sort", browsing.SORTS)
def test_pages_hold_every_record_once_in_every_order(made, alice, sort):
    kind = schema.kind_of(alice.account, "tasks")
    for i in range(11):
        made("tasks", name=f"Task {i % 3}", due_at=f"2026-12-{10 + i % 4} 09:00" if i % 2 else None)
    wanted = Wanted.read(kind, {"sort": sort})
    found, after = [], ""
    while True:
        page = browsing.page(alice, kind, wanted, after=after, size=3)
        found += page.records
        after = page.next
        if not after:
            break

    assert len(found) == len({one.pk for one in found}) == 11
    column, is_turned = listing.SORTS[sort]
    values = [value for one in found if (value := getattr(one, column)) is not None]
    assert values == sorted(values, reverse=is_turned)


@pytest.mark.parametrize("after", ["x", "~", "~0", "2026~5", "-~3", "a\0~3", "~99999999999999999999", "é~1"])
def test_a_cursor_that_makes_no_sense_is_the_beginning(signed_in, made, bob, after):
    made()

    assert len(names(signed_in(bob).get(LIST, {"after": after}))) == 1


def test_the_number_of_queries_does_not_grow(signed_in, made, alice, bob):
    browser = signed_in(bob)
    permissions.set_reach(bob, "contacts", sees="team", edits="own", by=alice)

    def count():
        browser.get(LIST)
        with CaptureQueriesContext(connection) as captured:
            browser.get(LIST, {"q": "mia", "owner": "me", "is.city": "Oslo"})
        return len(captured)

    made(first_name="Mia", city="Oslo", owner=bob.pk)
    few = count()
    for _i in range(30):
        made(first_name="Mia", city="Oslo", owner=bob.pk)

    assert count() == few
    assert few <= 26  # four of them only for the time limit of a search


def test_a_member_sees_only_what_they_may(signed_in, made, alice, bob, carol):
    made(first_name="Mine", owner=bob.pk)
    made(first_name="Hers", owner=carol.pk)
    permissions.set_reach(bob, "contacts", sees="own", edits="own", by=alice)

    assert names(signed_in(bob).get(LIST)) == ["Mine"]
    assert len(names(signed_in(carol).get(LIST))) == 2


def test_nothing_found_and_nothing_there_are_two_things(signed_in, made, bob):
    assert "Make the first one" in signed_in(bob).get(LIST).content.decode()

    made()
    page = signed_in(bob).get(LIST, {"q": "zebra"}).content.decode()
    assert "Nothing found" in page
    assert "Clear filters" in page


def test_a_search_that_takes_too_long_says_what_to_do(signed_in, made, bob, monkeypatch):
    made()
    monkeypatch.setattr(browsing, "PATIENCE", 1)
    monkeypatch.setattr(
        listing, "page", lambda *_rows, **_more: list(Record.objects.raw("SELECT *, pg_sleep(1) FROM crm_record"))
    )

    page = signed_in(bob).get(LIST, {"q": "mia"})

    assert "Too many records to look through." in page.content.decode()


def test_columns_are_chosen_and_remembered(signed_in, made, bob):
    made(city="Oslo", country="Norway", first_name="Mia")
    browser = signed_in(bob)

    browser.post(f"{LIST}columns/", {"column": ["country", "nonsense", "country"], "next": LIST})

    page = browser.get(LIST).content.decode()
    assert "Norway" in page
    assert '<th scope="col">Phone number</th>' not in page
    assert SavedView.objects.get(member=bob, name="").columns == ["country"]


def test_a_view_is_kept_shown_and_deleted(signed_in, made, bob, carol):
    made(first_name="Mia", city="Oslo")
    made(first_name="Nils")
    browser = signed_in(bob)

    kept = browser.post(f"{LIST}views/", {"name": " Oslo  first ", "is.city": "Oslo", "column": "city", "shared": "on"})

    page = browser.get(kept["Location"])
    assert names(page) == ["Mia"]
    assert "Oslo first" in page.content.decode()
    assert "Oslo first" in signed_in(carol).get(LIST).content.decode()
    view = SavedView.objects.get(name="Oslo first")
    browser = signed_in(carol)
    browser.post(f"{LIST}views/{view.pk}/delete/")
    assert SavedView.objects.filter(pk=view.pk).exists()  # it is not hers
    signed_in(bob).post(f"{LIST}views/{view.pk}/delete/")
    assert not SavedView.objects.filter(pk=view.pk).exists()


def test_a_view_of_ones_own_is_nobody_elses(signed_in, bob, carol, made):
    kind = schema.kind_of(bob.account, "contacts")
    view = saving_views.save(kind, name="Secret", wanted=Wanted(), columns=[], is_shared=False, by=bob)

    assert "Secret" not in signed_in(carol).get(LIST).content.decode()
    assert signed_in(carol).post(f"{LIST}views/{view.pk}/delete/").status_code == 404


def test_a_view_without_a_name_is_refused_in_words(signed_in, bob):
    browser = signed_in(bob)

    answer = browser.post(f"{LIST}views/", {"name": "  "}, follow=True)

    assert "Write a name of at most 80 characters." in answer.content.decode()
    assert not SavedView.objects.exists()


def test_the_same_view_again_takes_the_new_content(bob):
    kind = schema.kind_of(bob.account, "contacts")
    for words in ("mia", "nils"):
        saving_views.save(kind, name="One", wanted=Wanted(words=words), columns=[], is_shared=False, by=bob)

    assert SavedView.objects.get().query == {"q": "nils"}


def test_what_is_deleted_lies_in_the_bin_and_can_be_restored(signed_in, made, bob):
    record = made()
    browser = signed_in(bob)

    listed = browser.post(f"{LIST}{record.pk}/delete/", follow=True)
    assert "“Mia Lind” is in the bin." in listed.content.decode()
    assert "Mia Lind" in browser.get(f"{LIST}bin/").content.decode()
    assert browser.get(f"{LIST}{record.pk}/").status_code == 404
    back = browser.post(f"{LIST}{record.pk}/restore/", follow=True)

    assert back.status_code == 200
    assert "“Mia Lind” is back." in back.content.decode()
    assert browser.post(f"{LIST}{record.pk}/restore/", follow=True).status_code == 200  # twice is once


def test_restoring_is_refused_in_words_when_the_address_has_another_contact(signed_in, made, alice, bob):
    record = made(email="mia@example.com")
    records.delete(record, by=alice)
    made(email="mia@example.com")

    answer = signed_in(bob).post(f"{LIST}{record.pk}/restore/", follow=True)

    assert "Another contact" in answer.content.decode()
    record.refresh_from_db()
    assert record.is_deleted


def test_the_bin_is_cut_into_pages(signed_in, made, alice, bob, monkeypatch):
    monkeypatch.setattr(browsing, "SIZE", 2)
    for i in range(5):
        records.delete(made(first_name=f"Mia {i}"), by=alice)
    browser, url, found = signed_in(bob), f"{LIST}bin/", []
    while url:
        page = browser.get(url).content.decode()
        found += re.findall(r'rows__title"[^>]*>([^<]*)<', page)
        after = re.search(r"\?before=\d+", page)
        url = f"{LIST}bin/{after[0]}" if after else ""

    assert found == [f"Mia {i}" for i in (4, 3, 2, 1, 0)]
