"""Forms that visitors filled in: the contact, who hears, what workflows hear, and never twice."""

from typing import Any

import pytest
from django.test import Client

from accounts.models import Membership
from crm import form_submissions, happenings, listeners, merging, permissions, records
from crm.errors import InvalidRecord
from crm.form_submissions import InvalidSubmission
from crm.models import Change, FormSubmission, Happening, Record
from notifications.events import KeyReused
from notifications.models import Event
from notifications.types import forms
from tests.api.conftest import fields_of, with_key
from tests.crm.conftest import at_once

pytestmark = [pytest.mark.req("N-092")]

ADDRESS = "jonas@hofmann.example"
BODY = {
    "form": "Ask for a quote",
    "page": "fjordline.example/prices",
    "address": ADDRESS,
    "properties": {"first_name": "Jonas", "last_name": "Weber"},
}


def fill_in(account: Any, **more: Any) -> FormSubmission:
    given = {"form": "Ask for a quote", "page": "fjordline.example/prices", "address": ADDRESS, "given": {}}
    return form_submissions.submit(account, **(given | more))


@pytest.fixture
def clerk(carol: Membership) -> Membership:
    """carol, who has the forms tool."""
    carol.permissions = ["forms"]
    carol.save()
    return carol


@pytest.fixture
def browser() -> Any:
    def enter(member: Membership) -> Client:
        client = Client()
        client.force_login(member.user, backend="allauth.account.auth_backends.AuthenticationBackend")
        return client

    return enter


def test_an_address_nobody_has_becomes_a_contact(account: Any) -> None:
    made = fill_in(account, address=" Jonas@Hofmann.example", given={"first_name": "Jonas"})

    assert made.is_new_contact
    assert (made.record.kind, made.record.title, made.record.address) == ("contacts", "Jonas", ADDRESS)
    assert Change.objects.filter(record=made.record, what="submitted").get().after["form"] == "Ask for a quote"


def test_a_known_contact_keeps_what_the_form_does_not_say(account: Any, alice: Any) -> None:
    there = records.create(
        account, "contacts", {"first_name": "Jonas", "city": "Bergen", "email": ADDRESS, "owner": alice.pk}, by=alice
    )
    made = fill_in(account, given={"city": "Oslo", "phone": "+47 55 123 456"})

    there.refresh_from_db()
    assert (made.record_id, made.is_new_contact) == (there.pk, False)
    assert there.values == {"first_name": "Jonas", "city": "Oslo", "phone": "+47 55 123 456"}
    assert there.owner == alice


def test_a_contact_in_the_bin_stays_there_and_a_new_one_is_made(account: Any, alice: Any) -> None:
    there = records.create(account, "contacts", {"email": ADDRESS}, by=alice)
    records.delete(there, by=alice)

    assert fill_in(account).record_id != there.pk


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"address": "nobody"}, "address"),
        ({"form": "  "}, "form"),
        ({"form": "x" * 101}, "form"),
        ({"page": ""}, "page"),
        ({"page": "a\0b"}, "page"),
        ({"given": {"email": "other@example.com"}}, "email"),
    ],
)
def test_what_makes_no_sense_is_refused_and_nothing_is_written(account: Any, wrong: Any, field: str) -> None:
    with pytest.raises(InvalidSubmission) as refused:
        fill_in(account, **wrong)

    assert set(refused.value.fields) == {field}
    assert not Record.objects.exists()


def test_a_property_that_cannot_be_saved_leaves_nothing_half_written(account: Any) -> None:
    with pytest.raises(InvalidRecord) as refused:
        fill_in(account, given={"first_name": "Jonas", "shoe_size": 43, "lifecycle": "king"})

    assert set(refused.value.fields) == {"shoe_size", "lifecycle"}
    assert not Record.objects.exists()
    assert not FormSubmission.objects.exists()


@pytest.mark.req("N-093")
def test_who_has_the_forms_tool_and_may_see_the_contact_hears(
    account: Any, alice: Any, bob: Any, clerk: Any, told: Any
) -> None:
    made = fill_in(account, given={"first_name": "Jonas", "last_name": "Weber"})

    ((members, data),) = told(forms.SUBMITTED.key)
    assert set(members) == {alice.pk, clerk.pk}
    assert data == {
        "submitter": "Jonas Weber",
        "form": "Ask for a quote",
        "page": "fjordline.example/prices",
        "url": f"/1001/form-submissions/{made.pk}/",
    }

    permissions.set_reach(clerk, "contacts", sees="own", edits="own", by=alice)
    fill_in(account, form="Newsletter")
    assert told(forms.SUBMITTED.key)[1][0] == [alice.pk]


class Follows:
    """A listener that wants to hear of all contacts, and remembers."""

    def __init__(self) -> None:
        self.batches: list[Any] = []

    def listens(self, account_id: int, kind: str) -> Any:
        return Record.objects.filter(account=account_id, kind=kind)

    def heard(self, account: Any, batch: Any) -> None:
        self.batches += [(one.what, one.lines) for one in batch]


