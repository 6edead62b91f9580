"""The task digest: computed once per member and local date, mailed the way of all mails, and nothing when empty."""

import threading
from datetime import UTC, datetime, timedelta

import pytest
from django.core import mail
from django.db import close_old_connections, connection
from django.test.utils import CaptureQueriesContext

from crm import defining, records
from crm.digests import running, schedules, sending_now, standing, task_lists
from crm.models import DigestKind, DigestOutcome, DigestRun, DigestSchedule, Frequency
from notifications import preferences
from notifications.defaults import Change, apply
from notifications.models import Event
from notifications.resolution import Layer
from tests import factories

CELL = (task_lists.TYPE.key, "email")
SUNDAY = datetime(2026, 11, 22, 12, tzinfo=UTC)
MONDAY = datetime(2026, 11, 23, 7, 0, tzinfo=UTC)  # 08:00 in Stockholm


@pytest.fixture
def stockholm(account):
    account.time_zone = "Europe/Stockholm"
    account.save()
    return account


@pytest.fixture
def reader(stockholm, bob):
    """bob, in Stockholm, who wants the digest every weekday."""
    bob.account = stockholm
    preferences.choose(bob, {CELL: True})
    schedules.adopt(SUNDAY)
    return bob


def task(member, title, due, **given):
    facts = {"name": title, "due_at": due.strftime("%Y-%m-%dT%H:%M:%SZ"), "owner": member.pk}
    return records.create(member.account, "tasks", facts | given, by=member)


def runs(member, kind=DigestKind.TASKS):
    found = DigestRun.objects.filter(member=member, kind=kind).order_by("on", "turn")
    return [(run.on.isoformat(), run.outcome) for run in found]


@pytest.mark.req("N-141")
def test_overdue_due_and_upcoming_tasks_are_mailed_each_a_link(reader, delivered):
    late = task(reader, "Call Mia Lind back", MONDAY - timedelta(days=3))
    now = task(reader, "Send the revised offer", MONDAY + timedelta(hours=7))
    later = task(reader, "Book the room", MONDAY + timedelta(days=2))
    task(reader, "In ten days", MONDAY + timedelta(days=10))
    done = task(reader, "Done before", MONDAY - timedelta(days=1))
    records.complete(done, by=reader)
    records.delete(task(reader, "Thrown away", MONDAY), by=reader)

    assert running.run_due(MONDAY) == 1
    (letter,) = delivered("email")

    assert letter.to == [reader.email]
    assert letter.subject == "Your tasks: 1 due, 1 overdue"
    page = letter.alternatives[0][0]
    for one in (late, now, later):
        assert f"/1001/tasks/{one.pk}/" in letter.body
        assert f"/1001/tasks/{one.pk}/" in page
        assert one.title in letter.body
    assert [head for head in ("Overdue (1)", "Due today (1)", "In the next 7 days (1)") if head not in page] == []
    assert letter.body.index("Overdue (1)") < letter.body.index("Due today (1)") < letter.body.index("In the next")
    assert not [title for title in ("In ten days", "Done before", "Thrown away") if title in letter.body + page]
    assert runs(reader) == [("2026-11-23", "told")]
    run = DigestRun.objects.get(member=reader)
    assert (run.overdue, run.today, run.upcoming, run.tasks) == (1, 1, 1, [late.pk, now.pk, later.pk])
    assert f"<n.{run.event_id}.{reader.pk}@" in letter.message()["Message-ID"]


@pytest.mark.req("N-141")
def test_nothing_due_or_overdue_is_no_mail(reader, delivered):
    task(reader, "Book the room", MONDAY + timedelta(days=2))

    running.run_due(MONDAY)

    assert delivered("email") == []
    assert runs(reader) == [("2026-11-23", "empty")]
    assert standing.of(reader).last.state == "empty"


@pytest.mark.req("N-141")
def test_who_did_not_opt_in_gets_nothing_and_no_row_says_otherwise(stockholm, carol, delivered):
    schedules.adopt(SUNDAY)
    task(carol, "Call", MONDAY)

    assert running.run_due(MONDAY) > 0

    assert delivered("email") == []
    assert runs(carol) == []


def test_an_account_default_opts_everybody_in_and_one_who_said_no_stays_out(stockholm, alice, bob, carol, delivered):
    schedules.adopt(SUNDAY)
    apply(stockholm, Change(layer=Layer.DEFAULT, cells={CELL: True}), by=None)
    preferences.choose(carol, {CELL: False})
    mail.outbox.clear()
    for member in (alice, bob, carol):
        task(member, "Call", MONDAY)

    running.run_due(MONDAY)

    digests = [letter.to for letter in delivered("email") if "Your tasks" in letter.subject]
    assert sorted(digests) == [[alice.email], [bob.email]]


