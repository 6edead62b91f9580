"""Events from outside: taken, taken once, refused by the field, and what became of them."""

from typing import Any

import pytest

from notifications import bell, preferences
from notifications.models import Event
from tests.api.conftest import DEAL, event, fields_of


def test_an_event_over_the_api_lights_the_bell(program: Any, alice: Any, bob: Any, fan_out: Any) -> None:
    said = program.post("events/", event(actor=alice.pk, occurred_at="2027-03-09T08:30:00+01:00"))

    assert said.status_code == 202, said.content
    fan_out()
    assert bell.of(bob).get().event_id == said.json()["id"]
    made = Event.objects.get()
    assert made.actor == alice
    assert made.occurred_at.isoformat() == "2027-03-09T07:30:00+00:00"
    assert program.get(said.json()["url"].removeprefix("/api/v1/")).status_code == 200


def test_the_audience_can_be_named_in_every_way(program: Any, alice: Any, bob: Any, team: Any) -> None:
    audience = {
        "members": [alice.pk, "BOB@example.com"],
        "teams": [team.pk],
        "primary_teams": [team.pk],
        "permissions": ["forms"],
        "everyone": True,
    }
    assert program.post("events/", event(audience=audience)).status_code == 202
    assert Event.objects.get().audience == {
        "members": [alice.pk, bob.pk],
        "teams": [team.pk],
        "primary_teams": [team.pk],
        "permissions": ["forms"],
        "everyone": True,
    }


def test_the_same_key_makes_one_event_and_says_so(program: Any, bob: Any) -> None:
    first = program.post("events/", event(), Idempotency_Key="deal-7")
    again = program.post("events/", event(), Idempotency_Key="deal-7")

    assert first.status_code == again.status_code == 202
    assert first.json()["id"] == again.json()["id"]
    assert "Idempotency-Replayed" not in first
    assert again["Idempotency-Replayed"] == "true"
    assert Event.objects.count() == 1


def test_a_key_reused_for_something_else_is_refused(program: Any, alice: Any, bob: Any) -> None:
    program.post("events/", event(), Idempotency_Key="deal-7")
    said = program.post("events/", event(audience={"members": [alice.pk]}), Idempotency_Key="deal-7")

    assert said.status_code == 422
    assert "Idempotency-Key" in fields_of(said)
    assert said.json()["code"] == "idempotency_key_reused"


def test_two_accounts_may_use_the_same_key(program: Any, stranger: Any, bob: Any, mallory: Any) -> None:
    ours = program.post("events/", event(), Idempotency_Key="1")
    theirs = stranger.post("events/", event(audience={"members": ["mallory@example.com"]}), Idempotency_Key="1")

    assert ours.json()["id"] != theirs.json()["id"]


@pytest.mark.parametrize("key", ["", "x" * 201, "tab\there", "ümlaut"])
def test_an_odd_key_is_refused(program: Any, bob: Any, key: str) -> None:
    assert "Idempotency-Key" in fields_of(program.post("events/", event(), Idempotency_Key=key))


