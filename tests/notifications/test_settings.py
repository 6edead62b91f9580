"""Settings › Notifications: its doors, what it shows, and what it saves."""

import re
import time
from datetime import UTC, datetime

import pytest
from django.urls import reverse

from accounts.models import Role
from accounts.plans import Plan
from notifications import examples, preferences, types
from notifications.models import AccountDefault, Event, Lock, MemberSettings, Preference, Profile, ProfileCells
from notifications.resolution import Layer

STAGE = types.TYPES["deals.stage_changed"]
PIECES = {"HTTP_X_REQUESTED_WITH": "preference-grid"}
TABS = ["email", "desktop", "other-apps", "mobile"]


def url(name, hub_id=1001, **given):
    return reverse(f"notifications:{name}", kwargs={"hub_id": hub_id, **given})


@pytest.fixture
def as_bob(client, bob):
    client.force_login(bob.user)
    return client


def layer_of(member, kind=STAGE, channel="email"):
    cells = preferences.standing(member, [kind]).cells(kind)
    return next(cell.layer for cell in cells if cell.channel.key == channel)


def cell_of(page, cell_id):
    """The markup of one cell of a page."""
    found = re.search(rf'<div class="pref[^"]*" id="cell-{cell_id}">(.*?)</div>', page, re.DOTALL)
    assert found, f"no cell {cell_id}"
    return found.group(1)


# --- Doors


@pytest.mark.parametrize("tab", TABS)
def test_a_stranger_finds_nothing_here(client, mallory, account, tab):
    assert client.get(url(f"settings-{tab}")).status_code == 302  # not signed in
    client.force_login(mallory.user)
    assert client.get(url(f"settings-{tab}")).status_code == 404


@pytest.mark.parametrize(
    ("name", "given", "sent"),
    [
        ("settings-cell", {"tab": "email"}, {"set": "deals.stage_changed/email/off"}),
        ("settings-topic", {"tab": "email"}, {"topic": "deals/email/off"}),
        ("settings-switch", {"tab": "email"}, {"channel": "email"}),
        ("settings-option", {"tab": "desktop"}, {"option": "has_tab_dot"}),
        ("settings-clear", {"tab": "email"}, {}),
        ("settings-restore", {"tab": "email"}, {}),
        ("example", {"type_key": "deals.stage_changed"}, {}),
    ],
)
def test_a_stranger_changes_nothing_and_a_get_changes_nothing(client, mallory, bob, name, given, sent):
    client.force_login(mallory.user)
    assert client.post(url(name, **given), sent).status_code == 404
    client.force_login(bob.user)
    assert client.get(url(name, **given)).status_code == 405
    assert not Preference.objects.exists()
    assert not MemberSettings.objects.exists()
    assert not Event.objects.exists()


@pytest.mark.req("N-006", "N-007", "N-039")
def test_the_settings_icon_leads_to_the_first_of_four_tabs(as_bob):
    response = as_bob.get(url("settings"), follow=True)

    assert response.redirect_chain[-1][0] == url("settings-email")
    page = response.content.decode()
    assert [tab for tab in TABS if url(f"settings-{tab}") in page] == TABS
    for tab in TABS:
        assert as_bob.get(url(f"settings-{tab}")).status_code == 200


# --- What is shown


@pytest.mark.req("N-040")
def test_every_type_of_the_member_stands_under_its_topic(as_bob, bob):
    page = as_bob.get(url("settings-email")).content.decode()

    for kind in preferences.kinds_for(bob):
        assert f'id="type-{kind.key.replace(".", "-")}"' in page
    assert page.count("<details") == len({kind.topic for kind in preferences.kinds_for(bob)})


@pytest.mark.req("N-153")
def test_website_visits_stand_on_the_email_tab_only(as_bob):
    assert 'id="topic-website_visits"' in as_bob.get(url("settings-email")).content.decode()
    desktop = as_bob.get(url("settings-desktop")).content.decode()
    assert 'id="topic-website_visits"' not in desktop
    assert "told by e-mail only" in desktop


