"""What was sent, opened and turned off: the record of members' acts, and the charts."""

import html
import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from notifications import channels, charts, events, looking_back, muting, preferences, types
from notifications.mail import unsubscribing
from notifications.mail.links import Reader
from notifications.models import ChoiceRecord, Event, How, Notification
from tests import factories
from tests.api.conftest import with_key

DEAL = types.TYPES["deals.stage_changed"]
EMAIL, BELL = channels.CHANNELS["email"].bit, channels.CHANNELS["bell"].bit
CELL = (DEAL.key, "email")
PAGE = "/admin/notifications/choicerecord/"


def words(answer):
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", answer.content.decode())).split())


def records():
    return list(ChoiceRecord.objects.order_by("pk").values_list("type", "turned_off", "turned_on", "how"))


def test_turning_off_and_on_is_on_record_with_where_it_was_done(bob, account):
    preferences.choose(bob, {CELL: False})
    preferences.choose(bob, {CELL: None})
    muting.set_one(bob, DEAL.key, "bell", "off")
    muting.set_one(bob, DEAL.key, "bell", "default")
    unsubscribing.turn_off(unsubscribing.find(Reader(bob.pk, DEAL.key)))
    with_key(account).patch(
        f"preferences/?member={bob.pk}", {"cells": [{"type": DEAL.key, "channel": "email", "on": True}]}
    )

    assert records() == [
        (DEAL.key, EMAIL, 0, How.SETTINGS),
        (DEAL.key, 0, EMAIL, How.SETTINGS),
        (DEAL.key, BELL, 0, How.MENU),
        (DEAL.key, 0, BELL, How.UNDO),
        (DEAL.key, EMAIL, 0, How.MAIL),
        (DEAL.key, 0, EMAIL, How.API),
    ]
    assert {row.account_id for row in ChoiceRecord.objects.all()} == {account.pk}


def test_what_changes_nothing_is_not_on_record(bob):
    preferences.choose(bob, {CELL: True})  # it was on by default
    preferences.choose(bob, {CELL: None})
    with pytest.raises(preferences.FixedCell):
        preferences.choose(bob, {("system.support_message", "email"): False})

    assert records() == []


def test_a_whole_channel_is_on_record_once(bob):
    preferences.switch(bob, "email", on=False)
    preferences.switch(bob, "email", on=False)
    preferences.choose(bob, {CELL: False})  # counts although the channel is off
    preferences.switch(bob, "email", on=True)

    assert records() == [
        ("", EMAIL, 0, How.SETTINGS),
        (DEAL.key, EMAIL, 0, How.SETTINGS),
        ("", 0, EMAIL, How.SETTINGS),
    ]


def test_clear_all_is_one_statement_and_its_undo_too(bob):
    with CaptureQueriesContext(connection) as seen:
        before = preferences.clear(bob)
    assert sum("notifications_choicerecord" in query["sql"] for query in seen) == 1
    cleared = ChoiceRecord.objects.filter(how=How.CLEAR)
    assert cleared.count() > 80
    assert cleared.get(type=DEAL.key).turned_off == BELL | EMAIL
    assert not cleared.filter(type="website_visits.contacts").exists()  # was off already

    with CaptureQueriesContext(connection) as seen:
        preferences.restore(bob, before)
    assert sum("notifications_choicerecord" in query["sql"] for query in seen) == 1
    assert ChoiceRecord.objects.get(how=How.UNDO, type=DEAL.key).turned_on == BELL | EMAIL
    assert cleared.count() == ChoiceRecord.objects.filter(how=How.UNDO).count()


# --- The charts


def told(fan_out, members, kind=DEAL, *, weeks=0, read=0):
    """An event that these members were told of so many weeks ago; the first `read` of them opened it."""
    event = events.emit(kind, audience=members, data=kind.example)
    fan_out()
    Event.objects.filter(pk=event.pk).update(created_at=timezone.now() - timedelta(weeks=weeks))
    for member in members[:read]:
        Notification.objects.filter(event=event, member=member).update(read_at=timezone.now())
    return event


def line(account, kind=DEAL, **about):
    return next((one for one in charts.look(account, charts.about(**about)).lines if one.kind is kind), None)


def test_sent_opened_and_turned_off_by_type_and_week(account, alice, bob, carol, fan_out):
    told(fan_out, [alice, bob, carol], weeks=2, read=1)
    told(fan_out, [bob], types.tasks.DUE)
    told(fan_out, [bob, carol], read=2)
    preferences.choose(bob, {CELL: False})
    preferences.choose(bob, {CELL: None})
    preferences.choose(bob, {CELL: False})
    preferences.switch(carol, "popup", on=False)

    seen = charts.look(account, charts.about())

    assert [one.kind.key for one in seen.lines] == [DEAL.key, "tasks.due"]
    deals = seen.lines[0]
    assert deals.totals == (5, 3, 2)
    assert deals.share == 60
    assert (deals.sent[-1], deals.sent[-3]) == (2, 3)
    assert (deals.opened[-1], deals.opened[-3]) == (2, 1)
    assert deals.off[-1] == 2
    assert seen.switched_off == 1
    assert seen.ways == [(How.SETTINGS, 2)]
    assert seen.chart.totals == (3, 3)
    assert (seen.sent_since, seen.opened_since, seen.off_since) == (None, None, None)


