"""Types, preferences, defaults, profiles and locks over the API; members and teams."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.plans import Plan
from notifications import preferences, types
from notifications.models import AccountDefault, Lock, Preference, Profile, SoundChoice
from tests.api.conftest import fields_of

KEY = "deals.stage_changed"
MAIL_OFF = {"cells": [{"type": KEY, "channel": "email", "on": False}]}


def cell(browser: Any, channel: str = "email", key: str = KEY) -> Any:
    rows = browser.get("preferences/?topic=deals").json()["types"]
    (row,) = [row for row in rows if row["type"] == key]
    (found,) = [found for found in row["cells"] if found["channel"] == channel]
    return found


def test_the_grid_says_where_each_cell_comes_from(signed_in: Any, bob: Any) -> None:
    assert cell(signed_in(bob)) == {
        "channel": "email",
        "on": True,
        "layer": "built_in",
        "origin": "the built-in default",
        "is_changeable": True,
    }
    whole = signed_in(bob).get("preferences/").json()["types"]
    assert len(whole) == len(preferences.kinds_for(bob))


def test_many_cells_change_in_one_go(signed_in: Any, bob: Any, django_assert_max_num_queries: Any) -> None:
    browser = signed_in(bob)
    kinds = [kind.key for kind in types.TYPES.values() if kind.topic.key == "deals"]
    with django_assert_max_num_queries(30):
        said = browser.patch("preferences/", {"cells": [{"type": k, "channel": "email", "on": False} for k in kinds]})

    assert said.status_code == 200
    assert {row["type"] for row in said.json()["types"]} == set(kinds)
    assert cell(browser)["layer"] == "own"
    browser.patch("preferences/", {"cells": [{"type": KEY, "channel": "email", "on": None}]})
    assert cell(browser)["layer"] == "built_in"


def test_wrong_cells_are_named_and_nothing_changes(signed_in: Any, bob: Any) -> None:
    good = MAIL_OFF["cells"][0]
    browser = signed_in(bob)
    for wrong, field in [
        ([good, good], "cells[0]"),
        ([good, {"type": "no.such", "channel": "email", "on": True}], "cells[1]"),
        ([good, {"type": KEY, "channel": "pigeon", "on": True}], "cells[1]"),
        ([good, {"type": "system.support_message", "channel": "bell", "on": False}], "cells[1]"),
        ([{"type": KEY, "channel": "email"}], "cells[0].on"),
        ([{"type": KEY, "channel": "email", "on": "false"}], "cells[0].on"),
        ([], "cells"),
        ([good] * 1001, "cells"),
    ]:
        said = browser.patch("preferences/", {"cells": wrong})
        assert said.status_code in (409, 422), wrong[-1:]
        assert field in fields_of(said)
    assert not Preference.objects.exists()


@pytest.mark.req("N-025")
def test_sounds_are_shown_and_set_with_the_cells(signed_in: Any, bob: Any) -> None:
    browser = signed_in(bob)
    shown = browser.get("preferences/?topic=deals").json()
    assert (shown["plays_sound"], shown["default_sound"]) == (True, "chime")
    assert {row["sound"] for row in shown["types"]} == {None}

    said = browser.patch(
        "preferences/",
        {**MAIL_OFF, "sounds": [{"type": "deals.mentioned", "sound": "glass"}], "default_sound": "none"},
    ).json()
    assert said["default_sound"] == "none"
    assert {row["type"]: row["sound"] for row in said["types"]} == {"deals.mentioned": "glass", KEY: None}
    said = browser.patch("preferences/", {"default_sound": None, "plays_sound": False}).json()
    assert (said["plays_sound"], said["default_sound"], said["types"]) == (False, "chime", [])
    said = browser.patch("preferences/", {"sounds": [{"type": "deals.mentioned", "sound": None}]}).json()
    assert [row["sound"] for row in said["types"]] == [None]


def test_wrong_sounds_are_named_and_nothing_changes(signed_in: Any, bob: Any) -> None:
    good = {"type": "deals.mentioned", "sound": "glass"}
    browser = signed_in(bob)
    for wrong, field in [
        ({"sounds": [good, good]}, "sounds[0]"),
        ({"sounds": [good, {"type": KEY, "sound": "gong"}]}, "sounds[1]"),
        ({"sounds": [good, {"type": "no.such", "sound": "glass"}]}, "sounds[1]"),
        ({"sounds": [good, {"type": "workflows.friday_summary", "sound": "glass"}]}, "sounds[1]"),
        ({"sounds": [good], "default_sound": "gong"}, "default_sound"),
        ({"sounds": [good], "plays_sound": "yes"}, "plays_sound"),
        ({"sounds": [good], "cells": [{"type": "no.such", "channel": "email", "on": True}]}, "cells[0]"),
        ({"sounds": [{"type": KEY, "sound": ""}], **MAIL_OFF}, "sounds[0].sound"),
        ({}, "cells"),
    ]:
        said = browser.patch("preferences/", wrong)
        assert said.status_code == 422, wrong
        assert field in fields_of(said), wrong
    assert not SoundChoice.objects.exists()
    assert not Preference.objects.exists()
    assert browser.get("preferences/").json()["default_sound"] == "chime"


def test_a_program_sets_preferences_of_its_members_only(program: Any, stranger: Any, bob: Any) -> None:
    assert program.patch(f"preferences/?member={bob.email}", MAIL_OFF).status_code == 200
    assert Preference.objects.get().member == bob
    assert stranger.patch(f"preferences/?member={bob.email}", MAIL_OFF).status_code == 404


def test_defaults_are_tried_set_and_undone(program: Any, signed_in: Any, alice: Any, bob: Any) -> None:
    tried = program.patch("default-preferences/", {**MAIL_OFF, "dry_run": True}).json()
    assert tried == {"members_affected": 2, "cells_affected": 2, "change": None}
    assert not AccountDefault.objects.exists()

    done = signed_in(alice).patch("default-preferences/", MAIL_OFF).json()
    assert done["members_affected"] == 2
    assert done["change"]["made_by"] == alice.pk
    assert program.get("default-preferences/").json() == {**MAIL_OFF, "began": None}
    assert cell(signed_in(bob))["layer"] == "default"
    assert signed_in(alice).patch("default-preferences/", MAIL_OFF).json()["change"] is None

    change = done["change"]["id"]
    assert program.post(f"preference-changes/{change}/undo/").json()["undoes"] == change
    assert program.get("default-preferences/").json() == {"cells": [], "began": None}
    again = program.post(f"preference-changes/{change}/undo/")
    assert again.status_code == 409
    fields_of(again)
    assert [row["undoes"] for row in program.get("preference-changes/").json()["results"]] == [change, None]


def test_what_cannot_be_a_default_is_named(program: Any, alice: Any) -> None:
    for wrong in (
        {"type": "system.support_message", "channel": "bell", "on": False},
        {"type": "no.such", "channel": "bell", "on": False},
    ):
        said = program.patch("default-preferences/", {"cells": [*MAIL_OFF["cells"], wrong]})
        assert "cells[1]" in fields_of(said)
    assert not AccountDefault.objects.exists()


@pytest.mark.parametrize("path", ["default-preferences/", "profiles/", "locks/", "preference-changes/"])
def test_defaults_need_the_plan_and_a_super_admin(
    program: Any, signed_in: Any, account: Any, alice: Any, bob: Any, path: str
) -> None:
    assert signed_in(bob).get(path).json()["code"] == "super_admins_only"
    account.plan = Plan.FREE
    account.save()
    for caller in (program, signed_in(alice)):
        said = caller.get(path)
        assert said.status_code == 403
        assert said.json()["code"] == "not_on_this_plan"
        assert "Enterprise" in said.json()["detail"]


def test_a_profile_is_made_filled_moved_and_removed(
    program: Any, signed_in: Any, alice: Any, bob: Any, team: Any
) -> None:
    made = program.post("profiles/", {"name": "Sales", "team": team.pk})
    assert made.status_code == 201, made.content
    pk = made.json()["id"]
    program.post("profiles/", {"name": "Everybody", "role": "member"})

    assert program.patch(f"profiles/{pk}/cells/", MAIL_OFF).json()["members_affected"] == 1
    assert cell(signed_in(bob))["layer"] == "profile"
    shown = program.patch(f"profiles/{pk}/", {"name": "Sellers", "position": 1}).json()
    assert (shown["name"], shown["position"], shown["cells"]) == ("Sellers", 1, MAIL_OFF["cells"])
    assert [row["name"] for row in program.get("profiles/").json()["results"]] == ["Everybody", "Sellers"]
    assert program("DELETE", f"profiles/{pk}/").status_code == 204
    assert cell(signed_in(bob))["layer"] == "built_in"


def test_a_profile_of_another_shape_is_refused_by_field(program: Any, team: Any, stranger: Any) -> None:
    for wrong, field in [
        ({"name": "x"}, "role"),
        ({"name": "x", "role": "king"}, "role"),
        ({"name": "x", "team": 2**62}, "team"),
        ({"name": "", "role": "member"}, "name"),
        ({"name": "\x00", "role": "member"}, "name"),
        ({"name": "y" * 121, "role": "member"}, "name"),
    ]:
        assert field in fields_of(program.post("profiles/", wrong))
    assert "team" in fields_of(stranger.post("profiles/", {"name": "x", "team": team.pk}))
    assert not Profile.objects.exists()


def test_a_lock_is_set_read_and_lifted(program: Any, signed_in: Any, alice: Any, bob: Any) -> None:
    body = {**MAIL_OFF, "reason": "We phone.", "ends_at": (timezone.now() + timedelta(days=30)).isoformat()}
    assert signed_in(alice).post("locks/", body).json()["change"]["layer"] == "lock"

    (lock,) = program.get("locks/").json()["results"]
    assert (lock["on"], lock["reason"], lock["locked_by"]) == (False, "We phone.", alice.pk)
    assert not cell(signed_in(bob))["is_changeable"]
    said = signed_in(bob).patch("preferences/", {"cells": [{**MAIL_OFF["cells"][0], "on": True}]})
    assert said.status_code == 409
    assert "We phone" in fields_of(said)["cells[0]"]
    assert program("DELETE", f"locks/{lock['id']}/").status_code == 204
    assert cell(signed_in(bob))["is_changeable"]


def test_a_lock_without_a_reason_or_with_an_end_past_or_far_away_is_refused(program: Any, alice: Any) -> None:
    assert "reason" in fields_of(program.post("locks/", MAIL_OFF))
    for odd in ("2001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "9999-12-31T23:59:59-10:00"):
        over = {**MAIL_OFF, "reason": "x", "ends_at": odd}
        assert "ends_at" in fields_of(program.post("locks/", over))
    assert "reason" in fields_of(program.post("locks/", {**MAIL_OFF, "reason": "x" * 301}))
    assert not Lock.objects.exists()


def test_every_type_is_listed_with_the_shape_of_its_data(program: Any) -> None:
    listed = program.get("types/").json()["results"]
    assert [row["type"] for row in listed] == list(types.TYPES)
    assert {row["topic"] for row in program.get("types/?topic=deals").json()["results"]} == {"deals"}

    shown = program.get(f"types/{KEY}/").json()
    assert shown["data_schema"]["required"] == list(types.TYPES[KEY].example)
    assert not shown["data_schema"]["additionalProperties"]
    for odd in ("no.such", "%00", "x" * 5000):
        assert program.get(f"types/{odd}/").status_code == 404


def test_members_and_teams_are_listed_for_their_account(
    program: Any, stranger: Any, alice: Any, bob: Any, team: Any, mallory: Any, django_assert_max_num_queries: Any
) -> None:
    bob.extra_teams.add(team)
    with django_assert_max_num_queries(4):
        listed = program.get("members/").json()["results"]
    assert [row["email"] for row in listed] == [alice.email, bob.email]
    assert program.get(f"members/?team={team.pk}").json()["results"] == [listed[1]]
    assert program.get("members/?email=BOB@example.com").json()["results"] == [listed[1]]
    assert program.get("members/?active=false").json()["results"] == []
    assert program.get(f"members/{bob.pk}/").json() == listed[1]
    assert program.get("teams/").json()["results"] == [{"id": team.pk, "name": "Sales"}]
    assert program.get(f"teams/{team.pk}/").json()["name"] == "Sales"
    assert [row["email"] for row in stranger.get("members/").json()["results"]] == [mallory.email]
    assert stranger.get(f"members/{bob.pk}/").status_code == 404
    assert stranger.get(f"teams/{team.pk}/").status_code == 404
