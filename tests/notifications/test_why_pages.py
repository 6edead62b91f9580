"""“Why did I get this?” and “Why did I not?”: who may read them, what they say, and where they lead."""

import pytest
from django.urls import reverse

from notifications import channels, delivering, events, preferences, types
from notifications.channels import CARRIER
from notifications.models import AccountDefault, Delivery, Event, Lock

STAGE = types.TYPES["deals.stage_changed"]


def url(name, hub_id=1001, **given):
    return reverse(f"notifications:{name}", kwargs={"hub_id": hub_id, **given})


def why(client, event, **query):
    return client.get(url("why", event_id=event.pk), query)


@pytest.fixture
def moved(alice, bob, fan_out):
    """A deal of bob's moved; alice did it."""
    event = events.emit(STAGE, audience=[bob], by=alice, data=STAGE.example)
    fan_out()
    return event


@pytest.fixture
def as_bob(client, bob):
    client.force_login(bob.user)
    return client


# --- Doors


def test_a_stranger_finds_nothing(client, mallory, moved):
    assert why(client, moved).status_code == 302
    client.force_login(mallory.user)
    assert why(client, moved).status_code == 404
    assert client.get(url("why-not")).status_code == 404
    assert client.get(url("why", hub_id=2002, event_id=moved.pk)).status_code == 404  # another account's event


def test_an_unknown_event_is_not_there(as_bob):
    assert as_bob.get(url("why", event_id=987654)).status_code == 404


def test_who_was_not_meant_reads_that_and_nothing_of_the_event(client, carol, moved):
    client.force_login(carol.user)
    page = why(client, moved).content.decode()

    assert "This was not meant for you" in page
    assert "Nordic Oak 2027" not in page
    assert STAGE.key not in page


@pytest.mark.req("N-119")
def test_what_is_not_for_my_role_is_said_without_the_event(client, alice, bob, fan_out):
    kind = types.TYPES["payments.failed"]
    event = events.emit(kind, audience=[alice, bob], data=kind.example)
    fan_out()
    title = str(kind.title).format_map(kind.example)
    client.force_login(bob.user)
    page = why(client, event).content.decode()
    assert "not for your role or permissions" in page
    assert title not in page

    client.force_login(alice.user)
    assert title in why(client, event).content.decode().replace("&amp;", "&")


def test_an_event_that_is_still_being_told_says_so(as_bob, alice, bob):
    event = events.emit(STAGE, audience=[bob], by=alice, data=STAGE.example)
    page = why(as_bob, event).content.decode()

    assert "This is still on its way" in page
    assert "Nordic Oak 2027" not in page


# --- What it says


def test_each_channel_has_a_verdict_a_reason_and_a_way_to_change_it(as_bob, moved):
    page = why(as_bob, moved).content.decode()

    assert "Why did I get this?" in page
    assert "Ann moved “Nordic Oak 2027” to Contract sent" in page
    assert "You got this by: Bell, E-mail." in page
    assert "On — the built-in default" in page
    assert "Off — the built-in default" in page  # the pop-up
    assert f"{url('settings-email')}#type-deals-stage_changed" in page
    assert f"{url('settings-desktop')}#type-deals-stage_changed" in page


def test_it_tells_what_became_of_the_mail(as_bob, bob, moved):
    assert "waiting" in why(as_bob, moved).content.decode()
    delivering.run_due(CARRIER["email"])
    assert f"Sent to {bob.email} on " in why(as_bob, moved).content.decode()


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({"status": "failed", "error": "550 no such mailbox"}, "Failed: 550 no such mailbox"),
        ({"status": "due", "attempts": 1, "error": "451 later"}, "Not delivered yet (451 later). Next attempt: "),
        ({"status": "sending"}, "on its way"),
        ({"is_repeat_possible": True}, ", perhaps twice; last on "),
        ({"status": "dropped", "error": "turned off meanwhile"}, "Not sent any more: turned off meanwhile"),
    ],
)
def test_every_state_of_a_delivery_has_words(as_bob, moved, facts, words):
    delivering.run_due(CARRIER["email"])
    Delivery.objects.update(**facts)

    assert words in why(as_bob, moved).content.decode()


def test_the_reason_is_the_one_of_that_moment(as_bob, bob, moved, account):
    preferences.choose(bob, {(STAGE.key, "email"): False})
    AccountDefault.objects.create(account=account, type=STAGE.key, chosen=1, on=0)

    assert "You got this by: Bell, E-mail." in why(as_bob, moved).content.decode()


def test_a_lock_is_named_with_its_reason_and_cannot_be_changed_here(as_bob, alice, bob, account, fan_out):
    Lock.objects.create(account=account, type=STAGE.key, channel="email", is_on=False, reason="Too many mails")
    event = events.emit(STAGE, audience=[bob], by=alice, data=STAGE.example)
    fan_out()
    page = why(as_bob, event).content.decode()

    assert "Off — locked by an administrator: Too many mails" in page
    assert f"{url('settings-email')}#type-" not in page


def test_nothing_sent_is_explained_as_well(as_bob, alice, bob, fan_out):
    preferences.clear(bob)
    event = events.emit(STAGE, audience=[bob], by=alice, data=STAGE.example)
    fan_out()
    page = why(as_bob, event).content.decode()

    assert "Why did I not get this?" in page
    assert page.count("Off — your own choice") == len(channels.ALL) - len(channels.APPS)


