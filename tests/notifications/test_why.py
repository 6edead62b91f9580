"""Every decision can be read afterwards."""

import pytest
from django.utils import timezone

from notifications import events, preferences, types, why
from notifications.models import Held, Lock
from notifications.resolution import Layer

KIND = types.TYPES["deals.stage_changed"]


def told(alice, bob, delivered):
    event = events.emit(KIND, audience=[bob], by=alice, data=KIND.example)
    delivered("email")
    event.refresh_from_db()
    return event


def verdict(event, member, channel):
    return next(v for v in why.explain(event, member).verdicts if v.channel.key == channel)


def test_a_sent_mail_names_the_layer_and_the_delivery(alice, bob, delivered):
    event = told(alice, bob, delivered)

    mail = verdict(event, bob, "email")
    assert mail.is_on
    assert mail.layer is Layer.BUILT_IN
    assert mail.delivery.status == "sent"


def test_an_answer_stays_what_it_was_when_preferences_change_later(alice, bob, delivered):
    preferences.choose(bob, {(KIND.key, "email"): False})
    event = told(alice, bob, delivered)
    preferences.choose(bob, {(KIND.key, "email"): None})

    assert verdict(event, bob, "email").layer is Layer.OWN
    assert not verdict(event, bob, "email").is_on


def test_a_lock_says_its_reason(alice, bob, account, delivered):
    Lock.objects.create(account=account, type=KIND.key, channel="email", is_on=False, reason="Too many mails")
    event = told(alice, bob, delivered)

    assert "Too many mails" in verdict(event, bob, "email").sentence


def test_an_ended_lock_no_longer_holds(alice, bob, account, delivered):
    Lock.objects.create(
        account=account, type=KIND.key, channel="email", is_on=False, reason="Launch", ends_at=timezone.now()
    )
    event = told(alice, bob, delivered)

    assert verdict(event, bob, "email").is_on


def test_a_switched_off_channel_is_named(alice, bob, delivered):
    preferences.switch(bob, "email", on=False)
    event = told(alice, bob, delivered)

    assert verdict(event, bob, "email").layer is Layer.SWITCH


@pytest.mark.parametrize("who", ["actor", "outsider"])
def test_who_got_nothing_reads_why(alice, bob, carol, delivered, who):
    event = events.emit(KIND, audience=[alice, bob], by=alice, data=KIND.example)
    delivered("email")
    event.refresh_from_db()

    if who == "actor":
        assert why.explain(event, alice).held == Held.OWN_ACT
    else:
        explanation = why.explain(event, carol)
        assert not explanation.is_recipient
        assert explanation.verdicts == []
