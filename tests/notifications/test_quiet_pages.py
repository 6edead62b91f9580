"""The pages of quiet hours, the pause and snooze, without scripts and with them."""

from datetime import timedelta

import pytest
from django.utils import timezone

from notifications import bell, delivering, events, fanout, quiet, snoozing, types
from notifications.channels import CARRIER
from notifications.models import Snooze

STAGE = types.TYPES["deals.stage_changed"]
MENTION = types.TYPES["deals.mentioned"]
HX = {"HX-Request": "true"}


def told(bob, kind=STAGE):
    event = events.emit(kind, audience=[bob], data=kind.example)
    fanout.run_due()
    return event


@pytest.fixture
def page(client, account, bob):
    client.force_login(bob.user)
    base = f"/{account.hub_id}/"

    def ask(method, path, data=None, **headers):
        return getattr(client, method)(base + path, data or {}, headers=headers)

    return ask


QUIET = "settings/notifications/quiet-hours/"


def week(**given):
    return {f"{end}{day}": at for day in range(7) for end, at in (("starts", "22:00"), ("ends", "07:00"))} | given


def test_hours_are_saved(page, bob):
    answer = page("post", QUIET, week(on0="on", on4="on", ends4="09:30"))

    assert answer.status_code == 302
    assert [(one.weekday, f"{one.ends:%H:%M}") for one in quiet.hours_of(bob)] == [(0, "07:00"), (4, "09:30")]


def test_each_time_that_is_refused_is_tied_to_its_own_words(page):
    for field in ("starts1", "ends1"):
        shown = page("post", QUIET, week(on1="on", **{field: ""})).content.decode()
        assert f'aria-describedby="id_{field}_error"' in shown
        assert f'id="id_{field}_error"' in shown


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"on1": "on", "starts1": "07:00"}, "The end must differ from the beginning."),
        ({"on1": "on", "starts1": ""}, "Write a time, or untick the day."),
        ({"on1": "on", "starts1": "25:99"}, "Write the time as 22:00."),
        (
            {f"on{day}": "on" for day in range(7)}
            | {f"{end}{day}": "00:00" for day in range(7) for end in ("starts", "ends")},
            "leave no minute of the week",
        ),
    ],
)
def test_what_makes_no_sense_is_said_beside_the_day_and_nothing_is_lost(page, bob, given, words):
    answer = page("post", QUIET, week(on0="on", ends0="06:15") | given)
    text = answer.content.decode()

    assert words in text
    assert quiet.hours_of(bob) == []
    if "on5" not in given:
        assert 'value="06:15"' in text


def test_a_pause_and_its_end_without_scripts(page, bob):
    page("post", "notifications/pause/", {"for": "hour", "next": "/1001/settings/notifications/quiet-hours/"})
    text = page("get", QUIET).content.decode()
    assert "Everything is paused until" in text
    assert "Paused until" in text  # in the header

    assert page("post", "notifications/resume/").status_code == 302
    assert "Everything is paused" not in page("get", QUIET).content.decode()


@pytest.mark.parametrize(
    "until",
    ["", "2020-01-01T10:00", "2099-01-01T10:00", "soon", "0001-01-01T00:00", "0001-01-01T00:00+14:00"],
)
def test_a_pause_until_no_real_moment_is_said_beside_the_field(page, bob, until):
    answer = page("post", "notifications/pause/", {"until": until})

    assert answer.status_code == 200
    assert 'class="errorlist"' in answer.content.decode()
    assert quiet.state_of(bob).until is None


def test_a_pause_from_the_bell_says_so_with_a_way_back(page, bob):
    answer = page("post", "notifications/pause/", {"for": "tomorrow", "at": "bell"}, **HX)

    assert "Everything but the bell is paused until" in answer.content.decode()
    assert "/notifications/resume/" in answer.content.decode()
    assert '"silence": "p' in answer["HX-Trigger"]


def test_the_note_in_the_header(page, bob):
    assert "until" not in page("get", "notifications/silence/").content.decode()
    quiet.pause(bob, until=timezone.now() + timedelta(hours=1))

    assert "Paused until" in page("get", "notifications/silence/").content.decode()


def test_a_line_under_the_bell_says_what_holds_it(page, bob, django_assert_num_queries):
    quiet.pause(bob, until=timezone.now() + timedelta(hours=1))
    told(bob, MENTION)

    assert "Paused until" in page("get", "notifications/bell/").content.decode().split("<notification-rows>")[1]


def test_why_says_until_when(page, bob):
    quiet.pause(bob, until=timezone.now() + timedelta(hours=1))
    event = told(bob, MENTION)
    delivering.run_due(CARRIER["email"])
    text = page("get", f"notifications/{event.pk}/why/").content.decode()

    assert "Held, because the member paused everything. Until" in text
    assert "Held for a pause until" in text


def test_snooze_from_the_menu_and_back(page, bob):
    event = told(bob)
    assert "Until tomorrow morning" in page("get", f"notifications/{event.pk}/menu/", {"at": "list"}).content.decode()
    answer = page("post", f"notifications/{event.pk}/snooze/", {"for": "tomorrow", "at": "list"}, **HX)
    assert "Snoozed until" in answer.content.decode()
    assert f"/notifications/{event.pk}/unsnooze/" in answer.content.decode()
    archive = page("get", "notifications/", {"archived": "on"}).content.decode()
    assert f'data-event="{event.pk}"' not in archive
    assert "Nordic Oak 2027" in page("get", "notifications/snoozed/").content.decode()

    assert "It is back under the bell." in page("post", f"notifications/{event.pk}/unsnooze/", **HX).content.decode()
    assert bell.of(bob).get().archived_at is None


def test_snoozing_until_no_real_moment_is_refused_in_words(page, bob):
    event = told(bob)
    answer = page("post", f"notifications/{event.pk}/snooze/", {"until": "yesterday", "at": "bell"}, **HX)

    assert answer.status_code == 422
    assert "Choose a date and a time." in answer.content.decode()
    assert not Snooze.objects.exists()


def test_wake_now_and_strangers(page, bob, carol):
    event = told(bob)
    snoozing.snooze(bob, event.pk, until=timezone.now() + timedelta(hours=1))
    other = told(carol)
    snoozing.snooze(carol, other.pk, until=timezone.now() + timedelta(hours=1))

    assert page("post", f"notifications/{other.pk}/wake/").status_code == 404
    assert page("post", f"notifications/{other.pk}/snooze/", {"for": "hour"}).status_code == 404
    assert page("post", f"notifications/{event.pk}/wake/").status_code == 302
    assert page("post", f"notifications/{event.pk}/wake/").status_code == 404
    assert page("post", f"notifications/{2**63}/wake/").status_code == 404


def test_a_typed_time_that_is_past_is_refused_beside_it(page, bob):
    event = told(bob)
    answer = page("post", f"notifications/{event.pk}/snooze/", {"until": "2020-01-01T10:00", "at": "list"}, **HX)

    assert answer.status_code == 422
    assert answer["HX-Retarget"] == f"#snooze-list-{event.pk}-error"
    assert (
        f'id="snooze-list-{event.pk}-error"' in page("get", f"notifications/{event.pk}/menu/?at=list").content.decode()
    )
