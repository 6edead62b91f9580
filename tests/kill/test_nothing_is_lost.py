"""Every process is killed in turn, at random moments, while thousands of events are emitted. Nothing is lost."""

import json
import queue
import random
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from http.client import HTTPConnection, HTTPException
from urllib.parse import urlsplit

import psutil
import psycopg
import pytest
import redis
from websockets.exceptions import WebSocketException
from websockets.sync.client import connect

from notifications import types
from tests.house import House, environment, manage, wait_for
from tests.kill.people import key_in, signed_in
from tests.smtp_sink import Sink

pytestmark = pytest.mark.kill

EVENTS = 5000
KIND = types.TYPES["deals.stage_changed"]  # bell and mail are on by default
KILLS = ["worker", "web", "beat", "redis", "flush", "postgres"]


class Caller:
    """A program that emits events, and repeats each with its key until the answer is yes."""

    def __init__(self, house: House, key: str) -> None:
        self.host = urlsplit(house.fact("BASE_URL")).netloc
        self.headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}

    def emit(self, number: int, *, to: str) -> None:
        body = json.dumps({"type": KIND.key, "data": dict(KIND.example), "audience": {"members": [to]}})
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            status = self._post(body, key=f"event-{number}")
            if status == 202:
                return
            assert status in {0, 429, 500, 502, 503}, status
            time.sleep(0.1)
        pytest.fail(f"event {number} was never accepted")

    def _post(self, body: str, *, key: str) -> int:
        connection = HTTPConnection(self.host, timeout=15)
        try:
            connection.request("POST", "/api/v1/events/", body, {**self.headers, "Idempotency-Key": key})
            return connection.getresponse().status
        except (OSError, HTTPException):
            return 0
        finally:
            connection.close()


class Tab:
    """An open tab's socket: it connects again when it is cut off, and asks for its state at each heartbeat."""

    def __init__(self, house: House, session: str) -> None:
        self.url = f"{house.fact('BASE_URL').replace('http', 'ws')}/ws/live/1001/"
        self.headers = {"Cookie": f"bellhop_session={session}"}
        self.origin = house.fact("BASE_URL")
        self.unread: int | None = None
        self._at = 0
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._is_over.set()
        self._thread.join(20)

    def _run(self) -> None:
        while not self._is_over.is_set():
            with (
                suppress(OSError, WebSocketException, TimeoutError),
                connect(self.url, origin=self.origin, additional_headers=self.headers, proxy=None) as socket,  # type: ignore[arg-type]
            ):
                self._listen(socket)
            self._is_over.wait(0.3)

    def _listen(self, socket: "object") -> None:
        asked_at = time.monotonic()
        while not self._is_over.is_set():
            with suppress(TimeoutError):
                self._take(json.loads(socket.recv(timeout=0.5)))  # type: ignore[attr-defined]
            if time.monotonic() - asked_at > 5:
                socket.send('{"kind": "state?"}')  # type: ignore[attr-defined]
                asked_at = time.monotonic()

    def _take(self, told: dict[str, int]) -> None:
        if told["at"] >= self._at and "unread" in told:
            self._at, self.unread = told["at"], told["unread"]


@pytest.fixture
def sink() -> Iterator[Sink]:
    sink = Sink().start()
    yield sink
    sink.stop()


