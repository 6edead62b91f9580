"""The bell's doors: the panel, the page of all notifications, and what one can do there."""

import json
import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone, translation

from accounts.models import Membership
from notifications import bell, events, fanout, lines, preferences, types
from notifications.lines import Filters
from notifications.models import Event, Notification

KIND = types.TYPES["deals.mentioned"]
HTMX = {"HX-Request": "true"}


def told(*members: Membership, kind=KIND, **data: str) -> Event:
    event = events.emit(kind, audience=list(members), data=dict(kind.example) | data)
    fanout.run_due()
    return event


def url(name: str, **kwargs: int) -> str:
    return reverse(f"notifications:{name}", kwargs={"hub_id": 1001} | kwargs)


def row(member: Membership, event: Event) -> Notification:
    return bell.of(member).get(event_id=event.pk)


@pytest.fixture
def bobs(client: Client, bob: Membership) -> Client:
    client.force_login(bob.user)
    return client


@pytest.fixture
def mallorys(mallory: Membership) -> Client:
    client = Client()
    client.force_login(mallory.user)
    return client


GETS = [("list", {}), ("bell", {}), ("state", {}), ("open", {"event_id": 1}), ("menu", {"event_id": 1})]
POSTS = ["read", "unread", "read-all", "archive", "unarchive", "mute"]


@pytest.mark.parametrize(("name", "kwargs"), GETS, ids=[name for name, _ in GETS])
def test_a_stranger_finds_no_page_and_changes_nothing(mallorys, bob, name, kwargs):
    event = told(bob)
    kwargs = {"event_id": event.pk} if kwargs else {}

    assert mallorys.get(url(name, **kwargs)).status_code == 404
    assert row(bob, event).read_at is None


@pytest.mark.parametrize("name", POSTS)
def test_a_strangers_post_finds_no_page_and_changes_nothing(mallorys, bob, name):
    event = told(bob)

    answer = mallorys.post(url(name), {"ids": event.pk, "up_to": event.pk, "type": KIND.key, "at": "bell", "to": "off"})

    assert answer.status_code == 404
    assert (row(bob, event).read_at, row(bob, event).archived_at) == (None, None)


@pytest.mark.parametrize("name", ["read", "unread", "archive", "unarchive"])
def test_the_notifications_of_a_colleague_are_not_there(bobs, carol, name):
    event = told(carol)

    assert bobs.post(url(name), {"ids": event.pk}).status_code == 404
    assert bobs.get(url("open", event_id=event.pk)).status_code == 404
    assert bobs.get(url("menu", event_id=event.pk)).status_code == 404
    assert row(carol, event).read_at is None


@pytest.mark.parametrize("name", ["list", "bell", "state"])
def test_who_is_signed_out_is_asked_to_sign_in(client, account, name):
    assert client.get(url(name)).status_code == 302


@pytest.mark.req("N-020")
def test_the_panel_shows_the_newest_by_day_in_the_members_zone(bobs, bob):
    bob.time_zone = "Pacific/Auckland"
    bob.save()
    old, new = told(bob, deal="Old"), told(bob, deal="New")
    Event.objects.filter(pk=old.pk).update(created_at=timezone.now() - timedelta(days=1))

    page = bobs.get(url("bell")).content.decode()

    found = re.findall(r'class="rows__day">(\w+)<|data-event="(\d+)"', page)
    assert [day or int(id_) for day, id_ in found] == ["Today", new.pk, "Yesterday", old.pk]
    here = timezone.now().astimezone(bob.zone)
    assert f'<time datetime="{here:%Y-%m-%dT%H}' in page


def test_an_empty_panel_says_so(bobs):
    assert "You are all caught up" in bobs.get(url("bell")).content.decode()


def test_archived_ones_are_not_in_the_panel(bobs, bob):
    event = told(bob)
    bell.archive(bob, [event.pk])

    assert f'data-event="{event.pk}"' not in bobs.get(url("bell")).content.decode()
    assert f'data-event="{event.pk}"' in bobs.get(url("list"), {"archived": "on"}).content.decode()