def test_many_tasks_are_counted_and_only_some_are_named(reader, delivered):
    for i in range(task_lists.MOST + 12):
        task(reader, f"Overdue {i:02}", MONDAY - timedelta(days=2) + timedelta(minutes=i))
    for i in range(task_lists.MOST_UPCOMING + 3):
        task(reader, f"Later {i:02}", MONDAY + timedelta(days=2, minutes=i))

    running.run_due(MONDAY)
    (letter,) = delivered("email")

    assert letter.subject == "Your tasks: 0 due, 32 overdue"
    assert "and 12 more" in letter.body
    assert "and 3 more" in letter.body
    assert letter.body.count("\n- Overdue") == task_lists.MOST
    assert "Due today" not in letter.body


def test_a_task_of_several_people_is_in_each_ones_digest(reader, carol, alice, delivered):
    defining.define_property(reader.account, "tasks", key="helper", label="Helper", type="user", by=alice)
    schedules.adopt(SUNDAY)
    preferences.choose(carol, {CELL: True})
    task(reader, "Move the piano", MONDAY, helper=carol.pk)
    task(carol, "Call", MONDAY, helper=carol.pk)

    running.run_due(MONDAY)

    told = {letter.to[0]: letter.subject for letter in delivered("email")}
    assert told == {reader.email: "Your tasks: 1 due, 0 overdue", carol.email: "Your tasks: 2 due, 0 overdue"}


def test_titles_stay_text_in_the_mail(reader, delivered):
    task(reader, "<script>alert(1)</script>\u202e 🚀 " + "x" * 250, MONDAY)

    running.run_due(MONDAY)
    (letter,) = delivered("email")

    assert "<script>" not in letter.alternatives[0][0]
    assert "&lt;script&gt;" in letter.alternatives[0][0]
    assert "\u202e" not in letter.body


@pytest.mark.req("N-141")
def test_the_same_tick_twice_is_one_mail(reader, delivered):
    task(reader, "Call", MONDAY)

    running.run_due(MONDAY)
    assert running.run_due(MONDAY) == 0
    DigestSchedule.objects.filter(member=reader).update(next_on=MONDAY.date(), next_at=MONDAY)  # as if never moved
    running.run_due(MONDAY)

    assert len(delivered("email")) == 1
    assert Event.objects.filter(type=task_lists.TYPE.key).count() == 1