@pytest.mark.req("N-001")
def test_whatever_dies_everybody_hears_everything_once(house: House, sink: Sink) -> None:
    house.start(EMAIL_URL=f"smtp://127.0.0.1:{sink.port}", DELIVERY_CLAIM_SECONDS="10")
    here = environment(VAR_DIR=str(house.var))
    made = manage("apikey", "--hub", "1001", "--name", "kill", "--scopes", "events.write", env=here)
    caller = Caller(house, key_in(made.stdout))
    people = ["alice@example.com", "bob@example.com", "carol@example.com", "dan@example.com", "eva@example.com"]
    before = {email: _unread(house, email) for email in people}
    tabs = {email: Tab(house, session) for email, session in signed_in(here, people).items()}
    dice = random.Random(20261122)

    work: queue.Queue[int] = queue.Queue()
    for number in range(EVENTS):
        work.put(number)
    threads = [threading.Thread(target=_emit_all, args=(caller, work, people)) for _ in range(6)]
    for thread in threads:
        thread.start()
    kills = 0
    while any(thread.is_alive() for thread in threads):
        time.sleep(dice.uniform(1.5, 4))
        _kill(house, KILLS[kills % len(KILLS)])
        kills += 1
    assert work.empty()
    assert kills >= len(KILLS), "the emitting was over before everything had been killed"

    wait_for(lambda: _is_quiet(house), "all told and all sent", seconds=150)
    told = _rows(
        house,
        "SELECT member_id, event_id FROM notifications_notification n "
        "JOIN notifications_event e ON e.id = n.event_id WHERE e.key LIKE 'event-%'",
    )
    assert len(told) == len(set(told)) == EVENTS
    _check_mails(house, sink)
    for email in people:
        right = min(100, before[email] + EVENTS // len(people))
        wait_for(lambda email=email, right=right: tabs[email].unread == right, f"{email}'s badge", seconds=10)  # type: ignore[misc]
    for tab in tabs.values():
        tab.close()


def _emit_all(caller: Caller, work: "queue.Queue[int]", people: list[str]) -> None:
    while True:
        try:
            number = work.get_nowait()
        except queue.Empty:
            return
        caller.emit(number, to=people[number % len(people)])


def _check_mails(house: House, sink: Sink) -> None:
    """Every mail was sent; twice only those that were between DATA and their record, and they say so."""
    arrived = Counter(received.mail["Message-ID"] for received in sink.mails)
    rows = _rows(
        house,
        "SELECT status, is_repeat_possible, count(*) FROM notifications_delivery d "
        "JOIN notifications_event e ON e.id = d.event_id WHERE e.key LIKE 'event-%' GROUP BY 1, 2",
    )
    assert {status for status, _, _ in rows} == {"sent"}
    assert sum(count for _, _, count in rows) == EVENTS
    marked = sum(count for _, is_marked, count in rows if is_marked)
    twice = sum(1 for count in arrived.values() if count > 1)
    assert twice <= marked
    assert len(arrived) >= EVENTS


def _kill(house: House, what: str) -> None:
    if what == "flush":
        with suppress(redis.RedisError):
            redis.Redis.from_url(house.fact("REDIS_URL")).flushall()
        return
    with suppress(psutil.NoSuchProcess, StopIteration):
        _victim(house, what).kill()


def _victim(house: House, what: str) -> psutil.Process:
    if what not in {"redis", "postgres"}:
        return house.part(what)
    up = house.family()[0]
    names = {"redis": {"redis-server", "valkey-server"}, "postgres": {"postgres"}}[what]
    return next(child for child in up.children() if child.name() in names)


def _is_quiet(house: House) -> bool:
    with suppress(psycopg.Error):
        (found,) = _rows(
            house,
            "SELECT (SELECT count(*) FROM notifications_event WHERE fanned_out_at IS NULL) "
            "+ (SELECT count(*) FROM notifications_notification WHERE waiting > 0) "
            "+ (SELECT count(*) FROM notifications_delivery WHERE status <> 'sent')",
        )
        return bool(found[0] == 0)
    return False


def _rows(house: House, statement: str, *values: object) -> list[tuple[object, ...]]:
    with psycopg.connect(house.fact("DATABASE_URL"), connect_timeout=5) as connection:
        return connection.execute(statement.encode(), values).fetchall()


def _unread(house: House, email: str) -> int:
    return len(
        _rows(
            house,
            "SELECT 1 FROM notifications_notification n JOIN accounts_membership m ON m.id = n.member_id "
            "JOIN accounts_user u ON u.id = m.user_id JOIN accounts_account a ON a.id = m.account_id "
            "WHERE u.email = %s AND a.hub_id = 1001 AND n.channels & 1 = 1 AND n.read_at IS NULL",
            email,
        )
    )
