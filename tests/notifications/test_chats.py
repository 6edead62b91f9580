"""Teams, Google Chat, Discord and Telegram at their protocol boundary, through Apprise and our guarded connections."""

from collections.abc import Iterator
from urllib.parse import unquote_plus

import pytest
from django.utils import timezone
from pytest_django import Settings

from accounts.models import Membership
from notifications import channels, delivering, events, fanout, outgoing, types
from notifications.models import Connection, Delivery, DeliveryStatus
from notifications.other_apps import addresses, chats, connecting, dresses, through
from notifications.other_apps.speaking import BadOffer
from notifications.rendering import Message
from tests import factories
from tests.other_apps import BOT, OtherApps

KIND = types.TYPES["deals.mentioned"]
GIVEN = {
    "discord": {"url": "https://discord.com/api/webhooks/42/right"},
    "google_chat": {"url": "https://chat.googleapis.com/v1/spaces/AAA/messages?key=AIzaKey&token=tok-1"},
    "telegram": {"token": BOT, "chat": "4711"},
    "teams": {
        "url": "https://prod-12.westeurope.logic.azure.com:443/workflows/abc123/triggers/manual/paths/invoke"
        "?api-version=2016-06-01&sp=%2Ftriggers%2Fmanual%2Frun&sv=1.0&sig=sign-ature_1"
    },
}
CHATS = sorted(GIVEN)


@pytest.fixture
def apps(settings: Settings) -> Iterator[OtherApps]:
    server = OtherApps().start()
    settings.OUTGOING_LOOPBACK = True
    for name in ("DISCORD_URL", "GOOGLE_CHAT_URL", "TELEGRAM_URL", "TEAMS_URL"):
        setattr(settings, name, server.url)
    chats._services.cache_clear()
    yield server
    server.stop()
    chats._services.cache_clear()


def connect(member: Membership, key: str) -> None:
    connecting.connect(member, channels.APP[key], GIVEN[key])


def send(member: Membership, key: str, **facts: str) -> Delivery:
    events.emit(KIND, audience=[member], account=member.account, data={**KIND.example, **facts})
    fanout.run_due()
    delivering.run_due(channels.CARRIER[key])
    return Delivery.objects.filter(channel=key).order_by("-pk")[0]


def text_of(key: str, body: dict) -> str:
    """What the chat would show."""
    if key == "teams":
        (card,) = body["attachments"]
        return "\n".join(block["text"] for block in card["content"]["body"])
    return body[{"discord": "content", "google_chat": "text", "telegram": "text"}[key]]


@pytest.mark.req("N-039")
@pytest.mark.parametrize("key", CHATS)
def test_a_member_connects_it_and_hears_there(bob, apps, key):
    connect(bob, key)

    row = send(bob, key, url="/1001/deals/7/")

    assert row.status == DeliveryStatus.SENT, row.error
    (post,) = apps.posts
    shown = text_of(key, post.json)
    assert "http://localhost:8000/1001/deals/7/" in shown.replace("\\", "") or "/1001/deals/7/" in shown
    assert "Deals" in shown
    kept = Connection.objects.get()
    assert row.sent_to == kept.label
    assert kept.last_success_at is not None
    for secret in ("right", "AIzaKey", "tok-1", BOT, "sign-ature_1"):
        assert secret not in kept.secret + kept.label


@pytest.mark.parametrize("key", CHATS)
def test_what_an_event_says_mentions_nobody_and_leads_nowhere_else(bob, apps, key):
    connect(bob, key)

    row = send(bob, key, deal="@everyone <users/all> <at>all</at> [x](https://evil.example) <b>*y*</b>")

    assert row.status == DeliveryStatus.SENT, row.error
    body = apps.posts[0].json
    shown = text_of(key, body)
    assert "@everyone" not in shown or key in {"telegram", "google_chat"}  # which mention nobody so
    assert "<users/all>" not in shown
    assert "<at>" not in shown
    assert "[x](https://evil" not in shown or key in {"telegram", "google_chat"}
    assert "entities" not in str(body.get("attachments", ""))


