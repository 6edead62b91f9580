"""Every page of an account, found in the table of addresses, as a stranger and as a member of the account next door."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.db.models import QuerySet
from django.urls import URLPattern, URLResolver, get_resolver

from accounts.models import Membership
from crm import activities, bulk, defining, exporting, form_submissions, records, schema
from crm.importing import uploading
from crm.lists import adding, making
from crm.models import (
    Activity,
    Anomaly,
    AssignmentWindow,
    BulkJob,
    CustomProperty,
    Enrolment,
    Export,
    FormSubmission,
    ImportJob,
    Pipeline,
    Record,
    RecordList,
    SavedView,
    Stage,
    Webhook,
    Workflow,
)
from crm.workflows import enrolling, running, writing
from notifications import events, types


def account_pages(resolver: URLResolver, before: str = "") -> Iterator[str]:
    """The routes below /<hub_id>/."""
    for pattern in resolver.url_patterns:
        route = before + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from account_pages(pattern, route)
        elif isinstance(pattern, URLPattern) and route.startswith("<int:hub_id>/"):
            yield route


ROUTES = sorted(account_pages(get_resolver()))


ROWS: dict[str, QuerySet[Any]] = {
    "pk": Record.objects.filter(kind="deals"),
    "activity_id": Activity.objects.all(),
    "view_id": SavedView.objects.all(),
    "import_id": ImportJob.objects.all(),
    "job_id": BulkJob.objects.all(),
    "export_id": Export.objects.all(),
    "webhook_id": Webhook.objects.all(),
    "stage_id": Stage.objects.filter(pipeline__kind="deals"),
    "pipeline_id": Pipeline.objects.filter(kind="deals"),
    "property_id": CustomProperty.objects.filter(kind="deals"),
    "member_id": Membership.objects.filter(account__hub_id=1001),
    "window_id": AssignmentWindow.objects.all(),
    "list_id": RecordList.objects.all(),
    "anomaly_id": Anomaly.objects.all(),
    "workflow_id": Workflow.objects.all(),
    "enrolment_id": Enrolment.objects.all(),
    "submission_id": FormSubmission.objects.all(),
}


def address(route: str, *, hub_id: int, event: int) -> str:
    """A real address for a route, with things that exist in the account. A new kind of thing fails here: add it."""
    samples = {
        "hub_id": hub_id,
        "event_id": event,
        "tab": "email",
        "app": "webhook",
        "snooze_id": 1,
        "type_key": types.deals.STAGE_CHANGED.key,
        "kind": "deals",
    }
    samples |= {name: found.latest("pk").pk for name, found in ROWS.items()}
    return "/" + re.sub(r"<(?:\w+:)?(\w+)>", lambda found: str(samples[found[1]]), route)


@pytest.fixture
def event(account, alice, bob, fan_out):
    deal = records.create(alice.account, "deals", {"name": "Nordic Oak 2027", "owner": bob.pk}, by=alice)
    activities.log(deal, kind="note", text="They want a second forklift.", by=bob)
    defining.define_property(account, "deals", label="Forklift", type="text", by=alice)
    bulk.start(schema.kind_of(alice.account, "deals"), verb="delete", by=bob, ids=[deal.pk])
    kind = schema.kind_of(alice.account, "deals")
    adding.add(making.create(alice.account, kind, name="Nordic Oak", is_filtered=False, by=bob), [deal.pk], by=bob)
    form_submissions.submit(alice.account, form="Oak", page="oak.example", address="mia@fjordline.example", given={})
    Anomaly.objects.create(
        account=alice.account, kind="deals", property="name", day="2026-11-21", move="changed", number=40, usual=1
    )
    bob.permissions = ["forms"]
    bob.save()
    rows = {"file": "Nordic Oak.csv", "content": b"Name,City\nNordic Oak,Oslo\n"}
    uploading.upload(alice.account, schema.kind_of(alice.account, "contacts"), by=bob, **rows)
    exporting.start(alice.account, schema.kind_of(alice.account, "deals"), by=bob, ids=[deal.pk])
    Webhook.objects.create(account=alice.account, url="https://hooks.example.com/nordic-oak")
    workflow = writing.create(alice.account, "deals", "Look at Nordic Oak", alice)
    writing.change(workflow, trigger={"on": "manual"}, by=alice)
    writing.save_steps(workflow, [{"do": "wait", "amount": 2, "unit": "days"}], alice)
    enrolling.enrol(running.turn_on(workflow, alice), deal, alice)
    SavedView.objects.create(account=alice.account, member=bob, kind="deals", name="Mine")
    event = events.emit(types.deals.STAGE_CHANGED, audience=[bob], by=alice, data=types.deals.STAGE_CHANGED.example)
    fan_out()
    return event


def test_there_are_pages_to_walk():
    assert len(ROUTES) > 10


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("method", ["get", "post"])
def test_a_member_of_the_account_next_door_finds_nothing(client, account, mallory, event, route, method):
    client.force_login(mallory.user)

    answer = getattr(client, method)(address(route, hub_id=account.hub_id, event=event.pk))

    assert answer.status_code in ({404} if method == "get" else {404, 405})
    assert b"Nordic Oak" not in answer.content
    assert b"Forklift" not in answer.content


@pytest.mark.parametrize("route", ROUTES)
def test_an_account_that_does_not_exist_looks_the_same(client, account, mallory, event, route):
    client.force_login(mallory.user)

    there = client.get(address(route, hub_id=account.hub_id, event=event.pk))
    nowhere = client.get(address(route, hub_id=999_999, event=event.pk))

    assert there.status_code == nowhere.status_code
    assert len(there.content) == len(nowhere.content)


@pytest.mark.parametrize("route", ROUTES)
def test_the_address_is_a_real_one(client, account, bob, event, route):
    client.force_login(bob.user)

    assert client.get(address(route, hub_id=account.hub_id, event=event.pk)).status_code in {200, 302, 405}


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("method", ["get", "post"])
def test_a_stranger_is_asked_to_sign_in(client, account, event, route, method):
    answer = getattr(client, method)(address(route, hub_id=account.hub_id, event=event.pk))

    assert answer.status_code in {302, 405}
    if answer.status_code == 302:
        assert answer["Location"].startswith("/accounts/login/")
