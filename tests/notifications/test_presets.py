"""Presets: what they say follows from the types; drafts begin with them; layers remember them."""

import html
import re

import pytest
from django.test import Client

from accounts.models import Role
from notifications import channels, defaults, preferences, presets, profiles, saying, types
from notifications.admin import answers
from notifications.defaults import Change, InvalidChange
from notifications.models import AccountDefault, PreferenceChange, Profile, ProfileCells
from notifications.presets import PRESETS
from notifications.resolution import Layer
from tests.api.conftest import fields_of, with_key

DEFAULTS = "/admin/notifications/accountdefault/"
CALM = PRESETS["calm"]


def words(answer):
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", answer.content.decode())).split())


def posted(page):
    found = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page.content.decode())
    return {name: html.unescape(value) for name, value in found if name != "csrfmiddlewaretoken"}


def checked(page):
    """What a browser would post of the grid: the answer that is chosen in each cell, and the hidden fields."""
    cells = re.findall(r'name="(cell:[^"]+)" value="([^"]*)" checked', page.content.decode())
    return posted(page) | dict(cells)


@pytest.fixture
def as_alice(alice):
    client = Client()
    client.force_login(alice.user)
    return client


@pytest.mark.parametrize("preset", PRESETS.values(), ids=lambda preset: preset.key)
def test_a_preset_answers_every_cell_that_can_be_set_and_no_other(preset):
    settable = {
        (kind.key, channel.key)
        for kind in types.TYPES.values()
        for channel in channels.ALL
        if not defaults.why_not_settable((kind.key, channel.key))
    }
    assert presets.cells(preset).keys() == settable


@pytest.mark.parametrize(
    ("key", "type_key", "on"),
    [
        ("mine", "deals.stage_changed", {"bell", "email"}),  # a deal you own
        ("mine", "tasks.due", {"bell", "popup", "browser"}),
        ("mine", "payments.failed", set()),
        ("mine", "feedback.loyalty_response", set()),
        ("personal", "deals.mentioned", {"bell", "popup", "email", "browser"}),
        ("personal", "contacts.company_assigned", {"bell", "popup", "email", "browser"}),
        ("personal", "conversations.reassigned", {"bell", "popup", "email", "browser"}),
        ("personal", "conversations.unassigned_created", set()),
        ("personal", "deals.stage_changed", set()),
        ("everything", "academy.award_updated", {"bell", "popup", "email", "browser"}),
        ("everything", "website_visits.contacts", {"email"}),
        ("calm", "payments.failed", {"bell", "email"}),
        ("calm", "deals.stage_changed", {"bell"}),
        ("calm", "tasks.due", {"bell"}),
        ("calm", "tasks.digest", set()),
    ],
)
def test_what_presets_say(key, type_key, on):
    said = {channel: is_on for (each, channel), is_on in presets.cells(PRESETS[key]).items() if each == type_key}
    everybodys = {"bell", "popup", "email", "browser"}
    assert {channel for channel, is_on in said.items() if is_on} & everybodys == on


def test_each_mention_and_assignment_is_recognised_by_its_key():
    """Beside those whose words say so, no type is taken for one."""
    told = re.compile("@mentioned|(is|are) (re)?assigned to you")
    for kind in types.TYPES.values():
        assert presets.is_personal(kind) == bool(told.search(str(kind.label))), kind.key


def test_a_channel_that_comes_later_goes_where_the_popup_goes():
    mention, moved = types.TYPES["deals.mentioned"], types.TYPES["deals.stage_changed"]
    assert PRESETS["personal"].is_on(mention, "pigeon")
    assert not CALM.is_on(mention, "pigeon")
    assert PRESETS["everything"].is_on(moved, "pigeon")


def fill(account, alice, preset, layer=Layer.DEFAULT, **more):
    cells = presets.cells(PRESETS[preset]) | more.pop("cells", {})
    return defaults.apply(account, Change(layer=layer, cells=cells, preset=preset, **more), by=alice)


def began(account, layer=Layer.DEFAULT, profile=None):
    found = presets.beginning(account, layer, saying.stored(account, layer, profile), profile)
    return (found.preset.key, found.differing) if found else None


