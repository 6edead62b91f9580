"""Left alone: quiet hours and pauses hold what they should, and what was held is told once afterwards."""

import threading
from collections import Counter
from datetime import UTC, datetime, time, timedelta

import pytest
from django.contrib.admin import site
from django.core import mail
from django.db import connection, connections
from django.utils import timezone

from accounts import members
from accounts.models import Membership
from notifications import (
    bell,
    catching_up,
    channels,
    claiming,
    delivering,
    events,
    fanout,
    holding,
    live,
    moments,
    preferences,
    quiet,
    told,
    types,
    why,
)
from notifications.channels import CARRIER
from notifications.models import BrowserSubscription, Delivery, Event, Hushed, Notification, Silence
from notifications.moments import Hours
from tests import factories

MENTION = types.TYPES["deals.mentioned"]  # bell, pop-up, browser and mail
STAGE = types.TYPES["deals.stage_changed"]  # bell and mail
CATCH_UP = types.system.CATCH_UP.example
REQUIRED = types.TYPES["system.billing_message"]
NIGHTS = [Hours(day, time(22), time(7)) for day in range(7)]


def ago(**much: float) -> datetime:
    return timezone.now() - timedelta(**much)


def soon(**much: float) -> datetime:
    return timezone.now() + timedelta(**much)


def be_quiet(member: Membership, *, until: datetime | None = None) -> None:
    """Put a member into quiet hours that began an hour ago."""
    Silence.objects.update_or_create(
        member=member, defaults={"starts_at": ago(hours=1), "ends_at": until or soon(hours=1), "due_at": None}
    )


def be_back(*them: Membership) -> int:
    """Their windows and pauses end now; look."""
    for row in Silence.objects.filter(member__in=them):
        row.ends_at = row.ends_at and ago(seconds=1)
        row.paused_until = row.paused_until and ago(seconds=1)
        row.due_at = ago(seconds=1)
        row.save()
    count = catching_up.run_due()
    fanout.run_due()
    return count


def tell(*them: Membership, kind=MENTION, count=1, **data: str) -> list[Event]:
    told = [events.emit(kind, audience=them, data=dict(kind.example) | data) for _ in range(count)]
    fanout.run_due()
    return told


def carry(channel: str) -> None:
    carrier = CARRIER[channel]
    while claiming.write_deliveries(carrier, limit=500):
        pass
    delivering.run_due(carrier)


def with_browser(member: Membership) -> Membership:
    BrowserSubscription.objects.create(
        user=member.user, endpoint=f"https://push.example/{member.pk}", p256dh="x", auth="y", browser="Firefox"
    )
    preferences.set_options(member, pushes_when_closed=True)
    return member


def statuses(channel: str) -> list[str]:
    return list(Delivery.objects.filter(channel=channel).order_by("pk").values_list("status", flat=True))


def summaries(member: Membership | None = None) -> list[Event]:
    found = Event.objects.filter(type="system.catch_up").order_by("pk")
    return [event for event in found if member is None or event.audience["members"] == [member.pk]]


@pytest.fixture
def hints(monkeypatch: pytest.MonkeyPatch) -> list[dict]:
    """What was said over the hint channel."""
    said: list[dict] = []
    publish = live._publish
    monkeypatch.setattr(live, "_publish", lambda hint: (said.append(hint), publish(hint))[1])
    return said


# --- Setting them


def test_quiet_hours_become_moments_in_the_members_zone(bob):
    members.change(bob, by=None, time_zone="Asia/Kathmandu")
    quiet.set_hours(bob, NIGHTS)

    row = Silence.objects.get(member=bob)
    assert row.starts_at.astimezone(bob.zone).time() == time(22)
    assert row.ends_at.astimezone(bob.zone).time() == time(7)
    assert quiet.hours_of(bob) == NIGHTS


def test_hours_are_replaced_and_taken_away(bob):
    quiet.set_hours(bob, NIGHTS)
    quiet.set_hours(bob, [Hours(2, time(12), time(13))])
    assert quiet.hours_of(bob) == [Hours(2, time(12), time(13))]

    quiet.set_hours(bob, [])
    assert quiet.state_of(bob) == quiet.State()