DATA = dict(DEAL.example)


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"type": "deals.no_such_thing"}, "type"),
        ({"type": "deals.\x00"}, "type"),
        ({"type": None}, "type"),
        ({"type": 7}, "type"),
        ({"type": "x" * 10_000}, "type"),
        ({"data": {k: v for k, v in DATA.items() if k != "deal"}}, "data.deal"),
        ({"data": DATA | {"surplus": 1}}, "data.surplus"),
        ({"data": DATA | {"deal": "a\x00b"}}, "data.deal"),
        ({"data": DATA | {"deal": 10**30}}, "data.deal"),
        ({"data": DATA | {"deal": ["x"]}}, "data.deal"),
        ({"data": DATA | {"url": "javascript:alert(1)"}}, "data.url"),
        ({"data": DATA | {"deal": "x" * 20_000}}, "data"),
        ({"data": [1]}, "data"),
        ({"data": None}, "data"),
        ({"audience": {"members": ["nobody@example.com"]}}, "audience.members"),
        ({"audience": {"members": [2**62]}}, "audience.members"),
        ({"audience": {"members": [2**70]}}, "audience.members[0]"),
        ({"audience": {"members": [True]}}, "audience.members[0]"),
        ({"audience": {"members": ["a\x00@example.com"]}}, "audience.members[0]"),
        ({"audience": {"members": "bob@example.com"}}, "audience.members"),
        ({"audience": {"teams": [999_999]}}, "audience.teams"),
        ({"audience": {"primary_teams": [999_999]}}, "audience.primary_teams"),
        ({"audience": {"permissions": ["fly"]}}, "audience.permissions"),
        ({"audience": {"permissions": ["\x00"]}}, "audience.permissions[0]"),
        ({"audience": {"everyone": "yes"}}, "audience.everyone"),
        ({"audience": {"everyone": False}}, "audience"),
        ({"audience": {}}, "audience"),
        ({"audience": {"all": True}}, "audience.all"),
        ({"audience": 3}, "audience"),
        ({"actor": "nobody@example.com"}, "actor"),
        ({"actor": 2**62}, "actor"),
        ({"actor": {}}, "actor"),
        ({"occurred_at": "yesterday"}, "occurred_at"),
        ({"occurred_at": "2027-03-09T08:30:00"}, "occurred_at"),
        ({"occurred_at": "0000-00-00T00:00:00Z"}, "occurred_at"),
        ({"occurred_at": "0001-01-01T00:00:00+23:59"}, "occurred_at"),
        ({"occurred_at": 1}, "occurred_at"),
        ({"colour": "red"}, "colour"),
        ({"a\x00b": 1}, "a\\u0000b"),
    ],
)
def test_what_is_wrong_is_named(program: Any, bob: Any, wrong: dict[str, Any], field: str) -> None:
    said = program.post("events/", event(**wrong))

    assert 400 <= said.status_code < 500
    assert field in fields_of(said), said.content
    assert not Event.objects.exists()


def test_everything_that_is_wrong_is_named_at_once(program: Any, bob: Any) -> None:
    said = program.post("events/", {"colour": "red", "data": 1, "audience": {"everyone": 2}})

    assert fields_of(said).keys() == {"colour", "data", "audience.everyone", "type"}


def test_people_next_door_are_unknown(program: Any, alice: Any, mallory: Any) -> None:
    for ref in (mallory.pk, mallory.email):
        said = program.post("events/", event(audience={"members": [ref]}))
        assert "Unknown member" in fields_of(said)["audience.members"]
        assert "actor" in fields_of(program.post("events/", event(audience={"members": [alice.pk]}, actor=ref)))


def test_an_event_costs_few_queries(program: Any, alice: Any, bob: Any, django_assert_max_num_queries: Any) -> None:
    program.post("events/", event())
    with django_assert_max_num_queries(8):
        assert program.post("events/", event(actor=alice.pk), Idempotency_Key="7").status_code == 202
    with django_assert_max_num_queries(6):
        assert program.post("events/", event()).status_code == 202


def test_a_batch_is_taken_whole(program: Any, alice: Any, bob: Any, fan_out: Any) -> None:
    program.post("events/", event(), Idempotency_Key="old")
    said = program.post("events/batch/", {"events": [event(), event(key="new", actor=alice.email), event(key="old")]})

    assert said.status_code == 202, said.content
    made = said.json()["events"]
    assert [one["is_replay"] for one in made] == [False, False, True]
    assert Event.objects.count() == 3
    fan_out()
    assert {row.event_id for row in bell.of(bob)} == {one["id"] for one in made}


def test_one_wrong_event_refuses_the_batch(program: Any, bob: Any) -> None:
    program.post("events/", event(), Idempotency_Key="old")
    broken = {k: v for k, v in DATA.items() if k != "deal"}
    said = program.post(
        "events/batch/",
        {
            "events": [
                event(),
                event(data=broken),
                event(type="no.such"),
                event(key="old", data=DATA | {"deal": "other"}),
                event(key="k"),
                event(key="k"),
            ]
        },
    )

    assert said.status_code == 422
    assert fields_of(said).keys() == {
        "events[1].data.deal",
        "events[2].type",
        "events[3].key",
        "events[4].key",
        "events[5].key",
    }
    assert Event.objects.count() == 1


