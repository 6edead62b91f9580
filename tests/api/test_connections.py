"""Other apps through the API: listed, connected, tested, taken away; no secret comes back but a new one, once."""

from collections.abc import Iterator

import pytest
from pytest_django import Settings
from standardwebhooks import Webhook

from notifications.models import Connection
from notifications.other_apps import connecting, webhooks
from tests.api.conftest import fields_of
from tests.other_apps import BOT, OtherApps


@pytest.fixture
def apps(settings: Settings) -> Iterator[OtherApps]:
    settings.OUTGOING_LOOPBACK = True
    server = OtherApps().start()
    yield server
    server.stop()


@pytest.mark.req("N-039")
def test_a_program_connects_tests_and_disconnects_a_members_webhook(program, bob, apps):
    made = program("PUT", "connections/webhook/?member=bob@example.com", {"url": f"{apps.url}/hook?key=hush"})

    assert made.status_code == 200
    secret = made.json()["signing_secret"]
    assert secret.startswith("whsec_")
    assert made.json()["where"] == apps.url.removeprefix("http://")

    tested = program.post("connections/webhook/test/?member=bob@example.com")
    assert tested.status_code == 200
    Webhook(secret).verify(apps.posts[0].body, apps.posts[0].headers)

    listed = program.get("connections/?member=bob@example.com")
    (webhook,) = [one for one in listed.json()["connections"] if one["app"] == "webhook"]
    assert webhook["is_connected"]
    assert webhook["last_success_at"]
    assert "hush" not in listed.content.decode()
    assert secret not in listed.content.decode()

    assert program("DELETE", "connections/webhook/?member=bob@example.com").status_code == 204
    assert not Connection.objects.exists()
    assert program("DELETE", "connections/webhook/?member=bob@example.com").status_code == 404


def test_every_app_says_what_it_needs(program, bob):
    found = {one["app"]: one for one in program.get("connections/?member=bob@example.com").json()["connections"]}

    assert found["telegram"]["needs"] == ["token", "chat"]
    assert found["discord"]["needs"] == ["url"]
    assert found["slack"]["needs"] == []
    assert not found["slack"]["is_available"]


def test_a_wrong_address_is_pointed_out(program, bob):
    answer = program("PUT", "connections/webhook/?member=bob@example.com", {"url": "https://10.0.0.1/"})

    assert answer.status_code == 422
    assert "public internet" in fields_of(answer)["url"]
    assert not Connection.objects.exists()


def test_what_telegram_needs_is_checked_field_by_field(program, bob):
    answer = program("PUT", "connections/telegram/?member=bob@example.com", {"token": BOT, "chat": "nobody at all"})

    assert set(fields_of(answer)) == {"chat"}


def test_slack_is_not_connected_by_a_program(program, bob, settings):
    settings.SLACK_CLIENT_ID, settings.SLACK_CLIENT_SECRET = "1.2", "hush"

    answer = program("PUT", "connections/slack/?member=bob@example.com", {})

    assert answer.status_code == 409
    assert answer.json()["code"] == "app_not_available"


def test_a_second_test_has_to_wait(program, bob, apps):
    program("PUT", "connections/webhook/?member=bob@example.com", {"url": f"{apps.url}/hook"})
    program.post("connections/webhook/test/?member=bob@example.com")

    answer = program.post("connections/webhook/test/?member=bob@example.com")

    assert (answer.status_code, answer.json()["code"]) == (429, "tried_just_now")


def test_a_test_that_fails_says_why(program, bob, apps):
    program("PUT", "connections/webhook/?member=bob@example.com", {"url": f"{apps.url}/hook"})
    apps.answer(500, text="out of order")

    answer = program.post("connections/webhook/test/?member=bob@example.com")

    assert answer.status_code == 409
    assert "answered 500: out of order" in answer.json()["detail"]


def test_a_new_secret_is_shown_once(program, bob, apps):
    program("PUT", "connections/webhook/?member=bob@example.com", {"url": f"{apps.url}/hook"})

    answer = program.post("connections/webhook/rotate/?member=bob@example.com")

    new = answer.json()["signing_secret"]
    assert answer.json()["old_signs_until"]
    assert connecting.opened(connecting.connection_of(bob, webhooks.webhook()))["key"] == new


def test_a_member_sees_only_their_own(signed_in, bob, carol, apps):
    connecting.connect(bob, webhooks.webhook(), {"url": f"{apps.url}/hook"})

    assert signed_in(carol).get("connections/webhook/?member=bob@example.com").status_code == 404
    assert not signed_in(carol).get("connections/webhook/").json()["is_connected"]
    assert signed_in(bob).get("connections/webhook/").json()["is_connected"]


def test_the_account_next_door_finds_nobody(stranger, bob, apps):
    connecting.connect(bob, webhooks.webhook(), {"url": f"{apps.url}/hook"})

    for method, path in (("GET", ""), ("GET", "webhook/"), ("DELETE", "webhook/"), ("POST", "webhook/test/")):
        assert stranger(method, f"connections/{path}?member=bob@example.com").status_code == 404
    assert Connection.objects.exists()


def test_an_app_that_there_is_not(program, bob):
    assert program.get("connections/fax/?member=bob@example.com").status_code == 404
