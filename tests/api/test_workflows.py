"""Workflows over the API: composed, turned on, run; who may; what is incomplete is named."""

from typing import Any

import pytest

from accounts.models import Account
from crm import permissions, records
from crm.models import Enrolment, Workflow
from crm.workflows import running
from tests.api.conftest import fields_of, with_key

STEPS = [
    {"do": "set", "property": "description", "value": "Seen"},
    {
        "do": "branch",
        "conditions": [{"property": "amount", "operator": "at_least", "value": 1000}],
        "yes": [{"do": "wait", "amount": 1, "unit": "days"}],
        "no": [],
    },
    {"id": "last", "do": "set", "property": "description", "value": "Waited"},
]


@pytest.fixture
def deal(account: Account, alice: Any) -> Any:
    return records.create(account, "deals", {"name": "Nordic Oak 2027", "amount": 18400, "owner": alice.pk}, by=alice)


@pytest.fixture
def made(program: Any) -> dict[str, Any]:
    """A complete one that is off."""
    one: dict[str, Any] = program.post("crm/workflows/", {"kind": "deals", "name": "Large deals"}).json()
    at = f"crm/workflows/{one['id']}/"
    assert program.patch(at, {"trigger": {"on": "manual"}, "reenrols": True}).status_code == 200
    assert program("PUT", f"{at}steps/", {"steps": STEPS}).status_code == 200
    return dict(program.get(at).json())


def test_one_is_composed_turned_on_and_takes_a_record_through(program: Any, made: dict[str, Any], deal: Any) -> None:
    at = f"crm/workflows/{made['id']}/"
    assert (made["state"], made["version"], made["trigger"], made["reenrols"]) == ("off", 1, {"on": "manual"}, True)
    assert [step["id"] for step in made["steps"]] == ["s1", "s2", "last"]
    assert program.post(f"{at}state/", {"state": "on"}).json()["state"] == "on"

    enrolled = program.post(f"{at}enrolments/", {"record": deal.pk})
    assert enrolled.status_code == 201
    while running.step():
        pass

    (row,) = program.get(f"{at}enrolments/?state=waiting&record={deal.pk}").json()["results"]
    assert [(run["step"], run["outcome"]) for run in row["runs"]] == [("s1", "done"), ("s2", "yes"), ("s3", "done")]
    numbers = program.get(f"{at}numbers/").json()
    assert numbers["states"] == {"waiting": 1}
    assert (numbers["steps"]["s1"], numbers["steps"]["last"]) == ({"done": 1}, {"waiting": 1})
    assert program.post(f"{at}enrolments/", {"record": deal.pk}).status_code == 409
    assert program("DELETE", f"{at}enrolments/{row['id']}/").status_code == 204
    assert Enrolment.objects.get().state != "waiting"
    assert program("DELETE", at).status_code == 204
    assert program.get(at).status_code == 404
    assert program.get("crm/workflows/").json()["results"] == []


def test_a_trial_says_what_would_happen_and_changes_nothing(program: Any, made: dict[str, Any], deal: Any) -> None:
    said = program.post(f"crm/workflows/{made['id']}/trial/", {"record": deal.pk}).json()

    assert said["matches"] is True
    assert [step["do"] for step in said["steps"]] == ["set", "branch", "wait", "set"]
    deal.refresh_from_db()
    assert "description" not in deal.values
    assert not Enrolment.objects.exists()


def test_what_is_wrong_is_named_by_its_place(program: Any, made: dict[str, Any]) -> None:
    at = f"crm/workflows/{made['id']}/"

    said = program("PUT", f"{at}steps/", {"steps": [{"id": "s9", "do": "assign", "member": 10**9}, {"do": "fly"}]})
    assert said.status_code == 422
    assert "steps.s9.member" in fields_of(said)
    assert "trigger.property" in fields_of(program.patch(at, {"trigger": {"on": "changed", "property": "zebra"}}))
    assert "conditions[0]" in fields_of(
        program.patch(at, {"conditions": [{"property": "zebra", "operator": "is", "value": 1}]})
    )
    assert "name" in fields_of(program.post("crm/workflows/", {"kind": "deals", "name": "Large deals"}))
    assert program.get(at).json() == made