@pytest.mark.parametrize(
    ("events", "field"),
    [
        ([], "events"),
        ([event()] * 501, "events"),
        ("all", "events"),
        ([event(), 3], "events[1]"),
        ([event(), event(audience={"members": ["x@y.example"]})], "events[1].audience.members"),
        ([event(key="")], "events[0].key"),
        ([event(key="ü")], "events[0].key"),
    ],
)
def test_a_batch_of_another_shape_is_refused(program: Any, bob: Any, events: Any, field: str) -> None:
    said = program.post("events/batch/", {"events": events})

    assert said.status_code == 422
    assert field in fields_of(said)


def test_a_batch_costs_as_many_queries_as_one(
    program: Any, alice: Any, bob: Any, team: Any, django_assert_max_num_queries: Any
) -> None:
    many = [
        event(key=f"k{i}", actor=alice.pk, audience={"members": [bob.email], "teams": [team.pk]}) for i in range(200)
    ]
    with django_assert_max_num_queries(10):
        assert program.post("events/batch/", {"events": many}).status_code == 202


def test_a_program_without_the_scope_may_not_emit(key_with: Any, bob: Any) -> None:
    for path, body in (("events/", event()), ("events/batch/", {"events": [event()]})):
        said = key_with("events.read").post(path, body)
        assert said.status_code == 403
        assert "events.write" in said.json()["detail"]
        assert 'scope="events.write"' in said["WWW-Authenticate"]
    assert not Event.objects.exists()


def test_what_became_of_an_event_is_counted_by_channel_and_reason(
    program: Any, alice: Any, bob: Any, carol: Any, delivered: Any
) -> None:
    preferences.choose(bob, {(DEAL.key, "email"): False})
    made = program.post("events/", event(actor=alice.pk, audience={"everyone": True})).json()
    delivered("email")

    shown = program.get(f"events/{made['id']}/").json()
    assert shown["recipients"] == 3
    assert shown["told_at"]
    assert shown["data"] == DATA
    assert shown["outcome"]["held"] == {"own_act": 1}
    assert shown["outcome"]["channels"]["email"] == {
        "on": 1,
        "on_by": {"built_in": 1},
        "off": 1,
        "off_by": {"own": 1},
    }
    assert shown["outcome"]["deliveries"] == {"email": {"sent": 1}}


def test_events_are_listed_a_page_at_a_time(program: Any, stranger: Any, bob: Any) -> None:
    ids = [program.post("events/", event()).json()["id"] for _ in range(5)]

    seen = []
    path = "events/?limit=2&type=deals.stage_changed"
    while path:
        page = program.get(path).json()
        seen.append([row["id"] for row in page["results"]])
        path = page["next"] and page["next"].removeprefix("/api/v1/")
    assert seen == [[ids[4], ids[3]], [ids[2], ids[1]], [ids[0]]]
    assert stranger.get("events/").json() == {"results": [], "next": None}
    assert stranger.get(f"events/{ids[0]}/").status_code == 404
    assert program.get("events/?type=deals.assigned").json()["results"] == []


@pytest.mark.req("N-017")
def test_what_the_daily_limit_held_back_is_counted_and_explained(
    program: Any, bob: Any, delivered: Any, settings: Any
) -> None:
    settings.NOTIFICATION_DAILY_CAP = 1
    made = [program.post("events/", event(audience={"members": [bob.pk]})).json()["id"] for _ in range(2)]
    delivered("email")

    assert program.get(f"events/{made[1]}/").json()["outcome"]["deliveries"] == {"email": {"capped": 1}}
    said = program.get(f"notifications/{made[1]}/why/?member={bob.pk}").json()
    delivery = next(one["delivery"] for one in said["verdicts"] if one["channel"] == "email")
    assert delivery["status"] == "capped"
    assert delivery["error"] == "Held back: the daily limit of 1 e-mails of this kind was reached"
    assert said["sentence"] == "You got this by: Bell."
