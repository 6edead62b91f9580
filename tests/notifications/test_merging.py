"""Replies in one thread within a minute are one mail, up to three; under the bell each stays its own (N-064)."""

import re
import threading
from collections.abc import Iterable
from datetime import datetime, timedelta
from itertools import chain
from typing import Any

import pytest
from django.core import mail
from django.db import connections
from django.test import Client
from django.utils import timezone

from accounts.models import Membership
from notifications import (
    bell,
    catching_up,
    channels,
    claiming,
    delivering,
    events,
    fanout,
    parcels,
    preferences,
    quiet,
    types,
    why,
)
from notifications.models import Delivery, Event, Merge
from tests.api.conftest import with_key

COMMENT = types.comments.ACTIVITY_COMMENTED
EMAIL = channels.CARRIER["email"]
PAGE = "/1001/deals/7/activities/914/"

pytestmark = pytest.mark.req("N-064")


def begin() -> datetime:
    """Some time ago, so that what waits for a minute has waited."""
    return timezone.now() - timedelta(minutes=10)


def say(number: int, *to: Membership, at: datetime, page: str = PAGE, kind: Any = COMMENT) -> Event:
    """A comment is made at some moment, and told."""
    data = dict(kind.example) | {"url": f"{page}#comment-{number}"}
    if "excerpt" in data:
        data["excerpt"] = f"Reply {number}"
    event = events.emit(kind, audience=to, data=data)
    Event.objects.filter(pk=event.pk).update(created_at=at)
    fanout.run_due()
    event.refresh_from_db()
    return event


def carry() -> list[Any]:
    delivering.run_due(EMAIL)
    return mail.outbox


def replies(letters: Iterable[Any]) -> list[list[int]]:
    """Which replies each mail names."""
    return [[int(found) for found in re.findall(r"Reply (\d+)”", one.body)] for one in letters]


@pytest.mark.parametrize(
    ("seconds", "mails"),
    [
        ([0], [1]),
        ([0, 30], [2]),
        ([0, 30, 59], [3]),
        ([0, 10, 20, 30], [3, 1]),
        ([0, 10, 20, 30, 40, 50, 55], [3, 3, 1]),
        ([0, 59, 61], [2, 1]),
        ([0, 60], [1, 1]),
        ([0, 60, 119, 121], [1, 2, 1]),
    ],
    ids=str,
)
def test_what_comes_within_a_minute_is_one_mail_up_to_three(bob: Any, seconds: list[int], mails: list[int]) -> None:
    start = begin()
    for number, second in enumerate(seconds, 1):
        say(number, bob, at=start + timedelta(seconds=second))

    named = replies(carry())
    assert [len(one) for one in named] == mails
    assert [*chain(*named)] == list(range(1, len(seconds) + 1)), "each reply is named once, in its order"
    assert bell.of(bob).count() == len(seconds), "under the bell each is its own"


def test_the_mail_waits_for_its_minute_and_leaves_at_once_when_it_is_full(bob: Any) -> None:
    say(1, bob, at=timezone.now())
    assert carry() == []

    say(2, bob, at=timezone.now())
    assert carry() == []

    say(3, bob, at=timezone.now())
    (letter,) = carry()
    assert replies([letter]) == [[1, 2, 3]]


def test_the_mail_names_each_reply_with_its_link(bob: Any) -> None:
    start = begin()
    for number in (1, 2):
        say(number, bob, at=start)
    (letter,) = carry()

    assert letter.subject == "2 new comments on “Call with Fjordline about the renewal”"
    assert "Chiara Ricci: “Reply 2”" in letter.body
    page = letter.alternatives[0].content
    for part in (letter.body, page):
        assert f"{PAGE}#comment-1" in part
        assert f"{PAGE}#comment-2" in part


def test_one_alone_reads_as_ever(bob: Any) -> None:
    say(1, bob, at=begin())
    (letter,) = carry()

    assert letter.subject == "Chiara Ricci commented on “Call with Fjordline about the renewal”"


def test_other_threads_other_people_and_other_kinds_stay_apart(bob: Any, carol: Any) -> None:
    start = begin()
    say(1, bob, at=start)
    say(2, bob, at=start, page="/1001/deals/7/activities/915/")
    say(3, carol, at=start)
    say(4, bob, at=start, kind=types.comments.MENTIONED)

    assert sorted(len(one) for one in replies(carry())) == [1, 1, 1, 1]


def test_whoever_hears_of_some_only_gets_a_mail_with_these(bob: Any, carol: Any) -> None:
    start = begin()
    say(1, bob, at=start)
    say(2, bob, carol, at=start)
    say(3, carol, at=start)

    by_person = {letter.to[0]: replies([letter])[0] for letter in carry()}
    assert by_person == {bob.email: [1, 2], carol.email: [2, 3]}


def test_whoever_wants_no_mail_joins_none(bob: Any, carol: Any) -> None:
    preferences.choose(bob, {(COMMENT.key, "email"): False})
    say(1, bob, carol, at=begin())

    assert Merge.objects.count() == Delivery.objects.count() == 1
    assert [letter.to for letter in carry()] == [[carol.email]]