def test_a_layer_remembers_its_preset_and_how_far_it_is_from_it(account, alice, bob):
    assert began(account) is None
    fill(account, alice, "calm", cells={("tasks.due", "popup"): True})
    assert began(account) == ("calm", 1)

    change = Change(layer=Layer.DEFAULT, cells={("tasks.due", "popup"): False, ("tasks.due", "bell"): None})
    defaults.apply(account, change, by=alice)
    assert began(account) == ("calm", 1)

    later = fill(account, alice, "everything")
    assert began(account) == ("everything", 0)
    undone = defaults.undo(later, by=alice)
    assert began(account) == ("calm", 1)
    defaults.undo(undone, by=alice)
    assert began(account) == ("everything", 0)


def test_a_removed_profile_comes_back_with_its_preset(account, alice, bob):
    profile = profiles.create(account, name="Quiet", role=Role.MEMBER, by=alice).profile
    fill(account, alice, "calm", Layer.PROFILE, profile=profile)
    assert began(account, Layer.PROFILE, profile) == ("calm", 0)
    assert began(account) is None
    back = defaults.undo(profiles.delete(profile, by=alice), by=alice)
    assert began(account, Layer.PROFILE, back.profile) == ("calm", 0)


def test_a_preset_that_is_none_is_refused(account, alice):
    for wrong in (
        Change(layer=Layer.DEFAULT, cells={}, preset="loud"),
        Change(layer=Layer.LOCK, cells={}, preset="calm", reason="x"),
    ):
        with pytest.raises(InvalidChange) as refusal:
            defaults.apply(account, wrong, by=alice)
        assert "preset" in refusal.value.fields


# --- The pages


@pytest.mark.req("N-003")
def test_the_grid_is_filled_reviewed_and_applied(as_alice, account, alice, bob, carol):
    preferences.choose(carol, {("deals.stage_changed", "email"): True})
    page = as_alice.get(f"{DEFAULTS}?preset=calm")
    assert "Nothing is saved yet" in words(page)
    assert not AccountDefault.objects.exists()

    review = as_alice.post(f"{DEFAULTS}?preset=calm", checked(page) | {"_review": "1"})
    text = words(review)
    assert re.search(r"3 members, [\d,]+ cells change with this", text)
    assert "1 member has chosen otherwise and keeps it." in text
    assert re.search(r"\d+ more settings change nothing for anybody now", text)
    assert "It began with the preset “Calm: e-mail for what is urgent only”" in text

    done = as_alice.post(f"{DEFAULTS}?preset=calm", posted(review) | {"_apply": "1"}, follow=True)
    assert done.redirect_chain[-1][0] == DEFAULTS
    assert "Began with the preset “Calm: e-mail for what is urgent only”" in words(done)
    assert "Not changed since." in words(done)
    assert PreferenceChange.objects.get().preset == "calm"
    stored = saying.stored(account, Layer.DEFAULT)
    assert stored == {saying.name_of(cell): is_on for cell, is_on in presets.cells(CALM).items()}

    as_alice.post(DEFAULTS, {"shown": "tasks.due/bell=on", "cell:tasks.due/bell": "off", "_apply": "1"})
    assert "Changed since: 1 answer differs from it." in words(as_alice.get(DEFAULTS))
    assert "All of this stands already" not in words(as_alice.get(f"{DEFAULTS}?preset=calm"))


def test_what_is_changed_by_hand_in_a_filled_grid_counts(as_alice, account, alice):
    page = as_alice.get(f"{DEFAULTS}?preset=everything")
    given = checked(page) | {"cell:tasks.due/popup": "off"}
    review = as_alice.post(DEFAULTS, given | {"_review": "1"})
    back = as_alice.post(DEFAULTS, posted(review) | {"_back": "1"})
    assert checked(back)["preset"] == "everything"
    as_alice.post(DEFAULTS, checked(back) | {"_apply": "1"})
    assert began(account) == ("everything", 1)