def test_workflows_hear_which_form_was_submitted(account: Any, alice: Any, monkeypatch: Any) -> None:
    follower = Follows()
    monkeypatch.setattr(listeners, "ALL", (follower,))
    records.create(account, "contacts", {"email": ADDRESS}, by=alice)
    Happening.objects.all().delete()
    fill_in(account)
    happenings.step()

    assert follower.batches == [("submitted", {"form": [None, "Ask for a quote"]})]


def test_the_same_key_does_nothing_twice(account: Any) -> None:
    first = fill_in(account, key="k1")
    again = fill_in(account, key="k1")

    assert (again.pk, first.is_replay, again.is_replay) == (first.pk, False, True)
    assert Change.objects.filter(what="submitted").count() == 1
    with pytest.raises(KeyReused):
        fill_in(account, key="k1", form="Another")


@pytest.mark.django_db(transaction=True)
def test_many_forms_at_once_make_one_contact_and_each_key_one_submission(account: Any, alice: Any) -> None:
    at_once(*[lambda number=number: fill_in(account, key=f"k{number // 2}") for number in range(8)])

    assert Record.objects.filter(kind="contacts").count() == 1
    assert FormSubmission.objects.count() == 4
    assert Event.objects.filter(type=forms.SUBMITTED.key).count() == 4
    assert FormSubmission.objects.filter(is_new_contact=True).count() == 1


def test_submissions_move_with_a_contact_that_is_merged(account: Any, alice: Any) -> None:
    made = fill_in(account)
    other = records.create(account, "contacts", {"first_name": "Jonas"}, by=alice)
    merging.merge(other, made.record, by=alice)

    made.refresh_from_db()
    assert made.record == other


# Over the API


def test_a_program_hands_a_form_in(account: Any) -> None:
    program = with_key(account)
    said = program.post("crm/form-submissions/", BODY, Idempotency_Key="k1")
    again = program.post("crm/form-submissions/", BODY, Idempotency_Key="k1")

    assert (said.status_code, said.json()["is_new_contact"]) == (201, True), said.content
    assert again.json() == said.json()
    assert again["Idempotency-Replayed"] == "true"
    listed = program.get("crm/form-submissions/?form=Ask for a quote").json()["results"]
    assert listed == [said.json()]
    assert program.get("crm/form-submissions/?form=Other").json()["results"] == []


def test_another_form_with_the_same_key_is_refused_by_its_header(account: Any) -> None:
    program = with_key(account)
    program.post("crm/form-submissions/", BODY, Idempotency_Key="k1")
    said = program.post("crm/form-submissions/", BODY | {"form": "Other"}, Idempotency_Key="k1")

    assert said.status_code == 422
    assert set(fields_of(said)) == {"Idempotency-Key"}


@pytest.mark.parametrize(
    ("wrong", "field"),
    [({"address": "x"}, "address"), ({"properties": {"lifecycle": "king"}}, "lifecycle"), ({"colour": 1}, "colour")],
)
def test_the_field_that_is_wrong_is_named(account: Any, wrong: Any, field: str) -> None:
    assert set(fields_of(with_key(account).post("crm/form-submissions/", BODY | wrong))) == {field}


def test_it_takes_the_scope_of_forms(account: Any) -> None:
    assert with_key(account, "records.write").post("crm/form-submissions/", BODY).status_code == 403
    assert with_key(account, "forms.write").post("crm/form-submissions/", BODY).status_code == 201
    assert with_key(account, "forms.write").get("crm/form-submissions/").status_code == 403


# On the pages


@pytest.mark.req("N-093")
def test_the_pages_are_for_those_with_the_forms_tool(account: Any, bob: Any, clerk: Any, browser: Any) -> None:
    made = fill_in(account, given={"first_name": "Jonas", "lifecycle": "lead"})

    for page in ("", f"{made.pk}/"):
        assert browser(bob).get(f"/1001/form-submissions/{page}").status_code == 403
        assert b"Jonas" in browser(clerk).get(f"/1001/form-submissions/{page}").content
    assert b"Form submissions" not in browser(bob).get("/1001/contacts/").content
    one = browser(clerk).get(f"/1001/form-submissions/{made.pk}/").content.decode()
    assert "Lifecycle stage" in one
    assert f'href="/1001/contacts/{made.record_id}/"' in one


def test_the_timeline_says_which_form_it_was(account: Any, alice: Any, browser: Any) -> None:
    made = fill_in(account, form="Ask <b>for</b> a quote")
    page = browser(alice).get(f"/1001/contacts/{made.record_id}/").content.decode()

    assert "took in the form “Ask &lt;b&gt;for&lt;/b&gt; a quote” from the page fjordline.example/prices" in page


def test_the_page_of_a_contact_one_may_not_see_is_not_there(account: Any, alice: Any, clerk: Any, browser: Any) -> None:
    made = fill_in(account)
    permissions.set_reach(clerk, "contacts", sees="own", edits="own", by=alice)

    assert browser(clerk).get(f"/1001/form-submissions/{made.pk}/").status_code == 404
    assert b"jonas" not in browser(clerk).get("/1001/form-submissions/").content
