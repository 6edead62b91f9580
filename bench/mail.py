"""`mail`: 2,000 mails from due rows to a mail server and back into the rows, against smtplib with finished bytes.

Both go to the same server in a process of its own, over as many connections, in turn, in the same run. The server
is a bare one, so that it is not what is measured. Every mail is of an event of its own, so each is rendered.

    python -m bench.mail
"""

import asyncio
import multiprocessing
import os
import smtplib
import statistics
import sys
import threading
import time
from collections.abc import Iterable, Sequence
from typing import Any

from bench import services

COUNT = 2000
TIMES = 5
CONNECTIONS = {0: 4, 10: 16}  # by milliseconds of latency per command


class Server(asyncio.Protocol):
    """SMTP as far as sending needs it. Each command is answered after `latency` seconds."""

    latency = 0.0
    received = 0

    def connection_made(self, transport: Any) -> None:
        self.transport, self.rest, self.is_in_data = transport, b"", False
        self._answer(b"220 bench\r\n")

    def data_received(self, data: bytes) -> None:
        data = self.rest + data
        if self.is_in_data:
            if not data.endswith(b"\r\n.\r\n"):
                self.rest = data
                return
            self.rest, self.is_in_data = b"", False
            Server.received += 1
            self._answer(b"250 taken\r\n")
            return
        *lines, self.rest = data.split(b"\r\n")
        for line in lines:
            self._obey(line[:4].upper())

    def _obey(self, command: bytes) -> None:
        if command == b"DATA":
            self.is_in_data = True
            self._answer(b"354 go on\r\n")
        elif command == b"QUIT":
            self._answer(b"221 bye\r\n")
        elif command == b"STAT":
            self._answer(b"250 %d\r\n" % Server.received)
        else:
            self._answer(b"250 fine\r\n")

    def _answer(self, words: bytes) -> None:
        if Server.latency:
            asyncio.get_running_loop().call_later(Server.latency, self._write, words)
        else:
            self._write(words)

    def _write(self, words: bytes) -> None:
        if not self.transport.is_closing():
            self.transport.write(words)


def serve(latency: float, port_to: Any) -> None:
    """The server's process."""
    Server.latency = latency

    async def run() -> None:
        server = await asyncio.get_running_loop().create_server(Server, "127.0.0.1", 0)
        port_to.send(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    asyncio.run(run())


def run(*, count: int = COUNT, times: int = TIMES) -> dict[str, Any]:
    """Measure without latency and with 10 ms per command. Medians; `ratio` is ours by the yardstick."""
    with services.running():
        prepare(count)
        return {
            "figure": "mail",
            "without": measure(0, count=count, times=times, must_reach=0.35),
            "with_10_ms": measure(10, count=count, times=times, must_reach=0.8),
        }


def prepare(count: int) -> None:
    """An account with that many members, and an event for each of them, told."""
    from accounts.models import Account
    from notifications import events, fanout, types
    from tests import factories

    account = Account.objects.filter(hub_id=990_001).first() or factories.account(hub_id=990_001)
    members = list(account.members.select_related("account"))
    if len(members) < count:
        members += factories.members(account, count - len(members))
    kind = types.TYPES["deals.stage_changed"]
    for member in members[:count]:
        events.emit(kind, audience=[member], account=account, data=kind.example)
    fanout.run_due()


def measure(latency: int, *, count: int, times: int, must_reach: float) -> dict[str, Any]:
    """Ours and the yardstick in turn, so that both meet the same weather."""
    connections = CONNECTIONS[latency]
    here, there = multiprocessing.get_context("spawn").Pipe()
    server = multiprocessing.get_context("spawn").Process(target=serve, args=(latency / 1000, there), daemon=True)
    server.start()
    try:
        port = here.recv()
        ours, theirs, load = [], [], []
        for _time in range(times):
            load.append(os.getloadavg()[0])
            letters = finished(count)
            theirs.append(count / yardstick(letters, port=port, connections=connections))
            ours.append(count / send(count, port=port, connections=connections))
    finally:
        server.terminate()
        server.join()
    ratios = [a / b for a, b in zip(ours, theirs, strict=True)]
    return {
        "ours_per_s": round(statistics.median(ours)),
        "yardstick_per_s": round(statistics.median(theirs)),
        "ratio": round(statistics.median(ratios), 3),
        "ratios": [round(ratio, 3) for ratio in ratios],
        "must_reach": must_reach,
        "connections": connections,
        "mails": count,
        "load": [round(one, 2) for one in load],
    }


def finished(count: int) -> list[tuple[str, bytes]]:
    """The very mails of this run, written beforehand: the yardstick's bytes."""
    from notifications import parcels
    from notifications.channels import CARRIER
    from notifications.mail.writing import write
    from notifications.models import Delivery

    again()
    ids = list(Delivery.objects.filter(channel="email").order_by("pk").values_list("pk", flat=True)[:count])
    packed = parcels.pack(CARRIER["email"], ids)
    return [(letter.to, letter.raw) for letter in (write(packed.parcel(id_)) for id_ in packed.ready)]


def again() -> None:
    """As if nothing had been sent yet: notifications that wait, with rows of delivery still to be written."""
    from django.db import connection

    from notifications import delivering
    from notifications.channels import CARRIER

    carrier = CARRIER["email"]
    while delivering.write_deliveries(carrier, limit=10_000):
        pass
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE notifications_delivery SET status = 'due', due_at = statement_timestamp(), attempts = 0, claim = ''"
        )
        cursor.execute("VACUUM ANALYZE notifications_delivery")


def send(count: int, *, port: int, connections: int) -> float:
    """Seconds for our whole way: rows written and claimed, rendered, sent, recorded."""
    from django.conf import settings
    from django.db import connection

    from notifications import delivering
    from notifications.channels import CARRIER

    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_CONNECTIONS = "127.0.0.1", port, connections
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM notifications_delivery")
        cursor.execute("UPDATE notifications_notification SET waiting = 4 WHERE channels & 4 > 0")
        cursor.execute("VACUUM ANALYZE notifications_delivery, notifications_notification")
    started = time.perf_counter()
    sent = delivering.run_due(CARRIER["email"])
    seconds = time.perf_counter() - started
    assert sent == count, f"{sent} of {count} were sent"
    return seconds


def yardstick(letters: Sequence[tuple[str, bytes]], *, port: int, connections: int) -> float:
    """Seconds for the same bytes through smtplib, a thread per connection, connections opened beforehand."""
    lines = [smtplib.SMTP("127.0.0.1", port) for _line in range(connections)]
    for line in lines:
        line.ehlo()

    def carry(line: smtplib.SMTP, share: Iterable[tuple[str, bytes]]) -> None:
        for to, raw in share:
            line.sendmail("bellhop@127.0.0.1", [to], raw)

    threads = [threading.Thread(target=carry, args=(line, letters[i::connections])) for i, line in enumerate(lines)]
    started = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seconds = time.perf_counter() - started
    for line in lines:
        line.quit()
    return seconds


def main() -> int:
    """Print the figure; 1 when it misses its mark."""
    found = run()
    for name in ("without", "with_10_ms"):
        part = found[name]
        print(
            f"mail {name}: {part['ours_per_s']}/s, yardstick {part['yardstick_per_s']}/s, "
            f"ratio {part['ratio']} (must reach {part['must_reach']}; {part['ratios']}), "
            f"{part['connections']} connections, load {part['load']}"
        )
    return int(any(found[name]["ratio"] < found[name]["must_reach"] for name in ("without", "with_10_ms")))


if __name__ == "__main__":
    sys.exit(main())