@pytest.mark.req("N-141")
@pytest.mark.django_db(transaction=True)
def test_two_ticks_at_once_share_the_members(account, delivered):
    members = factories.members(account, 60, time_zone="Europe/Stockholm")
    schedules.adopt(SUNDAY)
    apply(account, Change(layer=Layer.DEFAULT, cells={CELL: True}), by=None)
    for member in members:
        task(member, "Call", MONDAY)
    mail.outbox.clear()
    begin = threading.Barrier(3)

    def tick():
        begin.wait()
        try:
            running.run_due(MONDAY, batch=7)
        finally:
            close_old_connections()
            connection.close()

    threads = [threading.Thread(target=tick) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    digests = [letter.to[0] for letter in delivered("email") if "Your tasks" in letter.subject]
    assert sorted(digests) == sorted(member.email for member in members)
    assert DigestRun.objects.count() == 60


@pytest.mark.req("N-141")
@pytest.mark.parametrize(("late", "outcome"), [(timedelta(hours=5, minutes=59), "told"), (timedelta(hours=6), "late")])
def test_less_than_six_hours_late_is_sent_and_later_is_skipped_and_said(reader, delivered, late, outcome):
    task(reader, "Call", MONDAY)

    running.run_due(MONDAY + late)

    assert runs(reader) == [("2026-11-23", outcome)]
    assert len(delivered("email")) == (outcome == "told")
    if outcome == "late":
        assert "more than six hours late" in standing.of(reader).last.sentence


@pytest.mark.req("N-141")
def test_after_days_of_downtime_each_missed_day_is_said_and_only_the_last_is_sent(reader, delivered):
    task(reader, "Call", MONDAY)

    running.run_due(MONDAY + timedelta(days=3, hours=1))

    assert runs(reader) == [
        ("2026-11-23", "late"),
        ("2026-11-24", "late"),
        ("2026-11-25", "late"),
        ("2026-11-26", "told"),
    ]
    assert len(delivered("email")) == 1
    assert DigestSchedule.objects.get(member=reader, kind="tasks").next_on.isoformat() == "2026-11-27"


@pytest.mark.req("N-141")
def test_who_moves_west_after_the_mail_gets_no_second_one_that_day(reader):
    task(reader, "Call", MONDAY)
    running.run_due(MONDAY)

    reader.time_zone = "Pacific/Honolulu"  # where it is Sunday evening
    reader.save()
    running.run_due(MONDAY + timedelta(hours=20))  # Monday 17:00 there

    assert runs(reader) == [("2026-11-23", "told")]
    row = DigestSchedule.objects.get(member=reader, kind="tasks")
    assert (row.next_on.isoformat(), row.next_at) == ("2026-11-24", datetime(2026, 11, 24, 18, tzinfo=UTC))


@pytest.mark.req("N-141")
@pytest.mark.parametrize("how", ["saved", "updated"])
def test_who_moves_east_before_the_mail_gets_it_at_once(reader, how):
    task(reader, "Call", MONDAY)
    if how == "saved":
        reader.time_zone = "Asia/Kathmandu"
        reader.save(update_fields=["time_zone"])
    else:  # past everybody who could notice: it is seen when the row is due
        type(reader).objects.filter(pk=reader.pk).update(time_zone="Asia/Kathmandu")

    running.run_due(MONDAY)  # 12:45 there

    assert runs(reader) == [("2026-11-23", "told")]
    row = DigestSchedule.objects.get(member=reader, kind="tasks")
    assert (row.next_on.isoformat(), row.next_at) == ("2026-11-24", datetime(2026, 11, 24, 2, 15, tzinfo=UTC))


@pytest.mark.parametrize("how", ["saved", "updated"])
def test_who_moves_far_east_before_the_mail_gets_it_once_and_that_day(reader, how, delivered, monkeypatch):
    schedules.choose(reader, hour=20)
    evening = datetime(2026, 11, 23, 19, tzinfo=UTC)  # Monday 20:00 in Stockholm, Tuesday 09:00 on Kiritimati
    DigestSchedule.objects.filter(member=reader, kind="tasks").update(next_on=MONDAY.date(), next_at=evening)
    task(reader, "Call", MONDAY)
    moment = evening - timedelta(hours=2) if how == "saved" else evening
    monkeypatch.setattr(schedules.timezone, "now", lambda: moment)
    if how == "saved":
        reader.time_zone = "Pacific/Kiritimati"
        reader.save(update_fields=["time_zone"])
    else:  # past everybody who could notice: it is seen when the row is due
        type(reader).objects.filter(pk=reader.pk).update(time_zone="Pacific/Kiritimati")

    running.run_due(moment)
    running.run_due(moment + timedelta(hours=1))

    assert runs(reader) == [("2026-11-23", "told")]
    assert len(delivered("email")) == 1
    row = DigestSchedule.objects.get(member=reader, kind="tasks")
    assert (row.next_on.isoformat(), row.next_at) == ("2026-11-24", datetime(2026, 11, 24, 6, tzinfo=UTC))


def test_an_account_that_moves_takes_those_along_who_have_no_zone_of_their_own(stockholm, bob, carol):
    carol.time_zone = "Asia/Kathmandu"
    carol.save()
    schedules.adopt(SUNDAY)

    stockholm.time_zone = "America/New_York"
    stockholm.save()

    rows = dict(DigestSchedule.objects.filter(kind="tasks").values_list("member_id", "zone"))
    assert (rows[bob.pk], rows[carol.pk]) == ("America/New_York", "Asia/Kathmandu")


def test_hour_and_frequency_move_the_next_one(reader):
    row = schedules.choose(reader, frequency=Frequency.WEEKLY, hour=14)

    local = row.next_at.astimezone(reader.zone)
    assert (local.weekday(), local.hour, row.next_on) == (0, 14, local.date())
    friday = schedules.of(reader, DigestKind.WORKFLOWS)
    assert (friday.next_on.weekday(), friday.hour) == (4, 14)


def test_a_new_hour_never_brings_a_second_one_that_day(reader):
    today = datetime.now(reader.zone).date()
    DigestRun.objects.create(
        member=reader, kind="tasks", on=today, due_at=SUNDAY, ran_at=SUNDAY, outcome=DigestOutcome.EMPTY
    )

    assert schedules.choose(reader, hour=23).next_on > today


def test_off_turns_the_mail_off_and_a_frequency_turns_it_on(reader):
    schedules.choose(reader, frequency=schedules.OFF)
    assert not standing.of(reader).is_on
    assert standing.of(reader).frequency == "off"

    schedules.choose(reader, frequency="weekly")
    assert standing.of(reader).is_on
    assert preferences.standing(reader).own[task_lists.TYPE.key].on


@pytest.mark.parametrize("given", [{"frequency": "hourly"}, {"hour": 24}, {"hour": -1}])
def test_what_makes_no_sense_is_refused_and_changes_nothing(reader, given):
    before = schedules.of(reader)

    with pytest.raises(schedules.InvalidDigest) as refused:
        schedules.choose(reader, **given)

    assert list(refused.value.fields) == list(given)
    after = schedules.of(reader)
    assert (after.frequency, after.hour, after.next_at) == (before.frequency, before.hour, before.next_at)


@pytest.mark.req("N-141")
def test_the_next_one_can_be_skipped_and_the_one_after_comes(reader, delivered):
    task(reader, "Call", MONDAY)
    schedules.skip(reader)
    assert standing.of(reader).is_skipped

    running.run_due(MONDAY)
    assert delivered("email") == []
    assert "skipped, as you wished" in standing.of(reader).last.sentence
    assert not standing.of(reader).is_skipped

    running.run_due(MONDAY + timedelta(days=1))
    assert len(delivered("email")) == 1


def test_skipping_can_be_taken_back(reader, delivered):
    task(reader, "Call", MONDAY)
    schedules.skip(reader)
    schedules.skip(reader, on=False)

    running.run_due(MONDAY)

    assert len(delivered("email")) == 1


@pytest.mark.req("N-141")
def test_one_sent_now_goes_at_once_and_the_scheduled_one_all_the_same(reader, delivered):
    now = datetime.now(UTC)
    task(reader, "Call", now - timedelta(hours=1))

    sending_now.send(reader, now)
    assert len(delivered("email")) == 1
    assert standing.of(reader).last.state == "sent"

    running.run_due(schedules.of(reader).next_at)
    assert len(delivered("email")) == 2


def test_sending_now_twice_in_a_minute_is_once(reader):
    now = datetime.now(UTC)
    task(reader, "Call", now - timedelta(hours=1))
    sending_now.send(reader, now)

    with pytest.raises(sending_now.NotNow, match="just now"):
        sending_now.send(reader, now + timedelta(seconds=30))

    assert sending_now.send(reader, now + timedelta(seconds=61)).turn == 2


def test_nothing_due_is_not_sent_now_and_leaves_no_row(reader):
    with pytest.raises(sending_now.NotNow, match="Nothing"):
        sending_now.send(reader)

    assert runs(reader) == []


def test_nothing_is_sent_now_to_who_has_it_off(reader):
    schedules.choose(reader, frequency=schedules.OFF)

    with pytest.raises(sending_now.NotNow, match="off"):
        sending_now.send(reader)


def test_the_settings_say_when_and_how_many(reader):
    row = schedules.of(reader)
    task(reader, "Overdue", row.next_at - timedelta(days=4))
    task(reader, "Due that day", row.next_at + timedelta(hours=1))
    task(reader, "Later", row.next_at + timedelta(days=2))

    found = standing.of(reader)

    assert found.tasks_words == "2 tasks so far"
    assert (found.frequency, found.is_on, found.last) == ("weekdays", True, None)


def test_switching_all_mail_off_is_said_and_holds(reader, delivered):
    task(reader, "Call", MONDAY)
    preferences.switch(reader, "email", on=False)

    running.run_due(MONDAY)

    assert delivered("email") == []
    found = standing.of(reader)
    assert (found.frequency, found.is_on, found.is_switched_off) == ("weekdays", False, True)


def test_statements_do_not_grow_with_the_members(account):
    apply(account, Change(layer=Layer.DEFAULT, cells={CELL: True}), by=None)
    members = factories.members(account, 40)
    schedules.adopt(SUNDAY)
    for member in members:
        task(member, "Call", MONDAY)
    counted = []
    for size in (5, 35):
        with CaptureQueriesContext(
            connection,
        ) as seen:
            running.run_step(MONDAY + timedelta(hours=2), batch=size)
        counted.append(len(seen))

    assert counted[0] == counted[1]


def test_another_accounts_tasks_are_never_in_it(reader, mallory, delivered):
    task(mallory, "Secret", MONDAY)
    task(reader, "Call", MONDAY)

    running.run_due(MONDAY)
    (letter,) = delivered("email")

    assert "Secret" not in letter.body


def test_old_runs_are_forgotten(reader):
    task(reader, "Call", MONDAY)
    running.run_due(MONDAY)

    assert running.forget_old(MONDAY.date() + timedelta(days=90)) == 0
    assert running.forget_old(MONDAY.date() + timedelta(days=91)) == 1


def test_members_whom_the_tick_did_not_see_come_get_their_rows(reader, carol):
    DigestSchedule.objects.filter(member=carol).delete()
    early = DigestSchedule.objects.count()
    factories.members(reader.account, 1)
    DigestSchedule.objects.filter(member=reader).delete()

    schedules.adopt(SUNDAY)
    schedules.adopt(SUNDAY, everybody=True)

    assert DigestSchedule.objects.count() == early + 4
