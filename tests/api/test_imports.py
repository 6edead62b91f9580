"""Imports through the API: a file is tried out, begun, looked at row by row and taken back."""

from typing import Any

import pytest

from crm.importing import running
from crm.models import Record
from tests.api.conftest import fields_of

PEOPLE = "E-mail,First name,City\nmia@example.com,Mia,Bergen\nnobody,N,\n"


def carry_on() -> None:
    while running.step():
        pass


def send(caller: Any, **more: Any) -> Any:
    return caller.post("crm/imports/", {"kind": "contacts", "name": "fair.csv", "file": PEOPLE} | more)


def test_a_file_is_tried_out_imported_and_taken_back(program: Any) -> None:
    sent = send(program)
    assert sent.status_code == 201, sent.content
    assert sent.json()["state"] == "reading"
    assert sent.json()["columns"][1] == {"name": "First name", "property": "first_name"}
    path = f"crm/imports/{sent.json()['id']}/"
    assert program.post(f"{path}start/").status_code == 409
    carry_on()

    tried = program.get(path).json()
    assert (tried["state"], tried["rows"], tried["forecast"]) == ("checked", 2, {"created": 1, "refused": 1})
    refused = program.get(f"{path}rows/?outcome=refused").json()["results"]
    assert [(row["line"], row["reasons"][0]["column"]) for row in refused] == [(3, "E-mail")]
    assert not Record.objects.exists()

    assert program.post(f"{path}start/").json()["state"] == "importing"
    carry_on()
    assert program.get(path).json()["outcomes"] == {"created": 1, "refused": 1}
    assert program.get(f"{path}rows/?outcome=created").json()["results"][0]["record"] == Record.objects.get().pk

    assert program.post(f"{path}rollback/").json()["state"] == "rolling_back"
    carry_on()
    assert program.get(path).json()["undone"] == {"removed": 1}
    assert not Record.objects.live().exists()
    assert [one["state"] for one in program.get("crm/imports/").json()["results"]] == ["rolled_back"]


def test_what_is_said_counts_and_the_rest_is_proposed(program: Any) -> None:
    sent = send(
        program, file="mia@example.com|Mia\n", header=False, delimiter="|", columns=["email", ""], existing="leave"
    )

    assert sent.status_code == 201, sent.content
    assert sent.json()["columns"] == [
        {"name": "Column 1", "property": "email"},
        {"name": "Column 2", "property": ""},
    ]
    assert sent.json()["existing"] == "leave"


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        ({"file": ""}, 422, "file"),
        ({"file": "Name\n"}, 422, "file"),
        ({"columns": ["email", "wings", ""]}, 422, "columns[1]"),
        ({"columns": ["email"]}, 422, "columns"),
        ({"match": "city"}, 422, "match"),
        ({"dates": "soon"}, 422, "dates"),
        ({"colour": "red"}, 422, "colour"),
        ({"kind": "wings"}, 404, None),
    ],
)
def test_what_does_not_fit_is_named(program: Any, body: Any, status: int, field: str | None) -> None:
    answer = send(program, **body)

    assert answer.status_code == status
    assert field is None or field in fields_of(answer)
    assert program.get("crm/imports/").json()["results"] == []


def test_imports_are_of_those_who_sent_them(program: Any, stranger: Any, signed_in: Any, bob: Any, carol: Any) -> None:
    path = f"crm/imports/{send(signed_in(bob)).json()['id']}/"
    carry_on()

    for caller in (stranger, signed_in(carol)):
        assert caller.get(path).status_code == 404
        assert caller.get(f"{path}rows/").status_code == 404
        for verb in ("start", "cancel", "rollback"):
            assert caller.post(f"{path}{verb}/").status_code == 404
    assert program.post(f"{path}start/").status_code == 404
    assert signed_in(bob).post(f"{path}cancel/").json()["state"] == "cancelled"
    assert signed_in(bob).post(f"{path}rollback/").status_code == 409


def test_a_key_without_the_scope_imports_nothing(key_with: Any) -> None:
    assert send(key_with("records.read")).status_code == 403
