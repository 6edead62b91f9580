"""The pages of webhooks on change: registered, watched, mended, removed by super admins; named to everybody else."""

import re
from collections.abc import Iterator

import pytest
from django.utils import timezone

from crm import happenings
from crm.models import PostState, Webhook, WebhookPost
from crm.webhooks import carrying, registering
from tests.other_apps import OtherApps

EVERY = "/1001/webhooks/"


@pytest.fixture
def apps(settings) -> Iterator[OtherApps]:
    settings.OUTGOING_LOOPBACK = True
    server = OtherApps().start()
    yield server
    server.stop()


@pytest.fixture
def webhook(alice, apps):
    return registering.register(alice.account, url=f"{apps.url}/hook?token=hush", kinds=["deals"], by=alice)[0]


def send():
    while happenings.step():
        pass
    while carrying.step():
        pass


def test_an_endpoint_is_registered_and_its_secret_shown_once(signed_in, alice, apps):
    browser = signed_in(alice)
    assert "No endpoint yet" in browser.get(EVERY).content.decode()

    given = {"url": f"{apps.url}/hook", "kinds": ["deals"], "whats": ["created", "deleted"]}
    page = browser.post(f"{EVERY}new/", given).content.decode()

    webhook = Webhook.objects.get()
    key = registering.opened(webhook)["key"]
    assert key in page
    assert key not in browser.get(f"{EVERY}{webhook.pk}/").content.decode()
    listed = browser.get(EVERY).content.decode()
    assert f"{apps.url}/hook" in listed
    assert "Deals · created, deleted" in listed
    assert "registered already" in browser.post(f"{EVERY}new/", given).content.decode()  # the page was loaded again


def test_a_bad_address_is_told_beside_its_field_and_nothing_is_lost(signed_in, alice):
    answer = signed_in(alice).post(f"{EVERY}new/", {"url": "https://10.0.0.8/hook", "kinds": ["deals"]})

    page = answer.content.decode()
    assert answer.status_code == 422
    assert "This address is not on the public internet, or not https." in page
    assert 'value="https://10.0.0.8/hook"' in page
    assert re.search(r'value="deals"[^>]* checked', page)
    assert not Webhook.objects.exists()


def test_other_members_see_that_there_is_one_and_not_its_address(signed_in, webhook, bob):
    browser = signed_in(bob)

    page = browser.get(EVERY).content.decode()
    assert "Super admins register endpoints" in page
    assert "hush" not in page
    for piece in ("", "test/", "rotate/", "turn/", "again/", "remove/"):
        answer = browser.post(f"{EVERY}{webhook.pk}/{piece}")
        assert (answer.status_code, answer["Location"]) == (302, EVERY)
    assert browser.get(f"{EVERY}{webhook.pk}/").status_code == 302
    assert Webhook.objects.get().is_on


def test_what_was_sent_is_listed_and_what_failed_goes_again(signed_in, webhook, made, apps, alice):
    apps.answer(500, text="out of order", times=6)
    made("deals", name="Oak")
    for _attempt in range(6):
        send()
        WebhookPost.objects.update(due_at=timezone.now())
        Webhook.objects.update(again_at=None)
    browser, url = signed_in(alice), f"{EVERY}{webhook.pk}/"
    page = browser.get(url).content.decode()
    assert "Nothing gets through (since" in page
    assert "out of order" in page
    assert page.count("Send again") == 2  # the button and its name, once
    assert "Send the 1 that failed again" in page

    answer = browser.post(f"{url}again/", {"post": WebhookPost.objects.get().pk}, follow=True)
    assert "It goes out again in a moment." in answer.content.decode()
    send()

    assert WebhookPost.objects.get().state == PostState.TAKEN
    assert "Send again" not in browser.get(url).content.decode()


def test_a_test_is_sent_and_says_what_became_of_it(signed_in, webhook, apps, alice):
    browser, url = signed_in(alice), f"{EVERY}{webhook.pk}/test/"

    assert "The test was taken." in browser.post(url, follow=True).content.decode()
    assert "Wait ten seconds" in browser.post(url, follow=True).content.decode()


def test_it_is_turned_off_changed_given_a_new_secret_and_removed(signed_in, webhook, apps, alice):
    browser, url = signed_in(alice), f"{EVERY}{webhook.pk}/"
    before = registering.opened(webhook)["key"]

    assert "It is off" in browser.post(f"{url}turn/", {"to": "off"}, follow=True).content.decode()
    browser.post(url, {"url": f"{apps.url}/other"})
    webhook.refresh_from_db()
    assert (webhook.is_on, webhook.url, webhook.kinds) == (False, f"{apps.url}/other", [])
    page = browser.post(f"{url}rotate/").content.decode()
    webhook.refresh_from_db()
    now = registering.opened(webhook)["key"]
    assert now != before
    assert now in page
    assert "Two secrets sign until" in page
    browser.post(f"{url}remove/")
    assert not Webhook.objects.exists()


def test_one_that_stopped_by_itself_says_why(signed_in, webhook, made, apps, alice):
    apps.answer(410)
    made("deals")
    send()
    browser = signed_in(alice)

    assert "It answered that it is closed (410)." in browser.get(EVERY).content.decode()
    assert "So it was turned off (" in browser.get(f"{EVERY}{webhook.pk}/").content.decode()


def test_all_that_failed_goes_again_even_what_was_never_tried(signed_in, webhook, made, apps, alice):
    for number in range(3):
        made("deals", name=f"Deal {number}")
    while happenings.step():
        pass
    browser, url = signed_in(alice), f"{EVERY}{webhook.pk}/"
    browser.post(f"{url}turn/", {"to": "off"})
    assert "Turn the webhook on first." in browser.post(f"{url}again/", {"all": "on"}, follow=True).content.decode()
    browser.post(f"{url}turn/", {"to": "on"})
    assert "Send all 3 that failed again" in browser.get(url).content.decode()

    browser.post(f"{url}again/", {"all": "on"})
    send()

    assert len(apps.posts) == 3


def test_older_attempts_are_on_further_pages(signed_in, webhook, made, apps, alice, monkeypatch):
    monkeypatch.setattr("crm.webhooks.looking_back.SHOWN", 2)
    for number in range(3):
        made("deals", name=f"Deal {number}")
    send()
    browser = signed_in(alice)
    page = browser.get(f"{EVERY}{webhook.pk}/").content.decode()
    following = re.search(r"\?before=[0-9]+", page)[0]
    older = browser.get(f"{EVERY}{webhook.pk}/{following}").content.decode()

    assert page.count("<bdi>") == 2
    assert older.count("<bdi>") == 1
    assert "Newest" in older
