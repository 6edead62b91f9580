"""Making and changing records on pages: nothing is lost from a form, and the second of two people is told."""

import re
from html import unescape

import pytest

from crm import defining, permissions, records
from crm.models import Record

LIST = "/1001/contacts/"


def held_by(answer):
    """What the form that is about a version of a record holds, as a browser would send it."""
    html = answer.content.decode()
    form = next(one for one in re.findall(r"<form .*?</form>", html, flags=re.S) if 'name="version"' in one)
    held = {}
    for tag in re.findall(r"<input [^>]*>", form):
        facts = dict(re.findall(r' (name|type|value)="([^"]*)"', tag))
        if facts.get("type") != "radio" or " checked" in tag:
            held[facts["name"]] = unescape(facts.get("value", ""))
    for name, text in re.findall(r'<textarea [^>]*name="([^"]*)"[^>]*>\n?(.*?)</textarea>', form, flags=re.S):
        held[name] = unescape(text)
    for name, inner in re.findall(r'<select [^>]*name="([^"]*)"[^>]*>(.*?)</select>', form, flags=re.S):
        options = re.findall(r'<option value="([^"]*)"([^>]*)>', inner)
        held[name] = next((value for value, rest in options if "selected" in rest), options[0][0])
    return held


def test_a_record_is_made_and_shown(signed_in, alice, bob):
    answer = signed_in(bob).post(
        f"{LIST}new/", {"first_name": "Mia", "last_name": "Lind", "email": "Mia@example.com", "owner": alice.pk}
    )

    record = Record.objects.get()
    assert answer["Location"] == f"{LIST}{record.pk}/"
    assert (record.title, record.address, record.owner, record.created_by) == (
        "Mia Lind",
        "mia@example.com",
        alice,
        bob,
    )


def test_a_refused_form_keeps_every_word_and_says_beside_each_field_what_is_wrong(signed_in, bob):
    long, name = "x" * 10_000, "مرحبا 🦊 <b>"
    answer = signed_in(bob).post(
        "/1001/deals/new/", {"name": long, "amount": "much", "close_date": "2026-02-30", "description": name}
    )
    page = answer.content.decode()

    assert answer.status_code == 422
    assert not Record.objects.exists()
    assert "This is 10000 characters long; at most 300 fit" in page
    assert "Write a number such as 1200 or 12.5." in page
    assert "This is no day of the calendar." in page
    assert long in page
    assert 'value="much"' in page
    assert re.search(r'<input type="text"[^>]*value="2026-02-30"', page)  # a picker would show nothing
    assert "مرحبا 🦊 &lt;b&gt;" in page


@pytest.mark.parametrize("name", ["שלום עולם", "🦊🏳️‍🌈", "Ann‎ O'Brien & “Sons”"])
def test_names_of_all_kinds_come_back_as_they_were_written(signed_in, bob, name):
    signed_in(bob).post("/1001/companies/new/", {"name": name})

    record = Record.objects.get()
    assert record.title == name
    assert record.title in signed_in(bob).get(f"/1001/companies/{record.pk}/").content.decode().replace(
        "&#x27;", "'"
    ).replace("&amp;", "&")


def test_a_taken_address_leads_to_the_contact_that_has_it(signed_in, made, bob):
    other = made(email="mia@example.com")

    page = signed_in(bob).post(f"{LIST}new/", {"first_name": "Mia", "email": "mia@example.com"}).content.decode()

    assert "Another contact has this one." in page
    assert f'href="{LIST}{other.pk}/"' in page


def test_a_moment_is_meant_on_the_members_own_clock(signed_in, made, alice, bob, carol):
    bob.time_zone, carol.time_zone = "America/New_York", "Asia/Kathmandu"
    bob.save()
    carol.save()
    task = made("tasks", owner=carol.pk)
    signed_in(bob).post(
        f"/1001/tasks/{task.pk}/edit/", {"version": 1, "property": "due_at", "due_at": "2026-11-30T14:30"}
    )

    task.refresh_from_db()
    assert task.due_at.isoformat() == "2026-11-30T19:30:00+00:00"
    page = signed_in(bob).get(f"/1001/tasks/{task.pk}/edit/", {"property": "due_at"}).content.decode()
    assert 'value="2026-11-30T14:30"' in page


