"""Webhooks on change through the API."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from standardwebhooks import Webhook as Library

from crm import happenings, records
from crm.models import Webhook
from crm.webhooks import carrying
from tests.api.conftest import Api, fields_of
from tests.other_apps import OtherApps

WEBHOOKS = "crm/webhooks/"


@pytest.fixture
def apps(settings: Any) -> Iterator[OtherApps]:
    settings.OUTGOING_LOOPBACK = True
    server = OtherApps().start()
    yield server
    server.stop()


@pytest.fixture
def made(program: Any, apps: OtherApps) -> dict[str, Any]:
    answer = program.post(WEBHOOKS, {"url": f"{apps.url}/hook", "kinds": ["deals"], "happenings": ["created"]})
    assert answer.status_code == 201, answer.content
    shown: dict[str, Any] = answer.json()
    return shown


def send() -> None:
    while happenings.step():
        pass
    while carrying.step():
        pass


def test_a_program_registers_an_endpoint_and_reads_how_it_does(
    program: Any, made: dict[str, Any], apps: OtherApps, alice: Any
) -> None:
    path, secret = f"{WEBHOOKS}{made['id']}/", made.pop("signing_secret")
    assert program.get(path).json() == made
    deal = records.create(alice.account, "deals", {"name": "Oak"}, by=alice)
    send()

    (post,) = apps.posts
    assert Library(secret).verify(post.body, post.headers)["data"]["id"] == deal.pk
    (attempt,) = program.get(f"{path}attempts/").json()["results"]
    assert (attempt["record"], attempt["happening"], attempt["status"]) == (deal.pk, "created", 200)
    assert program.post(f"{path}posts/{attempt['post']}/send/").json()["code"] == "nothing_to_send"


def test_it_is_changed_tested_given_a_new_secret_and_removed(
    program: Any, made: dict[str, Any], apps: OtherApps
) -> None:
    path = f"{WEBHOOKS}{made['id']}/"

    assert program.patch(path, {"is_on": False, "happenings": []}).json()["happenings"] == []
    assert program.post(f"{path}rotate/").json()["signing_secret"] != made["signing_secret"]
    assert program.post(f"{path}test/").json()["status"] == 200
    assert program.post(f"{path}test/").status_code == 429
    assert program("DELETE", path).status_code == 204
    assert not Webhook.objects.exists()


def test_what_failed_is_sent_again(program: Any, made: dict[str, Any], apps: OtherApps, alice: Any) -> None:
    apps.answer(410)
    records.create(alice.account, "deals", {"name": "Oak"}, by=alice)
    send()
    path = f"{WEBHOOKS}{made['id']}/"
    (attempt,) = program.get(f"{path}attempts/").json()["results"]
    again = f"{path}posts/{attempt['post']}/send/"
    assert program.get(path).json()["off_because"] == carrying.CLOSED
    assert program.post(again).json()["code"] == "nothing_to_send"  # it is off

    program.patch(path, {"is_on": True})
    assert program.post(again).status_code == 202
    send()

    assert [post.headers["webhook-id"] for post in apps.posts] == [f"rec_{attempt['post']}"] * 2


def test_what_is_wrong_is_named(program: Any, apps: OtherApps) -> None:
    bad = program.post(WEBHOOKS, {"url": "https://10.0.0.8/", "kinds": ["berths"], "happenings": ["painted"]})

    assert bad.status_code == 422
    assert set(fields_of(bad)) == {"url", "kinds", "happenings"}


def test_it_is_for_super_admins_of_the_account(stranger: Any, made: dict[str, Any], bob: Any, alice: Any) -> None:
    path = f"{WEBHOOKS}{made['id']}/"
    for method in ("GET", "PATCH", "DELETE"):
        assert stranger(method, path, {"is_on": False} if method == "PATCH" else None).status_code == 404
    browser = Client()
    browser.force_login(bob.user)
    assert Api(browser).get(path).status_code == 403
    browser.force_login(alice.user)
    assert Api(browser).get(path).status_code == 200
