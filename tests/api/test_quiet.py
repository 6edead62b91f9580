"""Quiet hours, the pause, snoozes and what-if through the API."""

from datetime import timedelta

from django.utils import timezone

from notifications import bell, events, fanout, quiet, types
from notifications.models import Snooze
from tests.api.conftest import fields_of

STAGE = types.TYPES["deals.stage_changed"]


def told(bob):
    event = events.emit(STAGE, audience=[bob], data=STAGE.example)
    fanout.run_due()
    return event


def soon():
    return (timezone.now() + timedelta(hours=2)).isoformat()


def test_quiet_hours_are_set_and_shown(signed_in, bob):
    me = signed_in(bob)
    hours = [{"weekday": 5, "starts": "00:00", "ends": "00:00"}, {"weekday": 0, "starts": "22:00", "ends": "07:00"}]
    answer = me("PUT", "quiet-hours/", {"hours": hours})

    assert answer.status_code == 200
    assert me.get("quiet-hours/").json()["hours"] == sorted(hours, key=lambda one: one["weekday"])
    assert answer.json()["window"]["starts_at"] < answer.json()["window"]["ends_at"]


def test_hours_that_make_no_sense_are_problems(signed_in, bob):
    me = signed_in(bob)
    equal = me("PUT", "quiet-hours/", {"hours": [{"weekday": 2, "starts": "09:00", "ends": "09:00"}]})
    assert equal.status_code == 422
    assert "2" in fields_of(equal)
    odd = me("PUT", "quiet-hours/", {"hours": [{"weekday": 9, "starts": "25:00", "ends": "9"}]})
    assert set(fields_of(odd)) == {"hours[0].weekday", "hours[0].starts", "hours[0].ends"}


def test_pausing_and_resuming(signed_in, bob):
    me = signed_in(bob)
    assert me("PUT", "pause/", {"until": soon()}).json()["paused_until"]
    over = me("PUT", "pause/", {"until": "2020-01-01T00:00:00Z"})
    assert (over.status_code, "until" in fields_of(over)) == (422, True)
    assert me("DELETE", "pause/").json()["paused_until"] is None
    assert quiet.state_of(bob).paused_until is None


def test_snoozing_and_taking_it_back(signed_in, bob, carol):
    event = told(bob)
    me = signed_in(bob)
    made = me.post("snoozes/", {"id": event.pk, "until": soon()})
    assert made.status_code == 201
    assert [one["notification"] for one in me.get("snoozes/").json()["results"]] == [event.pk]
    assert signed_in(carol).post("snoozes/", {"id": event.pk, "until": soon()}).status_code == 404
    assert signed_in(carol)("DELETE", f"snoozes/{event.pk}/").status_code == 404

    assert me("DELETE", f"snoozes/{event.pk}/").status_code == 204
    assert me.post(f"snoozes/{event.pk}/wake/").status_code == 404
    assert not Snooze.objects.exists()
    assert bell.of(bob).get().archived_at is None


def test_what_if_is_counted_and_not_saved(signed_in, program, bob):
    told(bob)
    body = {"cells": [{"type": STAGE.key, "channel": "email", "on": False}]}
    answer = program.post(f"what-if/?member={bob.email}", body).json()

    (mail,) = [one for one in answer["totals"] if one["channel"] == "email"]
    assert mail == {"channel": "email", "before": 1, "after": 0}
    assert answer["types"][0]["happened"] == 1
    assert not bob.preferences.exists()


def test_why_and_the_list_say_what_holds_it(signed_in, bob):
    quiet.pause(bob, until=timezone.now() + timedelta(hours=1))
    kind = types.TYPES["deals.mentioned"]
    event = events.emit(kind, audience=[bob], data=kind.example)
    fanout.run_due()
    me = signed_in(bob)

    assert me.get("notifications/").json()["results"][0]["held_by"] == "paused"
    verdicts = {one["channel"]: one for one in me.get(f"notifications/{event.pk}/why/").json()["verdicts"]}
    assert verdicts["popup"]["held_by"] == "paused"


def test_the_account_next_door_is_not_there(stranger, bob):
    for path in ("quiet-hours/", "snoozes/"):
        assert stranger.get(f"{path}?member={bob.email}").status_code == 404
    assert stranger("PUT", f"pause/?member={bob.email}", {"until": soon()}).status_code == 404
    assert stranger.post(f"what-if/?member={bob.email}", {}).status_code == 404
