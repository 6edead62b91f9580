"""Lists through the API."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from crm import permissions, records, schema
from crm.lists import making, processing
from crm.models import RecordList
from tests.api.conftest import fields_of
from tests.api.test_records import make, titles

BIG = {
    "name": "Big deals",
    "kind": "deals",
    "type": "filtered",
    "where": [{"property": "amount", "operator": "at_least", "value": 10000}],
}


def process() -> None:
    while processing.step():
        pass


@pytest.fixture
def big(program: Any) -> dict[str, Any]:
    answer = program.post("crm/lists/", BIG)
    assert answer.status_code == 201, answer.content
    made: dict[str, Any] = answer.json()
    return made


@pytest.fixture
def static(program: Any) -> dict[str, Any]:
    made: dict[str, Any] = program.post("crm/lists/", {"name": "Fair", "kind": "deals", "type": "static"}).json()
    return made


def test_a_filtered_list_is_made_watched_read_changed_and_deleted(program: Any) -> None:
    make(program, name="Oak", amount=18400)
    make(program, name="Elm", amount=100)
    big = program.post("crm/lists/", BIG).json()
    path = f"crm/lists/{big['id']}/"
    assert (big["state"], big["members"], big["where"]) == ("processing", 0, BIG["where"])
    process()
    assert (program.get(path).json()["state"], program.get(path).json()["members"]) == ("ready", 1)
    assert titles(program.get(f"{path}members/")) == ["Oak"]

    where = [{"property": "amount", "operator": "at_most", "value": "500"}]
    changed = program.patch(path, {"name": "Small deals", "where": where}).json()
    assert (changed["name"], changed["state"]) == ("Small deals", "processing")
    process()
    assert titles(program.get(f"{path}members/")) == ["Elm"]
    assert [one["id"] for one in program.get("crm/lists/?kind=deals").json()["results"]] == [big["id"]]
    assert program.get("crm/lists/?kind=tasks").json()["results"] == []

    assert program("DELETE", path).status_code == 204
    assert program.get(path).status_code == 404


def test_records_are_put_into_a_static_list_and_taken_out(program: Any, static: Any) -> None:
    oak, contact = make(program, name="Oak"), make(program, "contacts", first_name="Mia")
    path = f"crm/lists/{static['id']}/members/"

    assert program.post(path, {"records": [oak["id"], contact["id"], 10**9]}).json() == {"added": 1}
    assert program.post(path, {"records": [oak["id"]]}).json() == {"added": 0}
    assert titles(program.get(path)) == ["Oak"]
    assert program("DELETE", f"{path}{oak['id']}/").status_code == 204
    assert program("DELETE", f"{path}{oak['id']}/").status_code == 204
    assert titles(program.get(path)) == []


def test_what_is_wrong_is_named(program: Any, big: Any, static: Any) -> None:
    bad = BIG | {"name": "Odd", "where": [*BIG["where"], {"property": "amount", "operator": "is", "value": "much"}]}  # type: ignore[misc]

    assert "Write a number" in fields_of(program.post("crm/lists/", bad))["where[1]"]
    assert "where" in fields_of(program.post("crm/lists/", BIG | {"name": "None", "where": []}))
    assert "name" in fields_of(program.post("crm/lists/", BIG))
    assert program.post("crm/lists/", BIG | {"kind": "hangars"}).status_code == 404
    assert program.patch(f"crm/lists/{static['id']}/", {"where": BIG["where"]}).status_code == 422
    refused = program.post(f"crm/lists/{big['id']}/members/", {"records": [1]})
    assert (refused.status_code, refused.json()["code"]) == (422, "invalid_list")
    assert RecordList.objects.count() == 2


def test_a_member_changes_their_own_lists_and_sees_their_own_records(
    signed_in: Any, account: Any, alice: Any, bob: Any
) -> None:
    kind = schema.kind_of(account, "deals")
    hers = making.create(account, kind, name="Hers", is_filtered=False, by=alice)
    mine = records.create(account, "deals", {"name": "Mine", "owner": bob.pk}, by=alice)
    other = records.create(account, "deals", {"name": "Not mine"}, by=alice)
    permissions.set_reach(bob, "deals", sees="own", edits="own", by=alice)
    caller = signed_in(bob)
    caller.client.handler.enforce_csrf_checks = False

    assert caller.post(f"crm/lists/{hers.pk}/members/", {"records": [mine.pk]}).status_code == 403
    his = caller.post("crm/lists/", {"name": "His", "kind": "deals", "type": "static"}).json()
    assert caller.post(f"crm/lists/{his['id']}/members/", {"records": [mine.pk, other.pk]}).json() == {"added": 1}
    assert his["created_by"] == bob.pk
    assert caller.get(f"crm/lists/{his['id']}/").json()["members"] == 1


def test_the_number_of_queries_is_the_same_however_many_lists_there_are(program: Any, big: Any) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as asked:
            assert program.get("crm/lists/").status_code == 200
        return len(asked)

    queries()
    before = queries()
    for number in range(5):
        program.post("crm/lists/", BIG | {"name": f"List {number}"})

    assert queries() == before
