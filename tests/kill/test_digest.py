"""Workers die while digests are computed and just after mails were handed over: each member has one a day."""

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import psutil
import psycopg
import pytest

from tests.house import House, environment, manage, wait_for
from tests.smtp_sink import Sink

pytestmark = pytest.mark.kill

DAYS = 3
PREPARE = """
from datetime import timedelta
from django.utils import timezone
from accounts.models import Account
from crm import records
from crm.digests import schedules
account = Account.objects.get(hub_id=1001)
due = timezone.now() - timedelta(days=1)
members = account.members.active().select_related("user", "account")
for member in members:
    schedules.choose(member, frequency="weekdays")
    records.create(account, "tasks", {"name": "Call", "due_at": due.isoformat(), "owner": member.pk}, by=None)
print("members:", len(members))
"""


@pytest.fixture
def slow_sink() -> Iterator[Sink]:
    sink = Sink(latency=0.05).start()
    yield sink
    sink.stop()


@pytest.mark.req("N-141")
def test_whoever_dies_each_member_has_one_digest_a_day(house: House, slow_sink: Sink) -> None:
    house.start(EMAIL_URL=f"smtp://127.0.0.1:{slow_sink.port}", DELIVERY_CLAIM_SECONDS="4")
    made = manage("shell", "-v0", "-c", PREPARE, env=environment(VAR_DIR=str(house.var)))
    assert made.returncode == 0, made.stderr
    members = int(made.stdout.rpartition("members:")[2])

    for day in range(DAYS):
        seen = len(digests(slow_sink))
        come(house, day)
        if day % 2:  # as soon as the tick may have begun
            time.sleep(0.3 * day)
        else:  # a mail arrived, its answer and its record did not
            wait_for(lambda seen=seen: len(digests(slow_sink)) > seen, "a digest arrives")  # type: ignore[misc]
        with suppress(psutil.NoSuchProcess, StopIteration):
            house.part("worker").kill()
        wait_for(lambda day=day: is_told(house, day, members), "all of the day are sent", seconds=45)  # type: ignore[misc]

    told = rows(house, 'SELECT event_id, member_id, "on" FROM crm_digestrun WHERE "on" >= \'2035-01-01\'')
    assert len(told) == len({(member, on) for _event, member, on in told}) == members * DAYS
    arrived = Counter(id_.partition("@")[0] for id_ in digests(slow_sink))
    assert [one for one in told if not arrived[f"<n.{one[0]}.{one[1]}"]] == []
    marked = rows(house, "SELECT event_id, member_id FROM notifications_delivery WHERE is_repeat_possible")
    twice = {id_ for id_, times in arrived.items() if times > 1}
    assert twice - {f"<n.{event}.{member}" for event, member in marked} == set()


def come(house: House, day: int) -> None:
    """Let the digest of another date, far away so that none is missed in between, be due for everybody."""
    rows(
        house,
        "UPDATE crm_digestschedule SET next_on = '2035-01-01'::date + %s, next_at = now() "
        "WHERE kind = 'tasks' RETURNING 1",
        day,
    )


def digests(sink: Sink) -> list[str]:
    """The Message-IDs of the digests that arrived."""
    return [got.mail["Message-ID"] for got in list(sink.mails) if "<tasks.digest." in (got.mail["List-Id"] or "")]


def is_told(house: House, day: int, members: int) -> bool:
    assert not house.has_ended, house.words()[-2000:]
    with suppress(psycopg.Error):
        return rows(
            house,
            "SELECT count(*) FROM crm_digestrun r JOIN notifications_delivery d "
            "ON d.event_id = r.event_id AND d.member_id = r.member_id "
            "WHERE r.\"on\" = '2035-01-01'::date + %s AND d.status = 'sent'",
            day,
        ) == [(members,)]
    return False


def rows(house: House, statement: str, *values: object) -> list[tuple[Any, ...]]:
    with psycopg.connect(house.fact("DATABASE_URL")) as connection:
        return connection.execute(statement.encode(), values or None).fetchall()