def test_an_incomplete_one_is_not_turned_on(program: Any) -> None:
    one = program.post("crm/workflows/", {"kind": "deals", "name": "Empty"}).json()

    said = program.post(f"crm/workflows/{one['id']}/state/", {"state": "on"})

    assert said.status_code == 422
    assert set(fields_of(said)) == {"trigger.on", "steps"}
    assert program.post(f"crm/workflows/{one['id']}/state/", {"state": "paused"}).status_code == 409


def test_nothing_is_saved_over_something_newer_unseen(program: Any, made: dict[str, Any]) -> None:
    at, steps = f"crm/workflows/{made['id']}/", f"crm/workflows/{made['id']}/steps/"
    newer = program("PUT", steps, {"steps": STEPS[2:], "mark": made["mark"]}).json()
    assert (newer["version"], newer["mark"] != made["mark"]) == (2, True)

    for said in (
        program("PUT", steps, {"steps": STEPS, "mark": made["mark"]}),
        program.patch(at, {"name": "Small deals", "mark": made["mark"]}),
    ):
        assert (said.status_code, said.json()["code"]) == (409, "stale_workflow")
    assert program.get(at).json() == newer

    renamed = program.patch(at, {"name": "Small deals", "mark": newer["mark"]}).json()
    assert program("PUT", steps, {"steps": STEPS, "mark": renamed["mark"]}).json()["version"] == 3


def test_a_plan_without_workflows_is_told_so(program: Any, made: dict[str, Any]) -> None:
    Account.objects.update(plan="starter")

    for said in (
        program.post("crm/workflows/", {"kind": "deals", "name": "Another"}),
        program.post(f"crm/workflows/{made['id']}/state/", {"state": "on"}),
    ):
        assert (said.status_code, said.json()["code"]) == (403, "not_on_this_plan")


def test_a_member_reads_and_enrols_but_does_not_change(
    program: Any, signed_in: Any, bob: Any, alice: Any, made: dict[str, Any], deal: Any
) -> None:
    at, browser = f"crm/workflows/{made['id']}/", signed_in(bob)
    program.post(f"{at}state/", {"state": "on"})

    assert browser.get(at).status_code == 200
    assert browser.patch(at, {"name": "Mine"}).json()["code"] == "not_super_admin"
    assert browser("PUT", f"{at}steps/", {"steps": []}).status_code == 403
    assert browser.post(f"{at}state/", {"state": "off"}).status_code == 403
    assert browser.post(f"{at}enrol-all/", {}).status_code == 403
    assert browser("DELETE", at).status_code == 403
    assert browser.post(f"{at}enrolments/", {"record": deal.pk}).status_code == 201
    permissions.set_reach(bob, "deals", sees="own", edits="own", by=alice)
    assert browser.get(f"{at}enrolments/").json()["results"] == []
    assert browser.post(f"{at}trial/", {"record": deal.pk}).status_code == 404
    assert Workflow.objects.get().name == "Large deals"


def test_all_that_match_are_enrolled_in_the_background(program: Any, made: dict[str, Any], deal: Any) -> None:
    at = f"crm/workflows/{made['id']}/"
    assert program.post(f"{at}enrol-all/", {}).status_code == 409
    program.post(f"{at}state/", {"state": "on"})

    assert program.post(f"{at}enrol-all/", {}).status_code == 202
    while running.step():
        pass

    assert Enrolment.objects.get().record_id == deal.pk


def test_reading_takes_its_own_scope(account: Account, made: dict[str, Any]) -> None:
    reader = with_key(account, "workflows.read")

    assert reader.get(f"crm/workflows/{made['id']}/").status_code == 200
    assert "workflows.write" in reader("DELETE", f"crm/workflows/{made['id']}/").json()["detail"]
