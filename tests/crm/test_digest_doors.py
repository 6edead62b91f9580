"""The doors of the task digest: the card on the E-mail tab, its own page, and the API."""

from datetime import UTC, datetime, timedelta

import pytest
from django.urls import reverse

from crm import records
from crm.digests import schedules, standing, task_lists, timing
from crm.models import DigestRun, DigestSchedule
from notifications import preferences
from notifications.defaults import Change, apply
from notifications.resolution import Layer
from tests.api.conftest import Api, fields_of, with_key

CELL = (task_lists.TYPE.key, "email")


@pytest.fixture
def page(client, account, bob):
    client.force_login(bob.user)
    return reverse("crm:digest", args=[account.hub_id])


@pytest.fixture
def program(account) -> Api:
    return with_key(account)


def overdue(member):
    facts = {
        "name": "Call",
        "due_at": f"{datetime.now(UTC) - timedelta(hours=2):%Y-%m-%dT%H:%M:%SZ}",
        "owner": member.pk,
    }
    return records.create(member.account, "tasks", facts, by=member)


def test_the_email_tab_asks_for_the_card(client, account, page):
    tab = client.get(reverse("notifications:settings-email", args=[account.hub_id])).content.decode()
    card = client.get(page, headers={"HX-Request": "true"}).content.decode()

    assert f'hx-get="{page}"' in tab
    assert 'id="task-digest"' in card
    assert "<html" not in card
    assert "<html" in client.get(page).content.decode()


@pytest.mark.req("N-141")
def test_a_member_chooses_skips_takes_it_back_and_turns_it_off(client, bob, page):
    client.post(page, {"frequency": "weekly", "hour": "9"})
    found = standing.of(bob)
    assert (found.frequency, found.row.hour, found.is_on) == ("weekly", 9, True)
    assert "nothing due so far" in client.get(page).content.decode()

    client.post(f"{page}skip/")
    assert "is left out" in client.get(page).content.decode()
    client.post(f"{page}skip/", {"undo": "1"})
    assert not standing.of(bob).is_skipped

    answer = client.post(page, {"frequency": "off", "hour": "9", "from": "tab"}, follow=True)
    assert answer.redirect_chain[0][0].endswith("/settings/notifications/email/#task-digest")
    assert not standing.of(bob).is_on


def test_while_one_is_left_out_the_one_after_it_is_named(client, bob, page):
    client.post(page, {"frequency": "weekdays", "hour": "8"})
    client.post(f"{page}skip/")

    saved = client.post(page, {"frequency": "weekdays", "hour": "8"}, follow=True).content.decode()

    found = standing.of(bob)
    after = timing.following("weekdays", 8, found.row.zone, after=found.row.next_on)
    assert found.is_skipped
    assert f"Saved. The digest of {found.next_words} is left out. Next digest: {found.following_words}" in saved
    assert f"<strong>Next digest:</strong> {found.following_words}" in saved
    assert found.following_words == standing.when(after.at)


def test_a_page_from_before_a_digest_does_not_skip_the_one_after_it(client, bob, page):
    client.post(page, {"frequency": "weekdays", "hour": "8"})
    meant = standing.of(bob).row.next_on.isoformat()
    assert f'name="day" value="{meant}"' in client.get(page).content.decode()
    row = schedules.of(bob)
    later = timing.following(row.frequency, row.hour, row.zone, after=row.next_on)  # that one came meanwhile
    DigestSchedule.objects.filter(pk=row.pk).update(next_on=later.on, next_at=later.at)

    said = client.post(f"{page}skip/", {"day": meant}, follow=True).content.decode()

    assert "The next digest is another one by now." in said
    assert not standing.of(bob).is_skipped
    client.post(f"{page}skip/", {"day": later.on.isoformat()})
    assert standing.of(bob).is_skipped


def test_what_makes_no_sense_is_said_beside_the_field(client, bob, page):
    answer = client.post(page, {"frequency": "hourly", "hour": "25"})

    assert answer.status_code == 422
    assert answer.content.decode().count("errorlist") == 2
    assert standing.of(bob).frequency == "off"


@pytest.mark.req("N-141")
def test_send_now_goes_out_and_is_told(client, bob, page, delivered):
    schedules.choose(bob, frequency="weekdays")
    overdue(bob)

    said = client.post(f"{page}send/", follow=True).content.decode()
    assert "on its way to bob@example.com" in said
    assert len(delivered("email")) == 1
    assert "1 task, sent to bob@example.com" in client.get(page).content.decode()

    assert "just now" in client.post(f"{page}send/", follow=True).content.decode()
    assert DigestRun.objects.count() == 1


def test_the_mail_leads_to_why_with_the_members_own_counts(client, bob, page, delivered):
    schedules.choose(bob, frequency="weekdays")
    overdue(bob)
    client.post(f"{page}send/")
    delivered("email")

    why = reverse("notifications:why", args=[bob.account.hub_id, DigestRun.objects.get().event_id])
    assert "Your tasks: 0 due, 1 overdue" in client.get(why).content.decode()


def test_a_lock_is_said_and_holds(client, bob, page):
    apply(bob.account, Change(layer=Layer.LOCK, cells={CELL: False}, reason="No digests here."), by=None)

    assert "You cannot turn it on" in client.get(page).content.decode()
    client.post(page, {"frequency": "weekdays", "hour": "8"})
    assert not standing.of(bob).is_on


def test_switched_off_mail_is_said(client, bob, page):
    schedules.choose(bob, frequency="weekdays")
    preferences.switch(bob, "email", on=False)

    assert "switched off, so no digest comes" in client.get(page).content.decode()


@pytest.mark.req("N-141")
def test_a_program_reads_and_changes_it(program, bob, delivered):
    there = "digest/?member=bob@example.com"
    assert program.get(there).json()["frequency"] == "off"

    changed = program.patch(there, {"frequency": "weekdays", "hour": 7, "skips_next": True}).json()
    assert (changed["frequency"], changed["hour"], changed["skips_next"]) == ("weekdays", 7, True)
    assert changed["is_on"] is True
    now = "digest/send/?member=bob@example.com"
    assert program.post(now).status_code == 409

    overdue(bob)
    sent = program.post(now)
    assert sent.status_code == 202
    assert sent.json()["last"]["state"] == "on_its_way"
    delivered("email")
    assert program.get(there).json()["last"]["state"] == "sent"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"frequency": "hourly"}, "frequency"),
        ({"hour": 24}, "hour"),
        ({"hour": "8"}, "hour"),
        ({}, "frequency"),
        ({"skip": True}, "skip"),
    ],
)
def test_a_bad_change_names_the_field_and_changes_nothing(program, bob, body, field):
    answer = program.patch("digest/?member=bob@example.com", body)

    assert answer.status_code == 422
    assert field in fields_of(answer)
    assert standing.of(bob).frequency == "off"


def test_another_accounts_member_is_not_there(program, mallory):
    assert program.get("digest/?member=mallory@example.com").status_code == 404
