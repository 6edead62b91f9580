"""Connections over HTTP/1.1 that stay open and post: what many thousand small posts need, and no more.

A post goes out as one piece; of its answer the status, `Retry-After` and the beginning of the body are kept. Nothing is
followed, sent twice or unpacked. llhttp reads the answers, as it does for Node.js; names are looked up and refused by
`outgoing.PublicResolver`; certificates are checked by Python's own rules. All of it belongs into one loop.
"""

import asyncio
import socket
import ssl
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, NamedTuple

import aiohappyeyeballs
import httptools
from aiohttp.abc import ResolveResult
from yarl import URL

from notifications import outgoing

CONNECT_WITHIN = 5  # seconds, for name, connection and certificate together
ANSWER_WITHIN = 10  # seconds
KEPT_OPEN = 60  # seconds without a post
KNOWN_FOR = 10  # seconds that the addresses of a name are used
NEXT_ADDRESS = 0.25  # seconds, after which another address of the same name is tried beside the first
READ = 300  # bytes of an answer's body
HEAD_READ = 65_536  # bytes of an answer without its head being over


class NotReached(Exception):
    """Nothing was handed over."""


class NoAnswer(Exception):
    """It was handed over, and no answer came, or none that can be read."""


class Answer(NamedTuple):
    status: int
    retry_after: str
    words: bytes


class Target(NamedTuple):
    """Where a post goes."""

    scheme: str
    host: str
    port: int
    head: str  # the beginning of the request

    @property
    def origin(self) -> tuple[str, str, int]:
        return self.scheme, self.host, self.port


@lru_cache(maxsize=4096)
def target_of(url: str) -> Target:
    """An address taken apart. Raises ValueError."""
    parts = URL(url)
    head = f"POST {parts.raw_path_qs} HTTP/1.1\r\nHost: {parts.host_port_subcomponent}\r\n"
    return Target(parts.scheme, parts.raw_host or "", parts.port or 443, head)


def request(to: Target, body: bytes, headers: Mapping[str, str]) -> bytes:
    """A whole post. Refuses, as ValueError, a header that would be more than one."""
    lines = "".join([f"{name}: {value}\r\n" for name, value in headers.items()])
    if lines.count("\n") != len(headers) or lines.count("\r") != len(headers):
        raise ValueError("a header has more than one line")
    return f"{to.head}Accept: */*\r\nContent-Length: {len(body)}\r\n{lines}\r\n".encode("latin-1") + body


