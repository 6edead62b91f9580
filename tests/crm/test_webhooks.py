"""Webhooks on change at their protocol boundary: an endpoint on loopback; the specification’s own library checks."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import timedelta

import pytest
from django.conf import settings as project
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings
from standardwebhooks import Webhook as Library

from accounts.members import NotSuperAdmin
from crm import activities, associating, happenings, merging, records
from crm.models import Happening, PostState, Source, Webhook, WebhookPost, WebhookTry
from crm.webhooks import carrying, looking_back, registering
from crm.webhooks.looking_back import NotDelivered, NothingToSend, TriedJustNow
from crm.webhooks.registering import InvalidWebhook
from notifications import outgoing
from tests.crm.conftest import at_once
from tests.other_apps import OtherApps


@pytest.fixture
def apps(settings: Settings) -> Iterator[OtherApps]:
    settings.OUTGOING_LOOPBACK = True
    server = OtherApps().start()
    yield server
    server.stop()


@pytest.fixture
def hook(alice, apps) -> Callable[..., Webhook]:
    """Register an endpoint on this machine; its secret is `key`."""

    def run(path: str = "hook", **given):
        webhook, key = registering.register(alice.account, url=f"{apps.url}/{path}", by=alice, **given)
        webhook.key = key
        return webhook

    return run


def follow() -> None:
    while happenings.step():
        pass


def send() -> None:
    follow()
    while carrying.step():
        pass


def later(**time: float) -> None:
    """Let so much time pass for what waits."""
    gone = timedelta(**time)
    for one in WebhookPost.objects.all():
        until = one.claimed_until and one.claimed_until - gone
        WebhookPost.objects.filter(pk=one.pk).update(due_at=one.due_at - gone, claimed_until=until)
    for one in Webhook.objects.all():
        again, since = (value and value - gone for value in (one.again_at, one.failing_since))
        Webhook.objects.filter(pk=one.pk).update(again_at=again, failing_since=since)


def test_a_change_is_posted_signed_so_that_any_library_of_the_specification_accepts_it(make, bob, apps, hook):
    one = hook()
    deal = make("deals", owner=bob.pk)
    records.change(deal, {"amount": 20000, "currency": None}, by=bob)
    send()

    made, changed = (Library(one.key).verify(post.body, post.headers) for post in apps.posts)
    assert made["type"] == "record.created"
    assert made["data"]["changes"]["amount"] == {"from": None, "to": 18400}
    assert changed == {
        "type": "record.changed",
        "timestamp": changed["timestamp"],
        "data": {
            "id": deal.pk,
            "kind": "deals",
            "title": "Nordic Oak 2027",
            "url": f"{project.BASE_URL}/1001/deals/{deal.pk}/",
            "version": 2,
            "changes": {"amount": {"from": 18400, "to": 20000}, "currency": {"from": "EUR", "to": None}},
            "by": {"id": bob.pk, "email": "bob@example.com"},
            "source": "page",
            "account": {"hub_id": 1001, "name": "Nordic Oak"},
        },
    }


def test_only_the_wanted_kinds_and_happenings_are_posted(make, alice, apps, hook):
    hook("deals", kinds=["deals"], whats=["deleted", "restored"])
    hook("all")
    deal = make("deals")
    records.delete(deal, by=None, source=Source.API)
    records.restore(deal, by=alice)
    make("tickets")
    send()

    said = sorted((post.path, post.json["type"], post.json["data"]["kind"]) for post in apps.posts)
    assert [line for line in said if line[0] == "/deals"] == [
        ("/deals", "record.deleted", "deals"),
        ("/deals", "record.restored", "deals"),
    ]
    assert len([line for line in said if line[0] == "/all"]) == 4
    assert [post.json["data"]["by"] for post in apps.posts if post.json["type"] == "record.deleted"] == [None, None]


def test_merging_and_associating_name_the_other_record(make, alice, apps, hook):
    hook(whats=["merged", "associated", "separated"])
    deal, other, contact = make("deals", name="Oak"), make("deals", name="Elm"), make("contacts")
    associating.associate(deal, contact, by=alice)
    associating.separate(deal, contact, by=alice)
    merging.merge(deal, other, by=alice)
    send()

    said = {(post.json["type"], post.json["data"]["id"]): post.json["data"]["other"]["id"] for post in apps.posts}
    assert said == {
        ("record.associated", deal.pk): contact.pk,
        ("record.associated", contact.pk): deal.pk,
        ("record.separated", deal.pk): contact.pk,
        ("record.separated", contact.pk): deal.pk,
        ("record.merged", deal.pk): other.pk,
        ("record.merged", other.pk): deal.pk,
    }


def test_nobody_listens_and_nothing_is_written(make, alice, hook, mallory):
    hook(kinds=["deals"])
    registering.change(hook("off"), by=alice, is_on=False)
    make("tickets")
    records.create(mallory.account, "deals", {"name": "Roastery"}, by=mallory)

    assert not Happening.objects.exists()


def test_what_is_only_written_about_a_record_is_no_change_of_it(make, bob, apps, hook):
    deal = make("deals")
    hook()
    activities.log(deal, kind="note", text="They want a second forklift.", by=bob)
    send()

    assert apps.posts == []


def test_many_changes_cost_few_queries(make, hook):
    hook()

    def cost(number: int) -> int:
        for _one in range(number):
            make("deals")
        with CaptureQueriesContext(connection) as captured:
            happenings.step()
        return len(captured)

    assert cost(1) == cost(30)


def test_a_failed_post_goes_again_with_the_same_id_after_growing_waits(make, apps, hook):
    one = hook()
    apps.answer(500, text="out of order", times=5)
    make("deals")
    waits = []
    send()
    for wait in (30, 120, 600, 3600, 6 * 3600):
        row = WebhookPost.objects.get()
        waits.append(round((row.due_at - timezone.now()).total_seconds(), -1))
        later(seconds=wait - 20)
        send()
        assert len(apps.posts) == len(waits)
        later(seconds=30)
        send()

    assert waits == [30, 120, 600, 3600, 21600]
    assert len({post.headers["webhook-id"] for post in apps.posts}) == 1
    assert len({post.body for post in apps.posts}) == 1
    for post in apps.posts:
        Library(one.key).verify(post.body, post.headers)
    row = WebhookPost.objects.get()
    assert (row.state, row.attempts) == (PostState.TAKEN, 6)
    log = looking_back.log_of(one).lines
    assert [line.attempt.status for line in log] == [200, 500, 500, 500, 500, 500]
    assert log[-1].attempt.words == f"{apps.url[7:]} answered 500: out of order"
    assert all(line.attempt.milliseconds is not None for line in log)


def test_after_the_last_attempt_it_has_failed_and_can_be_sent_again(make, alice, apps, hook):
    one = hook()
    apps.answer(503, times=6)
    make("deals")
    for _attempt in range(6):
        send()
        later(hours=7)
    post = WebhookPost.objects.get()
    assert (post.state, len(apps.posts)) == (PostState.FAILED, 6)
    assert [line.may_go_again for line in looking_back.log_of(one).lines] == [True, *[False] * 5]

    looking_back.send_again(one, post.pk, by=alice)
    send()

    assert WebhookPost.objects.get().state == PostState.TAKEN
    assert len({post.headers["webhook-id"] for post in apps.posts}) == 1
    with pytest.raises(NothingToSend):
        looking_back.send_again(one, post.pk, by=alice)


def test_retry_after_is_honoured(make, apps, hook):
    hook()
    apps.answer(429, Retry_After="900")
    make("deals")
    send()

    wait = (WebhookPost.objects.get().due_at - timezone.now()).total_seconds()
    assert 890 < wait <= 900


def test_while_nothing_gets_through_one_message_is_tried_at_a_time_and_the_others_lose_no_attempt(make, apps, hook):
    one = hook()
    apps.answer(500, times=2)
    make("deals")
    send()
    for _number in range(5):
        make("deals")
    send()
    assert len(apps.posts) == 1  # it rests

    later(seconds=31)
    send()
    assert len(apps.posts) == 2
    assert sum(WebhookPost.objects.values_list("attempts", flat=True)) == 2
    later(seconds=121)
    send()

    assert set(WebhookPost.objects.values_list("state", flat=True)) == {PostState.TAKEN}
    one.refresh_from_db()
    assert (one.failing_since, one.failures, one.again_at) == (None, 0, None)


def test_after_five_days_of_nothing_it_is_turned_off_and_says_so(make, alice, apps, hook):
    one = hook()
    apps.answer(500, times=2)
    make("deals")
    send()
    later(days=5, seconds=1)
    send()

    one.refresh_from_db()
    assert (one.is_on, one.off_because) == (False, carrying.FAILED_FOR_LONG)
    assert WebhookPost.objects.get().state == PostState.FAILED
    one = registering.change(one, by=alice, is_on=True)
    assert (one.off_because, one.failing_since) == ("", None)
    make("deals")
    send()
    assert len(apps.posts) == 3


def test_an_endpoint_that_is_closed_is_turned_off_at_once(make, apps, hook):
    one = hook()
    apps.answer(410)
    make("deals")
    send()

    one.refresh_from_db()
    assert (one.is_on, one.off_because) == (False, carrying.CLOSED)


def test_a_slow_or_broken_endpoint_does_not_stand_before_another(make, alice, apps, hook):
    broken = hook()
    Webhook.objects.filter(pk=broken.pk).update(url="http://127.0.0.1:1/")
    hook("works")
    make("deals")
    send()

    assert [post.path for post in apps.posts] == ["/works"]
    broken.refresh_from_db()
    assert broken.failing_since is not None


@pytest.mark.django_db(transaction=True)
def test_several_workers_post_everything_once_and_give_an_endpoint_one_turn_at_a_time(make, apps, hook):
    hook()
    apps.answer(200, times=50, after=0.05)
    for _number in range(50):
        make("deals")
    at_once(send, send, send)

    ids = [post.headers["webhook-id"] for post in apps.posts]
    assert len(ids) == len(set(ids)) == 50
    assert apps.most_at_once <= carrying.IN_A_TURN


def test_what_a_killed_worker_had_in_flight_goes_again_with_the_same_id(make, apps, hook):
    hook()
    make("deals")
    follow()
    (turn,) = carrying._claim()  # and then it is killed: before the answer is written
    make("deals")
    send()
    assert apps.posts == []  # what came since waits for the end of the turn

    later(minutes=3)
    send()

    first, _second = sorted(apps.posts, key=lambda post: post.headers["webhook-id"])
    assert first.headers["webhook-id"] == carrying.id_of(turn.posts[0])
    assert [post.attempts for post in WebhookPost.objects.order_by("pk")] == [2, 1]


def test_a_change_that_is_rolled_back_is_not_posted(make, apps, hook):
    hook()
    with suppress(KeyboardInterrupt), transaction.atomic():
        make("deals")
        raise KeyboardInterrupt
    send()

    assert apps.posts == []


def test_a_new_secret_and_the_one_before_both_sign_for_a_day(make, alice, apps, hook):
    one = hook()
    new = registering.rotate(one, by=alice)
    make("deals")
    send()

    (post,) = apps.posts
    assert new != one.key
    for key in (one.key, new):
        Library(key).verify(post.body, post.headers)


def test_a_test_is_posted_signed_and_logged(alice, apps, hook):
    one = hook()
    attempt = looking_back.send_test(one, by=alice)

    (post,) = apps.posts
    assert Library(one.key).verify(post.body, post.headers)["type"] == "webhook.test"
    assert (attempt.is_taken, attempt.post, attempt.status) == (True, None, 200)
    with pytest.raises(TriedJustNow):
        looking_back.send_test(one, by=alice)


def test_a_test_that_does_not_get_through_says_why(alice, apps, hook):
    one = hook()
    apps.answer(404, text="no such hook")
    with pytest.raises(NotDelivered, match="answered 404: no such hook"):
        looking_back.send_test(one, by=alice)
    assert WebhookTry.objects.get().status == 404


@pytest.mark.parametrize("url", ["https://10.0.0.8/hook", "http://example.com/", "https://8.8.8.8:22/", "ftp://x", ""])
def test_it_leads_to_public_https_addresses_only(alice, url):
    with pytest.raises(InvalidWebhook) as refused:
        registering.register(alice.account, url=url, by=alice)
    assert list(refused.value.fields) == ["url"]


def test_an_address_that_leads_inside_later_is_not_gone_to(make, apps, hook, settings):
    hook()
    make("deals")
    settings.OUTGOING_LOOPBACK = False
    send()

    assert apps.posts == []
    assert WebhookTry.objects.get().words == outgoing.NOT_PUBLIC


def test_an_address_is_registered_once(hook):
    hook()
    with pytest.raises(InvalidWebhook, match="registered already"):
        hook()


def test_unknown_kinds_and_happenings_are_named(alice, apps):
    with pytest.raises(InvalidWebhook) as refused:
        registering.register(alice.account, url=apps.url, kinds=["berths"], whats=["painted"], by=alice)
    assert set(refused.value.fields) == {"kinds", "happenings"}


def test_only_super_admins_look_after_webhooks(alice, bob, mallory, apps, hook):
    one = hook()
    for who in (bob, mallory):
        for act in (
            lambda: registering.register(alice.account, url=apps.url, by=who),  # noqa: B023 (called at once)
            lambda: registering.change(one, by=who, is_on=False),  # noqa: B023
            lambda: registering.rotate(one, by=who),  # noqa: B023
            lambda: registering.remove(one, by=who),  # noqa: B023
            lambda: looking_back.send_test(one, by=who),  # noqa: B023
        ):
            with pytest.raises(NotSuperAdmin):
                act()


def test_one_that_is_removed_takes_what_waits_along(make, alice, apps, hook):
    one = hook()
    make("deals")
    follow()
    registering.remove(one, by=alice)
    send()

    assert apps.posts == []
    assert not WebhookPost.objects.exists()


def test_the_log_ends_after_some_weeks(make, apps, hook):
    one = hook()
    make("deals")
    send()
    old = timezone.now() - timedelta(days=project.WEBHOOK_LOG_DAYS, seconds=1)
    WebhookTry.objects.update(at=old)
    WebhookPost.objects.update(created_at=old)
    looking_back.forget_old()

    assert looking_back.log_of(one).lines == []
    assert not WebhookPost.objects.exists()