def test_a_form_that_is_saved_as_it_was_read_changes_no_moment(signed_in, made, alice, bob):
    bob.time_zone = "Europe/Stockholm"
    bob.save()
    moments = {
        "due_at": "2027-10-31T01:30:00Z",  # the second half past two of that night
        "remind_at": "2027-10-30T08:00:45Z",
        "completed_at": "2026-10-30T10:00:23.5Z",
    }
    task, other = made("tasks", **moments), made("tasks", **moments)
    browser, url, others = signed_in(bob), f"/1001/tasks/{task.pk}/edit/", f"/1001/tasks/{other.pk}/edit/"
    written, elsewhere = held_by(browser.get(url)), held_by(browser.get(others))
    assert written["due_at"] == "2027-10-31T02:30"
    records.change(other, {"remind_at": "2027-10-30T09:00:45Z"}, by=alice)

    browser.post(url, written)
    browser.post(others, elsewhere | {"name": "Another name"})

    before = task.due_at, task.remind_at, task.completed_at
    task.refresh_from_db()
    other.refresh_from_db()
    assert task.version == 1
    assert (task.due_at, task.remind_at, task.completed_at) == before
    assert (other.title, other.remind_at.isoformat()) == ("Another name", "2027-10-30T09:00:45+00:00")
    assert (other.due_at, other.completed_at) == (task.due_at, task.completed_at)


def test_one_property_is_changed_in_place(signed_in, made, bob):
    record = made(city="Oslo")
    browser, url = signed_in(bob), f"{LIST}{record.pk}/edit/"

    form = browser.get(url, {"property": "city"}, headers={"HX-Request": "true"}).content.decode()
    assert 'name="version" value="1"' in form
    assert "<html" not in form
    answer = browser.post(url, {"property": "city", "city": "Bergen", "version": 1}, headers={"HX-Request": "true"})

    assert "Bergen" in answer.content.decode()
    assert answer["HX-Trigger"] == "record:changed"
    record.refresh_from_db()
    assert record.values["city"] == "Bergen"


def test_a_form_in_place_that_is_sent_as_a_plain_one_leads_back_to_the_property(signed_in, made, bob):
    record = made(city="Oslo")
    browser, url = signed_in(bob), f"{LIST}{record.pk}/edit/"
    form = browser.get(url, {"property": "city"}, headers={"HX-Request": "true"}).content.decode()
    assert f'method="post" action="{url}"' in form

    answer = browser.post(url, {"property": "city", "city": "Bergen", "version": 1})
    refused = browser.post(url, {"property": "city", "city": "x" * 10_000, "version": 2})

    assert answer["Location"] == f"{LIST}{record.pk}/#property-city"
    assert 'id="property-city"' in browser.get(f"{LIST}{record.pk}/").content.decode()
    assert refused.status_code == 422
    assert "x" * 10_000 in refused.content.decode()


def test_what_is_swapped_in_works_at_once(signed_in, bob):
    """For a moment after the swap a form would be a plain one, were there a delay."""
    assert '"defaultSettleDelay": 0' in signed_in(bob).get(LIST).content.decode()


def test_a_refusal_in_place_keeps_the_word(signed_in, made, bob):
    record = made()

    answer = signed_in(bob).post(
        f"{LIST}{record.pk}/edit/",
        {"property": "email", "email": "no address", "version": 1},
        headers={"HX-Request": "true"},
    )

    assert answer.status_code == 200  # so that it takes the place of the form
    assert 'value="no address"' in answer.content.decode()
    assert "errorlist" in answer.content.decode()


def test_what_somebody_else_changed_elsewhere_is_kept_and_told(signed_in, made, alice, bob):
    record = made(city="Oslo")
    records.change(record, {"phone": "+46 8 123 45 67"}, by=alice)

    answer = signed_in(bob).post(
        f"{LIST}{record.pk}/edit/", {"version": 1, "city": "Bergen", "phone": "", "first_name": "Mia"}, follow=True
    )

    record.refresh_from_db()
    assert record.values["city"] == "Bergen"
    assert record.values["phone"] == "+46 8 123 45 67"
    assert "Meanwhile Alice changed Phone number to “+46 8 123 45 67”." in answer.content.decode()