def test_an_own_act_is_held_back_and_the_page_leads_to_the_option(client, alice, fan_out):
    event = events.emit(STAGE, audience=[alice], by=alice, data=STAGE.example)
    fan_out()
    client.force_login(alice.user)
    page = why(client, event).content.decode()

    assert "held back" in page
    assert "your own act" in page
    assert f"{url('settings-desktop')}#option-hears_own_acts" in page


# --- For somebody else


def test_a_super_admin_may_ask_for_a_member_by_id_and_by_address(client, alice, bob, moved):
    client.force_login(alice.user)
    for asked in (bob.pk, bob.email, bob.email.upper()):
        page = why(client, moved, member=asked).content.decode()
        assert "What Bob was told, and why" in page
        assert "Told by: Bell, E-mail." in page
        assert "#type-" not in page  # nobody changes another member's choices here


def test_about_another_member_it_does_not_say_you(client, alice, bob, fan_out):
    preferences.choose(bob, {(STAGE.key, "bell"): False})
    preferences.switch(bob, "email", on=False)
    for by in (alice, bob):
        event = events.emit(STAGE, audience=[bob], by=by, data=STAGE.example)
        fan_out()
        client.force_login(alice.user)
        page = why(client, event, member=bob.pk).content.decode()
        if by == bob:
            assert "Nothing was sent: it was their own act." in page
    page = client.get(url("why-not"), {"type": STAGE.key, "member": bob.email}).content.decode()

    assert "Off — their own choice" in page
    assert "Off — they switched the whole channel off" in page
    assert "your own choice" not in page


def test_a_super_admin_sees_that_somebody_was_not_meant(client, alice, carol, moved):
    client.force_login(alice.user)
    page = why(client, moved, member=carol.pk).content.decode()

    assert "Carol was not among those this was for" in page
    assert "Nordic Oak 2027" in page


@pytest.mark.parametrize("asked", ["mallory@example.com", "999999999", "9" * 30, "<b>x</b>"])
def test_a_super_admin_finds_nobody_of_another_account(client, alice, mallory, moved, asked):
    client.force_login(alice.user)
    page = why(client, moved, member=asked).content.decode()

    assert "is nobody in this account" in page
    assert "<b>x</b>" not in page


def test_a_member_may_not_ask_for_somebody_else(as_bob, alice, moved):
    page = why(as_bob, moved, member=alice.pk).content.decode()

    assert "Only a super admin can look" in page
    assert "You got this by" in page  # their own


# --- Why did I not get something?


def test_it_offers_every_type_of_the_member(as_bob, bob):
    page = as_bob.get(url("why-not")).content.decode()

    assert page.count("<option value=") == len(preferences.kinds_for(bob)) + 1
    assert "payments.failed" not in page


def test_a_chosen_type_shows_what_would_happen_now_and_the_last_ones(as_bob, bob, moved):
    preferences.choose(bob, {(STAGE.key, "email"): False})
    page = as_bob.get(url("why-not"), {"type": STAGE.key}).content.decode()

    assert "Off — your own choice" in page
    assert "On — the built-in default" in page
    assert url("why", event_id=moved.pk) in page
    assert "Bell, E-mail" in page  # what became of the last one, then


def test_a_member_sees_only_events_they_have_a_row_of(client, carol, alice, moved):
    client.force_login(carol.user)
    assert "Nordic Oak 2027" not in client.get(url("why-not"), {"type": STAGE.key}).content.decode()
    client.force_login(alice.user)
    page = client.get(url("why-not"), {"type": STAGE.key, "member": carol.email}).content.decode()
    assert "Nordic Oak 2027" in page
    assert "Not meant for this person" in page


def test_nothing_of_another_account_is_listed(client, alice, mallory, fan_out, account):
    events.emit(STAGE, audience=[mallory], data=STAGE.example)
    fan_out()
    client.force_login(alice.user)

    assert "Nordic Oak 2027" not in client.get(url("why-not"), {"type": STAGE.key}).content.decode()
    assert Event.objects.count() == 1


def test_a_type_that_is_not_for_me_is_refused_in_words(as_bob):
    for asked in ("payments.failed", "no.such"):
        assert "There is no such notification" in as_bob.get(url("why-not"), {"type": asked}).content.decode()


def test_the_pages_cost_the_same_however_many_events(as_bob, bob, alice, fan_out, django_assert_max_num_queries):
    for _number in range(25):
        last = events.emit(STAGE, audience=[bob], by=alice, data=STAGE.example)
    fan_out()
    as_bob.get(url("why-not"))
    with django_assert_max_num_queries(14):
        page = as_bob.get(url("why-not"), {"type": STAGE.key}).content.decode()
    assert page.count("Nordic Oak 2027") == 20
    with django_assert_max_num_queries(12):
        why(as_bob, last)


def test_a_browser_channel_that_was_on_and_allowed_nowhere_says_so(as_bob, alice, bob, fan_out):
    mentioned = types.TYPES["deals.mentioned"]
    event = events.emit(mentioned, audience=[bob], by=alice, data=mentioned.example)
    fan_out()

    page = why(as_bob, event).content.decode()

    assert "You got this by: Bell, Pop-up, E-mail." in page
    assert "Not sent: The member has allowed notifications in no browser." in page
    assert "Not sent: The member has allowed notifications on no phone." in page
