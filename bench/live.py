"""From the hint to the socket: 5,000 open sockets in one web process, 500 events a second to single members.

The hints are made beforehand, each a copy of what `live.tell_new` publishes for a row, with another member and number;
they go through the product's own client. What is measured is publish → frame received in another process.
"""

import random
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

import orjson
from django.conf import settings

from bench import people, processes, services
from bench.figure import REPEATS, Figure, load, median, percentile, say
from bench.processes import Tabs
from notifications import events, fanout, live, types
from notifications.models import Event

SOCKETS = 5_000
RATE = 500  # hints a second
SECONDS = 5
KIND = "deals.assigned"  # bell and pop-up


def run() -> list[Figure]:
    """Five runs of five seconds, with a bare Redis echo at the same rate after each."""
    with services.running():
        account = people.account(900_002, members=SOCKETS)
        members = list(account.members.order_by("id"))
        cookies = people.sign_in(members)
        kind = types.TYPES[KIND]
        event = events.emit(kind, audience=events.Audience(everyone=True), account=account, data=dict(kind.example))
        fanout.run_due()
        load_before = load()
        with processes.web() as web:
            with processes.tabs(web.port, account.hub_id, cookies[:100]):
                pass  # what is loaded with the first sockets is not theirs
            before = web.memory()
            with processes.tabs(web.port, account.hub_id, cookies) as tabs:
                say(f"  {SOCKETS} sockets open after {tabs.opening['seconds']:.1f} s")
                time.sleep(2)
                each = (web.memory() - before) / SOCKETS / 1024
                results = []
                for i in range(REPEATS):
                    cpu = web.cpu()
                    latencies, missing = _measure(tabs, event, [member.pk for member in members], seed=i)
                    cpu = (web.cpu() - cpu) / SECONDS
                    echo = _echo(SECONDS * RATE)
                    results.append((latencies, missing, echo, cpu))
                    say(
                        f"  p50 {percentile(latencies, 0.5):.2f} ms, p99 {percentile(latencies, 0.99):.2f} ms, "
                        f"{missing} missing, web {cpu:.0%} of a core; echo p99 {percentile(echo, 0.99):.2f} ms"
                    )
                lost_sockets = tabs.count()["lost"]
        return _figures(results, each=each, lost_sockets=lost_sockets, load_before=load_before)


def _figures(
    results: Sequence[tuple[list[float], int, list[float], float]],
    *,
    each: float,
    lost_sockets: int,
    load_before: float,
) -> list[Figure]:
    p99s = [percentile(latencies, 0.99) for latencies, *_ in results]
    echoes = [percentile(echo, 0.99) for _, _, echo, _ in results]
    missing = sum(count for _, count, _, _ in results)
    return [
        Figure(
            name="live",
            what=f"hint → socket, p99; {RATE} hints/s to single members, {SOCKETS} sockets in one web process",
            value=median(p99s),
            unit="ms",
            yardstick=median(echoes),
            yardstick_what="a bare Redis publish → subscribe echo at the same rate, p99",
            goal="≤ 10 ms",
            is_met=median(p99s) <= 10,
            load=load_before,
            samples=p99s,
            details={
                "p50_ms": median([percentile(latencies, 0.5) for latencies, *_ in results]),
                "max_ms": max(max(latencies) for latencies, *_ in results),
                "yardstick_samples": echoes,
                "yardstick_p50_ms": median([percentile(echo, 0.5) for _, _, echo, _ in results]),
                "web_cores": median([cpu for *_, cpu in results]),
            },
        ),
        Figure(
            name="live_lost",
            what=f"hints that did not arrive, of {sum(len(r[0]) + r[1] for r in results)}",
            value=missing,
            unit="hints",
            goal="0",
            is_met=missing == 0 and lost_sockets == 0,
            load=load_before,
            details={"closed_sockets": lost_sockets},
        ),
        Figure(
            name="live_memory",
            what="resident memory of the web process per idle socket",
            value=each,
            unit="KB",
            goal="≤ 32 KB",
            is_met=each <= 32,
            load=load_before,
        ),
    ]


def _measure(tabs: Tabs, event: Event, member_ids: Sequence[int], *, seed: int) -> tuple[list[float], int]:
    """Latencies in ms of one run, and how many hints did not arrive."""
    chosen = random.Random(seed).choices(member_ids, k=SECONDS * RATE)
    template = _hint(event, member_ids[0])
    (to,) = template["to"]
    hints = [  # the tab hears the event's number: here the hint's, so that each is found again
        orjson.dumps(template | {"event": number, "to": [to | {"id": member_id, "newest": number}]})
        for number, member_id in enumerate(chosen)
    ]
    redis, channel = live.client(), live.channel()
    tabs.take()  # also what the hint overheard told
    sent = paced(len(hints), lambda i: redis.publish(channel, hints[i]))
    tabs.wait_for(len(hints), seconds=10)
    came = {frame["id"]: when for when, _tab, frame in tabs.take()}
    return [(came[i] - sent[i]) / 1e6 for i in came], len(hints) - len(came)


def _hint(event: Event, member_id: int) -> dict[str, Any]:
    """What `live.tell_new` publishes for one recipient, overheard."""
    with live.client().pubsub() as pubsub:
        pubsub.subscribe(live.channel())
        live.tell_new(event, among=[member_id], first=member_id - 1, last=member_id)
        for message in pubsub.listen():
            if message["type"] == "message":
                hint: dict[str, Any] = orjson.loads(message["data"])
                return hint
    raise AssertionError


def _echo(count: int) -> list[float]:
    """Latencies in ms of a bare subscription in another process, at the same rate and of the same size."""
    channel = "bench-echo"
    child = subprocess.Popen(
        [sys.executable, "-m", "bench.echo", settings.REDIS_URL, channel, str(count)],
        stdout=subprocess.PIPE,
        cwd=processes.CHECKOUT,
    )
    try:
        assert child.stdout
        assert child.stdout.readline() == b"ready\n"
        redis = live.client()
        padding = b" " + b"x" * 350
        sent = paced(count, lambda i: redis.publish(channel, b"%d%b" % (i, padding)))
        came = dict(orjson.loads(child.stdout.readline()))
        return [(came[i] - sent[i]) / 1e6 for i in came]
    finally:
        child.kill()
        child.communicate()


def paced(count: int, work: Callable[[int], object], *, rate: int = RATE) -> list[int]:
    """Do it so many times at an even pace. Returns when each began, in monotonic ns."""
    began = []
    start = time.monotonic_ns() + 1_000_000
    for i in range(count):
        wait = start + i * 1_000_000_000 // rate - time.monotonic_ns()
        if wait > 0:
            time.sleep(wait / 1e9)
        began.append(time.monotonic_ns())
        work(i)
    return began