@pytest.mark.parametrize(("keep", "city"), [("theirs", "Stavanger"), ("mine", "Bergen")])
def test_what_both_changed_is_decided_by_the_second_property_by_property(signed_in, made, alice, bob, keep, city):
    record = made(city="Oslo")
    browser, url = signed_in(bob), f"{LIST}{record.pk}/edit/"
    written = held_by(browser.get(url)) | {"city": "Bergen", "job_title": "Buyer"}
    records.change(record, {"city": "Stavanger", "country": "Norway"}, by=alice)

    told = browser.post(url, written)
    page = told.content.decode()
    record.refresh_from_db()
    assert told.status_code == 409
    assert "Nothing of yours is saved yet." in page
    assert "Stavanger" in page
    assert "Bergen" in page
    assert "Keep what Alice saved" in page
    assert "job_title" not in record.values
    assert held_by(told)["keep.city"] == "theirs"
    browser.post(url, held_by(told) | {"keep.city": keep})

    record.refresh_from_db()
    assert record.values["city"] == city
    assert record.values["job_title"] == "Buyer"
    assert record.values["country"] == "Norway"  # bob left it as it was


@pytest.mark.parametrize("in_place", [True, False])
def test_who_keeps_what_somebody_else_saved_is_told_that_and_not_that_it_was_saved(
    signed_in, made, alice, bob, in_place
):
    record = made(city="Oslo")
    browser, url = signed_in(bob), f"{LIST}{record.pk}/edit/"
    given, headers = ({"property": "city"}, {"HX-Request": "true"}) if in_place else ({}, {})
    written = held_by(browser.get(url, given, headers=headers)) | {"city": "Bergen"}
    records.change(record, {"city": "Stavanger", "country": "Norway"}, by=alice)

    told = browser.post(url, written, headers=headers)
    page = browser.post(url, held_by(told), headers=headers, follow=True).content.decode()

    assert "Kept what Alice saved." in page
    assert "Meanwhile Alice changed Country to “Norway”." in page
    assert "Saved" not in page
    record.refresh_from_db()
    assert record.version == 2


def test_a_decision_holds_when_the_save_is_refused_for_something_else(signed_in, made, alice, bob):
    record = made(city="Oslo", country="Sweden")
    browser, url = signed_in(bob), f"{LIST}{record.pk}/edit/"
    mine = {"city": "Bergen", "job_title": "Buyer", "phone": "not a phone"}
    written = held_by(browser.get(url)) | mine
    records.change(record, {"city": "Stavanger", "job_title": "Head of sales", "country": "Norway"}, by=alice)

    told = browser.post(url, written)
    refused = browser.post(url, held_by(told) | {"keep.job_title": "mine"})
    held = held_by(refused)
    assert refused.status_code == 422
    assert (held["city"], held["job_title"], held["phone"]) == ("Stavanger", "Buyer", "not a phone")
    browser.post(url, held | {"phone": "+46 8 123 45 67"})

    record.refresh_from_db()
    keys = ("city", "job_title", "country", "phone")
    assert [record.values[key] for key in keys] == ["Stavanger", "Buyer", "Norway", "+46 8 123 45 67"]


def test_a_decision_holds_when_a_third_save_asks_about_something_else(signed_in, made, alice, bob):
    record = made(city="Oslo")
    browser, url = signed_in(bob), f"{LIST}{record.pk}/edit/"
    written = held_by(browser.get(url)) | {"city": "Bergen", "job_title": "Buyer"}
    records.change(record, {"city": "Stavanger"}, by=alice)
    told = browser.post(url, written)
    records.change(record, {"job_title": "Head of sales"}, by=alice)

    again = browser.post(url, held_by(told))
    assert again.status_code == 409
    assert "keep.city" not in held_by(again)
    browser.post(url, held_by(again) | {"keep.job_title": "mine"})

    record.refresh_from_db()
    assert (record.values["city"], record.values["job_title"]) == ("Stavanger", "Buyer")


def test_who_sends_a_decision_without_what_they_saw_is_asked_again(signed_in, made, alice, bob):
    record = made(city="Oslo")
    records.change(record, {"city": "Stavanger"}, by=alice)

    told = signed_in(bob).post(f"{LIST}{record.pk}/edit/", {"version": 1, "city": "Bergen", "keep.city": "mine"})

    assert told.status_code == 409


def test_a_third_save_during_the_decision_is_told_again(signed_in, made, alice, bob):
    record = made(city="Oslo")
    browser, url = signed_in(bob), f"{LIST}{record.pk}/edit/"
    written = held_by(browser.get(url)) | {"city": "Bergen"}
    records.change(record, {"city": "Stavanger"}, by=alice)
    told = browser.post(url, written)
    records.change(record, {"city": "Tromsø"}, by=alice)

    told = browser.post(url, held_by(told) | {"keep.city": "mine"})

    assert told.status_code == 409
    assert "Tromsø" in told.content.decode()
    browser.post(url, held_by(told) | {"keep.city": "mine"})
    record.refresh_from_db()
    assert record.values["city"] == "Bergen"


