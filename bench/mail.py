"""`mail`: 2,000 mails from due rows to a mail server and back into the rows, against smtplib with finished bytes.

Both go to the same server in a process of its own, over as many connections, in turn, in the same run. The server
is a bare one, so that it is not what is measured. Every mail is of an event of its own, so each is rendered.

    python -m bench.mail
"""

import asyncio
import multiprocessing
import smtplib
import threading
import time
from collections.abc import Iterable, Sequence
from typing import Any

from bench import services
from bench.figure import REPEATS, Figure, load, median, table

COUNT = 2000
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

    async def listen() -> None:
        server = await asyncio.get_running_loop().create_server(Server, "127.0.0.1", 0)
        port_to.send(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    asyncio.run(listen())


def run(*, count: int = COUNT, times: int = REPEATS) -> list[Figure]:
    """Measure without latency and with 10 ms per command."""
    with services.running():
        account = prepare(count)
        try:
            return [
                measure(account, 0, count=count, times=times, must_reach=0.35),
                measure(account, 10, count=count, times=times, must_reach=0.8),
            ]
        finally:
            clear(account)


def prepare(count: int) -> int:
    """An account with that many members, and an event for each of them, told. Returns its id."""
    from notifications import events, fanout, types
    from tests import factories

    account = factories.account()
    kind = types.TYPES["deals.stage_changed"]
    for member in factories.members(account, count):
        events.emit(kind, audience=[member], account=account, data=kind.example)
    fanout.run_due()
    return int(account.pk)


def clear(account: int) -> None:
    """Leave nothing that another figure's workers would send."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE notifications_delivery, notifications_dailycount")
        cursor.execute("UPDATE notifications_notification SET waiting = 0 WHERE waiting > 0")


def measure(
    account: int,
    latency: int,
    *,
    count: int,
    times: int,
    must_reach: float,
    name: str = "mail",
    what: str = "mails rendered, sent and recorded, an event each",
) -> Figure:
    """Ours and the yardstick in turn, so that both meet the same weather."""
    connections = CONNECTIONS[latency]
    here, there = multiprocessing.get_context("spawn").Pipe()
    server = multiprocessing.get_context("spawn").Process(target=serve, args=(latency / 1000, there), daemon=True)
    server.start()
    ours, theirs, loads = [], [], []
    try:
        port = here.recv()
        for _time in range(times):
            loads.append(load())
            letters = finished(account, count)
            theirs.append(count / yardstick(letters, port=port, connections=connections))
            ours.append(count / send(account, count, port=port, connections=connections))
    finally:
        server.terminate()
        server.join()
    value, other = median(ours), median(theirs)
    return Figure(
        name=name if not latency else f"{name} {latency} ms",
        what=what + (", the server slow to answer" if latency else ""),
        value=value,
        unit="mails/s",
        goal=f"≥ {must_reach} × smtplib",
        is_met=value / other >= must_reach,
        yardstick=other,
        yardstick_what=f"the same mails as finished bytes through smtplib, {connections} connections",
        load=median(loads),
        details={
            "mails": count,
            "connections": connections,
            "ratios": [round(a / b, 3) for a, b in zip(ours, theirs, strict=True)],
            "loads": loads,
        },
    )


def finished(account: int, count: int) -> list[tuple[str, bytes]]:
    """The very mails of this run, written beforehand: the yardstick's bytes."""
    from notifications import claiming, parcels
    from notifications.channels import CARRIER
    from notifications.mail.writing import write
    from notifications.models import Delivery

    again(account)
    while claiming.write_deliveries(CARRIER["email"], limit=10_000):
        pass
    ids = list(Delivery.objects.order_by("pk").values_list("pk", flat=True)[:count])
    packed = parcels.pack(CARRIER["email"], ids)
    return [(letter.to, letter.raw) for letter in (write(packed.parcel(id_)) for id_ in packed.ready)]


def again(account: int) -> None:
    """As if nothing had been sent yet: notifications that wait, with rows of delivery still to be written."""
    from django.db import connection

    clear(account)
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE notifications_notification SET waiting = 4 WHERE channels & 4 > 0 "
            "AND event_id IN (SELECT id FROM notifications_event WHERE account_id = %s)",
            [account],
        )
        cursor.execute("VACUUM ANALYZE notifications_delivery, notifications_notification")


def send(account: int, count: int, *, port: int, connections: int) -> float:
    """Seconds for our whole way: rows written and claimed, rendered, sent, recorded."""
    from django.conf import settings

    from notifications import delivering
    from notifications.channels import CARRIER
    from notifications.mail.connections import SMTP

    settings.EMAIL_BACKEND = SMTP
    settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_CONNECTIONS = "127.0.0.1", port, connections
    again(account)
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


if __name__ == "__main__":
    print(table(run()))
