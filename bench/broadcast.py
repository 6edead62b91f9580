"""One event to 100,000 members, 2,000 of whom have a tab open; and what the API's callers notice of it.

A worker fans out; web process, worker, PostgreSQL, Redis, tabs and callers share the cores. The type goes to bell and
pop-up. "Told" counts from the last look, one every 5 ms, that did not see the last batch yet, to the last frame.
"""

import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from http.client import HTTPConnection
from threading import Event as Flag
from threading import Thread

from django.conf import settings

from accounts.models import Account
from bench import people, processes, services
from bench.figure import REPEATS, Figure, load, median, percentile, say
from notifications import events, types
from notifications.models import Event

TABS = 2_000
CALLS = 30  # API requests a second
IDLE = 4  # seconds
KIND = "conversations.replied"  # bell and pop-up
PATH = "/api/v1/notifications/?limit=20"


class Callers:
    """Asks for a member's notifications at an even pace, and notes how long each answer took."""

    def __init__(self, port: int, session: str, account: Account) -> None:
        self.port = port
        self.headers = {
            "Cookie": f"{settings.SESSION_COOKIE_NAME}={session}",
            "Bellhop-Account": str(account.hub_id),
        }
        self.calls: list[Future[tuple[int, int]]] = []
        self.done = Flag()
        self.pool = ThreadPoolExecutor(8)

    def one(self) -> tuple[int, int]:
        """When it was asked and how long it took, in ns."""
        caller = HTTPConnection("127.0.0.1", self.port, timeout=30)
        start = time.monotonic_ns()
        try:
            caller.request("GET", PATH, headers=self.headers)
            answer = caller.getresponse()
            answer.read()
        finally:
            caller.close()
        if answer.status != 200:
            raise RuntimeError(f"the API answered {answer.status}")
        return start, time.monotonic_ns() - start

    def keep_asking(self) -> None:
        while not self.done.wait(1 / CALLS):
            self.calls.append(self.pool.submit(self.one))

    def took(self, start: int, end: int) -> list[float]:
        """How many ms the answers took that were asked for between the two moments."""
        answers = [call.result() for call in list(self.calls)]
        return [took / 1e6 for asked, took in answers if start <= asked <= end]


@contextmanager
def asking(port: int, session: str, account: Account) -> Iterator[Callers]:
    """Callers at work in the background."""
    callers = Callers(port, session, account)
    thread = Thread(target=callers.keep_asking)
    thread.start()
    try:
        yield callers
    finally:
        callers.done.set()
        thread.join()
        callers.pool.shutdown()


def run() -> list[Figure]:
    """Five times four quiet seconds and a broadcast."""
    with services.running():
        account = people.crowd()
        every = people.CROWD // TABS
        members = list(account.members.order_by("id")[::every])
        cookies = people.sign_in(members)
        load_before = load()
        with (
            processes.web() as web,
            processes.worker(),
            processes.tabs(web.port, account.hub_id, cookies) as tabs,
            asking(web.port, cookies[0], account) as callers,
        ):
            _broadcast(account, tabs)  # warm
            told, busy, idle = [], [], []
            for _ in range(REPEATS):
                time.sleep(2)
                quiet = time.monotonic_ns()
                time.sleep(IDLE)
                began = time.monotonic_ns()
                told.append(_broadcast(account, tabs))
                ended = time.monotonic_ns()
                time.sleep(0.5)
                idle.append(callers.took(quiet, began))
                busy.append(callers.took(began, ended))
                say(
                    f"  everybody told {told[-1]:.2f} s after the last batch, {(ended - began) / 1e9:.1f} s in all; "
                    f"API p99 {percentile(busy[-1], 0.99):.0f} ms, before {percentile(idle[-1], 0.99):.0f} ms"
                )
        return _figures(told, idle, busy, load_before)


def _figures(
    told: list[float], idle: Sequence[list[float]], busy: Sequence[list[float]], load_before: float
) -> list[Figure]:
    quiet = [percentile(took, 0.99) for took in idle]  # the median of five: one hiccup must not make the goal easy
    all_busy = [ms for took in busy for ms in took]
    p99 = percentile(all_busy, 0.99)
    return [
        Figure(
            name="broadcast",
            what="one event to 100,000 members: the last of 2,000 open tabs is told after the last batch",
            value=median(told),
            unit="s",
            goal="≤ 2 s",
            is_met=max(told) <= 2,
            load=load_before,
            samples=told,
        ),
        Figure(
            name="broadcast_api",
            what="p99 of an API request (a member's notifications) while it goes on",
            value=p99,
            unit="ms",
            yardstick=median(quiet),
            yardstick_what="p99 of the same requests when nothing else goes on",
            goal="≤ 3 ×",
            is_met=p99 <= 3 * median(quiet),
            load=load_before,
            details={
                "p50_ms": percentile(all_busy, 0.5),
                "requests": len(all_busy),
                "yardstick_samples": quiet,
                "yardstick_p50_ms": median([percentile(took, 0.5) for took in idle]),
                "yardstick_requests": sum(map(len, idle)),
            },
        ),
    ]


def _broadcast(account: Account, tabs: processes.Tabs) -> float:
    """Emit, wait until every tab is told, and return how many seconds after the last batch the last one was."""
    tabs.take()
    kind = types.TYPES[KIND]
    event = events.emit(kind, audience=events.Audience(everyone=True), account=account, data=dict(kind.example))
    committed = _last_commit(event)
    count = tabs.wait_for(TABS, seconds=60)
    if count != TABS:
        raise RuntimeError(f"{TABS - count} of {TABS} tabs were not told")
    return max(0.0, (max(when for when, _tab, _frame in tabs.take()) - committed) / 1e9)


def _last_commit(event: Event) -> int:
    """The last moment (monotonic ns) at which the last batch was not there yet, to within 5 ms before its commit."""
    before, deadline = time.monotonic_ns(), time.monotonic() + 60
    while time.monotonic() < deadline:
        looked = time.monotonic_ns()
        if Event.objects.values_list("recipients", flat=True).get(pk=event.pk) >= people.CROWD:
            return before
        before = looked
        time.sleep(0.005)
    raise RuntimeError("the event was not told to everybody within a minute")
