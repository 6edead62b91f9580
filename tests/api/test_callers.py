"""Who may ask: keys, sessions, scopes, accounts, and how often."""

from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils import timezone
from redis.exceptions import ConnectionError as RedisIsGone
from rest_framework.settings import api_settings

from accounts import api_keys
from accounts.api import throttles
from accounts.api.doors import Door
from accounts.models import ApiKey
from crm import activities, defining, records
from crm.models import Enrolment, Workflow
from crm.workflows import enrolling, running, writing
from notifications import profiles
from notifications.models import Redrive
from tests import factories
from tests.api.conftest import Api, event, fields_of, with_key


def doors() -> list[tuple[str, type[Door]]]:
    """Every address of the API, as its pattern and its door."""

    def below(patterns: Any, prefix: str) -> Any:
        for each in patterns:
            if isinstance(each, URLResolver):
                yield from below(each.url_patterns, prefix + str(each.pattern))
            elif isinstance(each, URLPattern):
                view = getattr(each.callback, "cls", None) or getattr(each.callback, "view_class", None)
                if isinstance(view, type) and issubclass(view, Door):
                    yield prefix + str(each.pattern), view

    return [(path, view) for path, view in below(get_resolver().url_patterns, "") if path.startswith("api/v1/")]


ALL = doors()


def methods(view: type[Door]) -> list[str]:
    return [name.upper() for name in ("get", "post", "put", "patch", "delete") if hasattr(view, name)]


def test_every_door_states_its_scope() -> None:
    assert len(ALL) > 25
    for path, view in ALL:
        for method in methods(view):
            scope = view.scope_of(method)
            assert scope in api_keys.SCOPES or "/types/" in path, f"{method} {path}"


