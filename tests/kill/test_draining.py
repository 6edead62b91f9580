"""SIGTERM drains: what a worker had in hand is finished and written down before it ends."""

from collections import Counter
from collections.abc import Iterator
from contextlib import suppress

import psutil
import psycopg
import pytest

from notifications import types
from tests.house import House, environment, manage, wait_for
from tests.smtp_sink import Sink

pytestmark = pytest.mark.kill

KIND = types.TYPES["deals.stage_changed"]
EVENTS = 150
EMIT = f"""
from accounts.models import Account
from notifications import events, types
from notifications.events import Audience
account = Account.objects.get(hub_id=1001)
for number in range({EVENTS}):
    events.emit("{KIND.key}", account=account, audience=Audience(everyone=True), data=types.TYPES["{KIND.key}"].example)
"""


@pytest.fixture
def slow_sink() -> Iterator[Sink]:
    sink = Sink(latency=0.01).start()
    yield sink
    sink.stop()


def test_a_worker_that_is_asked_to_stop_leaves_nothing_half_done(house: House, slow_sink: Sink) -> None:
    house.start(EMAIL_URL=f"smtp://127.0.0.1:{slow_sink.port}")
    emitted = manage("shell", "-v0", "-c", EMIT, env=environment(VAR_DIR=str(house.var)))
    assert emitted.returncode == 0, emitted.stderr

    wait_for(lambda: len(slow_sink.mails) > 20, "the sending begins")
    worker = house.part("worker")
    worker.terminate()
    with suppress(psutil.NoSuchProcess):
        worker.wait(40)

    assert counts(house).keys() <= {("sent", False), ("due", False), None}, "nothing is claimed by nobody"
    wait_for(lambda: counts(house).keys() == {("sent", False)}, "the next worker goes on")
    assert max(Counter(received.mail["Message-ID"] for received in slow_sink.mails).values()) == 1


def counts(house: House) -> dict[tuple[str, bool], int]:
    """How many deliveries of the events are in each state; events and notifications still to come count as None."""
    with psycopg.connect(house.fact("DATABASE_URL")) as connection:
        rows = connection.execute(
            "SELECT status, is_repeat_possible, count(*) FROM notifications_delivery GROUP BY 1, 2"
        ).fetchall()
        (waiting,) = connection.execute(
            "SELECT (SELECT count(*) FROM notifications_notification WHERE waiting > 0)"
            " + (SELECT count(*) FROM notifications_event WHERE fanned_out_at IS NULL)"
        ).fetchone() or (0,)
    found: dict[tuple[str, bool], int] = {(status, is_marked): count for status, is_marked, count in rows}
    return found | ({None: waiting} if waiting else {})  # type: ignore[dict-item]
