"""Whatever is sent, the answer is a problem that says what is wrong; never ours to be ashamed of."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import IntegrityError, OperationalError
from django.urls import get_resolver

from accounts.api import members
from accounts.errors import DomainError
from tests.api.conftest import event, fields_of


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"null",
        b"[]",
        b"3",
        b'"text"',
        b"NaN",
        b"\xff\xfe",
        b'{"type": "\\ud800"}',
        b'{"type": "\\u0000"}',
        b"[" * 100_000,
        b'{"a":' * 2000 + b"1" + b"}" * 2000,
        b'{"type": 1e999}',
        b'{"type": ' + b"9" * 5000 + b"}",
        b'{"": 1, "\\u202e": 2}',
        b'{"type": "' + b"x" * 10_000 + b'"}',
    ],
)
@pytest.mark.parametrize("path", ["events/", "events/batch/", "notifications/read/?member=1", "locks/", "profiles/"])
def test_odd_bodies_are_refused(program: Any, bob: Any, path: str, body: bytes) -> None:
    said = program.post(path, body)

    assert said.status_code in (400, 404, 422)
    fields_of(said)


def test_a_body_that_is_too_large_is_refused(program: Any, bob: Any) -> None:
    said = program.post("events/", b'{"type": "' + b"x" * 1024 * 1024 + b'"}')
    assert said.status_code == 413
    assert "1048576" in said.json()["detail"]

    said = program.post("events/batch/", b" " * (10 * 1024 * 1024 + 1))
    assert said.status_code == 413
    fields_of(said)


def test_a_body_in_chunks_is_refused(program: Any) -> None:
    said = program.client.generic(
        "POST",
        "/api/v1/events/",
        content_type="application/json",
        headers=program.headers | {"Transfer-Encoding": "chunked"},
    )
    assert said.status_code == 411
    fields_of(said)


def test_data_that_is_too_large_is_refused(program: Any, bob: Any) -> None:
    body = event()
    body["data"]["deal"] = "ö" * 9000
    said = program.post("events/", body)

    assert said.status_code == 413
    assert "data" in fields_of(said)


@pytest.mark.parametrize("kind", ["text/plain", "multipart/form-data", "", "application/x-www-form-urlencoded"])
def test_other_media_types_are_refused(program: Any, kind: str) -> None:
    said = program.client.generic("POST", "/api/v1/events/", b"x", content_type=kind, headers=program.headers)

    assert said.status_code == 415
    fields_of(said)


@pytest.mark.parametrize("method", ["PUT", "DELETE", "OPTIONS", "TRACE", "PATCH"])
def test_methods_there_are_not(program: Any, method: str) -> None:
    said = program(method, "events/")

    assert said.status_code == 405
    assert said["Allow"] == "GET, POST, HEAD"
    fields_of(said)


@pytest.mark.parametrize("path", ["/api/", "/api/v1/", "/api/v1/nothing/", "/api/v2/events/", "/api/v1/events/x/"])
def test_addresses_there_are_not(client: Any, path: str) -> None:
    for method in ("get", "post", "delete", "options"):
        said = getattr(client, method)(path)
        assert said.status_code == 404
        fields_of(said)


def test_a_forgotten_slash_is_pointed_out(program: Any) -> None:
    said = program.post("events", event())

    assert said.status_code == 404
    assert "“/”" in said.json()["detail"]


@pytest.mark.parametrize("number", ["0", str(2**63), "9" * 19, "9" * 5000])
def test_ids_that_no_row_can_have(program: Any, number: str) -> None:
    for path in ("events/{}/", "members/{}/", "notifications/{}/why/?member=1", "profiles/{}/", "locks/{}/"):
        assert program.get(path.format(number)).status_code == 404


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("limit=0", "limit"),
        ("limit=201", "limit"),
        ("limit=x", "limit"),
        ("cursor=x", "cursor"),
        ("cursor=%00", "cursor"),
        ("cursor=LTE", "cursor"),
        ("nonsense=1", "nonsense"),
        ("team=-1", "team"),
        ("active=yes", "active"),
        ("email=%00", "email"),
    ],
)
def test_odd_queries_are_refused_by_name(program: Any, query: str, field: str) -> None:
    said = program.get(f"members/?{query}")

    assert said.status_code == 422
    assert field in fields_of(said)


def test_what_nobody_expected_is_logged_and_told_without_details(program: Any, monkeypatch: Any, caplog: Any) -> None:
    def broken(*_: Any) -> Any:
        raise RuntimeError("the secret inside")

    monkeypatch.setattr(members, "members_of", broken)
    said = program.get("members/")

    assert said.status_code == 500
    fields_of(said)
    assert "secret" not in said.content.decode()
    assert "the secret inside" in caplog.text


def test_a_database_that_is_away_is_said_to_be(program: Any, monkeypatch: Any) -> None:
    def away(*_: Any) -> Any:
        raise OperationalError("connection refused at 10.0.0.1")

    monkeypatch.setattr(members, "members_of", away)
    said = program.get("members/")

    assert said.status_code == 503
    assert said["Retry-After"]
    assert "10.0.0.1" not in said.content.decode()


def test_two_who_meet_are_told_to_try_again(program: Any, monkeypatch: Any) -> None:
    def met(*_: Any) -> Any:
        raise IntegrityError('Key (name)=("secret") already exists')

    monkeypatch.setattr(members, "members_of", met)
    said = program.get("members/")

    assert said.status_code == 409
    assert "secret" not in said.content.decode()


def test_answers_are_nobody_elses(program: Any, bob: Any) -> None:
    for path in ("members/", "members/0/"):
        assert "no-store" in program.get(path)["Cache-Control"]


def refusals(base: type[DomainError] = DomainError) -> Iterator[type[DomainError]]:
    for kind in base.__subclasses__():
        yield kind
        yield from refusals(kind)


def test_the_how_to_names_every_code_beside_its_status() -> None:
    text = (Path(settings.BASE_DIR) / "docs/howto/api.md").read_text()
    rows = {status: row for row in re.findall(r"^\| [\d, ]+ \|.*$", text, re.M) for status in re.findall(r"\d{3}", row)}

    assert get_resolver().url_patterns  # every door is there, and with it every refusal
    ours = [kind for kind in refusals() if not kind.__module__.startswith("tests.")]
    assert {kind.code for kind in ours if f"`{kind.code}`" not in rows.get(str(kind.status), "")} == set()
