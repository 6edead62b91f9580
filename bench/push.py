"""`push`: 2,000 pushes from waiting notifications to a push service and back into the rows, against pywebpush alone.

Ours is the whole way: deliveries written and claimed, judged by presence, sealed, posted, recorded. The yardstick does
nothing but seal and sign the same words with pywebpush and a key that it has parsed once. Both in turn, in one run.
The service is a bare one in a process of its own, so that it is not what is measured; every member has a browser of
their own, and every push is of an event of its own, so each is rendered.

    python -m bench.push
"""

import asyncio
import base64
import multiprocessing
import os
import time
from collections.abc import Sequence
from typing import Any

from bench import services
from bench.figure import REPEATS, Figure, load, median, table

COUNT = 2000
KIND = "deals.mentioned"
GOALS = {0: 0.5, 50: 0.35}  # by milliseconds that the service takes to answer
TAKEN = b"HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n"


class Service(asyncio.Protocol):
    """HTTP as far as taking pushes needs it: each is answered after `latency` seconds."""

    latency = 0.0

    def connection_made(self, transport: Any) -> None:
        self.transport, self.rest = transport, b""

    def data_received(self, data: bytes) -> None:
        self.rest += data
        while (end := self.rest.find(b"\r\n\r\n")) >= 0:
            head = self.rest[:end].lower()
            _before, _name, after = head.partition(b"content-length: ")
            whole = end + 4 + int(after.partition(b"\r")[0])
            if len(self.rest) < whole:
                return
            self.rest = self.rest[whole:]
            if Service.latency:
                asyncio.get_running_loop().call_later(Service.latency, self._answer)
            else:
                self._answer()

    def _answer(self) -> None:
        if not self.transport.is_closing():
            self.transport.write(TAKEN)


def serve(latency: float, port_to: Any) -> None:
    """The service's process."""
    Service.latency = latency

    async def listen() -> None:
        server = await asyncio.get_running_loop().create_server(Service, "127.0.0.1", 0, backlog=1000)
        port_to.send(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    asyncio.run(listen())


def run(*, count: int = COUNT, times: int = REPEATS) -> list[Figure]:
    """Measure with a service that answers at once and with one that takes 50 ms."""
    with services.running():
        from django.conf import settings

        from config.local import new_vapid_key
        from config.memory import collect_garbage_seldom

        settings.VAPID_PRIVATE_KEY, settings.VAPID_SUBJECT = new_vapid_key(), "mailto:push@example.com"
        settings.OUTGOING_LOOPBACK = True
        account = prepare(count)
        collect_garbage_seldom()  # as a worker does
        try:
            return [measure(account, latency, count=count, times=times) for latency in GOALS]
        finally:
            clear(account)


def prepare(count: int) -> int:
    """An account with that many members, a browser for each, and an event for each, told. Returns its id."""
    from notifications import events, fanout, types
    from tests import factories

    account = factories.account()
    members = factories.members(account, count)
    allow([member.user_id for member in members])
    kind = types.TYPES[KIND]
    for member in members:
        events.emit(kind, audience=[member], account=account, data=kind.example)
    fanout.run_due()
    return int(account.pk)


def allow(people: Sequence[int]) -> None:
    """A browser for each person, with keys of its own."""
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    from notifications.models import BrowserSubscription

    def text(raw: bytes) -> str:
        return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()

    def point() -> bytes:
        return (
            ec.generate_private_key(ec.SECP256R1())
            .public_key()
            .public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        )

    BrowserSubscription.objects.bulk_create(
        BrowserSubscription(
            user_id=person,
            endpoint=f"http://127.0.0.1/{person}",
            p256dh=text(point()),
            auth=text(os.urandom(16)),
            browser="Firefox on Linux",
        )
        for person in people
    )


def clear(account: int) -> None:
    """Leave nothing that another figure's workers would send."""
    from django.db import connection

    from notifications.models import BrowserSubscription

    _forget_deliveries()
    BrowserSubscription.objects.filter(user__memberships__account=account).delete()
    with connection.cursor() as cursor:
        cursor.execute("UPDATE notifications_notification SET waiting = 0 WHERE waiting > 0")


def again(account: int, port: int) -> None:
    """As if nothing had been pushed yet, the service at this port, and everybody with a tab open in the back."""
    from django.db import connection

    from notifications import live, presence
    from notifications.channels.browser import BIT

    _forget_deliveries()
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE notifications_notification SET waiting = %(bit)s WHERE channels & %(bit)s > 0 "
            "AND event_id IN (SELECT id FROM notifications_event WHERE account_id = %(account)s) RETURNING member_id",
            {"bit": BIT, "account": account},
        )
        there = {str(member): time.time() + 600 for (member,) in cursor.fetchall()}
        cursor.execute(
            "UPDATE notifications_browsersubscription SET last_success_at = NULL, "
            "endpoint = regexp_replace(endpoint, '127.0.0.1[:0-9]*', %s)",
            [f"127.0.0.1:{port}"],
        )
        cursor.execute("VACUUM ANALYZE notifications_delivery, notifications_notification")
    live.client().zadd(presence.key_of(account), there)