@pytest.mark.parametrize("key", CHATS)
@pytest.mark.parametrize(
    ("status", "becomes", "breaks"),
    [
        (400, DeliveryStatus.FAILED, False),
        (401, DeliveryStatus.FAILED, True),
        (404, DeliveryStatus.FAILED, True),
        (410, DeliveryStatus.FAILED, True),
        (413, DeliveryStatus.FAILED, False),
        (429, DeliveryStatus.DUE, False),
        (500, DeliveryStatus.DUE, False),
        (503, DeliveryStatus.DUE, False),
        (302, DeliveryStatus.DUE, False),
    ],
)
def test_what_an_answer_means(bob, apps, key, status, becomes, breaks):
    connect(bob, key)
    apps.answer(status, text='{"message": "so it is"}', Location=f"{apps.url}/inside")

    row = send(bob, key)

    assert row.status == becomes
    assert f"answered {status}: so it is" in row.error
    assert (Connection.objects.get().broken_at is not None) == breaks
    assert len(apps.posts) == 1  # nothing is tried twice in one go, and no redirect is followed


@pytest.mark.parametrize(
    ("key", "text", "headers"),
    [
        ("discord", '{"retry_after": 64.57}', {}),
        ("telegram", '{"parameters": {"retry_after": 64}}', {}),
        ("google_chat", "", {"Retry_After": "64"}),
    ],
)
def test_each_waits_as_long_as_it_is_told(bob, apps, key, text, headers):
    connect(bob, key)
    apps.answer(429, text=text, **headers)

    row = send(bob, key)

    assert 60 < (row.due_at - timezone.now()).total_seconds() <= 65


def test_a_chat_that_the_bot_does_not_know_breaks_the_connection(bob, apps):
    connecting.connect(bob, channels.APP["telegram"], {"token": BOT, "chat": "1"})

    row = send(bob, "telegram")

    assert row.status == DeliveryStatus.FAILED
    assert "chat not found" in row.error
    assert Connection.objects.get().broken_at is not None


def test_a_service_that_is_away_is_tried_later(bob, apps):
    connect(bob, "discord")
    apps.stop()

    row = send(bob, "discord")

    assert (row.status, row.is_repeat_possible) == (DeliveryStatus.DUE, False)
    assert "cannot be reached" in row.error


def test_a_slow_service_may_have_taken_it(bob, apps, monkeypatch):
    monkeypatch.setattr(through, "TIMEOUTS", (1, 0.2))
    connect(bob, "discord")
    apps.answer(204, after=1)

    row = send(bob, "discord")

    assert (row.status, row.is_repeat_possible) == (DeliveryStatus.DUE, True)


def test_many_are_told_at_once(account, apps):
    members = factories.members(account, 60)
    for member in members:
        connect(member, "discord")
    apps.answer(204, times=60, after=0.1)
    events.emit(KIND, audience=members, account=account, data=KIND.example)
    fanout.run_due()

    started = timezone.now()
    assert delivering.run_due(channels.CARRIER["discord"]) == 60
    assert (timezone.now() - started).total_seconds() < 5  # one after the other would take 6 seconds of waiting alone


# --- More apps

MORE = {
    "ntfy": "https://ntfy.sh/bobs-topic",
    "pushover": f"pover://{'u' * 30}@{'t' * 30}",
    "mattermost": "{url}/hooks/" + "m" * 26,
    "rocketchat": "{url}/hooks/" + "r" * 17 + "/" + "s" * 43,
}


@pytest.mark.req("N-039")
@pytest.mark.parametrize("service", sorted(MORE))
def test_one_of_more_apps_is_connected_and_told(bob, apps, settings, service):
    settings.NTFY_URL = settings.PUSHOVER_URL = apps.url
    chats._services.cache_clear()
    connecting.connect(bob, channels.APP["apprise"], {"url": MORE[service].format(url=apps.url)})

    row = send(bob, "apprise", url="/1001/deals/7/")

    assert row.status == DeliveryStatus.SENT, row.error
    (post,) = apps.posts
    shown = unquote_plus(post.body.decode())
    assert "/1001/deals/7/" in shown
    kept = Connection.objects.get()
    for secret in ("bobs-topic", "u" * 30, "t" * 30, "m" * 26, "s" * 43):
        assert secret not in kept.label + kept.secret