@pytest.mark.req("N-141", "N-156")
def test_a_type_told_by_email_only_is_pointed_to_from_its_topic(as_bob):
    desktop = as_bob.get(url("settings-desktop")).content.decode()

    assert 'id="type-workflows-friday_summary"' not in desktop
    assert f"Only under E-mail: “{types.TYPES['workflows.friday_summary'].label}”" in desktop
    assert f"{url('settings-email')}#topic-workflows" in desktop


@pytest.mark.req("N-119")
def test_payments_are_shown_to_super_admins_only(client, alice, bob):
    client.force_login(bob.user)
    assert 'id="topic-payments"' not in client.get(url("settings-email")).content.decode()
    client.force_login(alice.user)
    assert 'id="topic-payments"' in client.get(url("settings-email")).content.decode()


@pytest.mark.req("N-093")
def test_form_submissions_are_shown_only_with_the_permission(as_bob, bob):
    assert 'id="topic-forms"' not in as_bob.get(url("settings-email")).content.decode()
    bob.permissions = ["forms"]
    bob.save()
    assert 'id="topic-forms"' in as_bob.get(url("settings-email")).content.decode()


def test_every_cell_says_who_decided(as_bob, bob, account):
    def shown(channel="email"):
        tab = "email" if channel == "email" else "desktop"
        return cell_of(as_bob.get(url(f"settings-{tab}")).content.decode(), f"deals-stage_changed-{channel}")

    assert "On — the built-in default" in shown()
    AccountDefault.objects.create(account=account, type=STAGE.key, chosen=4, on=0)
    assert "Off — from the account default" in shown()
    profile = Profile.objects.create(account=account, name="Closers", role=Role.MEMBER)
    ProfileCells.objects.create(profile=profile, type=STAGE.key, chosen=4, on=4)
    assert "On — from the profile “Closers”" in shown()
    preferences.choose(bob, {(STAGE.key, "email"): False})
    assert "Off — your own choice" in shown()
    assert "Back to default" in shown()
    preferences.switch(bob, "email", on=False)
    assert "Off — you switched the whole channel off" in shown()
    lock = Lock.objects.create(account=account, type=STAGE.key, channel="email", is_on=True, reason="Audit")
    page = as_bob.get(url("settings-email")).content.decode()
    assert "On — locked by an administrator: Audit" in shown()
    assert "disabled" in shown()
    assert "E-mail: on, locked by an administrator: Audit." in page
    lock.delete()
    assert "checked" not in shown()  # the own choice, kept


def test_a_lock_that_ends_with_the_calendar_breaks_no_page(as_bob, bob, account):
    bob.time_zone = "Asia/Tokyo"  # their clocks would show the year 10000
    bob.save()
    end = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
    Lock.objects.create(account=account, type=STAGE.key, channel="email", is_on=True, reason="Audit", ends_at=end)

    assert "Audit, until" in as_bob.get(url("settings-email")).content.decode()


@pytest.mark.req("N-005")
def test_a_required_cell_is_disabled_and_says_so(as_bob):
    page = as_bob.get(url("settings-email")).content.decode()
    cell = cell_of(page, "system-support_message-email")

    assert "disabled" in cell
    assert "On — required, it cannot be turned off" in cell


@pytest.mark.req("N-015")
def test_a_channel_that_is_switched_off_says_so_and_shows_what_is_kept(as_bob, bob):
    preferences.switch(bob, "email", on=False)
    page = as_bob.get(url("settings-email")).content.decode()

    assert "E-mail is switched off" in page
    assert "checked" in cell_of(page, "deals-stage_changed-email")


@pytest.mark.req("N-018", "N-021", "N-022", "N-031", "N-137")
def test_the_desktop_tab_has_three_channels_the_red_dot_and_the_notes(as_bob):
    page = as_bob.get(url("settings-desktop")).content.decode()

    assert [key for key in ("bell", "popup", "browser", "email") if f'id="switch-{key}"' in page] == [
        "bell",
        "popup",
        "browser",
    ]
    assert 'id="option-has_tab_dot"' in page
    assert "Shows only in browsers that put an icon on their tabs." in page
    assert "set in the extension itself" in page
    assert "large exports are set in the import and export settings" in page
    assert 'href="/1001/exports/">Open them<' in page


@pytest.mark.req("N-038")
def test_the_mobile_tab_says_where_its_preferences_are(as_bob):
    assert "the app’s own settings" in as_bob.get(url("settings-mobile")).content.decode()


