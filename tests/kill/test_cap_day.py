"""Workers die again and again on a day that reaches the limit: it still is the limit, and it is told once."""

import random
import time
from collections.abc import Iterator
from contextlib import suppress

import psutil
import psycopg
import pytest

from notifications import types
from tests.house import House, environment, manage, wait_for
from tests.smtp_sink import Sink

pytestmark = pytest.mark.kill

KIND = types.TYPES["blog.draft_shared"]  # the demo tells nothing of it
CAP = 200
EVENTS = 300
KILLS = 5
EMIT = """
from accounts.models import Account
from notifications import events, types
account = Account.objects.get(hub_id=1001)
bob = account.members.get(user__email="bob@example.com")
for number in range({count}):
    events.emit("{kind}", account=account, audience=[bob], data=types.TYPES["{kind}"].example)
"""

LEFT = """
WITH told AS (SELECT id, fanned_out_at FROM notifications_event WHERE type = '{kind}')
SELECT (SELECT count(*) FROM told WHERE fanned_out_at IS NULL)
    + (SELECT count(*) FROM notifications_notification n JOIN told ON told.id = n.event_id WHERE n.waiting > 0)
    + (SELECT count(*) FROM notifications_delivery d JOIN told ON told.id = d.event_id
       WHERE d.status NOT IN ('sent', 'capped'))
"""


@pytest.fixture
def slow_sink() -> Iterator[Sink]:
    sink = Sink(latency=0.03).start()
    yield sink
    sink.stop()


@pytest.mark.req("N-016", "N-017")
def test_whoever_dies_the_limit_is_exact_and_what_was_held_back_is_named_once(house: House, slow_sink: Sink) -> None:
    house.start(
        EMAIL_URL=f"smtp://127.0.0.1:{slow_sink.port}", DELIVERY_CLAIM_SECONDS="4", NOTIFICATION_DAILY_CAP=str(CAP)
    )
    emit(house, EVENTS)
    dice = random.Random(20261122)
    for _kill in range(KILLS):
        seen = len(slow_sink.mails)
        wait_for(lambda seen=seen: len(slow_sink.mails) > seen, "mails go on")  # type: ignore[misc]
        time.sleep(dice.uniform(0.1, 0.5))
        with suppress(psutil.NoSuchProcess, StopIteration):
            house.part("worker").kill()
    wait_for(lambda: is_quiet(house), "all sent or held back", seconds=120)

    assert len(mails(slow_sink)) == CAP
    assert rows(house, "SELECT asked - capped FROM notifications_dailycount WHERE capped > 0") == [(CAP,)]

    before = set(mails(slow_sink))
    rows(house, "UPDATE notifications_dailycount SET day = day - 1 RETURNING 1")
    emit(house, 40)
    wait_for(lambda: len(mails(slow_sink)) > CAP, "the next day begins")
    house.part("worker").kill()
    wait_for(lambda: is_quiet(house), "all of the next day is sent", seconds=120)

    new = {id_: text for id_, text in mails(slow_sink).items() if id_ not in before}
    assert len(new) == 40
    assert sum("more of these were not mailed" in text for text in new.values()) == 1


def emit(house: House, count: int) -> None:
    emitted = manage(
        "shell", "-v0", "-c", EMIT.format(count=count, kind=KIND.key), env=environment(VAR_DIR=str(house.var))
    )
    assert emitted.returncode == 0, emitted.stderr


def mails(sink: Sink) -> dict[str, str]:
    """The different mails of the type to bob that arrived, by Message-ID: the words of each."""
    found = {}
    for received in sink.mails:
        if received.to == ["bob@example.com"] and "<blog.draft-shared." in received.mail["List-Id"]:
            body = received.mail.get_body(("plain",))
            found[received.mail["Message-ID"]] = " ".join(str(body.get_content()).split()) if body else ""
    return found


def is_quiet(house: House) -> bool:
    """Whether nothing of this kind is left to send. What the demo tells meanwhile is not asked about."""
    assert not house.has_ended, house.words()[-2000:]
    return rows(house, LEFT.format(kind=KIND.key)) == [(0,)]


def rows(house: House, statement: str) -> list[tuple[int]]:
    with psycopg.connect(house.fact("DATABASE_URL")) as connection:
        return connection.execute(statement.encode()).fetchall()
