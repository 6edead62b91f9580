"""Callers of the API: programs with a key, members with a session."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from accounts import api_keys
from accounts.models import Account, Membership
from notifications import types

DEAL = types.TYPES["deals.stage_changed"]


class Api:
    """A caller that speaks JSON below /api/v1/."""

    def __init__(self, client: Client, **headers: str) -> None:
        self.client = client
        self.headers = headers

    def __call__(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        given: dict[str, Any] = {} if body is None else {"data": body, "content_type": "application/json"}
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.client.generic(
            method,
            f"/api/v1/{path}",
            **({"data": given["data"]} if isinstance(body, str | bytes) else {"data": _json(body)}),
            content_type=named.pop("content-type", "application/json"),
            headers=self.headers | named,
        )

    def get(self, path: str, **headers: str) -> Any:
        return self("GET", path, **headers)

    def post(self, path: str, body: Any = None, **headers: str) -> Any:
        return self("POST", path, body, **headers)

    def patch(self, path: str, body: Any = None, **headers: str) -> Any:
        return self("PATCH", path, body, **headers)


def _json(body: Any) -> bytes:
    import json

    return b"" if body is None else json.dumps(body).encode()


@pytest.fixture
def program(account: Account) -> Api:
    """A program with a key of the account and every scope."""
    return with_key(account)


@pytest.fixture
def stranger(next_door: Account) -> Api:
    """A program with a key of the account next door."""
    return with_key(next_door)


@pytest.fixture
def nobody(db: None) -> Api:
    return Api(Client())


@pytest.fixture
def key_with(account: Account) -> Callable[..., Api]:
    """A program whose key has only these scopes."""
    return lambda *scopes: with_key(account, *scopes)


@pytest.fixture
def signed_in() -> Callable[..., Api]:
    """A member with a session."""

    def enter(member: Membership, **headers: str) -> Api:
        client = Client()
        client.force_login(member.user, backend="allauth.account.auth_backends.AuthenticationBackend")
        return Api(client, **headers)

    return enter


def with_key(account: Account, *scopes: str) -> Api:
    _row, key = api_keys.make(account, name="test", scopes=scopes or api_keys.SCOPES, by=None)
    return Api(Client(), Authorization=f"Bearer {key}")


def event(**facts: Any) -> dict[str, Any]:
    """A body that is right, for POST /events/."""
    return {"type": DEAL.key, "data": dict(DEAL.example), "audience": {"members": ["bob@example.com"]}} | facts


def fields_of(answer: Any) -> dict[str, str]:
    """The fields a problem names, and that it is a problem at all."""
    assert answer["Content-Type"] == "application/problem+json", answer.content
    problem = answer.json()
    assert problem["status"] == answer.status_code
    assert problem["type"] == f"/api/problems/{problem['code']}"
    assert problem["title"]
    assert problem["detail"]
    return {error["field"]: error["message"] for error in problem["errors"]}
