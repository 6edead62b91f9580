"""The description of the API is true: whatever is sent by it or against it gets a documented answer."""

import json
import os
import re
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from django.conf import settings as project
from django.core.management import call_command
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections
from django.test import Client
from hypothesis import HealthCheck, settings
from schemathesis import GenerationMode
from schemathesis.config import SchemathesisConfig
from schemathesis.specs.openapi.checks import missing_required_header, positive_data_acceptance, use_after_free

from accounts import sealing
from accounts.api.paging import cursor_at
from accounts.models import Team
from crm import activities, associating, defining, exporting, records, schema
from crm.lists import adding, making
from crm.models import PostState, Webhook, WebhookPost, WebhookTry
from notifications import defaults, profiles, standard_webhooks
from notifications.defaults import Change
from notifications.models import BrowserSubscription, Lock
from notifications.other_apps import connecting, webhooks
from notifications.other_apps.speaking import Offer
from notifications.resolution import Layer
from tests.api.conftest import event, with_key
from tests.api.test_callers import redrive_of, workflow_of

EXAMPLES = 25
NOT_MEANT = [
    positive_data_acceptance,  # a shape that fits may still name a type or a member that there is not
    missing_required_header,
    use_after_free,
]

config = SchemathesisConfig()
config.projects.default.generation.update(deterministic=True, max_examples=EXAMPLES)
described = schemathesis.openapi.from_wsgi("/api/v1/schema/", get_wsgi_application(), config=config)


@pytest.fixture
def one_connection() -> Iterator[None]:
    """Requests from outside Django's own test client would end the test's transaction when they finish."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.fixture
def everything(account: Any, alice: Any, bob: Any, team: Team, fan_out: Any) -> dict[str, Any]:
    """An account in which every kind of thing exists; returns where each is, and a key with every scope."""
    program = with_key(account)
    emitted = program.post("events/", event(audience={"members": [bob.pk]}, actor=alice.pk))
    fan_out()
    cell = ("deals.stage_changed", "email")
    made = profiles.create(account, name="Sales", team=team, by=alice)
    defaults.apply(account, Change(layer=Layer.DEFAULT, cells={cell: False}), by=alice)
    changed = defaults.apply(account, Change(layer=Layer.LOCK, cells={cell: True}, reason="So it is."), by=alice)
    assert changed
    record = records.create(account, "deals", {"name": "Nordic Oak 2027", "owner": bob.pk}, by=alice)
    other = records.create(account, "deals", {"name": "Nordic Oak 2028"}, by=alice)
    associating.associate(record, other, by=alice)
    nowhere = Offer("127.0.0.1:1", {"url": "https://127.0.0.1:1/", "key": standard_webhooks.new_key()})
    connecting.keep(bob, webhooks.webhook(), nowhere)
    browser = BrowserSubscription.objects.create(user=bob.user, endpoint="https://8.8.8.8/x", p256dh="x", auth="x")
    workflow, enrolment = workflow_of(account, record)
    own = defining.define_property(account, "deals", key="advisor", label="Advisor", type="user", by=alice)
    export = program.post("crm/exports/", {"kind": "deals"}).json()
    while exporting.step():
        pass
    hook, post = webhook_of(alice, record)
    return {
        "headers": program.headers,
        "bobs_headers": session_of(bob),
        "browser_id": browser.pk,
        "event_id": emitted.json()["id"],
        "member_id": alice.pk,
        "team_id": team.pk,
        "profile_id": made.profile_id,
        "change_id": changed.pk,
        "lock_id": Lock.objects.get().pk,
        "redrive_id": redrive_of(account).pk,
        "key": "deals.stage_changed",
        "device_id": program.post(
            f"devices/?member={bob.pk}", {"platform": "apns", "token": "ab" * 32, "name": "Bob’s iPhone"}
        ).json()["id"],
        "member": bob.email,
        "record_id": record.pk,
        "import_id": program.post("crm/imports/", {"kind": "contacts", "file": "First name\nMia\n"}).json()["id"],
        "other_id": other.pk,
        "activity_id": activities.log(record, kind="note", text="Legal wants one more week.", by=alice).pk,
        "follower_id": bob.pk,
        "app": "webhook",
        "stage_id": record.stage_id,
        "pipeline_id": record.stage.pipeline_id,
        "property_id": own.pk,
        "kind_id": defining.define_kind(account, key="berths", label="Berth", plural="Berths", by=alice).key,
        "export_id": export["id"],
        "webhook_id": hook.pk,
        "post_id": post.pk,
        "list_id": adding_to_list(record, by=alice),
        "workflow_id": workflow.pk,
        "enrolment_id": enrolment.pk,
    }


def webhook_of(member: Any, record: Any) -> tuple[Webhook, WebhookPost]:
    """An endpoint that nobody answers at, and something that failed there."""
    secret = sealing.seal(json.dumps({"key": standard_webhooks.new_key()}))
    made = Webhook.objects.create(account=member.account, url="https://127.0.0.1:1/", secret=secret)
    post = WebhookPost.objects.create(
        webhook=made, record_id=record.pk, kind="deals", what="created", body="{}", state=PostState.FAILED
    )
    WebhookTry.objects.create(webhook=made, post=post, number=1, is_taken=False)
    return made, post


def adding_to_list(record: Any, *, by: Any) -> int:
    kind = schema.kind_of(record.account, record.kind)
    one = making.create(record.account, kind, name="For the fair", is_filtered=False, by=by)
    adding.add(one, [record.pk], by=by)
    return one.pk


def session_of(member: Any) -> dict[str, str]:
    """What a signed-in person's browser sends, for doors that no key opens."""
    client = Client()
    client.force_login(member.user, backend="allauth.account.auth_backends.AuthenticationBackend")
    token = "a" * 32
    cookies = {name: morsel.value for name, morsel in client.cookies.items()} | {project.CSRF_COOKIE_NAME: token}
    return {"Cookie": "; ".join(f"{name}={value}" for name, value in cookies.items()), "X-CSRFToken": token}


