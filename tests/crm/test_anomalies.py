"""Days on which a property was emptied, changed or filled unusually often."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from accounts.models import Account, Membership
from crm import anomalies, permissions, records
from crm.anomalies import judged, unusual
from crm.models import Anomaly, AnomalyWatch, Change, Move, PropertyDay, Record
from notifications.models import Event
from notifications.types import data_quality
from tests import factories
from tests.crm.conftest import at_once

pytestmark = pytest.mark.req("N-077")

STOCKHOLM = ZoneInfo("Europe/Stockholm")
TODAY = date(2027, 3, 9)
NIGHT = datetime(2027, 3, 9, 0, 30, tzinfo=STOCKHOLM)  # half an hour into the day after
FLAT = [10] * 28
QUIET = [0] * 28
WEEKDAYS = [100, 110, 90, 105, 95, 0, 0] * 4
MONDAYS = [5000, 0, 0, 0, 0, 0, 0] * 4
ONE_WILD_DAY = [0] * 27 + [4000]


@pytest.mark.parametrize(
    ("number", "before", "is_unusual"),
    [
        (19, QUIET, False),
        (20, QUIET, True),
        (0, QUIET, False),
        (30, FLAT, False),
        (31, FLAT, True),
        (1240, [15] * 28, True),
        (150, WEEKDAYS, False),
        (400, WEEKDAYS, True),
        (5000, MONDAYS, False),
        (7501, MONDAYS, True),
        (300, ONE_WILD_DAY, True),
        (25, [0] * 6, False),
        (25, [0] * 7, True),
        (25, [], False),
        (90, [30, 31, 29, 30, 30, 32, 28] * 4, False),
        (100, [30, 31, 29, 30, 30, 32, 28] * 4, True),
        (100, [5, 60, 20, 80, 10, 40, 70] * 4, False),
    ],
)
def test_when_a_number_is_unusual(number: int, before: list[int], is_unusual: bool) -> None:
    assert (unusual(number, before) > 1) is is_unusual


def test_the_most_striking_of_three_is_told() -> None:
    today = {Move.EMPTIED: 300, Move.CHANGED: 40, Move.FILLED: 5}
    before = dict.fromkeys(Move, FLAT)

    found = judged(today, before)
    assert found
    assert (found.move, found.number, found.usual) == (Move.EMPTIED, 300, 10)
    assert judged(dict.fromkeys(Move, 10), before) is None


@pytest.fixture
def old(account: Account, alice: Membership) -> Account:
    """The account has been there for a month, in Stockholm."""
    account.time_zone = "Europe/Stockholm"
    account.created_at = datetime(2027, 1, 1, tzinfo=UTC)
    account.save()
    return account


@pytest.fixture
def happen(old: Account, alice: Membership) -> Callable[..., list[Record]]:
    """A property of so many contacts was changed at some moment."""

    def run(number: int, at: datetime, *, before: Any = "+46 8 1", after: Any = None, what: str = "phone") -> Any:
        rows = [Record(account=old, kind="contacts", title=f"Contact {i}", sort_title="c") for i in range(number)]
        made = Record.objects.bulk_create(rows)
        Change.objects.bulk_create(
            [
                Change(record=row, version=2, what=what, before=before, after=after, source="import", at=at)
                for row in made
            ]
        )
        return made

    return run


def work(now: datetime = NIGHT) -> int:
    """Watch everybody and do what is due; how many steps it took."""
    anomalies.adopt()
    AnomalyWatch.objects.filter(next_day__gt=now.date()).update(next_day=now.date() - timedelta(days=29), due_at=now)
    AnomalyWatch.objects.filter(due_at__gt=now).update(due_at=now)
    steps = 0
    while anomalies.step(now):
        steps += 1
    return steps


@pytest.fixture
def watched(old: Account) -> AnomalyWatch:
    """The account has been watched until yesterday."""
    return AnomalyWatch.objects.create(account=old, next_day=TODAY - timedelta(days=1), due_at=NIGHT)


def moment(day: date, hour: int = 12) -> datetime:
    return datetime(day.year, day.month, day.day, hour, tzinfo=STOCKHOLM)


YESTERDAY = TODAY - timedelta(days=1)


def test_a_day_unlike_the_others_is_told_to_the_super_admins_once(
    old: Account, alice: Any, bob: Any, happen: Any, watched: Any
) -> None:
    happen(24, moment(YESTERDAY))

    assert anomalies.step(NIGHT)
    assert not anomalies.step(NIGHT), "tomorrow again"
    AnomalyWatch.objects.update(next_day=YESTERDAY, due_at=NIGHT)
    assert anomalies.step(NIGHT), "as if somebody had turned the clock back"
    (event,) = Event.objects.filter(type=data_quality.ANOMALY_DETECTED.key)
    (found,) = Anomaly.objects.all()
    assert event.audience["members"] == [alice.pk]
    assert event.data == {
        "property": "Contacts: Phone number",
        "finding": "Emptied on 24 contacts on March 8, 2027; 0 a day are usual.",
        "url": f"/1001/data-quality/anomalies/{found.pk}/",
    }


def test_each_day_is_counted_in_the_accounts_zone(old: Account, happen: Any, watched: Any) -> None:
    happen(3, moment(YESTERDAY, 0))
    happen(4, moment(YESTERDAY, 23), before=None, after="+46 8 2")
    happen(5, moment(YESTERDAY, 23), after="+46 8 3")
    happen(6, moment(TODAY, 0))
    happen(7, moment(YESTERDAY - timedelta(days=1), 23))
    anomalies.step(NIGHT)

    (row,) = PropertyDay.objects.all()
    assert (row.day, row.emptied, row.changed, row.filled) == (YESTERDAY, 3, 5, 4)


def test_a_record_counts_once_a_day_and_its_making_does_not(old: Account, alice: Any, watched: Any) -> None:
    made = records.create(old, "contacts", {"first_name": "Mia", "phone": "+46 8 111 111"}, by=alice)
    for number in range(3):
        records.change(made, {"phone": f"+46 8 22 22 2{number}"}, by=alice)
    Change.objects.update(at=moment(YESTERDAY))
    anomalies.step(NIGHT)

    assert list(PropertyDay.objects.values_list("property", "changed")) == [("phone", 1)]


def test_what_happens_every_day_is_no_news(old: Account, happen: Any, watched: Any) -> None:
    PropertyDay.objects.bulk_create(
        PropertyDay(
            account=old,
            kind="contacts",
            property="phone",
            day=YESTERDAY - timedelta(days=n),
            emptied=20,
            changed=0,
            filled=0,
        )
        for n in range(1, 29)
    )
    happen(30, moment(YESTERDAY))
    anomalies.step(NIGHT)

    assert not Anomaly.objects.exists()


def test_a_young_account_is_left_alone(old: Account, happen: Any, watched: Any) -> None:
    Account.objects.update(created_at=moment(TODAY - timedelta(days=5)))
    happen(40, moment(YESTERDAY))
    anomalies.step(NIGHT)

    assert not Anomaly.objects.exists()


def test_what_is_no_property_is_not_told(old: Account, happen: Any, watched: Any) -> None:
    happen(40, moment(YESTERDAY), what="shoe_size")
    happen(40, moment(YESTERDAY), what="associated", before=None, after={"id": 1})
    anomalies.step(NIGHT)

    assert not Anomaly.objects.exists()


def test_a_new_watch_reads_four_weeks_back_and_tells_of_yesterday_only(old: Account, happen: Any) -> None:
    happen(25, moment(TODAY - timedelta(days=10)))
    happen(60, moment(YESTERDAY))
    work()

    assert PropertyDay.objects.count() == 2
    assert [row.day for row in Anomaly.objects.all()] == [YESTERDAY]


def test_days_of_a_stop_are_caught_up_with(old: Account, happen: Any) -> None:
    AnomalyWatch.objects.create(account=old, next_day=TODAY - timedelta(days=4), due_at=NIGHT - timedelta(days=3))
    for days in (4, 3, 2, 1):
        happen(days, moment(TODAY - timedelta(days=days)))
    while anomalies.step(NIGHT):
        pass

    assert sorted(PropertyDay.objects.values_list("emptied", flat=True)) == [1, 2, 3, 4]
    watch = AnomalyWatch.objects.get()
    assert (watch.next_day, watch.due_at) == (TODAY, moment(TODAY + timedelta(days=1), 0) + anomalies.SETTLE)


def test_an_account_that_moved_west_does_not_lose_its_day(old: Account, happen: Any, watched: Any) -> None:
    Account.objects.update(time_zone="America/New_York")
    assert anomalies.step(NIGHT)
    watch = AnomalyWatch.objects.get()

    assert watch.next_day == YESTERDAY
    assert watch.due_at == datetime(2027, 3, 9, 0, 10, tzinfo=ZoneInfo("America/New_York"))


def test_it_takes_as_many_queries_for_many_accounts_as_for_few(
    old: Account, watched: Any, django_assert_num_queries: Any
) -> None:
    for number in range(2):
        with django_assert_num_queries(8):
            anomalies.step(NIGHT)
        others = [factories.account(time_zone="Europe/Stockholm") for _ in range(5)]
        AnomalyWatch.objects.all().delete()
        for one in (old, *others):
            AnomalyWatch.objects.create(account=one, next_day=YESTERDAY, due_at=NIGHT)
        assert number < 2


def test_only_the_history_of_one_day_is_read(old: Account, happen: Any, watched: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT amname FROM pg_class c JOIN pg_am a ON a.oid = c.relam WHERE relname = 'change_day'")
        assert cursor.fetchone() == ("brin",)


@pytest.mark.django_db(transaction=True)
def test_workers_at_once_tell_it_once(old: Account, happen: Any, watched: Any) -> None:
    happen(24, moment(YESTERDAY))
    at_once(*[lambda: anomalies.step(NIGHT)] * 4)

    assert Event.objects.filter(type=data_quality.ANOMALY_DETECTED.key).count() == 1
    assert Anomaly.objects.count() == PropertyDay.objects.count() == 1


# The pages


@pytest.fixture
def browser() -> Callable[[Membership], Client]:
    def enter(member: Membership) -> Client:
        client = Client()
        client.force_login(member.user, backend="allauth.account.auth_backends.AuthenticationBackend")
        return client

    return enter


def test_the_page_names_the_records_concerned(
    old: Account, alice: Any, bob: Any, happen: Any, watched: Any, browser: Any
) -> None:
    happen(24, moment(YESTERDAY))
    happen(1, moment(YESTERDAY), before=None, after="x")[0]
    Record.objects.filter(pk=Record.objects.latest("pk").pk).update(title="Only filled")
    anomalies.step(NIGHT)
    page = f"/1001/data-quality/anomalies/{Anomaly.objects.get().pk}/"

    for member in (alice, bob):
        assert "Contacts: Phone number" in browser(member).get("/1001/data-quality/anomalies/").content.decode()
        said = browser(member).get(page).content.decode()
        assert said.count("/1001/contacts/") == 24
        assert "Contact 23" in said
        assert "Only filled" not in said
        assert "Emptied on 24 contacts on" in said
        assert 'class="chart__picture"' in said


def test_who_sees_a_part_of_the_contacts_sees_no_numbers_of_all(
    old: Account, alice: Any, bob: Any, happen: Any, watched: Any, browser: Any
) -> None:
    happen(24, moment(YESTERDAY))
    anomalies.step(NIGHT)
    permissions.set_reach(bob, "contacts", sees="team", edits="own", by=alice)

    assert b"Phone number" not in browser(bob).get("/1001/data-quality/anomalies/").content
    assert browser(bob).get(f"/1001/data-quality/anomalies/{Anomaly.objects.get().pk}/").status_code == 404


def test_nothing_unusual_says_so(alice: Any, browser: Any) -> None:
    assert b"Every day was like the others" in browser(alice).get("/1001/data-quality/anomalies/").content


def test_the_sweep_finds_what_is_due(account: Account) -> None:
    assert not anomalies.has_due()
    anomalies.adopt()
    assert anomalies.has_due()
    while anomalies.step():
        pass
    assert not anomalies.has_due()
    assert AnomalyWatch.objects.get().due_at > timezone.now()