@pytest.mark.parametrize("service", ["mattermost", "rocketchat"])
@pytest.mark.parametrize("status", [302, 404, 429, 500])
def test_one_of_more_apps_answers(bob, apps, service, status):
    connecting.connect(bob, channels.APP["apprise"], {"url": MORE[service].format(url=apps.url)})
    apps.answer(status, text='{"message": "so it is"}', Location=f"{apps.url}/inside")

    row = send(bob, "apprise")

    assert row.status == (DeliveryStatus.FAILED if status == 404 else DeliveryStatus.DUE)
    assert f"answered {status}: so it is" in row.error
    assert len(apps.posts) == 1


@pytest.mark.parametrize(
    "url",
    [
        f"https://10.0.0.1/hooks/{'m' * 26}",
        f"http://chat.example.com/hooks/{'m' * 26}",
        f"https://chat.example.com:25/hooks/{'m' * 26}",
        f"https://localhost/hooks/{'m' * 26}",
        "https://ntfy.example.com/topic",
        "https://ntfy.sh/topic?attach=file:///etc/passwd",
        "json://127.0.0.1/",
        "exec://ls",
        "",
    ],
)
def test_more_apps_takes_nothing_else(bob, db, url):
    with pytest.raises(BadOffer) as refused:
        connecting.connect(bob, channels.APP["apprise"], {"url": url})

    assert "url" in refused.value.fields


def test_a_server_of_ones_own_that_moves_inside_is_not_connected_to(bob, db, monkeypatch):
    chats._services.cache_clear()
    found = {"address": "93.184.216.34"}
    monkeypatch.setattr("socket.getaddrinfo", lambda *_given, **_named: [(2, 1, 6, "", (found["address"], 443))])
    connecting.connect(bob, channels.APP["apprise"], {"url": f"https://chat.example.com/hooks/{'m' * 26}"})
    found["address"] = "10.0.0.1"

    row = send(bob, "apprise")

    assert (row.status, row.error) == (DeliveryStatus.FAILED, outgoing.NOT_PUBLIC)


# --- Where the server may be sent


@pytest.mark.req("N-039")
@pytest.mark.parametrize("address", ["10.0.0.1", "127.0.0.1", "169.254.169.254", "fd00::1", "::ffff:10.0.0.1"])
def test_a_name_that_leads_inside_is_not_connected_to(bob, db, settings, monkeypatch, address):
    chats._services.cache_clear()
    connect(bob, "discord")
    monkeypatch.setattr("socket.getaddrinfo", lambda *_given, **_named: [(2, 1, 6, "", (address, 443))])

    row = send(bob, "discord")

    assert (row.status, row.error) == (DeliveryStatus.FAILED, outgoing.NOT_PUBLIC)


def test_a_redirect_to_this_machine_is_not_followed(bob, apps):
    connect(bob, "teams")
    inside = OtherApps().start()
    apps.answer(307, Location=f"{inside.url}/secret")

    row = send(bob, "teams")

    inside.stop()
    assert row.status == DeliveryStatus.DUE
    assert "redirects are not followed" in row.error
    assert inside.posts == []


def test_an_endless_answer_is_read_only_at_its_beginning(bob, apps):
    connect(bob, "discord")
    apps.answer(200, text="x" * 5_000_000)

    assert send(bob, "discord").status == DeliveryStatus.SENT


# --- What is pasted