@pytest.mark.parametrize("name", ["bell", "list"])
def test_twenty_lines_cost_no_more_queries_than_one(bobs, bob, name):
    def queries() -> int:
        with CaptureQueriesContext(connection) as seen:
            bobs.get(url(name))
        return len(seen)

    told(bob)
    queries()  # the session is in the cache from now on
    of_one = queries()
    for number in range(30):
        told(bob, deal=f"Deal {number}")

    assert queries() == of_one <= 12


def test_opening_marks_it_read_and_leads_on(bobs, bob):
    ours = told(bob, url="/1001/notifications/?unread=on")
    theirs = told(bob, url="https://example.com/report")
    gone = told(bob, url="/1001/nothing-of-ours/7/")

    assert bobs.get(url("open", event_id=ours.pk)).url == "/1001/notifications/?unread=on"
    assert bobs.get(url("open", event_id=theirs.pk)).url == "https://example.com/report"
    assert bobs.get(url("open", event_id=gone.pk)).url == url("why", event_id=gone.pk)
    assert not bell.of(bob).filter(read_at=None).exists()


def test_a_browser_that_only_looks_ahead_reads_nothing(bobs, bob):
    event = told(bob)

    bobs.get(url("open", event_id=event.pk), headers={"Sec-Purpose": "prefetch;prerender"})

    assert row(bob, event).read_at is None


def test_an_act_tells_the_page_its_new_state(bobs, bob):
    first, second = told(bob), told(bob)

    answer = bobs.post(url("read"), {"ids": [first.pk]}, headers=HTMX)

    state = json.loads(answer["HX-Trigger"])["bell:state"]
    assert (answer.status_code, state["unread"], state["newest"]) == (204, 1, second.pk)
    assert state["marks"] == {"read": [first.pk]}


def test_without_scripts_an_act_says_what_it_did_and_shows_the_page_again(bobs, bob):
    event = told(bob)
    back = url("list") + "?unread=on"

    answer = bobs.post(url("archive"), {"ids": [event.pk], "next": back}, follow=True)

    assert answer.redirect_chain == [(back, 302)]
    assert "1 notification archived." in answer.content.decode()


def test_it_never_leads_back_to_another_site(bobs, bob):
    event = told(bob)

    assert bobs.post(url("read"), {"ids": [event.pk], "next": "https://evil.example/"}).url == url("list")


def test_mark_all_read_leaves_what_came_after_the_panel_was_opened(bobs, bob):
    seen, later = told(bob), told(bob)

    answer = bobs.post(url("read-all"), {"up_to": seen.pk}, headers=HTMX)

    assert "1 notification marked as read." in answer.content.decode()
    assert row(bob, seen).read_at is not None
    assert row(bob, later).read_at is None


@pytest.mark.parametrize(
    ("name", "given", "words"),
    [
        ("read", {}, "Choose at least one notification first."),
        ("archive", {"ids": list(range(1, 202))}, "At most 200 notifications can be changed at once."),
        ("read-all", {"up_to": "everything"}, "Say up to which notification."),
        ("mute", {"type": KIND.key, "at": "roof", "to": "off"}, "Say which kind of notification, and where."),
        ("mute", {"type": "no.such", "at": "bell", "to": "off"}, "There is no such notification or channel for you."),
    ],
)
def test_what_makes_no_sense_is_refused_in_words(bobs, bob, name, given, words):
    answer = bobs.post(url(name), given, headers=HTMX)
    again = bobs.post(url(name), given, follow=True)

    assert (answer.status_code, words in answer.content.decode()) == (422, True)
    assert words in again.content.decode()


@pytest.mark.parametrize("ids", ["x", "99999999999999999999999", "-1"])
def test_ids_that_cannot_be_are_not_there(bobs, bob, ids):
    assert bobs.post(url("read"), {"ids": ids}).status_code == 404


