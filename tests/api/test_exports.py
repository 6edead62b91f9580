"""Exports through the API."""

from typing import Any

import pytest
from django.test import Client

from crm import exporting, permissions, records
from tests.api.conftest import Api, fields_of

EXPORTS = "crm/exports/"


@pytest.fixture
def deals(alice: Any) -> None:
    for name, amount in (("Oak", 5), ("Elm", 50)):
        records.create(alice.account, "deals", {"name": name, "amount": amount}, by=alice)


def write() -> None:
    while exporting.step():
        pass


def text(answer: Any) -> str:
    return b"".join(answer.streaming_content).decode()


def test_a_program_asks_waits_and_fetches(program: Any, deals: None) -> None:
    where = [{"property": "amount", "operator": "at_least", "value": 10}]
    asked = program.post(EXPORTS, {"kind": "deals", "where": where, "properties": ["name"]})
    assert (asked.status_code, asked.json()["state"], asked.json()["download"]) == (202, "waiting", None)
    one = f"{EXPORTS}{asked.json()['id']}/"
    assert program.get(f"{one}download/").json()["code"] == "export_not_ready"
    write()

    shown = program.get(one).json()
    file = program.get(f"{one}download/")

    assert (shown["state"], shown["rows"]) == ("ready", 1)
    assert file["Content-Type"] == "text/csv; charset=utf-8"
    assert text(file).startswith("Record ID,Deal name\r\n")
    assert text(program.get(f"{one}download/")).endswith(",Elm\r\n")
    assert program("DELETE", one).status_code == 204
    assert program.get(EXPORTS).json()["results"] == []


def test_members_and_programs_each_find_their_own(
    program: Any, stranger: Any, deals: None, alice: Any, bob: Any
) -> None:
    permissions.set_reach(bob, "deals", sees="own", edits="own", by=alice)
    browser = Client()
    browser.force_login(bob.user)
    session = Api(browser)
    theirs, ours = (caller.post(EXPORTS, {"kind": "deals"}).json()["id"] for caller in (session, program))
    write()

    assert [one["id"] for one in session.get(EXPORTS).json()["results"]] == [theirs]
    assert [one["id"] for one in program.get(EXPORTS).json()["results"]] == [ours]
    assert session.get(f"{EXPORTS}{theirs}/").json()["rows"] == 0
    assert program.get(f"{EXPORTS}{ours}/").json()["rows"] == 2
    for caller, other in ((session, ours), (program, theirs), (stranger, ours), (stranger, theirs)):
        assert caller.get(f"{EXPORTS}{other}/").status_code == 404
        assert caller.get(f"{EXPORTS}{other}/download/").status_code == 404


def test_what_cannot_be_understood_is_named(program: Any) -> None:
    unknown = program.post(EXPORTS, {"kind": "deals", "properties": ["colour"]})
    bad = program.post(
        EXPORTS, {"kind": "deals", "where": [{"property": "amount", "operator": "at_least", "value": "x"}]}
    )

    assert fields_of(unknown) == {"properties": "Deal has no such property: colour."}
    assert list(fields_of(bad)) == ["where[0]"]
    assert program.post(EXPORTS, {"kind": "deals", "search": "Oak\x00"}).status_code == 422