@pytest.mark.req("N-003")
def test_a_super_admin_reads_which_plan_sets_defaults(client, alice, account):
    client.force_login(alice.user)
    page = client.get(url("settings-email")).content.decode()
    for grid in ("accountdefault_changelist", "lock_add"):
        address = f"{reverse(f'admin:notifications_{grid}')}?account={account.pk}"
        assert f'href="{address}"' in page
        assert client.get(address).status_code == 200

    account.plan = Plan.STARTER
    account.save()
    page = client.get(url("settings-email")).content.decode()
    assert "Default notification preferences: available on Enterprise." in page
    assert reverse("admin:notifications_lock_add") not in page


def test_a_member_finds_no_way_to_set_defaults_for_others(as_bob):
    assert "For everybody in this account" not in as_bob.get(url("settings-email")).content.decode()


@pytest.mark.parametrize("tab", ["email", "desktop"])
def test_a_tab_costs_at_most_twelve_queries_however_much_is_set(
    as_bob, bob, account, tab, django_assert_max_num_queries
):
    for number in range(3):
        profile = Profile.objects.create(account=account, name=f"P{number}", role=Role.MEMBER, position=number)
        for kind in types.TYPES.values():
            ProfileCells.objects.create(profile=profile, type=kind.key, chosen=7, on=number)
    for kind in types.TYPES.values():
        AccountDefault.objects.create(account=account, type=kind.key, chosen=7, on=2)
        Preference.objects.create(member=bob, type=kind.key, chosen=1, on=1)
        Lock.objects.create(account=account, type=kind.key, channel="popup", is_on=True, reason="Because")
    as_bob.get(url(f"settings-{tab}"))
    with django_assert_max_num_queries(12):
        assert as_bob.get(url(f"settings-{tab}")).status_code == 200


# --- Saving one cell


@pytest.mark.req("N-008", "N-009")
def test_a_cell_is_saved_by_itself_and_comes_back_with_its_origin(as_bob, bob):
    response = as_bob.post(url("settings-cell", tab="email"), {"set": "deals.stage_changed/email/off"}, **PIECES)

    assert response.status_code == 200
    pieces = response.content.decode()
    assert "<html" not in pieces
    assert "Saved" in pieces
    assert "Off — your own choice" in cell_of(pieces, "deals-stage_changed-email")
    assert re.search(r'id="counts-deals".*?2 of 3', pieces, re.DOTALL)
    assert layer_of(bob) is Layer.OWN


def test_a_cell_goes_back_to_its_default(as_bob, bob):
    preferences.choose(bob, {(STAGE.key, "email"): False})
    response = as_bob.post(url("settings-cell", tab="email"), {"set": "deals.stage_changed/email/default"}, **PIECES)

    assert "the built-in default" in cell_of(response.content.decode(), "deals-stage_changed-email")
    assert layer_of(bob) is Layer.BUILT_IN


def test_a_cell_locked_meanwhile_is_refused_in_words_and_shown_as_it_is(as_bob, account):
    Lock.objects.create(account=account, type=STAGE.key, channel="email", is_on=True, reason="Audit")
    response = as_bob.post(url("settings-cell", tab="email"), {"set": "deals.stage_changed/email/off"}, **PIECES)

    assert response.status_code == 409
    assert "This cannot be changed: locked by an administrator: Audit." in response.content.decode()
    assert "disabled" in cell_of(response.content.decode(), "deals-stage_changed-email")


@pytest.mark.parametrize(
    "sent", ["", "deals.stage_changed", "deals.stage_changed/email/perhaps", "no.such/email/on", "a/b/c/d/on", "//on"]
)
def test_nonsense_is_refused_in_words(as_bob, sent):
    response = as_bob.post(url("settings-cell", tab="email"), {"set": sent}, **PIECES)

    assert response.status_code == 422
    assert "data-said" in response.content.decode()
    assert not Preference.objects.exists()


def test_a_tab_without_cells_takes_none(as_bob):
    response = as_bob.post(url("settings-cell", tab="mobile"), {"set": "deals.stage_changed/email/on"})
    assert response.status_code == 404


