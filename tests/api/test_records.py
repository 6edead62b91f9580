"""Records through the API."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from crm import defining, permissions, records
from crm.models import Activity, Assignment, Follower, Record
from notifications.models import Event
from tests.api.conftest import fields_of


@pytest.fixture
def deal(program: Any) -> dict[str, Any]:
    return make(program, name="Nordic Oak 2027", amount=18400)


def make(caller: Any, kind: str = "deals", **properties: Any) -> dict[str, Any]:
    answer = caller.post("crm/records/", {"kind": kind, "properties": properties})
    assert answer.status_code == 201, answer.content
    made: dict[str, Any] = answer.json()
    return made


def titles(answer: Any) -> list[str]:
    assert answer.status_code == 200, answer.content
    return [row["title"] for row in answer.json()["results"]]


def test_a_record_is_made_shown_changed_deleted_and_restored(program: Any, deal: Any) -> None:
    path = f"crm/records/{deal['id']}/"
    assert deal["properties"]["amount"] == 18400
    assert deal["url"] == f"/1001/deals/{deal['id']}/"
    assert program.get(path).json() == deal

    changed = program.patch(path, {"version": 1, "properties": {"amount": "20000", "currency": "EUR"}}).json()
    assert (changed["version"], changed["properties"]["amount"]) == (2, 20000)
    assert [line["what"] for line in program.get(f"{path}history/").json()["results"]] == [
        "currency",
        "amount",
        "created",
    ]

    assert program("DELETE", path).json()["deleted_at"]
    assert titles(program.get("crm/records/?kind=deals")) == []
    assert titles(program.get("crm/records/?kind=deals&deleted=true")) == ["Nordic Oak 2027"]
    assert program.patch(path, {"properties": {"amount": 1}}).status_code == 409
    assert program.post(f"{path}restore/").json()["deleted_at"] is None


def test_who_saves_over_somebody_is_told_what_changed(program: Any, deal: Any) -> None:
    path = f"crm/records/{deal['id']}/"
    program.patch(path, {"version": 1, "properties": {"amount": 20000}})
    late = program.patch(path, {"version": 1, "properties": {"amount": 1}})

    assert late.status_code == 409
    assert late.json()["code"] == "stale_record"
    assert fields_of(late) == {"amount": "Somebody changed this from “18400” to “20000”."}


def test_who_saves_over_a_merge_is_told_which_record_was_merged(program: Any, deal: Any) -> None:
    path = f"crm/records/{deal['id']}/"
    program.post(f"{path}merge/", {"other": make(program, name="Nordic Oak")["id"]})
    late = program.patch(path, {"version": 1, "properties": {"amount": 1}})

    assert late.status_code == 409
    assert fields_of(late) == {"merged": "Somebody changed this from nothing to “Nordic Oak”."}


@pytest.mark.parametrize(
    ("body", "status", "fields"),
    [
        (
            {"kind": "deals", "properties": {"name": "x" * 10_000, "close_date": "2026-02-30"}},
            422,
            {"name", "close_date"},
        ),
        ({"kind": "deals", "properties": {}}, 422, {"name"}),
        ({"kind": "deals", "properties": {"name": ["a"]}}, 422, {"name"}),
        ({"kind": "deals", "properties": "none"}, 422, {"properties"}),
        ({"kind": "deals"}, 422, {"properties"}),
        ({"kind": "ponies", "properties": {"name": "x"}}, 404, set()),
        ({"kind": "deals", "properties": {"name": "x"}, "colour": "red"}, 422, {"colour"}),
    ],
)
def test_what_cannot_be_made_is_refused_by_field(program: Any, body: Any, status: int, fields: set[str]) -> None:
    said = program.post("crm/records/", body)

    assert said.status_code == status
    assert set(fields_of(said)) == fields
    assert not Record.objects.exists()


def test_an_address_that_another_contact_has_is_a_conflict(program: Any) -> None:
    make(program, "contacts", email="mia@example.com")
    said = program.post("crm/records/", {"kind": "contacts", "properties": {"email": "MIA@example.com"}})

    assert said.status_code == 409
    assert set(fields_of(said)) == {"email"}
    assert titles(program.get("crm/records/?kind=contacts&address=Mia@Example.com")) == ["mia@example.com"]
    assert titles(program.get("crm/records/?kind=contacts&address=nobody")) == []


@pytest.mark.req("N-142")
def test_tasks_made_here_tell_nobody_unless_asked(program: Any, bob: Any) -> None:
    for tells in ({}, {"tells": False}, {"tells": True}):
        body = {"kind": "tasks", "properties": {"name": "Call", "owner": bob.pk}} | tells
        assert program.post("crm/records/", body).status_code == 201

    assert list(Assignment.objects.order_by("pk").values_list("outcome", flat=True)) == [
        "through_api",
        "through_api",
        "waiting",
    ]


def test_lists_are_narrowed(program: Any, bob: Any) -> None:
    make(program, name="Small", amount=5, owner=bob.pk)
    won = make(program, name="Large Åkerö", amount=500)
    pipeline = program.get("crm/pipelines/?kind=deals").json()[0]
    stage = next(stage["id"] for stage in pipeline["stages"] if stage["outcome"] == "won")
    program.patch(f"crm/records/{won['id']}/", {"properties": {"stage": stage}})

    assert titles(program.get(f"crm/records/?kind=deals&owner={bob.pk}")) == ["Small"]
    assert titles(program.get(f"crm/records/?kind=deals&stage={stage}")) == ["Large Åkerö"]
    assert titles(program.get("crm/records/?kind=deals&search=akero")) == ["Large Åkerö"]
    assert titles(program.get("crm/records/?kind=deals&sort=title")) == ["Large Åkerö", "Small"]
    assert set(fields_of(program.get("crm/records/"))) == {"kind"}


@pytest.mark.parametrize(
    ("where", "found"),
    [
        ([("amount", "at_least", 100)], ["Large"]),
        ([("amount", "at_most", "5")], ["Small"]),
        ([("amount", "is", 5)], ["Small"]),
        ([("amount", "is_not", 5)], ["Large", "None"]),
        ([("amount", "is_empty", None)], ["None"]),
        ([("amount", "is_filled", None), ("currency", "is", "EUR")], ["Large"]),
        ([("name", "contains", "ARG")], ["Large"]),
        ([("currency", "contains", "eu")], ["Large"]),
        ([("close_date", "at_most", "2027-01-01")], ["Small"]),
        ([("colour", "is", "Red %")], ["Small"]),
        ([("owner", "is_empty", None)], ["Large", "None", "Small"]),
    ],
)
def test_conditions(program: Any, alice: Any, where: Any, found: list[str]) -> None:
    defining.define_property(alice.account, "deals", key="colour", label="Colour", type="text", by=alice)
    make(program, name="Small", amount=5, close_date="2026-12-31", colour="Red %")
    make(program, name="Large", amount=500, currency="EUR", close_date="2027-12-31")
    make(program, name="None")
    asked = [dict(zip(("property", "operator", "value"), condition, strict=True)) for condition in where]

    said = program.post("crm/records/search/", {"kind": "deals", "where": asked, "sort": "title"})

    assert titles(said) == found


@pytest.mark.parametrize(
    ("condition", "field"),
    [
        ({"property": "smell", "operator": "is", "value": 1}, "where[1]"),
        ({"property": "amount", "operator": "is", "value": "lots"}, "where[1]"),
        ({"property": "amount", "operator": "contains", "value": "1"}, "where[1]"),
        ({"property": "name", "operator": "at_least", "value": "a"}, "where[1]"),
        ({"property": "amount", "operator": "is"}, "where[1]"),
        ({"property": "amount", "operator": "like", "value": 1}, "where[1].operator"),
    ],
)
def test_a_bad_condition_is_named(program: Any, condition: Any, field: str) -> None:
    good = {"property": "amount", "operator": "is", "value": 1}
    said = program.post("crm/records/search/", {"kind": "deals", "where": [good, condition]})

    assert said.status_code == 422
    assert set(fields_of(said)) == {field}


@pytest.mark.parametrize(
    "sort", ["-updated_at", "updated_at", "-created_at", "created_at", "title", "-title", "due_at"]
)
def test_walking_a_list_meets_every_record_once(program: Any, sort: str) -> None:
    for number in range(7):
        due = {"due_at": f"2027-03-0{number // 2 + 1}T08:00:00Z"} if number < 5 else {}
        make(program, "tasks", name=f"Task {number // 2}", **due)
    everything = [row["id"] for row in program.get(f"crm/records/?kind=tasks&sort={sort}").json()["results"]]
    walked, address = [], f"/api/v1/crm/records/?kind=tasks&sort={sort}&limit=2"
    while address:
        page = program.get(address.removeprefix("/api/v1/")).json()
        walked += [row["id"] for row in page["results"]]
        address = page["next"]

    assert len(set(walked)) == 7
    assert walked == everything


@pytest.mark.parametrize("cursor", ["x", "bnVsbA", "WyJ0aXRsZSIsMSwyXQ", "WyItdXBkYXRlZF9hdCIsbnVsbCwyXQ", "_" * 900])
def test_a_cursor_that_is_none_is_refused(program: Any, cursor: str) -> None:
    said = program.get(f"crm/records/?kind=deals&cursor={cursor}")

    assert said.status_code == 422
    assert set(fields_of(said)) == {"cursor"}


def test_a_list_costs_the_same_however_long_it_is(program: Any) -> None:
    counts = []
    for number in (2, 20):
        for each in range(number):
            make(program, "contacts", first_name=f"{number}-{each}")
        with CaptureQueriesContext(connection) as captured:
            program.get("crm/records/?kind=contacts&search=0")
        counts.append(len(captured))

    assert counts[0] == counts[1]


# --- Many at once


def test_a_batch_gives_every_record_its_outcome(program: Any, stranger: Any, deal: Any) -> None:
    make(program, "contacts", email="mia@example.com")
    foreign = make(stranger, name="Beans")
    said = program.post(
        "crm/records/batch/",
        {
            "records": [
                {"kind": "deals", "properties": {"name": "New"}},
                {"id": deal["id"], "version": 1, "properties": {"amount": 1}},
                {"id": deal["id"], "version": 1, "properties": {"amount": 2}},
                {"kind": "contacts", "properties": {"email": "mia@example.com"}},
                {"kind": "deals", "properties": {"amount": "lots"}},
                {"kind": "ponies", "properties": {}},
                {"properties": {}},
                {"id": foreign["id"], "properties": {"amount": 3}},
            ]
        },
    )

    outcomes = said.json()["outcomes"]
    assert [one["status"] for one in outcomes] == [201, 200, 409, 409, 422, 404, 404, 404]
    assert [one["index"] for one in outcomes] == list(range(8))
    assert {error["field"] for error in outcomes[4]["errors"]} == {"amount", "name"}
    assert Record.objects.get(pk=deal["id"]).values["amount"] == 1


def test_a_batch_has_an_end(program: Any) -> None:
    item = {"kind": "deals", "properties": {"name": "x"}}

    assert program.post("crm/records/batch/", {"records": [item] * 501}).status_code == 422
    assert program.post("crm/records/batch/", {"records": []}).status_code == 422
    assert not Record.objects.exists()


# --- What hangs on records


def test_associations(program: Any, deal: Any) -> None:
    contact = make(program, "contacts", first_name="Mia")
    path = f"crm/records/{deal['id']}/associations/"
    for _time in range(2):
        assert program.post(path, {"record": contact["id"]}).json()["title"] == "Mia"

    assert titles(program.get(path)) == ["Mia"]
    assert titles(program.get(f"crm/records/{contact['id']}/associations/")) == ["Nordic Oak 2027"]
    assert program("DELETE", f"{path}{contact['id']}/").status_code == 204
    assert program("DELETE", f"{path}{contact['id']}/").status_code == 204
    assert titles(program.get(path)) == []
    assert set(fields_of(program.post(path, {"record": deal["id"]}))) == set()


def test_activities_and_comments_mention_nobody_here(program: Any, deal: Any, bob: Any) -> None:
    path = f"crm/records/{deal['id']}/activities/"
    note = program.post(path, {"kind": "note", "text": f"@[Bob](member:{bob.pk}) look"}).json()
    comment = program.post(f"crm/activities/{note['id']}/comments/", {"text": "Done."}).json()

    assert comment["parent"] == note["id"]
    assert [row["id"] for row in program.get(path).json()["results"]] == [comment["id"], note["id"]]
    assert program.patch(f"crm/activities/{note['id']}/", {"text": "Never mind"}).json()["text"] == "Never mind"
    assert not Event.objects.exists()
    assert program("DELETE", f"crm/activities/{note['id']}/").status_code == 204
    assert program.get(f"crm/activities/{comment['id']}/").status_code == 404
    assert not Activity.objects.live().exists()


def test_following(program: Any, signed_in: Any, deal: Any, alice: Any, bob: Any) -> None:
    path = f"crm/records/{deal['id']}/followers/"
    assert program("PUT", f"{path}{bob.pk}/").status_code == 204
    assert [row["member"] for row in program.get(path).json()["results"]] == [bob.pk]
    assert program("DELETE", f"{path}{bob.pk}/").status_code == 204
    assert not Follower.objects.exists()


def test_kinds_name_their_properties(program: Any, alice: Any) -> None:
    defining.define_kind(alice.account, key="berths", label="Berth", plural="Berths", by=alice)
    defining.define_property(alice.account, "deals", key="advisor", label="Advisor", type="user", by=alice)
    kinds = {kind["key"]: kind for kind in program.get("crm/kinds/").json()}

    assert list(kinds) == ["contacts", "companies", "deals", "tickets", "leads", "tasks", "berths"]
    assert [one["key"] for one in kinds["deals"]["properties"] if one["is_custom"]] == ["advisor"]


def test_super_admins_define_kinds_properties_and_stages(program: Any, signed_in: Any, deal: Any) -> None:
    berth = program.post("crm/kinds/", {"key": "berths", "label": "Berth", "plural": "Berths"})
    assert [one["key"] for one in berth.json()["properties"]] == ["name", "description", "owner"]
    colours = [{"key": "red", "label": "Red"}]
    own = {"kind": "berths", "key": "colour", "label": "Colour", "type": "choice", "choices": colours}
    pk = program.post("crm/properties/", own).json()["id"]
    assert make(program, "berths", name="Quay 4", colour="Red")["properties"]["colour"] == "red"
    assert [row["key"] for row in program.get("crm/properties/").json()["results"]] == ["colour"]
    assert program("DELETE", f"crm/properties/{pk}/").status_code == 204
    assert program.get("crm/properties/").json()["results"] == []
    assert set(fields_of(program.post("crm/kinds/", {"key": "deals", "label": "x", "plural": "y"}))) == {"key"}

    renewals = program.post("crm/pipelines/", {"kind": "deals", "name": "Renewals"}).json()
    stage = program.post(f"crm/pipelines/{renewals['id']}/stages/", {"name": "Signed", "outcome": "won"}).json()
    assert program.patch(f"crm/stages/{stage['id']}/", {"name": "Done"}).json()["name"] == "Done"
    program.patch(f"crm/records/{deal['id']}/", {"properties": {"stage": stage["id"]}})
    said = program("DELETE", f"crm/stages/{stage['id']}/")
    assert (said.status_code, said.json()["code"]) == (409, "stage_in_use")
    assert program("DELETE", f"crm/stages/{renewals['stages'][0]['id']}/").status_code == 204


def test_what_was_defined_is_changed(program: Any, alice: Any, deal: Any) -> None:
    program.post("crm/kinds/", {"key": "berths", "label": "Berth", "plural": "Berths"})
    assert program.patch("crm/kinds/berths/", {"plural": "Moorings"}).json()["plural"] == "Moorings"
    assert program.patch("crm/kinds/deals/", {"plural": "Sales"}).status_code == 404  # built in
    sizes = [{"key": "s", "label": "Small"}, {"key": "l", "label": "Large"}]
    own = {"kind": "deals", "key": "size", "label": "Size", "type": "choice", "choices": sizes}
    path = f"crm/properties/{program.post('crm/properties/', own).json()['id']}/"
    program.patch(f"crm/records/{deal['id']}/", {"properties": {"size": "l"}})

    renamed = program.patch(path, {"label": "Extent", "position": 0, "choices": [*sizes, {"key": "xl", "label": "X"}]})
    assert (renamed.json()["label"], renamed.json()["choices"]) == ("Extent", ["s", "l", "xl"])
    held = program.patch(path, {"choices": sizes[:1]})
    assert (held.status_code, held.json()["code"]) == (409, "choice_in_use")
    assert set(fields_of(held)) == {"choices"}
    program("DELETE", path)
    assert [row["key"] for row in program.get("crm/properties/?archived=true&kind=deals").json()["results"]] == ["size"]
    back = program.post(f"{path}restore/", {}).json()
    assert back["options"][1] == {"key": "l", "label": "Large"}
    assert program.get(f"crm/records/{deal['id']}/").json()["properties"]["size"] == "l"

    renewals = program.post("crm/pipelines/", {"kind": "deals", "name": "Renewals"}).json()
    path = f"crm/pipelines/{renewals['id']}/"
    assert program.patch(path, {"name": "Contracts", "position": 0}).json()["name"] == "Contracts"
    assert program.get("crm/pipelines/?kind=deals").json()[0]["name"] == "Contracts"
    stage = program.patch(f"crm/stages/{renewals['stages'][0]['id']}/", {"outcome": "lost"}).json()
    assert stage["outcome"] == "lost"
    assert program("DELETE", path).status_code == 204


def test_super_admins_say_who_sees_what(program: Any, signed_in: Any, alice: Any, bob: Any, mallory: Any) -> None:
    wanted = {"kind": "deals", "sees": "team", "edits": "own"}
    assert program("PUT", f"crm/access/{bob.pk}/", wanted).json() == {"member": bob.pk, **wanted}
    assert program.get("crm/access/?kind=deals").json()["results"] == [{"member": bob.pk, **wanted}]
    assert program.get("crm/access/?kind=tickets").json()["results"] == []
    more = program("PUT", f"crm/access/{bob.pk}/", wanted | {"edits": "all"})
    assert set(fields_of(more)) == {"edits"}
    assert program("PUT", f"crm/access/{mallory.pk}/", wanted).status_code == 404
    assert signed_in(bob).get("crm/access/").status_code == 403


def test_members_define_nothing(signed_in: Any, bob: Any) -> None:
    caller = signed_in(bob)
    caller.client.handler.enforce_csrf_checks = False

    said = caller.post("crm/kinds/", {"key": "berths", "label": "Berth", "plural": "Berths"})

    assert (said.status_code, said.json()["code"]) == (403, "not_super_admin")


def test_two_become_one(program: Any, deal: Any) -> None:
    other = make(program, name="Nordic Oak", currency="EUR")
    merged = program.post(f"crm/records/{deal['id']}/merge/", {"other": other["id"]}).json()

    assert merged["properties"]["currency"] == "EUR"
    assert merged["properties"]["amount"] == 18400
    assert titles(program.get("crm/records/?kind=deals")) == ["Nordic Oak 2027"]
    assert program.post(f"crm/records/{other['id']}/restore/").status_code == 422


# --- Members


def test_a_member_reaches_what_they_may(signed_in: Any, alice: Any, bob: Any) -> None:
    own = records.create(alice.account, "deals", {"name": "Own", "owner": bob.pk}, by=alice)
    other = records.create(alice.account, "deals", {"name": "Other"}, by=alice)
    caller = signed_in(bob)
    permissions.set_reach(bob, "deals", sees="all", edits="own", by=alice)
    assert titles(caller.get("crm/records/?kind=deals&sort=title")) == ["Other", "Own"]

    permissions.set_reach(bob, "deals", sees="own", edits="own", by=alice)
    assert titles(caller.get("crm/records/?kind=deals")) == ["Own"]
    assert caller.get(f"crm/records/{own.pk}/").status_code == 200
    assert caller.get(f"crm/records/{other.pk}/").status_code == 404


def test_a_member_changes_only_what_they_may(bob: Any, alice: Any, signed_in: Any) -> None:
    other = records.create(alice.account, "deals", {"name": "Other"}, by=alice)
    permissions.set_reach(bob, "deals", sees="all", edits="own", by=alice)
    caller = signed_in(bob)
    caller.client.handler.enforce_csrf_checks = False

    said = caller.patch(f"crm/records/{other.pk}/", {"properties": {"name": "Mine"}})

    assert said.status_code == 403
    assert said.json()["code"] == "may_not_edit"
