"""Phones with a native application over the API: a person's session, and a program that acts for a member."""

from typing import Any

import pytest

from notifications.models import Device
from tests import factories
from tests.api.conftest import fields_of, with_key

IPHONE = {"platform": "apns", "token": "ab" * 32, "name": "Bob’s iPhone", "app": "com.example.bellhop"}
PIXEL = {"platform": "fcm", "token": "fGx7:APA91b_token-of-an-android-phone"}


@pytest.mark.req("N-037")
def test_a_device_is_registered_refreshed_listed_and_forgotten(signed_in: Any, bob: Any) -> None:
    phone = signed_in(bob)

    made = phone.post("devices/", IPHONE)
    again = phone.post("devices/", IPHONE | {"name": "Bob’s new name"})

    assert made.status_code == again.status_code == 201
    assert (again.json()["id"], again.json()["name"]) == (made.json()["id"], "Bob’s new name")
    assert again.json()["seen_at"] > made.json()["seen_at"]
    assert [row["app"] for row in phone.get("devices/").json()["results"]] == ["com.example.bellhop"]
    assert phone.get(f"devices/{made.json()['id']}/").json()["platform"] == "apns"
    assert phone("DELETE", f"devices/{made.json()['id']}/").status_code == 204
    assert phone.get("devices/").json()["results"] == []
    assert phone("DELETE", f"devices/{made.json()['id']}/").status_code == 404


def test_a_token_is_never_returned_and_never_stored_as_it_is(signed_in: Any, bob: Any) -> None:
    phone = signed_in(bob)

    said = phone.post("devices/", PIXEL).content + phone.get("devices/").content

    assert PIXEL["token"].encode() not in said
    row = Device.objects.get()
    assert PIXEL["token"] not in (row.token, row.token_digest, row.name)


def test_a_new_token_replaces_the_old_one(signed_in: Any, bob: Any) -> None:
    phone = signed_in(bob)
    phone.post("devices/", PIXEL)

    phone.post("devices/", PIXEL | {"token": PIXEL["token"] + "-2", "replaces": PIXEL["token"]})

    assert Device.objects.count() == 1


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"token": "short"}, "token"),
        ({"token": 7}, "token"),
        ({"token": "ab" * 32 + "\n"}, "token"),
        ({"token": "../" * 30}, "token"),
        ({"platform": "pager"}, "platform"),
        ({"name": "x" * 200}, "name"),
        ({"name": "\x00"}, "name"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_what_is_wrong_is_named_and_nothing_is_kept(signed_in: Any, bob: Any, changes: Any, field: str) -> None:
    refused = signed_in(bob).post("devices/", IPHONE | changes)

    assert refused.status_code == 422
    assert field in fields_of(refused)
    assert not Device.objects.exists()


def test_a_program_acts_for_a_member_and_sees_only_what_its_account_registered(
    program: Any, signed_in: Any, bob: Any, next_door: Any
) -> None:
    factories.member(next_door, "bob")  # the same person works next door too
    own = signed_in(bob, **{"Bellhop-Account": "1001"}).post("devices/", PIXEL).json()["id"]
    theirs = program.post("devices/?member=bob@example.com", IPHONE).json()["id"]
    neighbour = with_key(next_door)

    assert [row["id"] for row in program.get("devices/?member=bob@example.com").json()["results"]] == [theirs]
    assert neighbour.get("devices/?member=bob@example.com").json()["results"] == []
    for caller, device in ((program, own), (neighbour, own), (neighbour, theirs)):
        assert caller.get(f"devices/{device}/?member=bob@example.com").status_code == 404
        assert caller("DELETE", f"devices/{device}/?member=bob@example.com").status_code == 404
    assert Device.objects.count() == 2
    mine = signed_in(bob, **{"Bellhop-Account": "2002"}).get("devices/").json()["results"]
    assert {row["id"] for row in mine} == {own, theirs}


def test_a_program_names_the_member(program: Any, stranger: Any, bob: Any) -> None:
    assert "member" in fields_of(program.post("devices/", IPHONE))
    assert stranger.post("devices/?member=bob@example.com", IPHONE).status_code == 404
    assert not Device.objects.exists()


def test_nobody_reaches_the_devices_of_a_colleague(signed_in: Any, bob: Any, carol: Any) -> None:
    device = signed_in(bob).post("devices/", IPHONE).json()["id"]
    colleague = signed_in(carol)

    assert colleague.get("devices/").json()["results"] == []
    assert colleague.get(f"devices/{device}/").status_code == 404
    assert colleague("DELETE", f"devices/{device}/").status_code == 404
    assert colleague.get("devices/?member=bob@example.com").status_code == 404


def test_scopes_are_asked_for(key_with: Any, bob: Any) -> None:
    reader = key_with("notifications.read")

    assert reader.get("devices/?member=bob@example.com").status_code == 200
    assert reader.post("devices/?member=bob@example.com", IPHONE).status_code == 403