@pytest.mark.req("N-011", "N-012")
@pytest.mark.parametrize(("surface", "channel"), [("bell", "bell"), ("list", "bell"), ("popup", "popup")])
def test_dont_show_me_these_turns_off_the_surface_it_was_said_on(bobs, bob, surface, channel):
    event = told(bob)
    assert "Don't show me these anymore" in bobs.get(url("menu", event_id=event.pk), {"at": surface}).content.decode()

    answer = bobs.post(url("mute"), {"type": KIND.key, "at": surface, "to": "off"}, headers=HTMX)

    off = {cell.channel.key for cell in preferences.standing(bob, [KIND]).cells(KIND) if not cell.is_on}
    assert off == {channel}
    undo = dict(re.findall(r'name="(\w+)" value="([^"]+)"', answer.content.decode()))
    assert "Show me these again" in bobs.get(url("menu", event_id=event.pk), {"at": surface}).content.decode()

    bobs.post(url("mute"), undo)

    assert all(cell.is_on for cell in preferences.standing(bob, [KIND]).cells(KIND))


def test_undo_brings_back_the_choice_that_stood_before(bobs, bob):
    preferences.choose(bob, {(KIND.key, "bell"): True})
    answer = bobs.post(url("mute"), {"type": KIND.key, "at": "bell", "to": "off"}, headers=HTMX)

    assert '<input type="hidden" name="to" value="on">' in answer.content.decode()


@pytest.mark.req("N-005", "N-012")
def test_what_is_fixed_says_why_it_cannot_be_turned_off(bobs, bob, account):
    account.locks.create(type=KIND.key, channel="bell", is_on=True, reason="Mentions must be seen")
    event = told(bob)

    menu = bobs.get(url("menu", event_id=event.pk), {"at": "bell"}).content.decode()
    refused = bobs.post(url("mute"), {"type": KIND.key, "at": "bell", "to": "off"}, headers=HTMX)

    assert "locked" in menu.casefold()
    assert f'hx-post="{url("mute")}"' not in menu
    assert refused.status_code == 409
    assert "This cannot be changed" in refused.content.decode()


def test_state_says_how_lines_that_are_shown_stand_now(bobs, bob):
    read, unread, away = told(bob), told(bob), told(bob)
    bell.mark_read(bob, [read.pk])
    bell.archive(bob, [away.pk])

    said = bobs.get(url("state"), {"shown": f"{read.pk},{unread.pk},{away.pk},x"}).json()

    assert (said["v"], said["kind"], said["unread"], said["newest"], said["dot"]) == (1, "state", 1, away.pk, True)
    assert set(said["marks"]["read"]) == {read.pk, away.pk}
    assert said["marks"]["unread"] == [unread.pk]
    assert said["marks"]["archived"] == [away.pk]


# --- The page of all notifications


def found(member: Membership, before: int | None = None, size: int = 50, **filters: object) -> list[int]:
    page = lines.page(member, Filters(**filters), before=before, size=size)
    return [line.event_id for day in page.days for line in day.lines]


def test_it_goes_on_from_where_the_page_before_ended(bobs, bob):
    ids = [told(bob).pk for _ in range(27)][::-1]

    first = bobs.get(url("list")).content.decode()
    assert [int(id_) for id_ in re.findall(r'data-event="(\d+)"', first)] == ids[:25]
    (more,) = set(re.findall(r'href="([^"]*before=[^"]*)"', first))
    link = more.replace("&amp;", "&")
    alone = bobs.get(link).content.decode()
    piece = bobs.get(link, headers=HTMX).content.decode()

    assert "<html" in alone
    assert f'<a href="{url("list")}">Back to the newest</a>' in alone
    assert "<html" not in piece
    for page in (alone, piece):
        assert [int(id_) for id_ in re.findall(r'data-event="(\d+)"', page)] == ids[25:]
    assert "Today" not in piece, "its day was named on the page before"