class Wire(asyncio.Protocol):
    """One connection. It carries one post at a time."""

    def __init__(self) -> None:
        self.idle_since = 0.0
        self._parser = httptools.HttpResponseParser(self)
        self._answer: asyncio.Future[Answer] | None = None
        self._forget()

    def _forget(self) -> None:
        self._head_size, self._is_head_over = 0, False
        self._retry_after, self._words = "", b""

    @property
    def is_open(self) -> bool:
        return not self._transport.is_closing()

    def close(self) -> None:
        self._transport.abort()

    async def post(self, whole: bytes) -> Answer:
        """Raises NoAnswer; then the connection is closed."""
        loop = asyncio.get_running_loop()
        self._forget()
        answer: asyncio.Future[Answer] = loop.create_future()
        self._answer = answer
        timer = loop.call_later(ANSWER_WITHIN, self._transport.abort)
        self._transport.write(whole)
        try:
            return await answer
        except BaseException:
            self._transport.abort()
            raise
        finally:
            timer.cancel()

    # What the transport says

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        if self._answer is None:  # nobody asked
            self._transport.abort()
            return
        if not self._is_head_over:
            self._head_size += len(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self._settle(is_last=True)
        except httptools.HttpParserError:
            self._transport.abort()
        if not self._is_head_over and self._head_size > HEAD_READ:
            self._transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._is_head_over:  # an answer that ends with the connection
            self._settle(is_last=True)
        elif self._answer is not None and not self._answer.done():
            self._answer.set_exception(NoAnswer())
        self._answer = None
        del self._parser  # which holds this one

    # What the parser says

    def on_message_begin(self) -> None:
        if self._answer is None:  # a second answer to one post
            self._transport.abort()

    def on_header(self, name: bytes, value: bytes) -> None:
        if name.lower() == b"retry-after":
            self._retry_after = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        self._is_head_over = self._parser.get_status_code() >= 200

    def on_body(self, body: bytes) -> None:
        self._words = (self._words + body[:READ])[:READ]
        if len(self._words) == READ:  # enough: whatever comes besides is not waited for
            self._settle(is_last=True)

    def on_message_complete(self) -> None:
        if self._is_head_over:
            self._settle(is_last=not self._parser.should_keep_alive())
        else:  # 1xx: the answer is still to come
            self._forget()

    def _settle(self, *, is_last: bool) -> None:
        answer, self._answer = self._answer, None
        if answer is not None and not answer.done():
            answer.set_result(Answer(self._parser.get_status_code(), self._retry_after, self._words))
        if is_last:
            self._transport.abort()


class Wires:
    """The open connections of one loop, by origin."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._resolver = outgoing.PublicResolver()
        self._certificates = ssl.create_default_context()
        self._certificates.set_alpn_protocols(["http/1.1"])
        self._idle: dict[tuple[str, str, int], list[Wire]] = {}
        self._known: dict[tuple[str, int], asyncio.Future[list[aiohappyeyeballs.AddrInfoType]]] = {}
        self._tidying: asyncio.TimerHandle | None = None

    async def post(self, url: str, *, body: bytes, headers: Mapping[str, str]) -> Answer:
        """Post and read the answer, whatever its status. Raises NotReached, NoAnswer, and outgoing.NotPublic where a
        name leads inside."""
        to = target_of(url)
        whole = request(to, body, headers)
        wire = self._free(to) or await self._connected(to)
        answer = await wire.post(whole)
        self._keep(to, wire)
        return answer

    async def close(self) -> None:
        if self._tidying:
            self._tidying.cancel()
        for wires in self._idle.values():
            for wire in wires:
                wire.close()

    def _free(self, to: Target) -> Wire | None:
        """The connection used last: one that was idle for long may be about to be closed."""
        wires = self._idle.get(to.origin, [])
        while wires:
            wire = wires.pop()
            if wire.is_open and self._loop.time() - wire.idle_since < KEPT_OPEN:
                return wire
            wire.close()
        return None

    def _keep(self, to: Target, wire: Wire) -> None:
        if wire.is_open:
            wire.idle_since = self._loop.time()
            self._idle.setdefault(to.origin, []).append(wire)
            self._tidying = self._tidying or self._loop.call_later(KEPT_OPEN, self._tidy)

    def _tidy(self) -> None:
        """Close what nobody used for a while."""
        oldest = self._loop.time() - KEPT_OPEN
        for origin, wires in list(self._idle.items()):
            self._idle[origin] = [wire for wire in wires if wire.is_open and wire.idle_since > oldest]
            for wire in wires:
                if wire.idle_since <= oldest:
                    wire.close()
            if not self._idle[origin]:
                del self._idle[origin]
        self._tidying = self._loop.call_later(KEPT_OPEN, self._tidy) if self._idle else None

    async def _connected(self, to: Target) -> Wire:
        is_sealed = to.scheme == "https"
        try:
            async with asyncio.timeout(CONNECT_WITHIN):
                found = await aiohappyeyeballs.start_connection(
                    await self._addresses(to.host, to.port), happy_eyeballs_delay=NEXT_ADDRESS
                )
                _transport, wire = await self._loop.create_connection(
                    Wire,
                    sock=found,
                    ssl=self._certificates if is_sealed else None,
                    server_hostname=to.host.rstrip(".") if is_sealed else None,
                )
        except outgoing.NotPublic:
            raise
        except (OSError, UnicodeError) as fault:  # a time-out is an OSError too; UnicodeError: no name at all
            raise NotReached from fault
        return wire

    async def _addresses(self, host: str, port: int) -> list[aiohappyeyeballs.AddrInfoType]:
        """Where a name leads. Connections made close together look it up once."""
        known = self._known.get((host, port))
        if known is None:
            known = self._known[host, port] = asyncio.ensure_future(self._looked_up(host, port))
            known.add_done_callback(lambda looked: self._forget_in_time((host, port), looked))
        return await asyncio.shield(known)

    def _forget_in_time(self, name: tuple[str, int], looked: "asyncio.Future[Any]") -> None:
        """What was not found, or refused, is asked again by the next connection."""
        is_found = not looked.cancelled() and looked.exception() is None
        self._loop.call_later(KNOWN_FOR if is_found else 0, self._known.pop, name, None)

    async def _looked_up(self, host: str, port: int) -> list[aiohappyeyeballs.AddrInfoType]:
        found = await self._resolver.resolve(host, port, socket.AF_UNSPEC)
        return [(one["family"], socket.SOCK_STREAM, socket.IPPROTO_TCP, "", _address(one)) for one in found]


def _address(found: ResolveResult) -> tuple[str, int] | tuple[str, int, int, int]:
    """As a socket takes it."""
    plain = (found["host"], found["port"])
    return (*plain, 0, 0) if ":" in found["host"] else plain