def test_it_is_limited_to_a_topic_a_type_or_a_channel(account, bob, carol, fan_out):
    preferences.choose(carol, {CELL: False})
    told(fan_out, [bob, carol])
    told(fan_out, [bob], types.tasks.DUE)

    assert line(account).totals == (2, 0, 1)
    assert line(account, channel="email").totals == (1, 0, 1)
    assert line(account, channel="bell").totals == (2, 0, 0)
    assert line(account, channel="popup") is None
    assert line(account, topic="tasks") is None
    assert [one.kind.key for one in charts.look(account, charts.about(type_key="tasks.due")).lines] == ["tasks.due"]


def test_what_nobody_wanted_or_who_did_it_was_not_sent(account, alice, bob, fan_out):
    for key in ("bell", "email", "popup", "browser"):
        preferences.choose(bob, {(DEAL.key, key): False})
    event = events.emit(DEAL, audience=[alice, bob], by=alice, data=DEAL.example)
    fan_out()
    assert Notification.objects.filter(event=event).count() == 2

    assert line(account).totals == (0, 0, 2)


def test_older_weeks_and_the_account_next_door_do_not_count(account, next_door, mallory, bob, fan_out):
    told(fan_out, [bob], weeks=13)
    event = events.emit(DEAL, audience=[mallory], data=DEAL.example, account=next_door)
    fan_out()
    Notification.objects.filter(event=event).update(read_at=timezone.now())
    preferences.choose(mallory, {CELL: False})

    assert charts.look(account, charts.about()).lines == []


def test_it_takes_three_queries_however_many_rows(account, bob, fan_out):
    def queries():
        with CaptureQueriesContext(connection) as seen:
            charts.look(account, charts.about())
        return len(seen)

    told(fan_out, [bob])
    few = queries()
    for weeks in range(5):
        told(fan_out, factories.members(account, 20), weeks=weeks, read=10)
    assert queries() == few == 3


def test_where_there_is_too_much_the_newest_is_counted_and_it_is_said(
    account, bob, carol, fan_out, monkeypatch, as_alice
):
    for weeks in (3, 2, 1):
        told(fan_out, [bob, carol], weeks=weeks, read=2)
    monkeypatch.setattr(looking_back, "RECIPIENTS", 3)
    seen = charts.look(account, charts.about())
    assert seen.lines[0].totals[:2] == (6, 4)
    assert seen.sent_since is None
    assert seen.opened_since
    assert "what was opened is counted since" in words(as_alice.get(PAGE))

    monkeypatch.setattr(looking_back, "EVENTS", 2)
    monkeypatch.setattr(charts, "CHOICES", 1)
    preferences.choose(bob, {CELL: False, ("tasks.due", "bell"): False})
    seen = charts.look(account, charts.about())
    assert seen.sent_since
    assert seen.off_since
    assert sum(sum(one.off) for one in seen.lines) == 1


@pytest.fixture
def as_alice(alice):
    client = Client()
    client.force_login(alice.user)
    return client


def test_the_page_draws_it_with_a_table_and_filters(as_alice, account, bob, carol, fan_out):
    assert "Nothing in this time." in words(as_alice.get(PAGE))
    told(fan_out, [bob, carol], read=1)
    told(fan_out, [bob], types.tasks.DUE)
    muting.set_one(bob, DEAL.key, "bell", "off")

    page = as_alice.get(PAGE)
    assert "opened 1 not opened 2" in words(page)
    assert "1 “Don’t show me these anymore”" in words(page)
    assert "A deal you own or follow moves to another stage Deals 2 1 50 % 1" in words(page)
    assert page.content.decode().count('<svg class="chart__picture"') == 2

    only = words(as_alice.get(f"{PAGE}?what=topic:tasks&channel=bell"))
    assert "opened 0 not opened 1" in only
    for odd in ("what=no.such", "what=topic:x", "channel=fax", "what=%00", "account=abc"):
        assert as_alice.get(f"{PAGE}?{odd}").status_code in (200, 404)


def test_the_charts_of_next_door_are_not_there(as_alice, alice, bob, next_door):
    assert as_alice.get(f"{PAGE}?account={next_door.pk}").status_code == 404
    client = Client()
    client.force_login(bob.user)
    assert client.get(PAGE).status_code == 404


def test_the_same_over_the_api(account, next_door, bob, carol, fan_out):
    told(fan_out, [bob, carol], read=1)
    preferences.choose(bob, {CELL: False})

    said = with_key(account).get("charts/?topic=deals&channel=email").json()
    assert [(one["type"], sum(one["sent"]), sum(one["turned_off"])) for one in said["types"]] == [(DEAL.key, 2, 1)]
    assert len(said["weeks"]) == len(said["types"][0]["opened"]) == charts.WEEKS
    assert with_key(account).get("charts/?channel=fax").status_code == 422
    assert with_key(next_door).get("charts/").json()["types"] == []
    assert with_key(account, "events.read").get("charts/").status_code == 403