def test_filters_narrow_it(bob):
    deal, task = told(bob), told(bob, kind=types.TYPES["tasks.due"])
    bell.mark_read(bob, [task.pk])

    assert found(bob) == [task.pk, deal.pk]
    assert found(bob, topic="tasks") == [task.pk]
    assert found(bob, only_unread=True) == [deal.pk]
    assert found(bob, archived=True) == []


@pytest.mark.parametrize(
    ("search", "deals"),
    [
        ("oak", {"Nordic Oak"}),
        ("MENTIONED nordic", {"Nordic Oak"}),  # words of the type, and of the event
        ("100%", {"100% wool"}),  # not a wildcard
        ("a_b", {"a_b"}),
        ('the "big" one', {'The "big" one'}),
        ("back\\slash", {"back\\slash"}),
        ("Ångström", {"ångström"}),
        ("wool oak", set()),
        ("example.com", set()),  # links are not words
        ("\0", {"Nordic Oak", "100% wool", "a_b", "axb", 'The "big" one', "back\\slash", "ångström"}),
    ],
)
def test_search_reads_what_the_lines_say(bob, search, deals):
    named = {
        told(bob, deal=deal, url="https://example.com/1").pk: deal
        for deal in ["Nordic Oak", "100% wool", "a_b", "axb", 'The "big" one', "back\\slash", "ångström"]
    }

    assert {named[id_] for id_ in found(bob, search=search)} == deals


def test_search_knows_the_words_of_the_readers_language(bob):
    event = told(bob)
    with translation.override("en"):
        assert found(bob, search="mentioned deals") == [event.pk]


def test_search_stays_in_the_members_own_bell(bob, carol):
    told(carol, deal="Secret")

    assert found(bob, search="secret") == []


def test_a_search_looks_at_the_newest_only_and_says_so(bobs, bob, monkeypatch):
    monkeypatch.setattr(lines, "MOST_SEARCHED", 2)
    told(bob, deal="Oak")
    for _ in range(2):
        told(bob, deal="Elm")

    assert found(bob, search="oak") == []
    assert "Only your newest" in bobs.get(url("list"), {"q": "oak"}).content.decode()


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ({}, "Open preferences"),
        ({"q": "<b>"}, "Nothing found for “&lt;b&gt;”"),
        ({"unread": "on"}, "Nothing unread"),
        ({"topic": "deals"}, "Nothing in this topic"),
        ({"archived": "on"}, "The archive is empty"),
        ({"topic": "no-such", "before": "-3", "day": "x"}, "Open preferences"),
    ],
)
def test_where_nothing_is_it_says_what_to_do(bobs, query, words):
    assert words in bobs.get(url("list"), query).content.decode()


@pytest.mark.req("N-019")
@pytest.mark.parametrize(("count", "shown"), [(0, "0"), (2, "2"), (101, "100")])
def test_every_page_knows_the_unread_count_before_the_socket_does(bobs, bob, count, shown):
    event = told(bob)
    rows = [Event(account=bob.account, type=KIND.key, data=event.data, audience={}) for _ in range(count)]
    Notification.objects.all().delete()
    Notification.objects.bulk_create(
        Notification(member=bob, event=one, channels=1, waiting=0, own=0, off=0, profiles=0, held=0)
        for one in Event.objects.bulk_create(rows)
    )

    assert f'<unread-badge class="bell__badge" data-unread="{shown}"' in bobs.get(url("list")).content.decode()


def test_a_type_that_is_gone_still_has_its_line_and_menu(bobs, bob):
    event = told(bob)
    Event.objects.filter(pk=event.pk).update(type="deals.retired")

    assert f'data-event="{event.pk}"' in bobs.get(url("bell")).content.decode()
    assert "This kind is not in use anymore" in bobs.get(url("menu", event_id=event.pk)).content.decode()
