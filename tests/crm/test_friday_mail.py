"""The Friday mail: only who opted in, only when enrolments changed since the last one (N-156).

Workflows are still to come, so nothing has changed yet; what the mail says is tried on enrolments of our own.
"""

from datetime import UTC, datetime, timedelta

import pytest

from crm.digests import enrolments, running, schedules
from crm.digests.enrolments import Enrolment
from crm.digests.slots import Slot
from crm.models import DigestKind, DigestRun, DigestSchedule
from notifications import preferences

CELL = (enrolments.TYPE.key, "email")
SUNDAY = datetime(2026, 11, 22, 12, tzinfo=UTC)
WEEK = timedelta(days=7)
FRIDAY = datetime(2026, 11, 27, 8, tzinfo=UTC)


def slot(member, at):
    return Slot("workflows", member.account_id, "fridays", 8, "UTC", "UTC", at.date(), at, False, [member.pk])


NEWS = [Enrolment("Welcome series", 48), Enrolment("Quiet customers", -6)]


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
    assert "Welcome series (+48), Quiet customers (−6)" in " ".join(letter.body.split())


def test_it_looks_back_to_the_last_one_that_looked(reader):
    run_friday(FRIDAY)

    since = enrolments.since(reader.account, [slot(reader, FRIDAY + WEEK)], FRIDAY + WEEK)

    assert since == {FRIDAY: [reader.pk]}


def test_the_first_one_looks_back_a_week(reader):

    assert enrolments.since(reader.account, [slot(reader, FRIDAY)], FRIDAY) == {FRIDAY - WEEK: [reader.pk]}


@pytest.mark.parametrize(
    ("news", "words"),
    [
        (NEWS[:1], "Welcome series (+48)"),
        ([Enrolment("Both ways", 0)], "Both ways (±0)"),
        ([Enrolment(f"W{i}", 1) for i in range(12)], "W9 (+1), and 2 more"),
    ],
)
def test_the_numbers_in_words(news, words):
    assert enrolments.words(news, "en").endswith(words)