def test_a_whole_topic_is_turned_off_with_one_button(as_bob, bob):
    response = as_bob.post(url("settings-topic", tab="desktop"), {"topic": "deals/bell/off"}, **PIECES)

    assert response.content.decode().count("Off — your own choice") == 3
    assert layer_of(bob, channel="bell") is Layer.OWN
    assert layer_of(bob, channel="popup") is Layer.BUILT_IN


def test_a_topic_that_is_not_there_is_refused_in_words(as_bob):
    response = as_bob.post(url("settings-topic", tab="desktop"), {"topic": "payments/bell/off"}, **PIECES)
    assert (response.status_code, "no such topic" in response.content.decode()) == (422, True)


@pytest.mark.req("N-015", "N-018")
def test_a_master_switch_answers_with_every_cell_of_the_tab(as_bob, bob):
    response = as_bob.post(url("settings-switch", tab="email"), {"channel": "email"}, **PIECES)

    pieces = response.content.decode()
    assert "E-mail is off." in pieces
    assert pieces.count("you switched the whole channel off") > 50
    assert layer_of(bob) is Layer.SWITCH
    as_bob.post(url("settings-switch", tab="email"), {"channel": "email", "on": "on"}, **PIECES)
    assert layer_of(bob) is Layer.BUILT_IN


def test_a_channel_that_is_not_there_is_refused(as_bob):
    assert as_bob.post(url("settings-switch", tab="email"), {"channel": "smoke"}, **PIECES).status_code == 422
    assert as_bob.post(url("settings-option", tab="email"), {"option": "member"}, **PIECES).status_code == 422


@pytest.mark.req("N-021")
def test_the_red_dot_and_the_own_acts_are_options(as_bob, bob):
    as_bob.post(url("settings-option", tab="desktop"), {"option": "has_tab_dot"}, **PIECES)
    as_bob.post(url("settings-option", tab="desktop"), {"option": "hears_own_acts", "on": "on"}, **PIECES)

    settings = MemberSettings.objects.get(member=bob)
    assert (settings.has_tab_dot, settings.hears_own_acts) == (False, True)


# --- Without scripts


def test_without_scripts_only_what_differs_from_what_was_shown_is_chosen(as_bob, bob):
    response = as_bob.post(
        url("settings-email"),
        {
            "shown": ["deals.stage_changed/email/on", "deals.assigned/email/on", "deals.mentioned/email/off"],
            "on": ["deals.assigned/email"],
        },
        follow=True,
    )

    assert "Your choices are saved." in response.content.decode()
    assert {row.type: (row.chosen, row.on) for row in bob.preferences.all()} == {"deals.stage_changed": (4, 0)}


def test_a_page_opened_before_a_deploy_or_a_lock_still_saves_the_rest(as_bob, bob, account):
    Lock.objects.create(account=account, type="deals.assigned", channel="email", is_on=True, reason="Audit")
    response = as_bob.post(
        url("settings-email"),
        {"shown": ["deals.stage_changed/email/on", "deals.assigned/email/on", "gone.type/email/on"], "on": []},
        follow=True,
    )

    assert "except for what has been locked or taken away" in response.content.decode()
    assert [row.type for row in bob.preferences.all()] == ["deals.stage_changed"]


def test_without_scripts_each_button_leads_back_to_the_page_with_a_word(as_bob):
    for name, sent in [
        ("settings-cell", {"set": "deals.stage_changed/email/off"}),
        ("settings-cell", {"set": "nonsense"}),
        ("settings-switch", {"channel": "email"}),
    ]:
        response = as_bob.post(url(name, tab="email"), sent, follow=True)
        assert response.redirect_chain == [(url("settings-email"), 302)]
        assert "banner" in response.content.decode()


# --- Clear all, and its undo


@pytest.mark.req("N-010")
def test_clear_all_turns_off_and_undo_brings_back(as_bob, bob):
    preferences.choose(bob, {("tasks.due", "email"): True})
    page = as_bob.post(url("settings-clear", tab="email"), follow=True).content.decode()

    assert "You turned everything off." in page
    assert layer_of(bob) is Layer.OWN
    page = as_bob.post(url("settings-restore", tab="email"), follow=True).content.decode()
    assert "Your choices are as they were before." in page
    assert "You turned everything off." not in page
    assert {row.type: (row.chosen, row.on) for row in bob.preferences.all()} == {"tasks.due": (4, 4)}


