"""The Friday mail: only who opted in, only when enrolments changed since the last one (N-156)."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from crm.digests import enrolments, running, schedules
from crm.digests.enrolments import Enrolment
from crm.digests.slots import Slot
from crm.models import DigestKind, DigestRun, DigestSchedule
from crm.models import Enrolment as Enrolled
from crm.workflows import writing
from notifications import preferences
from tests.crm.workflows import build

CELL = (enrolments.TYPE.key, "email")
SUNDAY = datetime(2026, 11, 22, 12, tzinfo=UTC)
WEEK = timedelta(days=7)
FRIDAY = datetime(2026, 11, 27, 8, tzinfo=UTC)


def slot(member, at):
    return Slot("workflows", member.account_id, "fridays", 8, "UTC", "UTC", at.date(), at, False, [member.pk])


NEWS = [Enrolment("Welcome series", 48, 21), Enrolment("Quiet customers", 0, 6)]


@pytest.fixture
def reader(account, bob):
    bob.time_zone = "UTC"
    bob.save()
    preferences.choose(bob, {CELL: True})
    schedules.adopt(SUNDAY)
    return bob


def run_friday(at):
    DigestSchedule.objects.filter(kind=DigestKind.TASKS).delete()
    return running.run_due(at)


def test_nothing_changed_is_no_mail(reader, carol, delivered):
    schedules.adopt(SUNDAY)

    assert run_friday(FRIDAY) > 0

    assert delivered("email") == []
    rows = list(DigestRun.objects.values_list("member_id", "kind", "outcome"))
    assert rows == [(reader.pk, "workflows", "empty")]
    assert DigestSchedule.objects.get(member=reader).next_on.isoformat() == "2026-12-04"


def test_what_changed_is_mailed_once_with_the_numbers(reader, carol, delivered):

    for _again in range(2):
        enrolments.tell(reader.account, [slot(reader, FRIDAY)], [reader.pk], NEWS, FRIDAY)

    (letter,) = delivered("email")
    assert letter.to == [reader.email]
    assert letter.subject == "Enrolment changed in 2 of your workflows"
    assert "Welcome series (48 in, 21 out), Quiet customers (6 out)" in " ".join(letter.body.split())


def test_it_looks_back_to_the_last_one_that_looked(reader):
    run_friday(FRIDAY)

    since = enrolments.since(reader.account, [slot(reader, FRIDAY + WEEK)], FRIDAY + WEEK)

    assert since == {FRIDAY: [reader.pk]}


def test_the_first_one_looks_back_a_week(reader):

    assert enrolments.since(reader.account, [slot(reader, FRIDAY)], FRIDAY) == {FRIDAY - WEEK: [reader.pk]}


@pytest.mark.parametrize(
    ("news", "words"),
    [
        (NEWS[:1], "Welcome series (48 in, 21 out)"),
        ([Enrolment("Both ways", 21, 21)], "Both ways (21 in, 21 out)"),
        ([Enrolment(f"W{i}", 1, 0) for i in range(12)], "W9 (1 in), and 2 more"),
    ],
)
def test_the_numbers_in_words(news, words):
    assert enrolments.words(news, "en").endswith(words)


# --- What changed


@pytest.fixture
def enrolled(make):
    """Let records come into a workflow, and go out of it, so many days before the Friday."""

    def run(workflow, *days):
        for came, went in days:
            Enrolled.objects.create(
                workflow=workflow,
                version=workflow.version,
                record=make("tickets"),
                enrolled_at=FRIDAY - timedelta(days=came),
                ended_at=FRIDAY - timedelta(days=went) if went is not None else None,
                state="waiting" if went is None else "done",
            )

    return run


@pytest.mark.req("N-156")
def test_the_mail_says_how_the_enrolment_of_each_workflow_changed(reader, alice, mallory, enrolled, delivered):
    welcome, quiet, both, idle = (build(alice, name=name) for name in ("Welcome", "Quiet", "Both ways", "Idle"))
    enrolled(welcome, (1, None), (2, None), (3, 1))
    enrolled(quiet, (20, 3), (30, 6), (40, 5))
    enrolled(both, (6, 5))
    enrolled(idle, (10, 9), (20, None))

    for _again in range(2):
        run_friday(FRIDAY)

    (letter,) = delivered("email")
    assert letter.to == [reader.email]
    assert letter.subject == "Enrolment changed in 3 of your workflows"
    assert "Quiet (3 out), Welcome (3 in, 1 out), Both ways (1 in, 1 out)" in " ".join(letter.body.split())
    assert enrolments.changed(mallory.account, FRIDAY - WEEK, FRIDAY) == []


@pytest.mark.req("N-156")
def test_each_change_is_in_one_mail(alice, enrolled):
    workflow = build(alice)
    enrolled(workflow, (7, 0))

    weeks = [FRIDAY - WEEK, FRIDAY, FRIDAY + WEEK, FRIDAY + 2 * WEEK]
    told = [enrolments.changed(alice.account, *pair) for pair in pairwise(weeks)]

    assert told == [[Enrolment(workflow.name, 1, 0)], [Enrolment(workflow.name, 0, 1)], []]


@pytest.mark.req("N-156")
def test_a_workflow_that_was_deleted_is_not_named(alice, enrolled):
    workflow = build(alice)
    enrolled(workflow, (1, None))
    writing.delete(workflow, alice)

    assert enrolments.changed(alice.account, FRIDAY - WEEK, FRIDAY) == []