@described.parametrize()
@settings(derandomize=True, max_examples=EXAMPLES, suppress_health_check=list(HealthCheck), deadline=None)
def test_every_answer_is_documented(case: Any, everything: dict[str, Any], one_connection: None) -> None:
    if case.meta.generation.mode is GenerationMode.POSITIVE:  # what is right goes to things that there are
        case.path_parameters = {name: everything[name] for name in case.path_parameters or {}}
        if case.operation.query.get("member"):
            case.query = {**(case.query or {}), "member": everything["member"]}
        if "cursor" in (case.query or {}):
            case.query["cursor"] = cursor_at(2**40)
    headers = everything["bobs_headers" if "/browsers/" in case.operation.path else "headers"]
    case.call_and_validate(headers=headers, excluded_checks=NOT_MEANT)


def test_the_description_has_no_gaps() -> None:
    call_command("spectacular", "--fail-on-warn", "--validate", "--file", os.devnull)


def test_every_operation_says_what_it_does_and_needs() -> None:
    for path, operations in described.raw_schema["paths"].items():
        for method, operation in operations.items():
            where = f"{method} {path}"
            assert operation["summary"], where
            assert "scope `" in operation["description"] or "Any key" in operation["description"], where
            assert {"401", "403", "404", "429"} <= operation["responses"].keys(), where
            assert operation["security"] == [{"key": []}, {"session": []}], where


def test_the_page_of_the_description_has_no_assets_from_elsewhere(client: Any) -> None:
    page = client.get("/api/v1/docs/")

    assert page.status_code == 200
    assert not re.findall(r"(?:src|href)=[\"'](?:https?:)?//", page.content.decode())
    assert "script-src 'self'" in page["Content-Security-Policy"]
    assert "unsafe" not in page["Content-Security-Policy"].split("script-src")[1].split(";")[0]
    assert client.get("/api/v1/docs/?script=").status_code == 200
