"""What if: the recorded decisions made again with other choices."""

from datetime import timedelta

import pytest
from django.utils import timezone

from notifications import events, fanout, preferences, snoozing, types, what_if
from notifications.models import AccountDefault, BrowserSubscription, Event, Lock, Notification

STAGE = types.TYPES["deals.stage_changed"]  # bell and mail
MENTION = types.TYPES["deals.mentioned"]  # bell, pop-up, browser and mail
REQUIRED = types.TYPES["system.billing_message"]


def tell(*them, kind=STAGE, count=1, by=None):
    for _ in range(count):
        events.emit(kind, audience=list(them), by=by, data=kind.example)
    fanout.run_due()


def counts(tried):
    return {total.channel.key: (total.before, total.after) for total in tried.totals}


def test_without_a_change_everything_would_have_been_the_same(bob):
    tell(bob, count=2)
    tell(bob, kind=MENTION)

    tried = what_if.replay(bob)
    assert counts(tried) == {"bell": (3, 3), "popup": (1, 1), "email": (3, 3)}  # no browser: no column
    assert [(row.kind.key, row.count) for row in tried.rows] == [(STAGE.key, 2), (MENTION.key, 1)]
    assert not tried.is_changed


def test_unticking_and_ticking(bob):
    tell(bob, count=40)
    tell(bob, kind=MENTION)
    tried = what_if.replay(bob, {(STAGE.key, "email"): False, (STAGE.key, "popup"): True})

    assert counts(tried)["email"] == (41, 1)
    assert counts(tried)["popup"] == (1, 41)
    assert tried.is_changed


def test_a_switch_turns_a_whole_channel_off_but_not_what_is_required(bob):
    tell(bob, count=3)
    tell(bob, kind=REQUIRED)
    tried = what_if.replay(bob, switched={"email": False})

    assert counts(tried)["email"] == (4, 1)


def test_what_was_locked_then_stays_as_it_was(account, bob):
    Lock.objects.create(account=account, type=STAGE.key, channel="email", is_on=True, reason="audit")
    tell(bob)
    Lock.objects.all().delete()

    assert counts(what_if.replay(bob, {(STAGE.key, "email"): False}))["email"] == (1, 1)


def test_choices_made_since_count_as_they_stand_now(account, bob):
    AccountDefault.objects.create(account=account, type=STAGE.key, chosen=4, on=0)
    tell(bob)
    preferences.choose(bob, {(STAGE.key, "email"): True})

    assert counts(what_if.replay(bob))["email"] == (0, 1)


def test_a_browser_has_a_column_where_there_is_one(bob):
    BrowserSubscription.objects.create(user=bob.user, endpoint="https://push.example/1", p256dh="x", auth="y")
    tell(bob, kind=MENTION)

    assert counts(what_if.replay(bob, {(MENTION.key, "browser"): False}))["browser"] == (1, 0)


def test_ones_own_acts_old_ones_and_what_came_back_do_not_count(alice, bob):
    tell(bob, by=bob)
    tell(bob)
    Event.objects.filter(actor=None).update(created_at=timezone.now() - timedelta(days=15))
    tell(bob)
    newest = Notification.objects.filter(member=bob).order_by("-event_id").first()
    snoozing.snooze(bob, newest.event_id, until=timezone.now() + timedelta(hours=1))
    snoozing.wake_now(bob, newest.event_id)
    fanout.run_due()

    assert counts(what_if.replay(bob))["bell"] == (1, 1)


def test_it_says_where_it_was_cut(bob, monkeypatch):
    tell(bob, count=3)
    assert not what_if.replay(bob).is_cut
    monkeypatch.setattr(what_if, "MOST", 2)

    tried = what_if.replay(bob)
    assert tried.is_cut
    assert counts(tried)["bell"] == (2, 2)


def test_it_takes_the_same_queries_for_much_as_for_little(bob, django_assert_max_num_queries):
    for kind in list(types.TYPES.values())[:40]:
        if preferences.is_for(kind, bob):
            tell(bob, kind=kind)
    with django_assert_max_num_queries(12):
        what_if.replay(bob)


def test_saving_keeps_what_was_tried(bob):
    tell(bob)
    assert what_if.save(bob, {(STAGE.key, "email"): False}, {"popup": False}) == []

    standing = preferences.standing(bob, [STAGE])
    assert not next(cell for cell in standing.cells(STAGE) if cell.channel.key == "email").is_on
    assert standing.settings.switched_off == 2


def test_what_fails_halfway_keeps_nothing(bob):
    class Breaking(dict):
        def items(self):
            yield "popup", False
            raise ConnectionError

    with pytest.raises(ConnectionError):
        what_if.save(bob, {(STAGE.key, "email"): False}, Breaking(popup=False))
    assert not bob.preferences.exists()


TRIED = {
    "shown": [f"{STAGE.key}/email/on", f"{STAGE.key}/bell/on"],
    "on": [f"{STAGE.key}/bell"],
    "switches": ["bell/on", "email/on", "popup/on"],
    "channels": ["bell", "email", "popup"],
}


def test_the_page_counts_and_saves_nothing_however_often_it_is_sent(client, account, bob):
    tell(bob, count=3)
    client.force_login(bob.user)
    path = f"/{account.hub_id}/settings/notifications/what-if/"
    for _reload in range(2):
        answer = client.post(path, {**TRIED, "count": "1"})
        assert answer.status_code == 200
        assert "would have been 0 mails instead of 3" in answer.content.decode()
    assert not bob.preferences.exists()


def test_what_is_tried_never_stands_in_an_address(client, account, bob):
    tell(bob)
    client.force_login(bob.user)
    page = client.get(f"/{account.hub_id}/settings/notifications/what-if/").content.decode()

    form = page[page.index('<form id="what-if"') :]
    assert 'method="post"' in form[: form.index(">")]
    assert "hx-get" not in form


def test_the_page_saves(client, account, bob):
    tell(bob, count=3)
    client.force_login(bob.user)
    answer = client.post(f"/{account.hub_id}/settings/notifications/what-if/", TRIED, follow=True)

    assert "Your choices are saved." in answer.content.decode()
    assert bob.preferences.get().on == 0


def test_nothing_told_yet(client, account, bob):
    client.force_login(bob.user)
    answer = client.get(f"/{account.hub_id}/settings/notifications/what-if/")

    assert "there is nothing to count" in answer.content.decode()