def test_what_both_changed_in_place_is_decided_in_place(signed_in, made, alice, bob):
    record = made(city="Oslo")
    browser, url, htmx = signed_in(bob), f"{LIST}{record.pk}/edit/", {"HX-Request": "true"}
    written = held_by(browser.get(url, {"property": "city"}, headers=htmx)) | {"city": "Bergen"}
    records.change(record, {"city": "Stavanger", "country": "Norway"}, by=alice)

    told = browser.post(url, written, headers=htmx)
    browser.post(url, held_by(told) | {"keep.city": "mine"}, headers=htmx)

    record.refresh_from_db()
    assert (record.values["city"], record.values["country"]) == ("Bergen", "Norway")


def test_the_same_change_twice_is_no_conflict(signed_in, made, alice, bob):
    record = made(city="Oslo")
    records.change(record, {"city": "Bergen"}, by=alice)

    assert signed_in(bob).post(f"{LIST}{record.pk}/edit/", {"version": 1, "city": "Bergen"}).status_code == 302


def test_who_may_only_look_is_told_so(signed_in, made, alice, bob, carol):
    record = made(owner=carol.pk)
    permissions.set_reach(bob, "contacts", sees="all", edits="own", by=alice)
    browser = signed_in(bob)

    assert "Edit all" not in browser.get(f"{LIST}{record.pk}/").content.decode()
    for path in ("edit/", "delete/"):
        answer = browser.post(f"{LIST}{record.pk}/{path}", {"version": 1, "city": "Oslo"})
        assert answer.status_code == 403
        assert "You may look at this record, but not change it." in answer.content.decode()
    record.refresh_from_db()
    assert record.version == 1


def test_who_gives_a_record_away_that_they_do_not_see_any_more_is_told_so(signed_in, made, alice, bob, carol):
    permissions.set_reach(bob, "contacts", sees="own", edits="own", by=alice)
    browser, given_away = signed_in(bob), {"version": 1, "owner": carol.pk}
    first, second = (f"{LIST}{made(owner=bob.pk).pk}/edit/" for _ in range(2))

    answers = [
        browser.post(f"{LIST}new/", {"first_name": "Mia", "last_name": "Lind", "owner": carol.pk}),
        browser.post(first, given_away),
    ]
    in_place = browser.post(second, given_away | {"property": "owner"}, headers={"HX-Request": "true"})
    page = browser.get(LIST).content.decode()

    assert [answer["Location"] for answer in answers] == [LIST, LIST]
    assert in_place["HX-Redirect"] == LIST
    assert "HX-Trigger" not in in_place.headers
    assert page.count("“Mia Lind” is saved. It belongs to Carol now; you do not see it any more.") == 3


def test_who_gives_a_record_away_that_they_still_see_may_not_change_it_there_any_more(
    signed_in, made, alice, bob, carol
):
    permissions.set_reach(bob, "contacts", sees="all", edits="own", by=alice)
    record, browser = made(owner=bob.pk), signed_in(bob)
    url = f"{LIST}{record.pk}/"

    given_away = {"version": 1, "owner": carol.pk, "property": "owner"}
    in_place = browser.post(f"{url}edit/", given_away, headers={"HX-Request": "true"})

    assert in_place["HX-Refresh"] == "true"
    page = browser.get(url).content.decode()
    assert "Saved." in page
    assert "property__edit" not in page


def test_a_property_of_the_account_is_in_the_form(signed_in, made, alice, bob):
    defining.define_property(alice.account, "contacts", key="buddy", label="Buddy", type="user", by=alice)
    record = made()

    signed_in(bob).post(f"{LIST}{record.pk}/edit/", {"version": 1, "property": "buddy", "buddy": str(bob.pk)})

    record.refresh_from_db()
    assert record.people == [bob.pk]
    assert "Buddy" in signed_in(bob).get(f"{LIST}new/").content.decode()


def test_a_property_that_does_not_exist_is_not_there(signed_in, made, bob):
    record = made()

    assert signed_in(bob).get(f"{LIST}{record.pk}/edit/", {"property": "shoe_size"}).status_code == 404
