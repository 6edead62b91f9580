"""Posting to addresses outside, hundreds at once, over connections that stay open.

One thread of the process holds the connections and a loop of its own; whoever sends begins something there and takes
answers out of a queue. Every address is guarded (see outgoing), no redirect is followed, and of an answer only the
beginning is read.
"""

import asyncio
import atexit
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Coroutine, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from enum import Enum
from functools import lru_cache
from typing import Any, TypeVar
from weakref import WeakValueDictionary

import aiohttp

from notifications import outgoing
from notifications.wires import NoAnswer, NotReached, Wires

TIMEOUT = aiohttp.ClientTimeout(total=20, sock_connect=5, sock_read=10)
PER_ORIGIN = 300  # under way to one origin, so that a slow one does not hold up the others

Answered = TypeVar("Answered")


class Verdict(Enum):
    """What became of something that was sent."""

    TAKEN = "taken"
    GONE = "gone"  # nothing will be taken there any more
    REFUSED = "refused"  # this one never: our own fault, or an address we do not go to
    LATER = "later"
    PERHAPS = "perhaps"  # it was all handed over, and then no answer came


@dataclass(frozen=True)
class Reply:
    """What the other side answered."""

    status: int
    words: str  # “hooks.example.com answered 503: out of order”
    retry_after: float | None  # seconds that it asks us to wait
    took: float  # seconds

    @property
    def is_success(self) -> bool:
        return 200 <= self.status < 300


class Unanswered(Exception):
    """There is no answer. The verdict says what that means, the words why."""

    def __init__(self, verdict: Verdict, words: str) -> None:
        super().__init__(words)
        self.verdict = verdict
        self.words = words


def poster() -> "Poster":
    """This process's connections; a process that was forked off starts with none."""
    return _poster(os.getpid())


@lru_cache(maxsize=2)
def _poster(_process: int) -> "Poster":
    return Poster()


@dataclass(eq=False)
class Line:
    """What waits for one origin, and how many are at it. It lives as long as somebody is."""

    waiting: deque[Coroutine[Any, Any, None]] = field(default_factory=deque)
    at_it: int = 0


class Poster:
    """A loop in a thread, with the connections of everything."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._kept_open: Wires | None = None
        self._session: aiohttp.ClientSession | None = None
        self._closing: list[Callable[[], Coroutine[Any, Any, None]]] = []
        self._under_way: set[asyncio.Task[None]] = set()
        self._lines: WeakValueDictionary[str, Line] = WeakValueDictionary()
        threading.Thread(target=self._loop.run_forever, daemon=True, name="posting").start()
        atexit.register(self._close)

    def at_end(self, close: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Have other connections in the loop closed when the process ends."""
        self._closing.append(close)

    def _close(self) -> None:
        with suppress(TimeoutError):
            asyncio.run_coroutine_threadsafe(self._close_all(), self._loop).result(1)

    async def _close_all(self) -> None:
        for close in [*self._closing, *([self._session.close] if self._session else [])]:
            await close()

    def send(self, make: Callable[[], Iterable[tuple[str, Coroutine[Any, Any, None]]]], *, at_once: int = 0) -> None:
        """Begin what `make` makes, each with the address it goes to, and return at once. None may raise: nobody would
        hear of it.

        At most `at_once` (or PER_ORIGIN) are under way to one origin; the others wait, and whoever has sent one goes on
        with the next. All of it is made in the loop's own thread, in a row: two threads that compute at once wait for
        each other most of the time.
        """
        self._loop.call_soon_threadsafe(lambda: self._line_up(make(), at_once or PER_ORIGIN))

    def _line_up(self, sendings: Iterable[tuple[str, Coroutine[Any, Any, None]]], at_once: int) -> None:
        for url, sending in sendings:
            line = self._lines.setdefault(outgoing.origin_of(url), Line())  # where there is none, posting is refused
            line.waiting.append(sending)
            if line.at_it < at_once:
                line.at_it += 1
                task = self._loop.create_task(self._work_off(line))
                self._under_way.add(task)  # the loop itself forgets what nobody holds
                task.add_done_callback(self._under_way.discard)

    async def _work_off(self, line: "Line") -> None:
        try:
            while line.waiting:
                await line.waiting.popleft()
        finally:
            line.at_it -= 1

    def ask(self, asking: Coroutine[Any, Any, Answered]) -> Answered:
        """Carry it out in the loop and wait for what it returns or raises."""
        return asyncio.run_coroutine_threadsafe(asking, self._loop).result()

    async def post(
        self, url: str, *, body: bytes, headers: Mapping[str, str], ports: frozenset[int] | None = outgoing.PORTS
    ) -> Reply:
        """Post and read the answer, whatever its status. Raises Unanswered where there is none. Only in the loop."""
        if not outgoing.may_receive(url, ports=ports):  # names are looked up when the connection is made
            raise Unanswered(Verdict.REFUSED, outgoing.NOT_PUBLIC)
        where = outgoing.origin_of(url).partition("://")[2]
        started = time.monotonic()
        try:
            status, waits, words = await self._wires().post(url, body=body, headers=headers)
        except outgoing.NotPublic as refusal:
            raise Unanswered(Verdict.REFUSED, str(refusal)) from refusal
        except NotReached as fault:
            raise Unanswered(Verdict.LATER, f"{where} cannot be reached") from fault
        except NoAnswer as fault:
            raise Unanswered(Verdict.PERHAPS, f"{where} did not answer") from fault
        said = f"{where} answered {status}: {' '.join(words.decode(errors='replace').split())}".rstrip(": ")
        return Reply(status, said, retry_after(waits), time.monotonic() - started)

    def _wires(self) -> Wires:
        if self._kept_open is None:
            self._kept_open = Wires()
            self.at_end(self._kept_open.close)
        return self._kept_open

    def session(self) -> aiohttp.ClientSession:
        """The connections of clients that others wrote, which take nothing less. Only inside the loop."""
        if self._session is None:
            connector = aiohttp.TCPConnector(limit=0, resolver=outgoing.PublicResolver(), keepalive_timeout=60)
            self._session = aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar())
        return self._session


def unanswered(fault: Exception, where: str) -> Unanswered:
    """What it means that a request through the session broke off. What is no fault of the way there is raised."""
    if isinstance(fault, outgoing.NotPublic):
        return Unanswered(Verdict.REFUSED, str(fault))
    if isinstance(fault, aiohttp.ClientConnectorError):
        if isinstance(fault.os_error, outgoing.NotPublic):
            return Unanswered(Verdict.REFUSED, str(fault.os_error))
        return Unanswered(Verdict.LATER, f"{where} cannot be reached")
    if isinstance(fault, aiohttp.ConnectionTimeoutError):
        return Unanswered(Verdict.LATER, f"{where} cannot be reached")
    if isinstance(fault, aiohttp.ClientError | OSError):  # a time-out is an OSError too
        return Unanswered(Verdict.PERHAPS, f"{where} did not answer")
    raise fault


def retry_after(given: str) -> float | None:
    """A Retry-After in seconds, given as such or as a date (RFC 9110). What cannot be read says nothing."""
    given = given.strip()
    if not given:
        return None
    if given.isascii() and given.isdecimal():
        return float(given)
    try:
        return max(0.0, parsedate_to_datetime(given).timestamp() - time.time())
    except (ValueError, TypeError):
        return None
