"""The same key from many callers at the same moment."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from notifications.models import Event
from tests.api.conftest import Api, event, with_key

MANY = 6


def at_once(ask: Callable[[], Any]) -> list[Any]:
    """Ask from many threads that start together."""
    gate = Barrier(MANY)

    def one(_number: int) -> Any:
        try:
            gate.wait(timeout=10)
            return ask()
        finally:
            connection.close()

    with ThreadPoolExecutor(MANY) as pool:
        return list(pool.map(one, range(MANY)))


@pytest.mark.django_db(transaction=True)
def test_a_key_used_by_many_at_once_makes_one_event(account: Any, bob: Any) -> None:
    headers = with_key(account).headers
    said = at_once(lambda: _fresh(headers).post("events/", event(), Idempotency_Key="one"))

    assert {answer.status_code for answer in said} == {202}
    assert {answer.json()["id"] for answer in said} == {Event.objects.get().pk}
    assert sum(not answer.json()["is_replay"] for answer in said) == 1


@pytest.mark.django_db(transaction=True)
def test_a_batch_sent_by_many_at_once_is_taken_once(account: Any, bob: Any) -> None:
    headers = with_key(account).headers
    batch = {"events": [event(key=f"k{i}") for i in range(20)]}
    said = at_once(lambda: _fresh(headers).post("events/batch/", batch))

    assert {answer.status_code for answer in said} == {202}, [answer.content for answer in said]
    assert Event.objects.count() == 20
    assert len({tuple(one["id"] for one in answer.json()["events"]) for answer in said}) == 1


def _fresh(headers: dict[str, str]) -> Api:
    return Api(Client(), **headers)
