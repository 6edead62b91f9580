"""`webhook`: 2,000 webhooks from due rows to endpoints and back into the rows, against a bare keep-alive client.

Both post the same bytes to the same server in a process of its own, as many at once, in turn, in the same run. The
server is a bare one, so that it is not what is measured. Every post is of an event of its own, to a connection of its
own, so each is unsealed, rendered, signed, sent, logged and recorded.

    python -m bench.webhook
"""

import asyncio
import multiprocessing
import time
from collections.abc import Sequence
from typing import Any

import aiohttp

from bench import services
from bench.figure import REPEATS, Figure, load, median, table

COUNT = 2000
MUST_REACH = 0.5
BIT = 1024


class Server(asyncio.Protocol):
    """HTTP/1.1 as far as posting needs it."""

    def connection_made(self, transport: Any) -> None:
        self.transport, self.rest = transport, b""

    def data_received(self, data: bytes) -> None:
        self.rest += data
        while (end := self.rest.find(b"\r\n\r\n")) >= 0:
            head = self.rest[:end].lower()
            length = int(head.partition(b"content-length:")[2].split(b"\r\n", 1)[0] or 0)
            if len(self.rest) < end + 4 + length:
                return
            self.rest = self.rest[end + 4 + length :]
            self.transport.write(b"HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n")


def serve(port_to: Any) -> None:
    """The server's process."""

    async def listen() -> None:
        server = await asyncio.get_running_loop().create_server(Server, "127.0.0.1", 0, backlog=1024)
        port_to.send(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    asyncio.run(listen())


def run(*, count: int = COUNT, times: int = REPEATS) -> list[Figure]:
    """Ours and the yardstick in turn, so that both meet the same weather."""
    with services.running():
        here, there = multiprocessing.get_context("spawn").Pipe()
        server = multiprocessing.get_context("spawn").Process(target=serve, args=(there,), daemon=True)
        server.start()
        try:
            url = f"http://127.0.0.1:{here.recv()}/hook"
            account = prepare(url, count)
            try:
                return [measure(account, url, count=count, times=times)]
            finally:
                clear()
        finally:
            server.terminate()
            server.join()


def measure(account: int, url: str, *, count: int, times: int) -> Figure:
    """The figure. The first turn of both warms up and does not count."""
    from notifications.posting import PER_ORIGIN

    ours, theirs, loads = [], [], []
    for turn in range(times + 1):
        loads.append(load())
        posts = finished(account, count)
        other = count / asyncio.run(yardstick(url, posts, at_once=PER_ORIGIN))
        own = count / send(account, count)
        if turn:
            theirs.append(other)
            ours.append(own)
    value, other = median(ours), median(theirs)
    return Figure(
        name="webhook",
        what="webhooks unsealed, rendered, signed, posted, logged and recorded, an event and a connection each",
        value=value,
        unit="posts/s",
        goal=f"≥ {MUST_REACH} × a bare client",
        is_met=value / other >= MUST_REACH,
        yardstick=other,
        yardstick_what=f"the same bytes posted by a bare aiohttp client, {PER_ORIGIN} at once, connections kept open",
        load=median(loads),
        samples=ours,
        details={
            "posts": count,
            "yardstick_samples": theirs,
            "ratios": [round(a / b, 3) for a, b in zip(ours, theirs, strict=True)],
            "loads": loads,
        },
    )


def prepare(url: str, count: int) -> int:
    """An account with that many members, a webhook and an event for each of them, told. Returns its id."""
    from django.conf import settings

    from notifications import events, fanout, standard_webhooks, types
    from notifications.models import Connection
    from notifications.other_apps import connecting
    from tests import factories

    settings.OUTGOING_LOOPBACK = True
    account = factories.account()
    members = factories.members(account, count)
    Connection.objects.bulk_create(
        Connection(
            account=account,
            member=member,
            channel="webhook",
            label="hooks.example.com",
            secret=connecting.sealed({"url": url, "key": standard_webhooks.new_key()}),
        )
        for member in members
    )
    kind = types.TYPES["deals.mentioned"]
    for member in members:
        events.emit(kind, audience=[member], account=account, data=kind.example)
    fanout.run_due()
    return int(account.pk)


def clear() -> None:
    """Leave nothing that another figure's workers would send."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE notifications_delivery, notifications_dailycount, notifications_webhookattempt")
        cursor.execute("UPDATE notifications_notification SET waiting = 0 WHERE waiting > 0")


def again(account: int) -> None:
    """As if nothing had been sent yet: notifications that wait, with rows of delivery still to be written."""
    from django.db import connection

    clear()
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE notifications_notification SET waiting = %s WHERE channels & %s > 0 "
            "AND event_id IN (SELECT id FROM notifications_event WHERE account_id = %s)",
            [BIT, BIT, account],
        )
        cursor.execute("VACUUM ANALYZE notifications_delivery, notifications_notification, notifications_connection")


def finished(account: int, count: int) -> list[tuple[bytes, dict[str, str]]]:
    """The very posts of this run, made beforehand: the yardstick's bytes."""
    from notifications import claiming, parcels
    from notifications.channels import CARRIER
    from notifications.models import Connection, Delivery
    from notifications.other_apps import connecting, webhooks

    again(account)
    while claiming.write_deliveries(CARRIER["webhook"], limit=10_000):
        pass
    ids = list(Delivery.objects.order_by("pk").values_list("pk", flat=True)[:count])
    packed = parcels.pack(CARRIER["webhook"], ids)
    connections = {row.member_id: row for row in Connection.objects.filter(account_id=account)}
    found = []
    for id_ in packed.ready:
        parcel = packed.parcel(id_)
        job = connecting.job_for(parcel, connections[parcel.member_id])
        body = webhooks.packed(job)
        found.append((body, webhooks.headers(job, body, at=int(time.time()))))
    assert len(found) == count
    return found


def send(account: int, count: int) -> float:
    """Seconds for our whole way: rows written and claimed, connections read and unsealed, posted, logged, recorded."""
    from notifications import delivering
    from notifications.channels import CARRIER

    again(account)
    started = time.perf_counter()
    sent = delivering.run_due(CARRIER["webhook"])
    seconds = time.perf_counter() - started
    assert sent == count, f"{sent} of {count} were sent"
    return seconds


async def yardstick(url: str, posts: Sequence[tuple[bytes, dict[str, str]]], *, at_once: int) -> float:
    """Seconds for the same bytes through a bare client that keeps its connections open."""
    waiting = list(posts)
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:

        async def carry() -> None:
            while waiting:
                body, headers = waiting.pop()
                async with session.post(url, data=body, headers=headers, allow_redirects=False) as response:
                    await response.read()

        started = time.perf_counter()
        await asyncio.gather(*(carry() for _line in range(at_once)))
        return time.perf_counter() - started


if __name__ == "__main__":
    print(table(run()))