@pytest.mark.parametrize(
    ("hours", "field"),
    [
        ([Hours(1, time(9), time(9))], "1"),
        ([Hours(7, time(9), time(10))], "7"),
        ([Hours(1, time(9), time(10)), Hours(1, time(11), time(12))], "1"),
        ([Hours(day, time(0), time(0)) for day in range(7)], None),
    ],
)
def test_hours_that_make_no_sense_are_refused_and_nothing_changes(bob, hours, field):
    quiet.set_hours(bob, NIGHTS)
    with pytest.raises(quiet.InvalidHours) as refused:
        quiet.set_hours(bob, hours)

    assert set(refused.value.fields) == ({field} if field else set())
    assert quiet.hours_of(bob) == NIGHTS


def test_a_change_of_the_members_zone_moves_the_window(bob):
    quiet.set_hours(bob, NIGHTS)
    members.change(bob, by=None, time_zone="Australia/Lord_Howe")
    assert catching_up.run_due() == 1

    row = Silence.objects.get(member=bob)
    assert row.starts_at.astimezone(bob.zone).time() == time(22)
    assert row.due_at >= timezone.now()


def test_a_change_of_the_accounts_zone_moves_the_windows_of_those_without_their_own(account, bob, carol):
    members.change(carol, by=None, time_zone="Asia/Kathmandu")
    for member in (bob, carol):
        quiet.set_hours(member, NIGHTS)
    catching_up.run_due()
    before = Silence.objects.get(member=carol).starts_at
    account.time_zone = "America/New_York"
    account.save()
    assert catching_up.run_due() == 1

    moved = Membership.objects.select_related("account").get(pk=bob.pk)
    assert Silence.objects.get(member=bob).starts_at.astimezone(moved.zone).time() == time(22)
    assert Silence.objects.get(member=carol).starts_at == before


@pytest.mark.parametrize("until", [ago(seconds=1), soon(days=400), None])
def test_a_pause_until_no_real_moment_is_refused(bob, until):
    with pytest.raises(quiet.InvalidMoment):
        quiet.check_moment(until, timezone.now())


# --- What is held


def test_in_quiet_hours_the_bell_and_the_mail_come_and_nothing_pops_up(bob, hints, delivered):
    with_browser(bob)
    be_quiet(bob)
    tell(bob)

    (row,) = bell.of(bob)
    assert row.hushed == Hushed.QUIET
    assert [hint["to"][0]["popup"] for hint in hints if hint["kind"] == "new"] == [False]
    assert len(delivered("email")) == 1
    carry("browser")
    held = Delivery.objects.get(channel="browser")
    assert (held.status, held.error, held.attempts) == ("held", holding.QUIET, 0)
    assert held.due_at == Silence.objects.get(member=bob).ends_at


def test_a_pause_holds_all_but_the_bell_and_what_is_required(bob, delivered):
    quiet.pause(bob, until=soon(hours=2))
    tell(bob, kind=STAGE)
    tell(bob, kind=REQUIRED)

    assert [one.subject for one in delivered("email")] == ["Billing: Your card expires this month"]
    assert bell.of(bob).count() == 2
    held = Delivery.objects.get(status="held")
    assert held.error == holding.PAUSED
    assert [row.hushed for row in bell.of(bob)] == [Hushed.NOT, Hushed.PAUSED]


def test_who_is_not_left_alone_is_not_touched(bob, carol):
    be_quiet(bob)
    tell(bob, carol)

    assert Notification.objects.get(member=carol).hushed == Hushed.NOT
    assert Notification.objects.get(member=bob).hushed == Hushed.QUIET


def test_a_retry_that_falls_into_the_pause_is_held_too(bob):
    tell(bob, kind=STAGE)
    claiming.write_deliveries(CARRIER["email"], limit=10)
    Delivery.objects.update(attempts=2, error="busy")
    quiet.pause(bob, until=soon(hours=1))
    carry("email")

    row = Delivery.objects.get()
    assert (row.status, row.attempts) == ("held", 2)
    assert mail.outbox == []