def _forget_deliveries() -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE notifications_delivery, notifications_dailycount")


def measure(account: int, latency: int, *, count: int, times: int) -> Figure:
    """Ours and the yardstick in turn, so that both meet the same weather."""
    here, there = multiprocessing.get_context("spawn").Pipe()
    server = multiprocessing.get_context("spawn").Process(target=serve, args=(latency / 1000, there), daemon=True)
    server.start()
    ours, theirs, loads = [], [], []
    try:
        port = here.recv()
        for _time in range(times):
            loads.append(load())
            theirs.append(count / yardstick(count))
            ours.append(count / push(account, count, port=port))
    finally:
        server.terminate()
        server.join()
    value, other = median(ours), median(theirs)
    return Figure(
        name="push" if not latency else f"push {latency} ms",
        what="pushes rendered, sealed, sent and recorded, an event and a browser each"
        + (", the service slow to answer" if latency else ""),
        value=value,
        unit="pushes/s",
        goal=f"≥ {GOALS[latency]} × pywebpush",
        is_met=value / other >= GOALS[latency],
        yardstick=other,
        yardstick_what="the same payloads sealed and signed by pywebpush alone, the key parsed once; nothing is sent",
        load=median(loads),
        samples=ours,
        details={
            "pushes": count,
            "yardstick_samples": theirs,
            "ratios": [round(a / b, 3) for a, b in zip(ours, theirs, strict=True)],
            "loads": loads,
        },
    )


def push(account: int, count: int, *, port: int) -> float:
    """Seconds for our whole way: rows written and claimed, judged, rendered, sealed, sent, recorded."""
    from notifications import delivering
    from notifications.channels import CARRIER

    again(account, port)
    started = time.perf_counter()
    sent = delivering.run_due(CARRIER["browser"])
    seconds = time.perf_counter() - started
    assert sent == count, f"{sent} of {count} were sent"
    return seconds


def yardstick(count: int) -> float:
    """Seconds for sealing and signing as many payloads of the same size, which is what `webpush()` does before it
    sends."""
    from django.conf import settings
    from py_vapid import Vapid
    from pywebpush import WebPusher

    from notifications.models import BrowserSubscription

    key = Vapid.from_string(private_key=settings.VAPID_PRIVATE_KEY)
    given = [
        {"endpoint": row.endpoint, "keys": {"p256dh": row.p256dh, "auth": row.auth}}
        for row in BrowserSubscription.objects.order_by("-pk")[:count]
    ]
    words = payload()
    started = time.perf_counter()
    for subscription in given:
        WebPusher(subscription).encode(words)
        key.sign({"aud": "http://127.0.0.1", "sub": settings.VAPID_SUBJECT, "exp": int(time.time()) + 12 * 3600})
    return time.perf_counter() - started


def payload() -> bytes:
    """What such a push says."""
    from notifications import rendering, types
    from notifications.push import payloads

    kind = types.TYPES[KIND]
    message = rendering.render(kind.key, dict(kind.example), language="en")
    return payloads.packed(
        event_id=100_000,
        hub_id=1001,
        title=message.title,
        body=message.body,
        url="/1001/notifications/100000/open/",
        page="/1001/deals/7/",
        topic=message.topic,
        language="en",
    )


if __name__ == "__main__":
    print(table(run()))
