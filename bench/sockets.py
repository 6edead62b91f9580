"""The clients: a lean process of its own that holds thousands of tabs open and notes when each was told.

`python -m bench.sockets`: one line of JSON on standard input says where to connect and as whom. Then it is asked:
`count` → how many frames of kind "new" have come; `take` → all of them as JSON, and it begins anew; `here` → from now
on each tab says every 30 seconds that somebody is at work in it; the end of its input ends it. Times are
CLOCK_MONOTONIC in nanoseconds, which all processes of a machine share.
"""

import asyncio
import base64
import gc
import itertools
import json
import os
import struct
import sys
import time
from dataclasses import dataclass, field
from typing import Any

CONNECT_AT_ONCE = 40
HERE_EVERY = 30  # seconds
NEW, STATE = b'"kind":"new"', b'"kind":"state"'


@dataclass
class Heard:
    """What all tabs of this process have heard."""

    new: list[tuple[int, int, bytes]] = field(default_factory=list)  # when, which tab, the frame
    lost: int = 0  # sockets that were closed


class Tab(asyncio.Protocol):
    """One socket. Frames are read by hand: a client library would cost more than the server that is measured."""

    def __init__(self, index: int, request: bytes, heard: Heard) -> None:
        self.index, self.request, self.heard = index, request, heard
        self.buffer = b""
        self.is_open = False
        self.ready: asyncio.Future[None] | None = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        transport.write(self.request)

    def data_received(self, data: bytes) -> None:
        now = time.monotonic_ns()
        self.buffer += data
        if not self.is_open:
            head, end, rest = self.buffer.partition(b"\r\n\r\n")
            if not end:
                return
            if b" 101 " not in head.split(b"\r\n", 1)[0]:
                self._fail(f"the server answered {head[:100]!r}")
                return
            self.is_open, self.buffer = True, rest
        while self._frame(now):
            pass

    def _frame(self, now: int) -> bool:
        """Take one whole frame off the buffer."""
        buffer = self.buffer
        if len(buffer) < 2:
            return False
        size, start = buffer[1] & 127, 2
        if size == 126:
            if len(buffer) < 4:
                return False
            size, start = struct.unpack_from("!H", buffer, 2)[0], 4
        if len(buffer) < start + size:
            return False
        payload, self.buffer = buffer[start : start + size], buffer[start + size :]
        match buffer[0] & 15:
            case 1 if NEW in payload:
                self.heard.new.append((now, self.index, payload))
            case 1 if STATE in payload and self.ready:
                self.ready.set_result(None)
                self.ready = None
            case 8:
                self._fail(f"the server closed the socket: {payload!r}")
            case 9:
                self.transport.write(_masked(0x8A, payload))
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        self.heard.lost += 1
        self._fail("the connection was lost")

    def _fail(self, why: str) -> None:
        if self.ready and not self.ready.done():
            self.ready.set_exception(ConnectionError(why))
            self.ready = None


def _masked(first: int, payload: bytes) -> bytes:
    return bytes([first, 0x80 | len(payload), 0, 0, 0, 0]) + payload  # a mask of zeros changes nothing


def _request(port: int, hub_id: int, cookie: str, name: str) -> bytes:
    key = base64.b64encode(os.urandom(16)).decode()
    return (
        f"GET /ws/live/{hub_id}/ HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nOrigin: http://127.0.0.1:{port}\r\n"
        f"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n"
        f"User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0\r\n"
        f"Accept-Language: en\r\nCookie: {name}={cookie}\r\n\r\n"
    ).encode()


async def hold(port: int, hub_id: int, cookies: list[str], cookie_name: str) -> None:
    """Open all sockets, say so, and answer what is asked until the input ends."""
    loop, heard, gate = asyncio.get_running_loop(), Heard(), asyncio.Semaphore(CONNECT_AT_ONCE)

    async def connect(index: int, cookie: str) -> Tab:
        async with gate:
            request = _request(port, hub_id, cookie, cookie_name)
            _, tab = await loop.create_connection(lambda: Tab(index, request, heard), "127.0.0.1", port)
            if tab.ready:
                await asyncio.wait_for(tab.ready, 60)
            return tab

    start = time.monotonic()
    tabs = await asyncio.gather(*(connect(i, cookie) for i, cookie in enumerate(cookies)))
    gc.freeze()
    gc.disable()
    _say({"open": len(tabs), "seconds": time.monotonic() - start})
    asked = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(asked), sys.stdin)
    while question := (await asked.readline()).strip():
        if question == b"count":
            _say({"count": len(heard.new), "lost": heard.lost})
        elif question == b"here":
            saying = asyncio.create_task(say_here(tabs))
            _say({"said": not saying.done()})
        else:
            _say({"new": [(when, tab, frame.decode()) for when, tab, frame in heard.new], "lost": heard.lost})
            heard.new.clear()
            gc.collect()


async def say_here(tabs: list[Tab]) -> None:
    """Each tab in its turn, spread evenly, for as long as the process lives."""
    loop, frame = asyncio.get_running_loop(), _masked(0x81, b'{"kind":"here","active":true}')
    began = loop.time()
    for number in itertools.count():
        await asyncio.sleep(began + number * HERE_EVERY / len(tabs) - loop.time())
        tabs[number % len(tabs)].transport.write(frame)


def _say(answer: dict[str, Any]) -> None:
    print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    asyncio.run(hold(**json.loads(sys.stdin.readline())))