def test_what_was_over_before_it_was_written_down_leaves(bob):
    """The worker decided to hold; before it could say so, the member was back."""
    tell(bob, kind=STAGE)
    quiet.pause(bob, until=soon(hours=1))
    turn = delivering.Round(CARRIER["email"])
    claiming.write_deliveries(CARRIER["email"], limit=10)
    (id_,) = claiming.claim_due(CARRIER["email"], limit=10, claim=turn.claim)
    turn._kept.add(id_)
    packed = delivering.parcels.pack(CARRIER["email"], [id_])
    quiet.resume(bob)
    catching_up.run_due()
    turn._hold(packed.held)
    turn._let_go()

    assert Delivery.objects.get().status == "due"


# --- Back again


def test_several_become_one_summary_on_each_channel(bob, hints):
    with_browser(bob)
    be_quiet(bob)
    tell(bob, count=3)
    tell(bob, kind=types.TYPES["tickets.mentioned"], count=2)
    carry("browser")
    assert be_back(bob) == 1

    (event,) = summaries(bob)
    assert event.data["count"] == 5
    assert event.data["what"] == "Deals 3, Tickets 2"
    row = Notification.objects.get(event=event)
    assert row.channels == 2 | 8  # the pop-up and the browser held something; no bell, no mail
    popups = [hint["words"]["en"]["title"] for hint in hints if hint["kind"] == "new" and hint["words"]]
    assert popups == ["While you were away: 5 notifications"]
    assert Counter(statuses("browser")) == {"summed": 5}
    assert set(Notification.objects.exclude(event=event).values_list("hushed", flat=True)) == {Hushed.QUIET_OVER}
    assert be_back(bob) == 1  # again: nothing more
    assert len(summaries()) == 1


def test_exactly_one_goes_itself(bob, hints, django_capture_on_commit_callbacks):
    with_browser(bob)
    be_quiet(bob)
    (event,) = tell(bob)
    carry("browser")
    with django_capture_on_commit_callbacks(execute=True):
        be_back(bob)

    assert summaries() == []
    row = Delivery.objects.get(channel="browser")
    assert (row.status, row.error) == ("due", "")
    assert row.released_at is not None
    again = [hint for hint in hints if hint["kind"] == "new" and hint["to"][0]["popup"]]
    assert [hint["event"] for hint in again] == [event.pk]


def test_what_was_read_meanwhile_or_is_not_wanted_any_more_is_not_told(bob):
    with_browser(bob)
    be_quiet(bob)
    read, _kept, archived, _also_kept = tell(bob, count=4)
    tell(bob, kind=types.TYPES["tickets.mentioned"])
    carry("browser")
    bell.mark_read(bob, [read.pk])
    bell.archive(bob, [archived.pk])
    preferences.choose(bob, {("tickets.mentioned", "browser"): False, ("tickets.mentioned", "popup"): False})
    be_back(bob)

    (event,) = summaries(bob)
    assert event.data["count"] == 2
    assert Counter(statuses("browser")) == {"summed": 2, "dropped": 3}


def test_nothing_unread_left_means_nothing(bob, hints):
    with_browser(bob)
    be_quiet(bob)
    told = tell(bob, count=3)
    carry("browser")
    bell.mark_read(bob, [event.pk for event in told])
    be_back(bob)

    assert summaries() == []
    assert statuses("browser") == ["dropped"] * 3
    assert not any(hint["words"] for hint in hints if hint["kind"] == "new")


def test_after_a_pause_the_mails_are_one_mail_with_a_list(bob, delivered):
    quiet.pause(bob, until=soon(hours=2))
    told = tell(bob, kind=STAGE, count=3)
    assert delivered("email") == []
    assert quiet.resume(bob)
    catching_up.run_due()

    (letter,) = delivered("email")
    assert letter.subject == "While you were away: 3 notifications"
    page = letter.alternatives[0].content
    for event in told:
        address = f"/1001/notifications/{event.pk}/open/"
        assert address in letter.body
        assert f'{address}"' in page
    assert statuses("email") == ["summed"] * 3 + ["sent"]


