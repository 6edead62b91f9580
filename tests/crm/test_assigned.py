"""Whether one heard of an assignment can be read: on a page, and over the API."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import Membership
from crm import assigned, following, permissions, records
from crm.models import Assignment
from notifications import fanout
from tests.api.conftest import with_key

pytestmark = pytest.mark.req("N-084")


@pytest.fixture
def page() -> Callable[..., str]:
    def read(member: Membership, query: str = "") -> str:
        client = Client()
        client.force_login(member.user, backend="allauth.account.auth_backends.AuthenticationBackend")
        return client.get(f"/1001/assigned/{query}").content.decode()

    return read


def read(member: Membership, **asked: Any) -> list[tuple[str, str]]:
    return [(line.title, line.sentence) for line in assigned.lines(member, assigned.of(member, **asked))]


def test_each_says_what_became_of_it(bob: Any, alice: Any, make: Any, five_minutes_later: Any) -> None:
    make("deals", name="Told", owner=bob.pk)
    make("deals", name="Opened", owner=bob.pk)
    taken = make("deals", name="Taken back", owner=bob.pk)
    make("deals", name="Own", owner=bob.pk, by=bob)
    following.mark_opened(Assignment.objects.get(record__title="Opened").record, bob)
    records.assign(taken, to=alice, by=alice)
    five_minutes_later()

    assert read(bob) == [
        ("Own", "Not told: you assigned it to yourself."),
        ("Taken back", "Not told: taken back within the five minutes."),
        ("Opened", "Not told: you opened the record after it was assigned."),
        ("Told", "You were told."),
    ]
    assert [title for title, _sentence in read(bob, untold=True)] == ["Own", "Taken back", "Opened"]
    assert [title for title, _sentence in read(bob, record=taken.pk)] == ["Taken back"]
    assert read(bob, since=timezone.now() + timedelta(seconds=1)) == []


def test_what_waits_says_until_when(bob: Any, make: Any) -> None:
    make("deals", owner=bob.pk)
    ((_title, sentence),) = read(bob)

    assert sentence.startswith("You will be told at ")
    assert read(bob, untold=True) == []


def test_a_record_one_may_not_see_has_no_name(bob: Any, alice: Any, make: Any, five_minutes_later: Any) -> None:
    deal = make("deals", owner=bob.pk)
    permissions.set_reach(bob, "deals", sees="own", edits="own", by=alice)
    records.assign(deal, to=alice, by=alice)
    five_minutes_later()

    assert [title for title, _sentence in read(bob)] == [""]


def test_the_page_links_the_record_and_the_channels(bob: Any, make: Any, page: Any, five_minutes_later: Any) -> None:
    deal = make("deals", owner=bob.pk)
    make("deals", name="Own", owner=bob.pk, by=bob)
    five_minutes_later()
    fanout.run_due()
    ((line),) = [one for one in assigned.lines(bob, assigned.of(bob)) if one.is_told]

    said = page(bob)
    assert f'href="/1001/deals/{deal.pk}/"' in said
    assert f'href="/1001/notifications/{line.event_id}/why/"' in said
    assert "Nordic Oak 2027" not in page(bob, "?untold=on")
    assert "Own" not in page(bob, f"?record={deal.pk}")
    assert "Own" in page(bob, "?days=7&record=x&before=y")


def test_only_ones_own_are_there(bob: Any, carol: Any, make: Any, page: Any) -> None:
    make("deals", owner=bob.pk)

    assert "Nothing was assigned to you." in page(carol)


def test_it_takes_as_many_queries_for_many_as_for_few(bob: Any, make: Any, django_assert_max_num_queries: Any) -> None:
    for number in range(6):
        make("deals", name=f"Deal {number}", owner=bob.pk)
        with django_assert_max_num_queries(6):
            assigned.lines(bob, assigned.of(bob))


def test_a_program_reads_it_for_a_member(account: Any, bob: Any, make: Any, five_minutes_later: Any) -> None:
    deal = make("deals", owner=bob.pk)
    own = make("deals", name="Own", owner=bob.pk, by=bob)
    five_minutes_later()
    program = with_key(account)

    said = program.get(f"crm/assignments/?member={bob.email}&limit=1").json()
    assert [(one["record"], one["outcome"], one["event"]) for one in said["results"]] == [(own.pk, "self", None)]
    (first,) = program.get(said["next"].removeprefix("/api/v1/")).json()["results"]
    assert (first["record"], first["outcome"], first["sentence"]) == (deal.pk, "told", "You were told.")
    assert first["event"]
    (untold,) = program.get(f"crm/assignments/?member={bob.pk}&untold=true").json()["results"]
    assert untold["record"] == own.pk
    assert program.get("crm/assignments/").status_code == 422
