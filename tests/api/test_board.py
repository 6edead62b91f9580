"""The delivery board over the API."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from notifications import events, tasks
from notifications.models import Delivery, Redrive
from tests.api.conftest import DEAL, fields_of


def asked(**given: Any) -> dict[str, Any]:
    now = timezone.now()
    facts = {"begins_at": (now - timedelta(days=1)).isoformat(), "ends_at": now.isoformat()}
    return {"channel": "email", **facts} | given


@pytest.fixture
def failed(account: Any, alice: Any, bob: Any) -> Delivery:
    event = events.emit(DEAL, audience=[bob], by=alice, data=DEAL.example)
    at = timezone.now() - timedelta(hours=1)
    return Delivery.objects.create(
        event=event, member=bob, channel="email", status="failed", error="550 gone", created_at=at
    )


def test_the_board_tells_of_each_channel(program: Any, failed: Delivery) -> None:
    said = program.get("deliveries/board/?span=week").json()
    email = next(one for one in said["channels"] if one["channel"] == "email")

    assert (email["failed"], email["sent"], email["median_seconds"]) == (1, 0, None)
    assert email["reasons"] == [{"words": "No such mailbox", "count": 1}]
    assert len(email["steps"]) == 7
    assert said["counted_since"] is None


def test_a_range_is_counted_then_sent_again_and_followed(program: Any, failed: Delivery) -> None:
    counted = program.post("deliveries/redrive/", asked(dry_run=True)).json()
    assert (counted["failed"], counted["redrive"]) == (1, None)
    assert not Redrive.objects.exists()

    done = program.post("deliveries/redrive/", asked(type=DEAL.key)).json()
    assert done["failed"] == 1
    tasks.redrive()
    one = program.get(f"deliveries/redrive/{done['redrive']['id']}/").json()
    assert (one["sent_again"], one["made_by"], one["finished_at"] is not None) == (1, None, True)
    assert program.get("deliveries/redrive/").json()["results"] == [one]
    failed.refresh_from_db()
    assert failed.status == "due"

    nothing = program.post("deliveries/redrive/", asked())
    assert (nothing.status_code, nothing.json()["code"]) == (409, "nothing_failed")


def test_what_may_have_arrived_goes_again_only_where_that_is_asked_for(program: Any, failed: Delivery) -> None:
    Delivery.objects.update(is_repeat_possible=True)

    counted = program.post("deliveries/redrive/", asked(dry_run=True)).json()
    assert (counted["failed"], counted["uncertain"]) == (0, 1)
    assert program.post("deliveries/redrive/", asked()).json()["code"] == "nothing_failed"
    done = program.post("deliveries/redrive/", asked(may_repeat=True)).json()
    assert (done["failed"], done["redrive"]["may_repeat"]) == (1, True)


def test_a_range_that_makes_no_sense_is_a_problem_that_names_the_field(program: Any, failed: Delivery) -> None:
    for wrong, field in (
        ({"channel": "fax"}, "channel"),
        ({"type": "no.such"}, "type"),
        ({"ends_at": "2001-01-01T00:00:00Z"}, "ends_at"),
        ({"begins_at": "soon"}, "begins_at"),
        ({"begins_at": "0001-01-01T00:00:00+14:00", "ends_at": "0001-01-01T01:00:00Z"}, "begins_at"),
        ({"ends_at": "9999-12-31T23:59:59-14:00"}, "ends_at"),
        ({"colour": "red"}, "colour"),
    ):
        said = program.post("deliveries/redrive/", asked(**wrong))
        assert said.status_code == 422
        assert field in fields_of(said)
    assert not Redrive.objects.exists()


def test_members_are_told_that_it_is_for_super_admins(signed_in: Any, alice: Any, bob: Any, failed: Delivery) -> None:
    for path in ("deliveries/board/", "deliveries/redrive/", "deliveries/unreached/"):
        assert signed_in(bob).get(path).status_code == 403
        assert signed_in(alice).get(path).status_code == 200
    assert signed_in(bob).post("deliveries/redrive/", asked()).status_code == 403
    assert signed_in(alice).post("deliveries/redrive/", asked()).json()["redrive"]["made_by"] == alice.pk


def test_reading_does_not_allow_sending(key_with: Any, failed: Delivery) -> None:
    reader = key_with("deliveries.read")
    assert reader.get("deliveries/board/").status_code == 200
    assert reader.post("deliveries/redrive/", asked()).status_code == 403


def test_next_door_sees_and_sends_nothing_of_it(stranger: Any, failed: Delivery) -> None:
    assert all(one["failed"] == 0 for one in stranger.get("deliveries/board/").json()["channels"])
    assert stranger.post("deliveries/redrive/", asked()).status_code == 409
    failed.refresh_from_db()
    assert failed.status == "failed"


def test_whom_required_notices_miss(program: Any, stranger: Any, account: Any, failed: Delivery) -> None:
    said = program.get("deliveries/unreached/").json()
    assert [(row["sort"], row["email"], row["why"]) for row in said["results"]] == [
        ("address_fails", "bob@example.com", "No such mailbox")
    ]
    assert stranger.get("deliveries/unreached/").json() == {"results": [], "is_more": False}
