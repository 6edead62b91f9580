"""Slack at its protocol boundary: its sign-in and its Web API on loopback."""

from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from accounts.models import Membership
from notifications import channels, delivering, events, fanout, types
from notifications.models import Connection, Delivery, DeliveryStatus
from notifications.other_apps import connecting, slack
from notifications.other_apps.speaking import Offer
from notifications.rendering import Message
from tests.other_apps import SLACK_CODE, SLACK_TOKEN, SLACK_USER, OtherApps

KIND = types.TYPES["deals.mentioned"]
SLACK = channels.APP["slack"]
START = "/1001/settings/notifications/apps/slack/start/"
BACK = "/apps/slack/callback/"


@pytest.fixture
def apps(settings: Settings) -> Iterator[OtherApps]:
    server = OtherApps().start()
    settings.OUTGOING_LOOPBACK = True
    settings.SLACK_CLIENT_ID, settings.SLACK_CLIENT_SECRET = "1.2", "hush"
    settings.SLACK_API_URL = f"{server.url}/api/"
    yield server
    server.stop()


@pytest.fixture
def as_bob(client: Client, bob: Membership) -> Client:
    client.force_login(bob.user)
    return client


@pytest.fixture
def connected(apps: OtherApps, bob: Membership) -> Membership:
    connecting.keep(bob, SLACK, Offer("Nordic Oak Workspace", {"token": SLACK_TOKEN, "user": SLACK_USER}))
    return bob


def send(member: Membership, **facts: str) -> Delivery:
    events.emit(KIND, audience=[member], account=member.account, data={**KIND.example, **facts})
    fanout.run_due()
    delivering.run_due(SLACK)
    return Delivery.objects.filter(channel="slack").order_by("-pk")[0]


def start(client: Client) -> dict[str, str]:
    """Press the button; returns what Slack is asked for."""
    answer = client.get(START)
    assert answer.status_code == 302
    assert answer["Location"].startswith("https://slack.com/oauth/v2/authorize?")
    return {name: values[0] for name, values in parse_qs(urlsplit(answer["Location"]).query).items()}


@pytest.mark.req("N-039")
def test_a_member_connects_slack_and_hears_there(as_bob, bob, apps, settings):
    asked = start(as_bob)
    assert asked["redirect_uri"] == f"{settings.BASE_URL}{BACK}"
    assert asked["scope"] == "chat:write,im:write"

    answer = as_bob.get(BACK, {"state": asked["state"], "code": SLACK_CODE}, follow=True)

    assert answer.status_code == 200
    assert "Slack is connected: Nordic Oak Workspace." in answer.content.decode()
    (exchange,) = apps.posts
    assert b"client_secret=hush" in exchange.body
    row = Connection.objects.get()
    assert (row.member, row.account_id, row.label) == (bob, bob.account_id, "Nordic Oak Workspace")
    assert SLACK_TOKEN not in row.secret

    delivery = send(bob)

    assert (delivery.status, delivery.sent_to) == (DeliveryStatus.SENT, "Nordic Oak Workspace")
    told = apps.posts[1].json
    assert told["channel"] == SLACK_USER
    assert told["unfurl_links"] is False
    (link,) = told["blocks"][0]["elements"][0]["elements"]
    assert link["type"] == "link"
    assert link["url"].startswith("http")
    assert link["text"] in told["text"]


@pytest.mark.parametrize("change", ["wrong", "missing", "twice", "late", "elsewhere"])
def test_an_answer_without_this_sessions_state_connects_nothing(as_bob, bob, apps, change, mallory):
    state = start(as_bob)["state"]
    client = as_bob
    if change == "wrong":
        state = "x" * len(state)
    elif change == "missing":
        state = ""
    elif change == "twice":
        as_bob.get(BACK, {"state": state})
    elif change == "late":
        session = as_bob.session
        session["slack_state"] |= {"at": 0}
        session.save()
    else:
        client = Client()
        client.force_login(mallory.user)

    answer = client.get(BACK, {"state": state, "code": SLACK_CODE})

    assert answer.status_code == 302
    assert not Connection.objects.exists()
    assert apps.posts == []


def test_who_says_no_at_slack_is_told_so(as_bob, apps):
    answer = as_bob.get(BACK, {"state": start(as_bob)["state"], "error": "access_denied"}, follow=True)

    assert "Slack was not connected, because it was not allowed there." in answer.content.decode()
    assert apps.posts == []


