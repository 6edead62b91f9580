"""From the POST to the tab: 50 events a second, each to one member, with everything on this machine.

A web process, a worker, PostgreSQL, Redis, 200 open tabs and the program that posts share the cores. The type goes to
bell, pop-up and e-mail (into the sandbox outbox), so the worker has mail to carry meanwhile.
"""

import json
import random
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from typing import Any

from accounts import api_keys
from accounts.models import Account, Membership
from bench import people, processes, services
from bench.figure import REPEATS, Figure, load, median, percentile, say
from bench.live import paced
from notifications import types

TABS = 200
RATE = 50  # events a second
SECONDS = 8
CALLERS = 16
KIND = "deals.assigned"  # bell, pop-up and e-mail


class Program:
    """Posts events over connections it keeps open, with a key of the account."""

    def __init__(self, port: int, account: Account) -> None:
        self.port = port
        # Several keys, because each may ask only so often a minute.
        self.keys = [
            api_keys.make(account, name=f"bench {i}", scopes=["events.write", "notifications.read"], by=None)[1]
            for i in range(CALLERS)
        ]
        self.pool = ThreadPoolExecutor(CALLERS)
        self._own = threading.local()
        self._given = iter(range(CALLERS))

    def call(self, method: str, path: str, content: Any = None) -> tuple[int, Any]:
        """Status and answer."""
        if not hasattr(self._own, "connection"):
            self._own.connection = HTTPConnection("127.0.0.1", self.port, timeout=30)
            self._own.headers = {
                "Authorization": f"Bearer {self.keys[next(self._given)]}",
                "Content-Type": "application/json",
            }
        body = json.dumps(content) if content is not None else None
        self._own.connection.request(method, path, body, self._own.headers)
        answer = self._own.connection.getresponse()
        return answer.status, json.loads(answer.read())

    def emit(self, member: Membership) -> tuple[int, int, int]:
        """Post an event to one member. Returns its id, and when it was sent and accepted (monotonic ns)."""
        sent = time.monotonic_ns()
        kind = types.TYPES[KIND]
        status, answer = self.call(
            "POST",
            "/api/v1/events/",
            {"type": KIND, "data": dict(kind.example), "audience": {"members": [member.pk]}},
        )
        accepted = time.monotonic_ns()
        if status != 202:
            raise RuntimeError(f"the event was not accepted: {status} {answer}")
        return answer["id"], sent, accepted


def run() -> list[Figure]:
    """Five runs of eight seconds."""
    with services.running():
        account = people.account(900_001, members=1_000)
        members = list(account.members.order_by("id")[:TABS])
        cookies = people.sign_in(members)
        load_before = load()
        with (
            processes.web() as web,
            processes.worker(),
            processes.tabs(web.port, account.hub_id, cookies) as tabs,
        ):
            program = Program(web.port, account)
            _measure(program, tabs, members, seconds=2, seed=99)
            results = []
            for i in range(REPEATS):
                results.append(_measure(program, tabs, members, seconds=SECONDS, seed=i))
                since_accepted, since_sent, posts, missing = results[-1]
                say(
                    f"  accepted → told: {_both(since_accepted)}; sent → told: {_both(since_sent)}; "
                    f"POST: {_both(posts)}; {missing} missing"
                )
            program.pool.shutdown()
        return _figures(results, load_before)


def _both(took: Sequence[float]) -> str:
    return f"p50 {percentile(took, 0.5):.0f}, p99 {percentile(took, 0.99):.0f} ms"


def _figures(results: Sequence[tuple[list[float], list[float], list[float], int]], load_before: float) -> list[Figure]:
    missing = sum(result[3] for result in results)
    figures = []
    for share, most in ((0.5, 50), (0.99, 250)):
        accepted = [percentile(result[0], share) for result in results]
        sent = [percentile(result[1], share) for result in results]
        figures.append(
            Figure(
                name=f"end_to_end_p{share * 100:.0f}",
                what=f"POST accepted → tab told, p{share * 100:.0f}; {RATE} events/s, everything on this machine",
                value=median(accepted),
                unit="ms",
                goal=f"≤ {most} ms",
                is_met=median(accepted) <= most and not missing,
                load=load_before,
                samples=accepted,
                details={
                    "since_the_post_was_sent_ms": median(sent),
                    "post_ms": median([percentile(result[2], share) for result in results]),
                    "missing": missing,
                },
            )
        )
    return figures


def _measure(
    program: Program, tabs: processes.Tabs, members: Sequence[Membership], *, seconds: int, seed: int
) -> tuple[list[float], list[float], list[float], int]:
    """In ms: accepted → told, sent → told, sent → accepted; and how many tabs were not told."""
    tabs.take()
    chosen = random.Random(seed).choices(members, k=seconds * RATE)
    work = []
    paced(len(chosen), lambda i: work.append(program.pool.submit(program.emit, chosen[i])), rate=RATE)
    posted = [future.result() for future in work]
    tabs.wait_for(len(posted), seconds=15)
    told = {frame["id"]: when for when, _tab, frame in tabs.take()}
    came = [(told[id_], sent, accepted) for id_, sent, accepted in posted if id_ in told]
    return (
        [max(0.0, (when - accepted) / 1e6) for when, _, accepted in came],
        [(when - sent) / 1e6 for when, sent, _ in came],
        [(accepted - sent) / 1e6 for _, sent, accepted in posted],
        len(posted) - len(came),
    )