def test_a_pause_that_ends_in_quiet_hours_lets_only_the_mail_go(bob, delivered):
    with_browser(bob)
    be_quiet(bob, until=soon(hours=3))
    hours = moments.Hours(timezone.now().weekday(), time(0), time(0))
    quiet.set_hours(bob, [hours])
    quiet.pause(bob, until=soon(hours=1))
    tell(bob)
    carry("browser")
    assert delivered("email") == []
    quiet.resume(bob)
    catching_up.run_due()

    assert len(delivered("email")) == 1
    held = Delivery.objects.get(channel="browser")
    assert (held.status, held.error) == ("held", holding.QUIET)
    assert Notification.objects.get(member=bob).hushed == Hushed.PAUSED  # its pop-up waits on


def test_a_summary_that_was_held_itself_is_no_news(bob):
    with_browser(bob)
    be_quiet(bob)
    tell(bob, count=2)
    carry("browser")
    quiet.pause(bob, until=soon(hours=2))
    Silence.objects.update(starts_at=None, ends_at=None)
    events.emit(types.system.CATCH_UP, audience=[bob], data=CATCH_UP)
    tell(bob, count=2)
    carry("browser")
    be_back(bob)

    assert summaries(bob)[-1].data["count"] == 4
    assert set(statuses("browser")) == {"summed"}
    assert not catching_up.has_due()


def test_summaries_speak_the_members_language(bob):
    members.change(bob, by=None, language="en")
    be_quiet(bob)
    tell(bob, count=2)
    be_back(bob)

    assert summaries(bob)[0].data["what"] == "Deals 2"


def test_a_zone_that_nobody_knows_holds_nobody_up(bob, carol, caplog):
    for member in (bob, carol):
        quiet.set_hours(member, NIGHTS)
    Membership.objects.filter(pk=bob.pk).update(time_zone="Mars/Olympus")
    Silence.objects.update(due_at=ago(seconds=1))

    assert catching_up.run_due() == 2
    assert "unknown here" in caplog.text


@pytest.mark.parametrize("paused", [True, False])
@pytest.mark.parametrize("is_quiet", [True, False])
def test_the_fan_out_and_a_single_delivery_hold_the_same(bob, paused, is_quiet):
    """The two halves of the rule: as SQL for thousands, in Python for one."""
    Silence.objects.create(
        member=bob,
        starts_at=ago(hours=1) if is_quiet else None,
        ends_at=soon(hours=1) if is_quiet else None,
        paused_until=soon(hours=1) if paused else None,
    )
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {holding.HELD_SQL}, {holding.UNTIL_SQL} FROM (SELECT q.*, {holding.HUSH_SQL} AS hush "  # noqa: S608
            "FROM (SELECT 1) one LEFT JOIN notifications_silence q ON true) q"
        )
        mask, paused_until, quiet_until = cursor.fetchone()
    row = {"paused_until": paused_until, "quiet_until": quiet_until}

    for channel in channels.ALL:
        if channel.key != "bell":
            assert bool(mask & channel.bit) is (holding.held_until(row, channel) is not None), channel.key
    assert not mask & 1


def test_a_delivery_that_was_forgotten_is_found(bob):
    with_browser(bob)
    be_quiet(bob)
    tell(bob)
    carry("browser")
    Silence.objects.update(ends_at=ago(minutes=2), due_at=None)
    Delivery.objects.update(due_at=ago(minutes=1))

    assert catching_up.has_due()
    catching_up.run_due()
    assert statuses("browser") == ["due"]


def test_a_member_who_is_gone_gets_nothing(bob, alice):
    with_browser(bob)
    be_quiet(bob)
    tell(bob, count=2)
    carry("browser")
    members.deactivate(bob, by=alice)
    be_back(bob)

    assert summaries() == []
    assert statuses("browser") == ["dropped", "dropped"]


