"""The reference of all types at /developers/types/: complete, generated, and what it shows can be used."""

import json
import shlex

import pytest
from django.template.loader import render_to_string, select_template
from django.urls import reverse
from django.utils.html import escape

from notifications import channels, previews, types

EVERY_TYPE = list(types.TYPES.values())


@pytest.fixture
def page(client, bob):
    client.force_login(bob.user)
    return client.get(reverse("notifications:types")).content.decode()


def test_it_is_for_people_who_are_signed_in(client):
    for name, given in [("types", {}), ("types-mail", {"type_key": "deals.assigned"})]:
        response = client.get(reverse(f"notifications:{name}", kwargs=given))
        assert (response.status_code, "/accounts/login/" in response["Location"]) == (302, True)


def test_every_topic_and_type_is_there_with_its_key_and_requirements(page):
    for topic in types.TOPICS:
        assert f'id="topic-{topic.key}"' in page
    for kind in EVERY_TYPE:
        assert f'<code class="reference-key">{kind.key}</code>' in page
        assert all(number in page for number in kind.requirements)
    assert page.count("data-search-item") == len(EVERY_TYPE)


@pytest.mark.parametrize("kind", EVERY_TYPE, ids=str)
def test_every_type_has_a_dress_per_channel_and_a_command_that_emits_it(kind):
    entry = previews.entry(kind, language="en")

    assert [dress.channel.key for dress in entry.dresses] == [
        channel.key for channel in channels.ALL if channel.key in kind.offered
    ]
    assert "{" not in entry.message.title
    _curl, url, *rest = shlex.split(entry.curl.replace("\\\n", " "))
    assert url.endswith("/api/v1/events/")
    sent = json.loads(rest[-1])
    assert sent["type"] == kind.key
    assert kind.check_data(sent["data"]) == []


def test_the_browser_is_shown_as_the_system_draws_it_and_a_channel_without_a_look_plainly():
    (browser,) = [
        one
        for one in previews.entry(types.TYPES["deals.mentioned"], language="en").dresses
        if one.channel.key == "browser"
    ]
    drawn = select_template(browser.templates).render({"dress": browser})
    plain = render_to_string(browser.templates[-1], {"dress": browser})

    assert "reference-system" in drawn
    assert "Bellhop · from your browser" in " ".join(drawn.split())
    assert escape(browser.message.title) in drawn
    assert "reference-plain" in plain
    assert escape(browser.message.title) in plain


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("system.support_message", "Cannot be turned off: Bell, E-mail."),
        ("website_visits.contacts", "Only by: E-mail."),
        ("payments.failed", "Only for the role “Super admin”."),
        ("deals.assigned", "Gathered for 5 minutes, then told as one."),
    ],
)
def test_limits_are_said_in_sentences(page, key, words):
    assert words in previews.entry(types.TYPES[key], language="en").constraints
    assert words in page


def test_a_channel_without_a_look_of_its_own_shows_the_neutral_message(bob):
    from django.template.loader import select_template

    class Pigeon:
        key, bit, label = "pigeon", 1024, "Pigeon"

    dress = previews.Dress(Pigeon(), previews.entry(EVERY_TYPE[0], language="en").message, True, False)
    shown = select_template(dress.templates).render({"dress": dress})
    assert dress.message.title.split("“")[0] in shown


@pytest.mark.req("N-039")
def test_other_apps_have_their_own_look(page):
    (entry,) = [previews.entry(kind, language="en") for kind in EVERY_TYPE if kind.key == "deals.mentioned"]
    body = json.loads(entry.webhook)

    assert (body["type"], body["data"]["event"]["data"]) == ("deals.mentioned", dict(entry.kind.example))
    assert page.count("reference-slack__from") == len([kind for kind in EVERY_TYPE if "slack" in kind.offered])
    assert page.count('aria-label="JSON: ') == len([kind for kind in EVERY_TYPE if "webhook" in kind.offered])


def test_the_whole_mail_can_be_read_and_runs_nothing(client, bob):
    client.force_login(bob.user)
    response = client.get(reverse("notifications:types-mail", args=["deals.assigned"]))

    assert "Ann assigned you the deal" in response.content.decode()
    assert "default-src 'none'" in response["Content-Security-Policy"]
    assert "script-src" not in response["Content-Security-Policy"]
    assert client.get(reverse("notifications:types-mail", args=["no.such"])).status_code == 404


def test_every_mail_of_the_reference_can_be_written(client, bob):
    client.force_login(bob.user)
    for kind in EVERY_TYPE:
        expected = 200 if "email" in kind.offered else 404
        assert client.get(reverse("notifications:types-mail", args=[kind.key])).status_code == expected


def test_it_costs_few_queries(client, bob, django_assert_max_num_queries):
    client.force_login(bob.user)
    client.get(reverse("notifications:types"))
    with django_assert_max_num_queries(8):
        client.get(reverse("notifications:types"))


def test_a_phone_is_shown_as_its_lock_screen(page):
    there = sum("mobile" in kind.offered for kind in EVERY_TYPE)
    assert page.count('class="reference-phone"') == there > 50
