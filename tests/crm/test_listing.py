"""Pages of records: each record once, whatever is sought and however many hold it."""

import base64
import json

import pytest
from django.utils import timezone

from crm import listing
from crm.listing import SORTS
from crm.models import Record
from crm.searching import Words


def walked(rows, **asked):
    titles, cursor = [], None
    while True:
        page = listing.page(rows, after=cursor, limit=2, **asked)
        titles += [record.title for record in page.records]
        if (cursor := page.next) is None:
            return titles


@pytest.mark.parametrize("sort", SORTS)
@pytest.mark.parametrize("read_first", [1, 3, 100])
def test_what_holds_the_words_is_met_once_wherever_the_reading_ends(make, alice, monkeypatch, sort, read_first):
    monkeypatch.setattr(listing, "READ_FIRST", read_first)
    for number in range(9):
        due = {"due_at": f"2027-03-0{number + 1}T08:00:00Z"} if number % 2 else {}
        make("tasks", name=f"{'Rare' if number in (0, 4, 8) else 'Common'} task {number}", **due)
    rows = Record.objects.live().of(alice.account, "tasks")
    everything = walked(rows, sort=sort)

    assert len(everything) == len(set(everything)) == 9
    for words, wanted in (("rare", "Rare"), ("common ta", "Common"), ("task", ""), ("nothing", "None at all")):
        found = walked(rows, sort=sort, words=Words(alice.account, words))
        assert found == [title for title in everything if wanted in title]


def test_records_of_the_same_moment_are_met_once(make, alice):
    for number in range(7):
        make("deals", name=f"Deal {number}")
    Record.objects.update(updated_at=timezone.now())
    rows = Record.objects.live().of(alice.account, "deals")

    assert walked(rows) == [f"Deal {number}" for number in reversed(range(7))]
    assert walked(rows, sort="updated_at") == [f"Deal {number}" for number in range(7)]


def test_a_page_of_tasks_further_on_begins_in_the_index_where_it_begins(make, alice, django_assert_num_queries):
    for number in range(6):
        make("tasks", name=f"Task {number}", **({"due_at": f"2027-03-0{number + 1}T08:00:00Z"} if number < 5 else {}))
    rows = Record.objects.live().of(alice.account, "tasks")
    first = listing.page(rows, sort="due_at", limit=2)

    with django_assert_num_queries(1) as asked:
        listing.page(rows, sort="due_at", limit=2, after=first.next)
    assert " OR " not in asked.captured_queries[0]["sql"]  # with one the database would read all that came before
    assert walked(rows, sort="due_at") == [f"Task {number}" for number in range(6)]


@pytest.mark.parametrize(
    "place",
    [
        ["title", "\ud800", 5],
        ["title", "a\0", 5],
        ["title", "a", 2**63],
        ["-updated_at", "2026-01-01T00:00:00Z", True],
        ["-updated_at", "2026-01-01T00:00:00", 5],
        ["-updated_at", "0001-01-01T00:00:00+23:59", 5],
        ["-updated_at", "9999-12-31T23:59:59-23:59", 5],
        ["due_at", "tomorrow", 5],
        ["due_at", "2026-01-01T00:00:00Z", True],
    ],
)
def test_a_cursor_that_the_database_could_not_read_is_refused(place):
    cursor = base64.urlsafe_b64encode(json.dumps(place).encode()).decode()

    with pytest.raises(listing.InvalidCursor):
        listing.page(Record.objects.all(), sort=place[0], after=cursor)


def test_pages_go_on_after_the_longest_title(make, alice):
    for letter in "ab":
        make("tasks", name=letter + "🪵" * 299)
    rows = Record.objects.live().of(alice.account, "tasks")

    first = listing.page(rows, sort="title", limit=1)
    second = listing.page(rows, sort="title", limit=1, after=first.next)

    assert [one.title[0] for one in (*first.records, *second.records)] == ["a", "b"]


def test_a_cursor_may_name_its_moment_in_any_zone(make, alice):
    make("tasks")
    cursor = base64.urlsafe_b64encode(b'["-updated_at", "2999-01-01T00:00:00+00:00:30.5", 5]').decode()

    assert len(listing.page(Record.objects.live().of(alice.account, "tasks"), after=cursor).records) == 1