def test_clearing_again_on_another_tab_keeps_the_undo(as_bob, bob):
    preferences.choose(bob, {("tasks.due", "email"): True})
    as_bob.post(url("settings-clear", tab="email"))
    page = as_bob.post(url("settings-clear", tab="desktop"), follow=True).content.decode()
    assert "Everything was turned off already." in page
    as_bob.post(url("settings-restore", tab="desktop"))

    assert {row.type: (row.chosen, row.on) for row in bob.preferences.all()} == {"tasks.due": (4, 4)}


def test_an_undo_counts_once_and_only_for_its_account(as_bob, bob, next_door):
    from tests import factories

    there = factories.member(next_door, "bob")
    preferences.choose(there, {("tasks.due", "email"): True})
    as_bob.post(url("settings-clear", tab="email"))
    as_bob.post(url("settings-restore", hub_id=2002, tab="email"))
    assert there.preferences.get().type == "tasks.due"

    as_bob.post(url("settings-restore", tab="email"))
    preferences.choose(bob, {("tasks.due", "email"): True})
    as_bob.post(url("settings-restore", tab="email"))
    assert bob.preferences.get().type == "tasks.due"


def test_the_undo_is_offered_for_an_hour(as_bob, bob, monkeypatch):
    as_bob.post(url("settings-clear", tab="email"))
    later = time.time() + 3601
    monkeypatch.setattr(time, "time", lambda: later)

    assert "You turned everything off." not in as_bob.get(url("settings-email")).content.decode()
    as_bob.post(url("settings-restore", tab="email"))
    assert layer_of(bob) is Layer.OWN


def test_the_offer_to_undo_can_be_put_away(as_bob, bob):
    as_bob.post(url("settings-clear", tab="email"))
    page = as_bob.post(url("settings-restore", tab="email"), {"forget": "1"}, follow=True).content.decode()

    assert "You turned everything off." not in page
    assert layer_of(bob) is Layer.OWN


# --- Send myself an example


def test_an_example_arrives_and_says_where(as_bob, bob, delivered):
    response = as_bob.post(url("example", type_key="deals.stage_changed"), **PIECES)

    assert "An example is on its way: Bell, E-mail." in response.content.decode()
    (mail,) = delivered("email")
    assert mail.to == [bob.email]
    event = Event.objects.get()
    assert event.data["url"] == url("list")
    assert url("why", event_id=event.pk) in response.content.decode()


def test_an_example_that_cannot_arrive_says_why(as_bob, bob, delivered):
    preferences.choose(bob, {(STAGE.key, key): False for key in ("bell", "popup", "email")})
    response = as_bob.post(url("example", type_key="deals.stage_changed"), **PIECES)

    assert "Nothing will come" in response.content.decode()
    assert "your own choice" in response.content.decode()
    assert delivered("email") == []


@pytest.mark.parametrize("key", ["payments.failed", "no.such"])
def test_an_example_of_what_does_not_exist_for_me_is_not_there(as_bob, key):
    assert as_bob.post(url("example", type_key=key), **PIECES).status_code == 404
    assert not Event.objects.exists()


def test_who_asks_for_many_examples_is_told_to_wait_and_nothing_is_sent(as_bob, bob, monkeypatch):
    monkeypatch.setattr(examples, "MOST", 2)
    address = url("example", type_key="deals.stage_changed")
    for _number in range(2):
        assert as_bob.post(address, **PIECES).status_code == 200

    answer = as_bob.post(address, **PIECES)
    page = as_bob.post(address, follow=True)

    assert answer.status_code == 429
    words = "That were many examples within a minute. Wait a little, then try again."
    assert words in answer.content.decode()
    assert "See what happened" not in answer.content.decode()
    assert words in page.content.decode()
    assert Event.objects.count() == 2


def test_every_type_can_send_an_example(client, alice, monkeypatch):
    monkeypatch.setattr(examples, "MOST", len(types.TYPES))
    alice.seat = "paid"
    alice.save()
    client.force_login(alice.user)
    for key in types.TYPES:
        assert client.post(url("example", type_key=key), **PIECES).status_code == 200
    assert Event.objects.count() == len(types.TYPES)