@pytest.mark.parametrize(
    ("key", "given", "field"),
    [
        ("discord", {"url": "https://discord.com.evil.example/api/webhooks/42/right"}, "url"),
        ("discord", {"url": "https://evil.example/api/webhooks/42/right"}, "url"),
        ("discord", {"url": "http://discord.com/api/webhooks/42/right"}, "url"),
        ("discord", {"url": "https://discord.com:8443/api/webhooks/42/right"}, "url"),
        ("discord", {"url": "https://discord.com@10.0.0.1/api/webhooks/42/right"}, "url"),
        ("discord", {"url": "https://discord.com/api/webhooks/42/right/../../x"}, "url"),
        ("discord", {"url": ""}, "url"),
        ("google_chat", {"url": "https://chat.googleapis.com/v1/spaces/AAA/messages?key=AIzaKey"}, "url"),
        ("google_chat", {"url": "https://chat.googleapis.com.evil.example/v1/spaces/A/messages?key=a&token=b"}, "url"),
        ("teams", {"url": "https://evil.example/workflows/a/triggers/manual/paths/invoke?sig=a&api-version=1"}, "url"),
        (
            "teams",
            {"url": "https://logic.azure.com/workflows/a/triggers/manual/paths/invoke?sig=a&api-version=1"},
            "url",
        ),
        ("teams", {"url": "https://prod.logic.azure.com/workflows/a/triggers/manual/paths/invoke"}, "url"),
        ("teams", {"url": "https://[::1/workflows"}, "url"),
        ("telegram", {"token": "nonsense", "chat": "4711"}, "token"),
        ("telegram", {"token": BOT, "chat": "@a b"}, "chat"),
        ("telegram", {}, "token"),
    ],
)
def test_only_addresses_of_the_service_itself_are_taken(bob, key, given, field):
    with pytest.raises(BadOffer) as refused:
        connecting.connect(bob, channels.APP[key], given)

    assert field in refused.value.fields
    assert not Connection.objects.exists()


def test_files_and_templates_in_a_pasted_address_are_left_out(bob, apps):
    """Apprise would open what such a parameter names."""
    url = "https://discord.com/api/webhooks/42/right?template=file:///etc/passwd&footer=yes"
    connecting.connect(bob, channels.APP["discord"], {"url": url})

    assert connecting.opened(Connection.objects.get()) == {"id": "42", "token": "right"}
    assert send(bob, "discord").status == DeliveryStatus.SENT
    assert set(apps.posts[0].json) == {"tts", "wait", "content"}


def test_a_power_automate_address_is_understood():
    offer = addresses.teams(
        {
            "url": "https://default01.02.environment.api.powerplatform.com:443/powerautomate/automations/direct"
            "/workflows/0123/triggers/manual/paths/invoke?api-version=1&sp=%2Ftriggers%2Fmanual%2Frun&sv=1.0&sig=s-1"
        }
    )

    assert offer.secret["kind"] == "automate"
    assert offer.secret["host"] == "default01.02.environment.api.powerplatform.com"
    assert "s-1" not in offer.label


# --- How it looks

MESSAGE = Message(
    title="A [deal] | *moved*", body="To <b>Won</b>", url="https://x.example/a_(b)?c=d", topic="Deals", label=""
)


@pytest.mark.parametrize(
    ("dress", "expected"),
    [
        (
            dresses.teams,
            "**[A \\[deal\\] \\| \\*moved\\*](https://x.example/a_%28b%29?c=d)**\n\nTo ‹b›Won‹/b›\n\n_Deals_",
        ),
        (
            dresses.discord,
            "**[A \\[deal\\] \\| \\*moved\\*](https://x.example/a_%28b%29?c=d)**\nTo ‹b›Won‹/b›\n-# Deals",
        ),
        (dresses.google_chat, "*<https://x.example/a_%28b%29?c=d|A [deal] ¦ *moved*>*\nTo ‹b›Won‹/b›\n_Deals_"),
        (
            dresses.telegram,
            (
                '<b><a href="https://x.example/a_%28b%29?c=d">A [deal] | *moved*</a></b>\n'
                "To &lt;b&gt;Won&lt;/b&gt;\n<i>Deals</i>"
            ),
        ),
    ],
)
def test_a_message_in_each_dress(dress, expected):
    assert dress(MESSAGE) == expected


@pytest.mark.parametrize("dress", [dresses.teams, dresses.discord, dresses.google_chat, dresses.telegram])
def test_a_long_message_is_cut_and_ends_with_its_topic(dress):
    long = Message(title="T" * 500, body="*" * 9000, url="https://x.example/", topic="Deals", label="")

    shown = dress(long)

    assert "…" in shown
    assert "Deals" in shown.splitlines()[-1]
    assert len(shown) <= 4096