def test_a_profile_is_made_with_a_preset(as_alice, account, alice, bob):
    add = "/admin/notifications/profile/add/"
    made = as_alice.post(add, {"name": "Quiet", "whom": "role:member", "preset": "calm"})
    profile = Profile.objects.get()
    assert made.url == f"/admin/notifications/profile/{profile.pk}/answers/?preset=calm"
    assert not ProfileCells.objects.exists()
    page = as_alice.get(made.url)
    as_alice.post(made.url, checked(page) | {"_apply": "1"})
    assert began(account, Layer.PROFILE, profile) == ("calm", 0)

    both = as_alice.post(add, {"name": "Two", "whom": "role:member", "preset": "calm", "copy_of": profile.pk})
    assert "Begin as a copy or with a preset, one of the two." in words(both)
    assert "“Quiet”" in words(as_alice.get(f"/admin/notifications/profile/{profile.pk}/answers/"))


def test_odd_presets_fill_nothing(as_alice, account, alice):
    for odd in ("loud", "", "calm' --"):
        page = as_alice.get(f"{DEFAULTS}?preset={odd}")
        assert page.status_code == 200
        assert "Nothing is saved yet" not in words(page)
    refused = as_alice.post(DEFAULTS, {"cell:tasks.due/bell": "off", "preset": "loud", "_apply": "1"})
    assert "There is no such preset." in words(refused)
    assert "Fill in a preset" not in words(as_alice.get("/admin/notifications/lock/add/"))
    assert not AccountDefault.objects.exists()


def test_channels_that_have_to_be_connected_first_are_shown_when_wanted_or_spoken_of(
    as_alice, account, alice, monkeypatch
):
    monkeypatch.setattr(answers, "FIRST", {"bell", "popup", "email"})
    page = as_alice.get(DEFAULTS)
    assert f"Show {len(channels.ALL) - 3} more channel" in words(page)
    assert 'name="cell:tasks.due/browser"' not in page.content.decode()
    assert 'name="cell:tasks.due/browser"' in as_alice.get(f"{DEFAULTS}?more=1").content.decode()
    assert 'name="cell:tasks.due/browser"' in as_alice.get(f"{DEFAULTS}?preset=calm").content.decode()
    defaults.apply(account, Change(layer=Layer.DEFAULT, cells={("tasks.due", "browser"): False}), by=alice)
    assert 'name="cell:tasks.due/browser"' in as_alice.get(DEFAULTS).content.decode()


# --- Over the API


def test_a_preset_is_counted_and_applied_over_the_api(account, alice, bob):
    program = with_key(account)
    listed = {one["key"]: one for one in program.get("presets/").json()["results"]}
    assert listed.keys() == PRESETS.keys()
    assert "payments.failed" in listed["calm"]["on"]["email"]
    assert "popup" not in listed["calm"]["on"]

    given = {"preset": "calm", "cells": [{"type": "tasks.due", "channel": "popup", "on": True}]}
    counted = program.patch("default-preferences/", {**given, "dry_run": True}).json()
    assert counted["members_affected"] == 2
    assert not AccountDefault.objects.exists()
    done = program.patch("default-preferences/", given).json()
    assert done["cells_affected"] == counted["cells_affected"]
    assert program.get("default-preferences/").json()["began"] == {"preset": "calm", "differing": 1}

    profile = program.post("profiles/", {"name": "All", "role": "member"}).json()
    assert profile["began"] is None
    assert program.patch(f"profiles/{profile['id']}/cells/", {"preset": "everything"}).status_code == 200
    assert program.get(f"profiles/{profile['id']}/").json()["began"] == {"preset": "everything", "differing": 0}


def test_wrong_presets_are_problems_that_name_the_field(account, alice):
    program = with_key(account)
    for body, field in (({"preset": "loud"}, "preset"), ({}, "cells"), ({"dry_run": True}, "cells")):
        said = program.patch("default-preferences/", body)
        assert said.status_code == 422
        assert field in fields_of(said)
    assert "preset" in fields_of(
        program.post("locks/", {"cells": [{"type": "tasks.due", "channel": "bell", "on": True}], "preset": "calm"})
    )