def test_it_takes_as_many_queries_for_many_as_for_few(account, bob, carol, django_assert_max_num_queries):
    crowd = factories.members(account, 30)
    for member in crowd:
        be_quiet(member)
    tell(*crowd, count=2)
    Silence.objects.update(ends_at=ago(seconds=1), due_at=ago(seconds=1))
    with django_assert_max_num_queries(16):
        assert catching_up._run_batch(limit=50) == 30
    assert len(summaries()) == 30


@pytest.mark.django_db(transaction=True)
def test_two_workers_release_everybody_once(account):
    crowd = factories.members(account, 60)
    for member in crowd:
        be_quiet(member)
    tell(*crowd, count=3)
    Silence.objects.update(ends_at=ago(seconds=1), due_at=ago(seconds=1))
    looked: list[int] = []

    def work() -> None:
        try:
            looked.append(catching_up.run_due(limit=7))
        finally:
            connections.close_all()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sum(looked) == 60
    assert Counter(event.audience["members"][0] for event in summaries()) == {member.pk: 1 for member in crowd}


def test_one_that_dies_half_way_has_done_nothing(bob, monkeypatch):
    with_browser(bob)
    be_quiet(bob)
    tell(bob, count=2)
    carry("browser")
    monkeypatch.setattr(Silence.objects, "bulk_update", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        be_back(bob)
    monkeypatch.undo()

    assert summaries() == []
    assert statuses("browser") == ["held", "held"]
    assert be_back(bob) == 1
    assert len(summaries()) == 1


# --- Saying so


def test_the_delivery_list_says_until_when(bob):
    with_browser(bob)
    until = datetime(2031, 5, 6, 7, 30, tzinfo=UTC)
    be_quiet(bob, until=until)
    tell(bob)
    carry("browser")

    words = site._registry[Delivery].problem(Delivery.objects.get(channel="browser"))  # type: ignore[attr-defined]
    assert words == "Held for the quiet hours of the member. Until 05/06/2031 7:30 a.m."


def test_the_list_of_what_was_told_says_what_was_held(bob):
    be_quiet(bob)
    tell(bob)
    (lately,) = told.lately(MENTION, bob)
    assert lately.sentence == "Bell, E-mail; held for quiet hours: Pop-up, Browser, Mobile app"

    be_back(bob)
    (lately,) = told.lately(MENTION, bob)
    assert lately.sentence == "Bell, E-mail; told after quiet hours: Pop-up, Browser, Mobile app"


def test_a_summary_leads_to_what_is_unread_however_it_came(client, account, bob):
    with_browser(bob)
    be_quiet(bob)
    tell(bob, count=2)
    carry("browser")
    preferences.switch(bob, "popup", on=False)
    be_back(bob)
    client.force_login(bob.user)
    (event,) = summaries(bob)

    assert Notification.objects.get(event=event).channels == 8
    answer = client.get(f"/{account.hub_id}/notifications/{event.pk}/open/")
    assert answer["Location"] == f"/{account.hub_id}/notifications/?unread=on"


def test_why_says_what_holds_it_and_until_when(bob):
    with_browser(bob)
    be_quiet(bob)
    (event,) = tell(bob)
    carry("browser")

    explained = why.explain(Event.objects.get(pk=event.pk), bob)
    said = {verdict.channel.key: verdict for verdict in explained.verdicts}
    assert said["browser"].delivery.due_at == quiet.state_of(bob).quiet_until
    assert said["popup"].hushed == Hushed.QUIET
    assert not said["popup"].is_told
    assert not said["browser"].is_told
    assert said["bell"].is_told


def test_the_state_tells_open_tabs(bob):
    (state,) = live.state_of([bob.pk])
    assert state["silence"] == ""
    quiet.pause(bob, until=soon(hours=1))
    (state,) = live.state_of([bob.pk])
    assert state["silence"].startswith("p")


def test_the_fan_out_asks_nothing_more(bob, django_assert_num_queries):
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    event = events.emit(MENTION, audience=[bob], data=MENTION.example)
    with django_assert_num_queries(6):
        fanout.run_step(batch=100)
    assert Notification.objects.filter(event=event).exists()
