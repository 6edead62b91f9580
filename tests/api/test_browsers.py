"""A person's browsers by the API: what they have, taking one in, a test, forgetting one. Theirs alone."""

from collections.abc import Iterator
from typing import Any

import pytest
from pytest_django import Settings

from config.local import new_vapid_key
from notifications.models import BrowserSubscription
from notifications.push import subscribing
from tests.api.conftest import fields_of, with_key
from tests.push_service import PushService, Receiver


@pytest.fixture
def service(settings: Settings) -> Iterator[PushService]:
    settings.VAPID_PRIVATE_KEY, settings.VAPID_SUBJECT = new_vapid_key(), "mailto:push@example.com"
    settings.OUTGOING_LOOPBACK = True
    server = PushService().start()
    yield server
    server.stop()


@pytest.fixture
def bobs(signed_in: Any, bob: Any) -> Any:
    return signed_in(bob)


def test_a_browser_is_taken_in_tested_listed_and_forgotten(bobs: Any, bob: Any, service: PushService) -> None:
    receiver = Receiver(service)
    offer = receiver.subscription | {"expirationTime": None}

    kept = bobs.post("browsers/", offer, User_Agent="Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Firefox/140.0")
    assert kept.status_code == 200, kept.content
    assert bobs.post("browsers/", offer).json()["id"] == kept.json()["id"], "known already"
    tested = bobs.post(f"browsers/{kept.json()['id']}/test/")

    assert tested.json() == {"said": "Sent. If nothing shows, your operating system may be holding it back."}
    assert [one["title"] for one in receiver.received] == ["This is a test"]
    (shown,) = bobs.get("browsers/").json()["results"]
    assert shown["name"] == "Firefox on Linux"
    assert shown["last_success_at"] is not None
    assert shown["endpoint_digest"] == BrowserSubscription.objects.get().digest
    assert receiver.endpoint not in str(shown)
    assert bobs("DELETE", f"browsers/{shown['id']}/").status_code == 204
    assert bobs.get("browsers/").json() == {"results": []}


def test_nobody_reaches_the_browser_of_somebody_else(
    bobs: Any, carol: Any, mallory: Any, signed_in: Any, service: PushService
) -> None:
    id_ = bobs.post("browsers/", Receiver(service).subscription).json()["id"]

    for other in (signed_in(carol), signed_in(mallory)):
        assert other.get("browsers/").json() == {"results": []}
        for said in (other("DELETE", f"browsers/{id_}/"), other.post(f"browsers/{id_}/test/")):
            fields_of(said)
            assert (said.status_code, said.json()["code"]) == (404, "unknown_browser")
    assert BrowserSubscription.objects.count() == 1
    assert service.posts == []


def test_no_key_opens_it_because_browsers_are_a_persons_in_every_account(account: Any, bob: Any) -> None:
    doors = [("GET", ""), ("POST", ""), ("DELETE", "1/"), ("POST", "1/test/")]
    for method, path in doors:
        said = with_key(account)(method, f"browsers/{path}?member={bob.pk}", {})
        fields_of(said)
        assert (said.status_code, said.json()["code"]) == (403, "people_only")


@pytest.mark.parametrize(
    ("changes", "status", "code", "field"),
    [
        ({"endpoint": "https://10.0.0.1/x"}, 422, "bad_address", None),
        ({"endpoint": "x" * 3000}, 422, "invalid", "endpoint"),
        ({"keys": {"p256dh": "x", "auth": "y"}}, 422, "bad_subscription", None),
        ({"keys": {"p256dh": "x"}}, 422, "invalid", "keys.auth"),
        ({"colour": "red"}, 422, "invalid", "colour"),
    ],
)
def test_what_is_no_browser_is_refused_in_words(
    bobs: Any, service: PushService, changes: Any, status: int, code: str, field: str | None
) -> None:
    said = bobs.post("browsers/", Receiver(service).subscription | changes)

    named = fields_of(said)
    assert (said.status_code, said.json()["code"]) == (status, code)
    assert field is None or field in named
    assert not BrowserSubscription.objects.exists()


def test_without_keys_of_ours_it_says_so(bobs: Any, service: PushService, settings: Settings) -> None:
    settings.VAPID_PRIVATE_KEY = ""

    said = bobs.post("browsers/", Receiver(service).subscription)

    assert (said.status_code, said.json()["code"]) == (409, "no_web_push")


def test_who_asks_for_many_tests_is_told_when_to_go_on(
    bobs: Any, carol: Any, signed_in: Any, service: PushService, monkeypatch: Any
) -> None:
    monkeypatch.setattr(subscribing, "MOST_TESTS", 1)
    id_ = bobs.post("browsers/", Receiver(service).subscription).json()["id"]
    assert bobs.post(f"browsers/{id_}/test/").status_code == 200

    said = bobs.post(f"browsers/{id_}/test/")

    fields_of(said)
    assert (said.status_code, said.json()["code"]) == (429, "too_often")
    assert 1 <= int(said["Retry-After"]) <= 60
    carols = signed_in(carol)
    other = carols.post("browsers/", Receiver(service).subscription).json()["id"]
    assert carols.post(f"browsers/{other}/test/").status_code == 200, "each member is counted apart"


def test_a_push_service_that_refuses_is_told_in_words(bobs: Any, service: PushService) -> None:
    id_ = bobs.post("browsers/", Receiver(service).subscription).json()["id"]
    service.answer(410)

    said = bobs.post(f"browsers/{id_}/test/")

    assert (said.status_code, said.json()["code"]) == (409, "push_not_delivered")
    assert bobs.get("browsers/").json() == {"results": []}
