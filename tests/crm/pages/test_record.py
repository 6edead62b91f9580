"""The page of a record: opened, written on, associated, followed, completed; and where notifications lead."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import resolve
from django.utils import timezone

from crm import (
    activities,
    assigning,
    associating,
    defining,
    following,
    history,
    mentioning,
    paths,
    permissions,
    records,
    schema,
)
from crm.models import Activity, AssignmentWindow, Association, Mention, RecordView
from notifications.models import Notification


@pytest.fixture
def contact(made):
    return made()


@pytest.fixture
def url(contact):
    return paths.record(contact)


def test_opening_a_page_is_remembered_but_not_looking_ahead(signed_in, url, bob):
    signed_in(bob).get(url, headers={"Sec-Purpose": "prefetch"})
    assert not RecordView.objects.exists()

    signed_in(bob).get(url)
    assert RecordView.objects.get().member == bob


@pytest.mark.req("N-083")
def test_every_address_that_the_records_tell_leads_to_a_page(signed_in, made, alice, bob, contact):
    note = activities.log(contact, kind="note", text="Hello", by=alice)
    comment = activities.comment(note, text="Yes", by=bob)
    for kind in ("deals", "tasks"):
        made(kind, owner=bob.pk)
    window = AssignmentWindow.objects.get(recipient=bob)
    AssignmentWindow.objects.update(due_at=timezone.now() - timedelta(seconds=1))
    assigning.close_due()

    for address in (paths.record(contact), paths.activity(note), paths.activity(comment), paths.assigned(window)):
        path = address.partition("#")[0]
        assert resolve(path).app_name == "crm"
        assert signed_in(bob).get(path).status_code == 200
    page = signed_in(bob).get(paths.assigned(window)).content.decode()
    assert page.count("Nordic Oak 2027") == 2
    assert "Deals" in page
    assert "Tasks" in page
    assert signed_in(alice).get(paths.assigned(window)).status_code == 404  # it is bob's


def test_the_timeline_says_who_changed_what(signed_in, url, contact, alice, bob):
    records.change(contact, {"city": "Oslo", "owner": bob.pk}, by=bob)
    records.change(contact, {"city": None}, by=alice)

    page = signed_in(bob).get(url).content.decode()

    assert "set City to “Oslo”" in page
    assert "set Contact owner to “Bob”" in page
    assert "emptied City, which was “Oslo”" in page
    assert "made this record" in page


def test_the_timeline_does_not_name_records_that_the_reader_may_not_see(signed_in, made, url, contact, alice, bob):
    deal = made("deals", name="Top secret")
    associating.associate(contact, deal, by=alice)
    permissions.set_reach(bob, "deals", sees="own", edits="own", by=alice)

    page = signed_in(bob).get(url).content.decode()

    assert "Top secret" not in page
    assert "associated it with “another record”" in page


def test_pages_of_the_timeline_hold_everything_once(contact, alice):
    for i in range(9):
        records.change(contact, {"city": f"City {i}"}, by=alice)
        activities.log(
            contact, kind="call", text=f"Call {i}", occurred_at=timezone.now() - timedelta(minutes=i % 4), by=alice
        )
    seen, after = [], ""
    while True:
        page = history.page(contact, after=after, size=3)
        for entry in page.entries:
            seen += [("activity", entry.activity.pk)] if entry.activity else []
            seen += [("change", change.pk) for change in entry.changes]
        after = page.next
        if not after:
            break

    assert len(seen) == len(set(seen)) == 9 + 10


@pytest.mark.parametrize(
    "after", ["x", "~~", "a~b~c", "2026-99-99~1~1", "0001-01-01T00:00:00+23:59~1~1", "~99999999999999999999~"]
)
def test_a_cursor_that_makes_no_sense_is_the_beginning(signed_in, url, bob, after):
    answer = signed_in(bob).get(f"{url}timeline/", {"after": after}, headers={"HX-Request": "true"})

    assert "made this record" in answer.content.decode()


def test_the_number_of_queries_does_not_grow_with_the_history(signed_in, url, contact, alice, bob):
    browser = signed_in(bob)

    def count():
        browser.get(url)
        with CaptureQueriesContext(connection) as captured:
            browser.get(url)
        return len(captured)

    note = activities.log(contact, kind="note", text="One", by=alice)
    activities.comment(note, text="More", by=bob)
    records.change(contact, {"owner": bob.pk}, by=alice)
    few = count()
    for i in range(8):
        records.change(contact, {"city": f"City {i}", "owner": [alice, bob][i % 2].pk}, by=alice)
        note = activities.log(contact, kind="note", text=f"Note {i}", by=alice)
        activities.comment(note, text="More", by=bob)

    assert count() == few
    assert few <= 25


def test_a_note_is_written_and_its_mention_told(signed_in, url, alice, bob, carol):
    answer = signed_in(bob).post(f"{url}activities/", {"kind": "note", "text": f"Ask {mentioning.token(carol)}!"})

    note = Activity.objects.get()
    assert answer["Location"] == f"{url}#timeline"
    assert Mention.objects.get().member == carol
    assert '<span class="mention">@Carol</span>' in signed_in(alice).get(paths.activity(note)).content.decode()


def test_what_is_written_cannot_bring_markup(signed_in, url, bob):
    signed_in(bob).post(f"{url}activities/", {"kind": "note", "text": "<script>alert(1)</script> @[<b>](member:1)"})

    page = signed_in(bob).get(url).content.decode()
    assert "<script>alert" not in page
    assert "<b>" not in page


def test_an_empty_note_is_refused_and_nothing_lost(signed_in, url, bob):
    answer = signed_in(bob).post(f"{url}activities/", {"kind": "call", "text": " ", "subject": "x" * 300})

    page = answer.content.decode()
    assert answer.status_code == 422
    assert "At most 200 characters fit." in page
    assert "x" * 300 in page
    assert not Activity.objects.exists()


def test_comments_stand_below_their_activity(signed_in, url, contact, alice, bob):
    note = activities.log(contact, kind="note", text="Hello", by=alice)
    for i in range(history.MOST_COMMENTS + 2):
        answer = signed_in(bob).post(f"{url}activities/{note.pk}/comments/", {"text": f"Comment {i}"})

    newest = Activity.objects.latest("pk")
    assert answer["Location"] == f"{url}activities/{note.pk}/#comment-{newest.pk}"
    timeline = signed_in(bob).get(url).content.decode()
    assert "2 earlier comments" in timeline
    assert "Comment 0" not in timeline
    assert "Comment 0" in signed_in(bob).get(f"{url}activities/{note.pk}/").content.decode()


def test_an_empty_comment_is_refused(signed_in, url, contact, alice, bob):
    note = activities.log(contact, kind="note", text="Hello", by=alice)

    answer = signed_in(bob).post(f"{url}activities/{note.pk}/comments/", {"text": " "})

    assert answer.status_code == 422
    assert "Write something first." in answer.content.decode()


def test_only_the_author_writes_a_text_anew_or_takes_it_away(signed_in, url, contact, bob, carol):
    note = activities.log(contact, kind="note", text="Hello", by=bob)
    one = f"{url}activities/{note.pk}/"

    refusal = signed_in(carol).post(one, {"text": "Bye"})
    assert refusal.status_code == 422
    assert "Only its author or a super admin can change this." in refusal.content.decode()
    signed_in(carol).post(f"{one}delete/")
    note.refresh_from_db()
    assert (note.text, note.deleted_at) == ("Hello", None)
    signed_in(bob).post(one, {"text": "Good day", "subject": ""})
    note.refresh_from_db()
    assert note.text == "Good day"
    signed_in(bob).post(f"{one}delete/")
    assert signed_in(bob).get(one).status_code == 404


def test_records_are_found_associated_and_separated(signed_in, made, url, contact, bob):
    company = made("companies", name="Fjordline Logistics")
    browser = signed_in(bob)
    found = browser.get(f"{url}associations/", {"find": "fjord"}, headers={"HX-Request": "true"}).content.decode()
    assert "Fjordline Logistics" in found

    browser.post(f"{url}associations/", {"other": company.pk})
    assert Association.objects.count() == 1
    assert "Fjordline Logistics" in browser.get(url).content.decode()
    browser.post(f"{url}associations/", {"other": company.pk, "verb": "remove"})
    assert not Association.objects.exists()


@pytest.mark.parametrize("other", ["", "x", "999999999", "٣"])
def test_nothing_is_associated_with_what_is_not_there(signed_in, url, bob, other):
    assert signed_in(bob).post(f"{url}associations/", {"other": other}).status_code == 404


def test_associating_a_record_with_itself_is_refused_in_words(signed_in, url, contact, bob):
    answer = signed_in(bob).post(f"{url}associations/", {"other": contact.pk}, follow=True)

    assert "Choose another record of this account." in answer.content.decode()


def test_following_and_not_following(signed_in, url, contact, bob):
    browser = signed_in(bob)

    assert "you hear what happens to it" in browser.post(f"{url}follow/", follow=True).content.decode()
    assert contact.followers.get().member == bob
    browser.post(f"{url}follow/", {"verb": "unfollow"})
    assert not contact.followers.exists()


def test_a_task_is_completed_and_opened_again(signed_in, made, bob):
    task = made("tasks")
    url = paths.record(task)

    signed_in(bob).post(f"{url}complete/")
    task.refresh_from_db()
    assert task.completed_at is not None
    signed_in(bob).post(f"{url}complete/", {"verb": "reopen"})
    task.refresh_from_db()
    assert task.completed_at is None


def test_only_tasks_are_completed(signed_in, url, bob):
    assert signed_in(bob).post(f"{url}complete/").status_code == 404


def test_people_and_teams_are_offered_to_mention(signed_in, team, alice, bob, carol, mallory):
    def offered(words):
        found = signed_in(bob).get("/1001/records/people/", {"for": "mention", "q": words}).json()["people"]
        return [(one["name"], one["token"]) for one in found]

    assert offered("CAR") == [("Carol", f"@[Carol](member:{carol.pk})")]
    assert offered("sal") == [("Sales", f"@[Sales](team:{team.pk})")]
    assert offered("mallory") == []
    assert len(offered("")) == 4


def test_the_first_page_shows_ones_due_tasks_and_what_one_opened(signed_in, made, contact, bob, alice):
    made("tasks", name="Call Mia", owner=bob.pk, due_at=(timezone.now() - timedelta(hours=1)).isoformat())
    made("tasks", name="Not hers", owner=alice.pk, due_at=timezone.now().isoformat())
    following.mark_opened(contact, bob)

    page = signed_in(bob).get("/1001/records/start/").content.decode()

    assert "Call Mia" in page
    assert "overdue" in page
    assert "Mia Lind" in page
    assert "Not hers" not in page
    assert "/1001/records/start/" in signed_in(bob).get("/1001/").content.decode()


def test_kinds_are_written_in_addresses_as_they_are_told(alice, made):
    from crm.converters import KindConverter

    defining.define_kind(alice.account, key="berths", label="Berth", plural="Berths", by=alice)
    for key in schema.of(alice.account):
        record = made(key)
        assert resolve(paths.record(record)).kwargs["kind"] == key
        assert f"/{KindConverter().to_url(key)}/" in paths.record(record)


@pytest.mark.req("N-063", "N-068", "N-069", "N-072", "N-081", "N-094", "N-140", "N-145")
@pytest.mark.parametrize("is_comment", [False, True], ids=["note", "comment"])
@pytest.mark.parametrize("kind", ["contacts", "companies", "deals", "tickets", "tasks", "berths"])
def test_a_mention_written_on_a_page_arrives_and_leads_back(
    signed_in, made, fan_out, alice, bob, carol, kind, is_comment
):
    defining.define_kind(alice.account, key="berths", label="Berth", plural="Berths", by=alice)
    record = made(kind)
    url = f"{paths.record(record)}activities/"
    if is_comment:
        note = activities.log(record, kind="note", text="They called.", by=alice)
        url = f"{url}{note.pk}/comments/"

    signed_in(bob).post(url, {"kind": "note", "text": f"Have a look, {mentioning.token(carol)}"})
    fan_out()

    told = Notification.objects.get(member=carol).event
    kind_ = schema.kind_of(alice.account, kind)
    assert told.type == ("comments.mentioned" if is_comment else kind_.told.mentioned.key)
    page = signed_in(carol).get(told.data["url"].partition("#")[0]).content.decode()
    assert '<span class="mention">@Carol</span>' in page