@pytest.mark.parametrize(("path", "view"), ALL, ids=[path for path, _view in ALL])
def test_nobody_is_let_in(nobody: Any, path: str, view: type[Door]) -> None:
    for method in methods(view):
        said = nobody(method, _filled(path, 1), {})
        fields_of(said)
        assert said.status_code == 401
        assert said["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.parametrize(("path", "view"), ALL, ids=[path for path, _view in ALL])
def test_a_key_without_the_scope_is_refused_by_name(account: Any, nobody: Any, path: str, view: type[Door]) -> None:
    for method in methods(view):
        scope = view.scope_of(method)
        if not scope:
            continue
        others = [name for name in api_keys.SCOPES if name != scope]
        said = with_key(account, *others)(method, _filled(path, 1), {})
        assert said.status_code == 403
        assert scope in said.json()["detail"]


def test_what_is_next_door_is_not_there(
    program: Any, stranger: Any, alice: Any, bob: Any, team: Any, account: Any, fan_out: Any
) -> None:
    made = program.post("events/", event(actor=alice.pk)).json()["id"]
    fan_out()
    profile = profiles.create(account, name="Sales", team=team, by=alice)
    lock = {"cells": [{"type": "deals.assigned", "channel": "email", "on": True}], "reason": "So."}
    assert program.post("locks/", lock).status_code == 200
    there = {
        "event_id": made,
        "member_id": bob.pk,
        "team_id": team.pk,
        "profile_id": profile.profile_id,
        "lock_id": program.get("locks/").json()["results"][0]["id"],
        "change_id": profile.pk,
        "redrive_id": redrive_of(account).pk,
    }
    deal = records.create(account, "deals", {"name": "Nordic Oak 2027"}, by=alice)
    there["activity_id"] = activities.log(deal, kind="note", text="Secret", by=alice).pk
    there["record_id"] = there["other_id"] = deal.pk
    there["follower_id"] = alice.pk
    there["list_id"] = program.post("crm/lists/", {"name": "Mine", "kind": "deals", "type": "static"}).json()["id"]
    there["stage_id"], there["pipeline_id"] = deal.stage_id, deal.stage.pipeline_id
    own = defining.define_property(account, "deals", key="advisor", label="Advisor", type="user", by=alice)
    there["property_id"] = own.pk
    defining.define_kind(account, key="berths", label="Berth", plural="Berths", by=alice)
    assert stranger("PATCH", "crm/kinds/berths/", {}).status_code == 404
    workflow, enrolment = workflow_of(account, deal)
    there["workflow_id"], there["enrolment_id"] = workflow.pk, enrolment.pk
    walked = 0
    for path, view in ALL:
        for name, pk in there.items():
            if f"<row:{name}>" in path:
                about = f"?member={bob.pk}" if "notifications/" in path or "snoozes/" in path else ""
                for method in methods(view):
                    ours = program(method, _filled(path, pk) + about, {}) if method == "GET" else None
                    theirs = stranger(
                        method, _filled(path, pk) + about, {"cells": lock["cells"]} if "cells" in path else {}
                    )
                    assert ours is None or ours.status_code == 200, (path, ours and ours.content)
                    assert theirs.status_code == 404, (method, path, theirs.content)
                    walked += 1
    assert walked >= 10


def redrive_of(account: Any) -> Redrive:
    now = timezone.now()
    facts = {"begins_at": now, "ends_at": now, "cursor_at": now, "finished_at": now, "failed": 0}
    return Redrive.objects.create(account=account, channel="email", **facts)


def workflow_of(account: Any, record: Any) -> tuple[Workflow, Enrolment]:
    """A workflow that is on, and the record's way through it."""
    workflow = writing.create(account, record.kind, "Look at deals", None)
    writing.change(workflow, trigger={"on": "manual"}, by=None)
    writing.save_steps(workflow, [{"do": "wait", "amount": 2, "unit": "days"}], None)
    running.turn_on(workflow, None)
    return workflow, enrolling.enrol(workflow, record, None)


def _filled(path: str, pk: int) -> str:
    path = path.removeprefix("api/v1/").replace("<str:key>", "deals.assigned").replace("<str:app>", "webhook")
    path = path.replace("<slug:kind_id>", "berths")
    while "<row:" in path:
        before, _open, rest = path.partition("<row:")
        path = f"{before}{pk}{rest.partition('>')[2]}"
    return path


@pytest.mark.parametrize(
    "header", ["Bearer", "Bearer bh_wrong", "Basic YTpi", "Bearer \x7f", "bh_x", "Bearer " + "x" * 9000]
)
def test_a_wrong_key_is_told_so(nobody: Any, header: str) -> None:
    said = nobody.get("members/", Authorization=header)

    assert said.status_code == 401
    fields_of(said)


def test_a_revoked_key_opens_nothing(account: Any) -> None:
    program = with_key(account)
    api_keys.revoke(ApiKey.objects.get())

    assert program.get("members/").status_code == 401


def test_a_member_reads_with_their_session(signed_in: Any, bob: Any) -> None:
    browser = signed_in(bob)

    assert browser.get("notifications/state/").json() == {"unread": 0, "newest": 0}
    assert browser.get("members/").status_code == 200
    assert browser.get("preferences/").json()["member"] == bob.pk


def test_a_member_is_no_program(signed_in: Any, alice: Any, bob: Any) -> None:
    for path in ("events/", "default-preferences/", "profiles/", "locks/"):
        assert signed_in(bob).get(path).status_code == 403
        assert signed_in(alice).get(path).status_code == 200
    assert signed_in(bob).post("events/", event()).status_code == 403
    assert signed_in(alice).post("events/", event()).status_code == 202


def test_a_member_sees_only_their_own(signed_in: Any, alice: Any, bob: Any) -> None:
    for path in ("notifications/", "notifications/state/", "preferences/"):
        assert signed_in(bob).get(f"{path}?member={bob.email}").status_code == 200
        assert signed_in(alice).get(f"{path}?member={bob.pk}").status_code == 404


def test_a_program_names_the_member(program: Any, bob: Any, mallory: Any) -> None:
    assert "member" in fields_of(program.get("notifications/"))
    assert program.get(f"notifications/?member={bob.pk}").status_code == 200
    assert program.get("notifications/?member=BOB@example.com").status_code == 200
    for ref in (mallory.pk, mallory.email, 2**63, "nobody", "\x00", "99999999999999999999"):
        said = program.get(f"notifications/?member={ref}")
        assert said.status_code in (404, 422), ref


def test_a_session_changes_nothing_without_its_token(bob: Any) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(bob.user, backend="allauth.account.auth_backends.AuthenticationBackend")

    said = Api(client).post("notifications/read-all/", {"up_to": 1})
    assert said.status_code == 403
    assert "CSRF" in said.json()["detail"]


def test_somebody_in_two_accounts_says_which(signed_in: Any, bob: Any, next_door: Any, mallory: Any) -> None:
    factories.member(next_door, "bob")

    said = signed_in(bob).get("members/")
    assert said.status_code == 400
    assert "Bellhop-Account" in fields_of(said)
    here = signed_in(bob, **{"Bellhop-Account": "1001"}).get("members/").json()
    there = signed_in(bob, **{"Bellhop-Account": "2002"}).get("members/").json()
    assert {row["email"] for row in there["results"]} == {"bob@example.com", "mallory@example.com"}
    assert {row["email"] for row in here["results"]} == {"bob@example.com"}


@pytest.mark.parametrize("hub", ["9", "²", "1001 or 1=1", "9" * 40])
def test_an_account_one_is_not_in_is_not_there(signed_in: Any, bob: Any, next_door: Any, hub: str) -> None:
    assert signed_in(bob, **{"Bellhop-Account": hub}).get("members/").status_code == 404
    assert signed_in(bob, **{"Bellhop-Account": "2002"}).get("members/").status_code == 404


def test_a_deactivated_member_is_out(signed_in: Any, bob: Any) -> None:
    browser = signed_in(bob)
    bob.is_active = False
    bob.save()

    assert browser.get("members/").json()["code"] == "no_account"


@pytest.fixture
def rates(monkeypatch: Any) -> dict[str, int]:
    given = {"key": 3, "member": 2, "batch": 1}
    monkeypatch.setattr(api_settings, "DEFAULT_THROTTLE_RATES", given)
    monkeypatch.setattr(throttles.CallerThrottle, "_asks_again_at", 0.0)
    monkeypatch.setattr(throttles.time, "time", lambda: 1_800_000_000.0)
    client = throttles._client()
    for name in client.scan_iter("*throttle*"):
        client.delete(name)
    return given


def test_who_asks_too_often_is_told_when_to_go_on(program: Any, stranger: Any, rates: Any) -> None:
    assert [program.get("teams/").status_code for _ in range(4)] == [200, 200, 200, 429]
    said = program.get("teams/")
    fields_of(said)
    assert said["Retry-After"] == "60"
    assert stranger.get("teams/").status_code == 200


def test_batches_count_apart(program: Any, bob: Any, rates: Any) -> None:
    assert [program.post("events/batch/", {"events": [event()]}).status_code for _ in range(2)] == [202, 429]
    assert program.get("teams/").status_code == 200


def test_without_redis_nobody_is_held_back(program: Any, rates: Any, monkeypatch: Any) -> None:
    class Gone:
        def pipeline(self, **_: Any) -> Any:
            raise RedisIsGone

    monkeypatch.setattr(throttles, "_client", Gone)
    assert [program.get("teams/").status_code for _ in range(5)] == [200] * 5


def test_a_key_is_made_on_the_command_line(account: Any, alice: Any, capsys: Any) -> None:
    call_command("apikey", "--hub", "1001", "--name", "demo", "--scopes", "members.read")
    key = capsys.readouterr().out.strip()

    assert Api(Client(), Authorization=f"Bearer {key}").get("members/").status_code == 200
    assert key not in str(ApiKey.objects.values())


@pytest.mark.parametrize(
    ("given", "said"),
    [({"hub": 9, "name": "x"}, "Hub ID 9"), ({"hub": 1001, "name": "x", "scopes": "fly"}, "Unknown scope: fly")],
)
def test_a_key_that_cannot_be_made_is_refused_in_words(account: Any, given: Any, said: str) -> None:
    with pytest.raises(CommandError, match=said):
        call_command("apikey", **given)