@pytest.mark.parametrize("trouble", ["refused", "nonsense", "redirect", "away"])
def test_trouble_at_slack_is_worded(as_bob, apps, trouble):
    code = "stale" if trouble == "refused" else SLACK_CODE
    if trouble == "nonsense":
        apps.answer(200, text='{"ok": true}')
    elif trouble == "redirect":
        apps.answer(302, Location="http://127.0.0.1:1/")
    elif trouble == "away":
        apps.stop()

    answer = as_bob.get(BACK, {"state": start(as_bob)["state"], "code": code}, follow=True)

    assert "Slack" in answer.content.decode().split('banner--error"')[1][:600]
    assert not Connection.objects.exists()


def test_without_an_application_of_its_own_the_card_says_who_can_help(as_bob, settings):
    settings.SLACK_CLIENT_ID = ""

    page = as_bob.get(reverse("notifications:settings-other-apps", args=[1001])).content.decode()

    assert "Your administrator has not set up Slack for this installation." in page
    assert as_bob.get(START)["Location"] == "/1001/settings/notifications/other-apps/"


def test_what_an_event_says_is_text_to_slack_and_mentions_nobody(connected, apps):
    send(connected, deal="<!channel> *x* <https://evil.example|here> & more")

    told = apps.posts[0].json
    (link,) = told["blocks"][0]["elements"][0]["elements"]
    assert "<!channel>" in link["text"]  # in a link of rich text nothing is markup
    assert "<!channel>" not in told["text"]
    assert "&lt;!channel&gt;" in told["text"]


def test_the_blocks_of_a_message():
    blocks = slack.blocks(Message(title="T" * 900, body="B" * 9000, url="https://x.example/", topic="Deals", label=""))

    assert [block["type"] for block in blocks] == ["rich_text", "section", "context"]
    assert len(blocks[0]["elements"][0]["elements"][0]["text"]) == 300
    assert len(blocks[1]["text"]["text"]) == 3000
    assert blocks[1]["text"]["type"] == blocks[2]["elements"][0]["type"] == "plain_text"


@pytest.mark.req("N-039")
@pytest.mark.parametrize("error", ["token_revoked", "account_inactive", "invalid_auth", "token_expired"])
def test_taken_back_access_breaks_the_connection(connected, apps, error):
    apps.answer(200, text=f'{{"ok": false, "error": "{error}"}}')

    assert send(connected).status == DeliveryStatus.FAILED

    row = Connection.objects.get()
    assert row.broken_at is not None
    assert row.last_error.startswith("Slack")
    assert "_" not in row.last_error
    events.emit(KIND, audience=[connected], account=connected.account, data=KIND.example)
    fanout.run_due()
    assert delivering.run_due(SLACK) == 0
    assert len(apps.posts) == 1


def test_too_many_messages_wait_as_long_as_slack_says(connected, apps):
    apps.answer(429, text='{"ok": false, "error": "ratelimited"}', Retry_After="90")

    row = send(connected)

    assert row.status == DeliveryStatus.DUE
    assert 80 < (row.due_at - timezone.now()).total_seconds() <= 90
    assert Connection.objects.get().broken_at is None
    assert len(apps.posts) == 1


@pytest.mark.parametrize(
    ("status", "text"), [(500, ""), (503, "<html>"), (200, '{"ok": false, "error": "fatal_error"}')]
)
def test_passing_trouble_is_tried_again(connected, apps, status, text):
    apps.answer(status, text=text)

    assert send(connected).status == DeliveryStatus.DUE
    assert Connection.objects.get().broken_at is None


def test_a_redirect_is_not_followed(connected, apps):
    apps.answer(307, Location=f"{apps.url}/elsewhere")

    assert send(connected).status == DeliveryStatus.DUE
    assert [post.path for post in apps.posts] == ["/api/chat.postMessage"]


def test_what_slack_will_never_take_fails_at_once_and_says_why(connected, apps):
    apps.answer(200, text='{"ok": false, "error": "msg_too_long"}')

    row = send(connected)

    assert (row.status, row.error) == (DeliveryStatus.FAILED, "Slack refused it: msg_too_long")
    assert Connection.objects.get().broken_at is None
