"""The Other apps tab and the page of each app (N-039)."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import Settings
from standardwebhooks import Webhook

from accounts.models import Membership
from notifications import channels, delivering, events, fanout, types
from notifications.models import Connection, Delivery, DeliveryStatus, Preference, WebhookAttempt
from notifications.other_apps import connecting, webhooks
from tests.other_apps import OtherApps

TAB = "/1001/settings/notifications/other-apps/"
APPS = "/1001/settings/notifications/apps/"
DISCORD = "https://discord.com/api/webhooks/42/right"


@pytest.fixture
def apps(settings: Settings) -> Iterator[OtherApps]:
    settings.OUTGOING_LOOPBACK = True
    server = OtherApps().start()
    yield server
    server.stop()


@pytest.fixture
def as_bob(client: Client, bob: Membership) -> Client:
    client.force_login(bob.user)
    return client


def page(answer: Any) -> str:
    return str(answer.content.decode())


def test_without_any_the_tab_offers_each_app_and_says_what_to_do(as_bob):
    shown = page(as_bob.get(TAB))

    assert "No app is connected yet" in shown
    for app in channels.APPS:
        assert f'id="app-{app.key}"' in shown
    assert shown.count("Not connected") == len(channels.APPS) - 1  # Slack is not set up here
    assert "What you get notified about" not in shown


@pytest.mark.req("N-039")
def test_only_connected_apps_are_columns(as_bob, bob, apps):
    connecting.connect(bob, webhooks.webhook(), {"url": f"{apps.url}/hook"})
    connecting.connect(bob, channels.APP["discord"], {"url": DISCORD})

    shown = page(as_bob.get(TAB))

    assert 'data-cells="2"' in shown
    assert 'id="cell-deals-stage_changed-webhook"' in shown
    assert 'id="cell-deals-stage_changed-discord"' in shown
    assert 'id="cell-deals-stage_changed-telegram"' not in shown
    assert "cell-website_visits" not in shown  # by e-mail only (N-153)


def test_a_column_can_be_ticked_and_a_topic_turned_off(as_bob, bob, apps):
    connecting.connect(bob, webhooks.webhook(), {"url": f"{apps.url}/hook"})
    script = {"HTTP_ACCEPT": "text/html-pieces"}

    as_bob.post(f"{TAB}cell/", {"set": "deals.stage_changed/webhook/off"}, **script)
    as_bob.post(f"{TAB}topic/", {"topic": "tasks/webhook/off"}, **script)

    row = Preference.objects.get(type="deals.stage_changed")
    assert (row.chosen & 1024, row.on & 1024) == (1024, 0)
    assert Preference.objects.filter(type__startswith="tasks.").exists()


def test_the_tab_is_saved_without_scripts(as_bob, bob, apps):
    connecting.connect(bob, webhooks.webhook(), {"url": f"{apps.url}/hook"})

    answer = as_bob.post(TAB, {"shown": ["deals.stage_changed/webhook/on"]}, follow=True)

    assert "Your choices are saved." in page(answer)
    assert Preference.objects.get().chosen == 1024


def test_connecting_a_webhook_shows_its_secret_once(as_bob, bob, apps):
    shown = page(as_bob.post(f"{APPS}webhook/", {"url": f"{apps.url}/hook"}))

    key = connecting.opened(Connection.objects.get())["key"]
    assert key in shown
    assert key not in page(as_bob.get(f"{APPS}webhook/"))
    assert key not in page(as_bob.get(TAB))


def test_a_wrong_address_is_told_beside_the_field_and_nothing_is_lost(as_bob):
    answer = as_bob.post(f"{APPS}discord/", {"url": "https://discord.example/x"})

    shown = page(answer)
    assert "This is not the address of a Discord webhook." in shown
    assert 'value="https://discord.example/x"' in shown
    assert 'aria-invalid="true"' in shown
    assert not Connection.objects.exists()


def test_a_test_is_answered_honestly(as_bob, bob, apps):
    connecting.connect(bob, webhooks.webhook(), {"url": f"{apps.url}/hook"})

    assert f"Sent to {apps.url[7:]}." in page(as_bob.post(f"{APPS}webhook/test/", follow=True))
    assert "Wait ten seconds" in page(as_bob.post(f"{APPS}webhook/test/", follow=True))
    apps.answer(500, text="no")
    Connection.objects.update(tested_at=timezone.now() - timedelta(minutes=1))
    assert "The test did not get through" in page(as_bob.post(f"{APPS}webhook/test/", follow=True))


@pytest.mark.req("N-039")
def test_a_broken_connection_says_since_when_and_why_and_offers_to_connect_again(as_bob, bob, apps):
    connecting.connect(bob, webhooks.webhook(), {"url": f"{apps.url}/hook"})
    apps.answer(410, text="closed for good")
    as_bob.post(f"{APPS}webhook/test/")

    tab, own = page(as_bob.get(TAB)), page(as_bob.get(f"{APPS}webhook/"))

    assert "Broken since" in tab
    assert "closed for good" in tab
    assert "Connect again" in tab
    assert "Nothing has gone there since" in own
    assert '<details class="fold" open>' in own


def test_disconnecting_asks_first_and_forgets(as_bob, bob, apps):
    connecting.connect(bob, webhooks.webhook(), {"url": f"{apps.url}/hook"})
    assert "Disconnect Webhook?" in page(as_bob.get(f"{APPS}webhook/"))

    answer = as_bob.post(f"{APPS}webhook/disconnect/", follow=True)

    assert "Webhook is disconnected and forgotten." in page(answer)
    assert not Connection.objects.exists()
    assert "is not connected" in page(as_bob.post(f"{APPS}webhook/disconnect/", follow=True))


def test_a_new_secret_is_shown_once_with_how_long_the_old_one_signs(as_bob, bob, apps):
    old = connecting.connect(bob, webhooks.webhook(), {"url": f"{apps.url}/hook"}).shown_once

    shown = page(as_bob.post(f"{APPS}webhook/rotate/"))

    new = connecting.opened(Connection.objects.get())["key"]
    assert new != old
    assert new in shown
    assert "Two secrets sign until" in shown
    as_bob.post(f"{APPS}webhook/test/")
    Webhook(old).verify(apps.posts[0].body, apps.posts[0].headers)


def test_the_log_shows_each_attempt_and_sends_what_failed_again(as_bob, bob, apps):
    kind = types.TYPES["deals.mentioned"]
    connecting.connect(bob, webhooks.webhook(), {"url": f"{apps.url}/hook"})
    assert "Nothing has been sent yet" in page(as_bob.get(f"{APPS}webhook/"))
    apps.answer(500, text="<b>out of order</b>")
    events.emit(kind, audience=[bob], account=bob.account, data=kind.example)
    fanout.run_due()
    delivering.run_due(channels.CARRIER["webhook"])

    shown = page(as_bob.get(f"{APPS}webhook/"))
    assert "&lt;b&gt;out of order&lt;/b&gt;" in shown
    assert "Send again" not in shown  # it goes again by itself
    Delivery.objects.filter(channel="webhook").update(status=DeliveryStatus.FAILED)
    assert "Send again" in page(as_bob.get(f"{APPS}webhook/"))

    attempt = WebhookAttempt.objects.get().pk
    assert "It goes out again in a moment." in page(
        as_bob.post(f"{APPS}webhook/again/", {"attempt": attempt}, follow=True)
    )
    assert delivering.run_due(channels.CARRIER["webhook"]) == 1


@pytest.mark.parametrize("attempt", ["", "x", "-1", "9" * 30, "٣"])
def test_an_attempt_that_there_is_not(as_bob, bob, apps, attempt):
    connecting.connect(bob, webhooks.webhook(), {"url": f"{apps.url}/hook"})

    answer = as_bob.post(f"{APPS}webhook/again/", {"attempt": attempt}, follow=True)

    assert "not in your list any more" in page(answer)


def test_an_app_that_there_is_not(as_bob):
    assert as_bob.get(f"{APPS}fax/").status_code == 404
    assert as_bob.post(f"{APPS}fax/test/").status_code == 404


def test_a_plain_get_sends_and_takes_away_nothing(as_bob, bob, apps):
    connecting.connect(bob, webhooks.webhook(), {"url": f"{apps.url}/hook"})

    for door in ("test", "disconnect", "rotate", "again"):
        assert as_bob.get(f"{APPS}webhook/{door}/").status_code == 405
    assert apps.posts == []
    assert Connection.objects.exists()


def test_the_tab_costs_a_bounded_number_of_queries(as_bob, bob, apps, django_assert_max_num_queries):
    for key in ("discord", "telegram"):
        given = {"url": DISCORD} if key == "discord" else {"token": "123456789:AAbbCCddEEff", "chat": "4711"}
        connecting.connect(bob, channels.APP[key], given)
    as_bob.get(TAB)

    with django_assert_max_num_queries(12):
        as_bob.get(TAB)
