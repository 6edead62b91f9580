"""Required notices that could reach nobody: who, what, when, why, and what to do."""

import html
import re
from datetime import timedelta

import pytest
from allauth.account.models import EmailAddress
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from notifications import events, types, unreached
from notifications.models import BrowserSubscription, Delivery
from notifications.unreached import Sort
from tests import factories

BILL = types.TYPES["system.billing_message"]
DEAL = types.TYPES["deals.stage_changed"]
PAGE = "/admin/notifications/redrive/unreached/"


def words(answer):
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", answer.content.decode())).split())


def delivery(account, member, status, kind=BILL, *, days=1, error="550 5.1.1 no such user", channel="email"):
    event = events.emit(kind, audience=[member], data=kind.example, account=account)
    return Delivery.objects.create(
        event=event,
        member=member,
        channel=channel,
        status=status,
        error=error if status == "failed" else "",
        created_at=timezone.now() - timedelta(days=days),
    )


def browser(member, name, *, error=""):
    return BrowserSubscription.objects.create(
        user=member.user,
        endpoint=f"https://push.example/{member.pk}/{name}",
        browser=name,
        last_error=error,
        last_error_at=timezone.now() if error else None,
    )


def found(account, *sorts):
    return [(row.sort, row.member_id) for row in unreached.find(account).rows if not sorts or row.sort in sorts]


@pytest.mark.req("N-005")
def test_a_required_notice_that_failed_is_listed_with_why_and_what_to_do(account, alice, bob):
    delivery(account, bob, "failed", days=3)
    newest = delivery(account, bob, "failed", days=2)

    row = unreached.find(account).rows[0]

    assert (row.sort, row.member_id, row.kind, row.channel.key) == (Sort.NOTICE, bob.pk, BILL, "email")
    assert (row.count, row.delivery_id, row.at) == (2, newest.pk, newest.created_at)
    assert (row.name, row.email) == ("Bob", "bob@example.com")
    assert row.why == "No such mailbox"
    assert "another way" in row.advice


def test_what_is_not_required_arrived_or_is_long_ago_is_not_listed(account, alice, bob, carol):
    delivery(account, bob, "failed", DEAL)
    delivery(account, carol, "failed", days=40)
    delivery(account, alice, "sent")

    assert found(account, Sort.NOTICE) == []


def test_an_address_fails_until_something_gets_through(account, alice, bob):
    delivery(account, bob, "failed", DEAL)
    assert found(account) == [(Sort.ADDRESS, bob.pk)]

    delivery(account, bob, "sent", DEAL, days=0)
    assert found(account) == []


def test_an_address_that_is_not_verified_is_listed(account, alice, bob, carol):
    EmailAddress.objects.filter(user=bob.user).update(verified=False)
    EmailAddress.objects.filter(user=carol.user).delete()

    assert found(account) == [(Sort.UNVERIFIED, bob.pk), (Sort.UNVERIFIED, carol.pk)]


def test_only_dead_devices_are_listed(account, alice, bob, carol):
    browser(bob, "Firefox", error="answered 401")
    browser(bob, "Chrome", error="answered 401")
    browser(carol, "Firefox", error="answered 401")
    browser(carol, "Chrome")

    assert found(account) == [(Sort.DEVICES, bob.pk)]


def test_whoever_left_and_whoever_is_next_door_is_not_listed(account, next_door, alice, mallory, bob):
    delivery(next_door, mallory, "failed")
    delivery(account, bob, "failed")
    EmailAddress.objects.all().update(verified=False)
    bob.is_active = False
    bob.save()

    assert found(account) == [(Sort.UNVERIFIED, alice.pk)]


def test_it_takes_as_many_queries_however_many_there_are(account, alice, monkeypatch):
    def grow(count):
        for member in factories.members(account, count):
            delivery(account, member, "failed")
            browser(member, "x", error="gone")

    def queries():
        with CaptureQueriesContext(connection) as seen:
            unreached.find(account)
        return len(seen)

    grow(2)
    few = queries()
    grow(10)
    assert queries() == few <= 6

    monkeypatch.setattr(unreached, "MOST", 5)
    findings = unreached.find(account)
    assert findings.count == 20
    assert findings.is_more


@pytest.fixture
def as_alice(alice):
    client = Client()
    client.force_login(alice.user)
    return client


def test_the_page_and_the_first_page_of_the_admin_say_it(as_alice, account, alice, bob):
    assert "Everybody can be reached" in words(as_alice.get(PAGE))
    assert "Required notices could reach everybody" in words(as_alice.get("/admin/"))

    delivery(account, bob, "failed")
    page = words(as_alice.get(PAGE))
    assert "There is something about your bill" in page
    assert "No such mailbox" in page
    assert "Ask for an address that works" in page
    assert "2 required notices or members that could not be reached" in words(as_alice.get("/admin/"))


def test_the_page_of_next_door_is_not_there(as_alice, alice, bob, next_door):
    assert as_alice.get(f"{PAGE}?account={next_door.pk}").status_code == 404
    client = Client()
    client.force_login(bob.user)
    assert client.get(PAGE).status_code == 404


def test_an_operator_of_many_accounts_is_shown_the_way(account, next_door):
    client = Client()
    client.force_login(factories.user("olga", is_superuser=True))
    assert "Required notices" in words(client.get("/admin/"))
    assert "In which account?" in words(client.get(PAGE))