def test_who_comes_while_the_mail_is_leaving_opens_the_next_one(bob: Any) -> None:
    """A worker read what it would send and died; a reply came; the mail goes again with what it had."""
    start = begin()
    say(1, bob, at=start)
    say(2, bob, at=start)
    parcels.pack(EMAIL, claiming.claim_due(EMAIL, limit=10, claim="dead"))
    Delivery.objects.filter(claim="dead").update(claimed_until=start)
    say(3, bob, at=start)
    claiming.give_back_expired()

    assert sorted(replies(carry())) == [[1, 2], [3]]


def test_what_failed_goes_again_with_all_it_tells(bob: Any) -> None:
    start = begin()
    for number in (1, 2):
        say(number, bob, at=start)
    Delivery.objects.filter(status="due").update(status="failed")
    delivering.retry(Delivery.objects.filter(status="failed"))

    assert replies(carry()) == [[1, 2]]


def test_a_pause_holds_each_and_its_summary_names_each(bob: Any) -> None:
    quiet.pause(bob, until=timezone.now() + timedelta(hours=2))
    start = begin()
    told = [say(number, bob, at=start) for number in (1, 2, 3, 4)]
    assert carry() == []
    assert list(Delivery.objects.values_list("status", "merge")) == [("held", None)] * 4

    assert quiet.resume(bob)
    catching_up.run_due()
    fanout.run_due()
    (letter,) = carry()
    for event in told:
        assert f"/1001/notifications/{event.pk}/open/" in letter.body


def test_why_says_which_mail_told_it(bob: Any, account: Any) -> None:
    start = begin()
    first, second, third = (say(number, bob, at=start) for number in (1, 2, 3))
    carry()

    mail_of = {
        event: next(v for v in why.explain(event, bob).verdicts if v.channel.key == "email")
        for event in (first, second, third)
    }
    assert mail_of[first].mail is None
    assert mail_of[first].together == (second, third)
    assert mail_of[second].mail.event == first
    assert mail_of[third].together == (first, second)
    assert all(verdict.is_told for verdict in mail_of.values())

    said = with_key(account).get(f"notifications/{second.pk}/why/?member={bob.pk}").json()
    (delivery,) = (one["delivery"] for one in said["verdicts"] if one["channel"] == "email")
    assert (delivery["status"], delivery["merged_into"]) == ("merged", first.pk)
    assert delivery["together_with"] == [first.pk, third.pk]

    browser = Client()
    browser.force_login(bob.user, backend="allauth.account.auth_backends.AuthenticationBackend")
    page = browser.get(f"/1001/notifications/{second.pk}/why/").content.decode()
    assert "Told in the e-mail of an earlier one. Sent to bob@example.com" in page
    assert f'href="/1001/notifications/{first.pk}/why/"' in page


def test_why_does_not_say_told_of_a_mail_that_never_left(bob: Any) -> None:
    start = begin()
    _first, second = (say(number, bob, at=start) for number in (1, 2))
    preferences.switch(bob, "email", on=False)
    assert carry() == []

    (verdict,) = (one for one in why.explain(second, bob).verdicts if one.channel.key == "email")
    assert not verdict.is_told


def test_it_takes_as_many_queries_for_many_as_for_few(
    account: Any, bob: Any, carol: Any, django_assert_num_queries: Any
) -> None:
    data = dict(COMMENT.example)
    for people in ([bob], [bob, carol]):
        events.emit(COMMENT, audience=people, data=data)
        with django_assert_num_queries(9):
            fanout.run_step(batch=100)


# At once


def _in_threads(*works: Any) -> None:
    def run(work: Any) -> None:
        try:
            work()
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


@pytest.mark.django_db(transaction=True)
def test_workers_at_once_make_threes_of_seven(bob: Any, carol: Any) -> None:
    for number in range(1, 8):
        data = dict(COMMENT.example) | {"excerpt": f"Reply {number}", "url": f"{PAGE}#comment-{number}"}
        events.emit(COMMENT, audience=[bob, carol], data=data)
    Event.objects.update(created_at=begin())

    _in_threads(*[fanout.run_due] * 4)
    fanout.run_due()  # what one of them held while the last one looked

    for person in (bob, carol):
        mails = [named for letter, named in zip(carry(), replies(carry()), strict=True) if letter.to == [person.email]]
        assert sorted(len(named) for named in mails) == [1, 3, 3]
        assert sorted(chain(*mails)) == list(range(1, 8))


@pytest.mark.django_db(transaction=True)
def test_a_reply_that_comes_while_mails_leave_is_named_once(bob: Any) -> None:
    start, is_over = begin(), threading.Event()

    def comment() -> None:
        for number in range(1, 31):
            say(number, bob, at=start)
        is_over.set()

    def send() -> None:
        while not is_over.is_set():
            delivering.run_due(EMAIL)

    _in_threads(comment, send, send)
    mails = replies(carry())
    assert sorted(chain(*mails)) == list(range(1, 31))
    assert max(len(named) for named in mails) <= 3
