"""An event becomes a notification per recipient."""

import pytest
from django.core import mail

from notifications import bell, events, preferences, types
from notifications.events import Audience
from notifications.models import Delivery, Event, Held, Notification


def moved(alice, bob, **given):
    kind = types.TYPES["deals.stage_changed"]
    return events.emit(kind, audience=given.pop("audience", [bob]), by=alice, data=kind.example, **given)


@pytest.mark.req("N-001", "N-080")
def test_an_event_becomes_a_bell_and_a_mail(alice, bob, delivered):
    moved(alice, bob)

    (letter,) = delivered("email")
    assert letter.to == [bob.email]
    (row,) = bell.of(bob)
    assert row.read_at is None
    assert Delivery.objects.get().status == "sent"


def test_the_same_key_tells_nobody_twice(alice, bob, delivered):
    first = moved(alice, bob, key="k1")
    second = moved(alice, bob, key="k1")

    assert first.pk == second.pk
    assert len(delivered("email")) == 1


def test_a_reused_key_with_other_content_is_refused(alice, bob, carol):
    moved(alice, bob, key="k1")
    with pytest.raises(events.KeyReused):
        moved(alice, carol, key="k1")
    assert Event.objects.count() == 1


def test_the_actor_is_not_told_of_their_own_act(alice, bob, fan_out):
    moved(alice, bob, audience=[alice, bob])
    fan_out()

    assert Notification.objects.get(member=alice).held == Held.OWN_ACT
    assert not bell.of(alice).exists()


def test_the_actor_is_told_when_they_ask_for_it(alice, bob, fan_out):
    preferences.set_options(alice, hears_own_acts=True)
    moved(alice, bob, audience=[alice, bob])
    fan_out()

    assert bell.of(alice).exists()


def test_an_own_choice_wins_over_the_built_in_default(alice, bob, delivered):
    preferences.choose(bob, {("deals.stage_changed", "email"): False})
    moved(alice, bob)

    assert delivered("email") == []
    assert bell.of(bob).exists()


def test_everyone_means_everyone_here_and_nobody_next_door(alice, bob, carol, mallory, fan_out):
    moved(alice, bob, audience=Audience(everyone=True))

    assert fan_out() == 3
    assert not Notification.objects.filter(member=mallory).exists()


def test_a_stranger_in_the_audience_is_refused(alice, bob, mallory):
    with pytest.raises(events.InvalidEvent) as refused:
        moved(alice, bob, audience=Audience(members=(mallory.pk,)))
    assert "audience.members" in refused.value.fields


def test_a_fan_out_goes_on_where_a_batch_ended(alice, bob, carol):
    from notifications import fanout

    moved(alice, bob, audience=Audience(everyone=True))
    assert fanout.run_due(batch=1) == 3
    event = Event.objects.get()
    assert event.recipients == 3
    assert sum(answer[-1] for answer in event.outcome) == 3
    assert mail.outbox == []


def test_one_recipient_costs_few_queries(alice, bob, django_assert_max_num_queries):
    from notifications import fanout

    moved(alice, bob)
    with django_assert_max_num_queries(12):
        fanout.run_due()
