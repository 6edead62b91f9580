"""Every process is killed in turn, at random moments, while thousands of events are emitted. Nothing is lost."""

import json
import queue
import random
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, suppress
from http.client import HTTPConnection, HTTPException
from urllib.parse import urlsplit

import psycopg
import pytest
from websockets.exceptions import WebSocketException
from websockets.sync.client import connect

from notifications import types
from tests.house import House, environment, manage, wait_for
from tests.kill.killing import kill, rows
from tests.kill.people import key_in, signed_in
from tests.smtp_sink import Sink

pytestmark = pytest.mark.kill

EVENTS = 5000
KIND = types.TYPES["deals.stage_changed"]  # bell and mail are on by default
AT_ONCE = 20
CALLERS = 4
SECONDS = 40  # the emitting takes at least so long, so that everything is killed twice meanwhile
KILLS = ["worker", "web", "beat", "redis", "flush", "postgres"]
PEOPLE = ["alice@example.com", "bob@example.com", "carol@example.com", "dan@example.com", "eva@example.com"]


class Caller:
    """A program that emits events, and repeats each request until the answer is yes: every event has its key."""

    def __init__(self, house: House, key: str) -> None:
        self.refusals: list[str] = []
        self.host = urlsplit(house.fact("BASE_URL")).netloc
        self.headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}

    def emit(self, numbers: range) -> None:
        events = [
            {
                "type": KIND.key,
                "data": dict(KIND.example),
                "audience": {"members": [PEOPLE[number % len(PEOPLE)]]},
                "key": f"event-{number}",
            }
            for number in numbers
        ]
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            status, said = self._post(json.dumps({"events": events}))
            if status == 202:
                return
            if status not in {0, 429, 500, 502, 503}:
                break
            time.sleep(0.1)
        self.refusals.append(f"{numbers}: {status} {said!r}")

    def _post(self, body: str) -> tuple[int, bytes]:
        with closing(HTTPConnection(self.host, timeout=15)) as connection:
            try:
                connection.request("POST", "/api/v1/events/batch/", body, self.headers)
                answer = connection.getresponse()
                return answer.status, answer.read()
            except (OSError, HTTPException) as error:
                return 0, repr(error).encode()


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
    house.start(EMAIL_URL=f"smtp://127.0.0.1:{sink.port}", DELIVERY_CLAIM_SECONDS="10", NOTIFICATION_DAILY_CAP="9999")
    here = environment(VAR_DIR=str(house.var))
    made = manage("apikey", "--hub", "1001", "--name", "kill", "--scopes", "events.write", env=here)
    caller = Caller(house, key_in(made.stdout))
    before = {email: _unread(house, email) for email in PEOPLE}
    tabs = {email: Tab(house, session) for email, session in signed_in(here, PEOPLE).items()}
    dice = random.Random(20261122)

    work: queue.Queue[range] = queue.Queue()
    for start in range(0, EVENTS, AT_ONCE):
        work.put(range(start, start + AT_ONCE))
    threads = [threading.Thread(target=_emit_all, args=(caller, work)) for _ in range(CALLERS)]
    for thread in threads:
        thread.start()
    kills = 0
    while any(thread.is_alive() for thread in threads):
        assert not house.has_ended, house.words()[-2000:]
        time.sleep(dice.uniform(1, 3))
        kill(house, KILLS[kills % len(KILLS)])
        kills += 1
    assert caller.refusals == []
    assert kills >= 2 * len(KILLS), "the emitting was over before everything had been killed twice"

    wait_for(lambda: _is_quiet(house), "all told and all sent", seconds=150)
    told = rows(
        house,
        "SELECT member_id, event_id FROM notifications_notification n "
        "JOIN notifications_event e ON e.id = n.event_id WHERE e.key LIKE 'event-%'",
    )
    assert len(told) == len(set(told)) == EVENTS
    _check_mails(house, sink)
    for email in PEOPLE:
        right = min(100, before[email] + EVENTS // len(PEOPLE))
        wait_for(lambda email=email, right=right: tabs[email].unread == right, f"{email}'s badge", seconds=10)  # type: ignore[misc]
    for tab in tabs.values():
        tab.close()


def _emit_all(caller: Caller, work: "queue.Queue[range]") -> None:
    """Emit until nothing is left, at an even pace."""
    pause = SECONDS * CALLERS * AT_ONCE / EVENTS
    while True:
        try:
            numbers = work.get_nowait()
        except queue.Empty:
            return
        due = time.monotonic() + pause
        caller.emit(numbers)
        time.sleep(max(0, due - time.monotonic()))


def _check_mails(house: House, sink: Sink) -> None:
    """Every mail was sent; twice only those that were between DATA and their record, and they say so."""
    arrived = Counter(received.mail["Message-ID"].partition("@")[0] for received in sink.mails)
    sent = rows(
        house,
        "SELECT d.event_id, d.member_id, d.status, d.is_repeat_possible FROM notifications_delivery d "
        "JOIN notifications_event e ON e.id = d.event_id WHERE e.key LIKE 'event-%'",
    )
    assert len(sent) == EVENTS
    assert {status for _, _, status, _ in sent} == {"sent"}
    mails = {f"<n.{event}.{member}": is_marked for event, member, _, is_marked in sent}
    assert [mail for mail in mails if not arrived[mail]] == [], "said to be sent, and never arrived"
    assert [mail for mail, is_marked in mails.items() if arrived[mail] > 1 and not is_marked] == []


def _is_quiet(house: House) -> bool:
    assert not house.has_ended, house.words()[-2000:]
    with suppress(psycopg.Error):
        (found,) = rows(
            house,
            "SELECT (SELECT count(*) FROM notifications_event WHERE fanned_out_at IS NULL) "
            "+ (SELECT count(*) FROM notifications_notification WHERE waiting > 0) "
            "+ (SELECT count(*) FROM notifications_delivery WHERE status <> 'sent')",
        )
        return bool(found[0] == 0)
    return False


def _unread(house: House, email: str) -> int:
    return len(
        rows(
            house,
            "SELECT 1 FROM notifications_notification n JOIN accounts_membership m ON m.id = n.member_id "
            "JOIN accounts_user u ON u.id = m.user_id JOIN accounts_account a ON a.id = m.account_id "
            "WHERE u.email = %s AND a.hub_id = 1001 AND n.channels & 1 = 1 AND n.read_at IS NULL",
            email,
        )
    )
