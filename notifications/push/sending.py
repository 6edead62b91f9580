"""Sending pushes: encrypt, sign, post, hundreds at once, and read what the push service answered (RFC 8030).

One thread of the process holds the connections and a loop of its own; whoever sends seals what it has in its own
thread, many in a row, hands it in and takes answers out of a queue.
"""

import asyncio
import atexit
import logging
import os
import threading
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from enum import Enum
from functools import lru_cache
from queue import SimpleQueue
from weakref import WeakValueDictionary

import aiohttp
from pywebpush import WebPusher

from notifications import outgoing
from notifications.push import keys, payloads
from notifications.push.deciding import TTL

TIMEOUT = aiohttp.ClientTimeout(total=20, sock_connect=5, sock_read=10)
PER_ORIGIN = 300  # pushes under way to one push service, so that a slow one does not hold up the others
ANSWER_READ = 300  # bytes of an answer that are read, for the words

log = logging.getLogger(__name__)


class Verdict(Enum):
    """What became of a push."""

    TAKEN = "taken"
    GONE = "gone"  # that browser takes no pushes any more: forget its subscription
    REFUSED = "refused"  # our own fault, or an address we do not go to: trying again does not help
    LATER = "later"
    PERHAPS = "perhaps"  # it was all handed over, and then no answer came


@dataclass(frozen=True)
class Job:
    """One notification for one browser."""

    ref: int  # what the caller knows it by
    subscription_id: int
    endpoint: str
    p256dh: str
    auth: str
    event_id: int
    hub_id: int
    title: str
    body: str
    url: str
    topic: str
    language: str
    page: str = ""  # where it leads in the end, when that is one of our pages
    unread: int | None = None  # for the number on the icon of an installed application
    ttl: int = TTL

    @property
    def where(self) -> str:
        """The push service, in a word."""
        return outgoing.origin_of(self.endpoint).partition("://")[2]

    @property
    def row_id(self) -> int:
        """The row that learns from the answer."""
        return self.subscription_id


@dataclass(frozen=True)
class Answer:
    job: Job
    verdict: Verdict
    words: str = ""
    seconds: float | None = None  # how long the service asks us to wait


def push_now(job: Job) -> Answer:
    """Send one push and wait for the answer."""
    answers: SimpleQueue[Answer] = SimpleQueue()
    pusher().send([job], answers)
    return answers.get()


def pusher() -> "Pusher":
    """This process's connections; a process that was forked off starts with none."""
    return _pusher(os.getpid())


@lru_cache(maxsize=2)
def _pusher(_process: int) -> "Pusher":
    return Pusher()


class Pusher:
    """A loop in a thread, with one session for everything. Every job gets exactly one answer."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._session: aiohttp.ClientSession | None = None
        self._turns: WeakValueDictionary[str, asyncio.Semaphore] = WeakValueDictionary()
        self._tasks: set[asyncio.Task[None]] = set()
        threading.Thread(target=self._loop.run_forever, daemon=True, name="web push").start()
        atexit.register(self._close)

    def _close(self) -> None:
        if self._session is not None:
            with suppress(TimeoutError):
                asyncio.run_coroutine_threadsafe(self._session.close(), self._loop).result(1)

    def send(self, jobs: Iterable[Job], answers: "SimpleQueue[Answer]") -> None:
        """Begin to send; the answers come into the queue."""
        self._loop.call_soon_threadsafe(self._begin, jobs, answers)

    def _begin(self, jobs: Iterable[Job], answers: "SimpleQueue[Answer]") -> None:
        for job, body in [(job, found) for job in jobs if (found := _sealed_or_told(job, answers))]:
            task = self._loop.create_task(self._answer(job, body, answers))
            self._tasks.add(task)  # asyncio itself holds tasks only weakly
            task.add_done_callback(self._tasks.discard)

    async def _answer(self, job: Job, body: bytes, answers: "SimpleQueue[Answer]") -> None:
        try:
            answers.put(await self._send(job, body))
        except Exception as fault:  # noqa: BLE001 (whatever it is, whoever waits for the answer gets one)
            answers.put(_failed(job, fault))

    async def _send(self, job: Job, body: bytes) -> Answer:
        origin = outgoing.origin_of(job.endpoint)
        turn = self._turns.setdefault(origin, asyncio.Semaphore(PER_ORIGIN))
        async with turn:
            answer = await self._post(job, origin, body)
            if answer is None:  # 413: once more, as small as it may be
                answer = await self._post(job, origin, _sealed(job, payloads.SMALL))
        return answer or Answer(job, Verdict.REFUSED, f"{job.where} takes no push, however small (413)")

    async def _post(self, job: Job, origin: str, body: bytes) -> Answer | None:
        """The answer, or None where the push was too large."""
        headers = _headers(job, origin)
        try:
            async with self._connections().post(
                job.endpoint, data=body, headers=headers, timeout=TIMEOUT, allow_redirects=False
            ) as response:
                words = (await response.content.read(ANSWER_READ)).decode(errors="replace")
                return _judge(job, response.status, response.headers.get("Retry-After", ""), words)
        except outgoing.NotPublic as refusal:
            return Answer(job, Verdict.REFUSED, str(refusal))
        except aiohttp.ClientConnectorError as fault:
            if isinstance(fault.os_error, outgoing.NotPublic):
                return Answer(job, Verdict.REFUSED, str(fault.os_error))
            return Answer(job, Verdict.LATER, f"{job.where} cannot be reached")
        except aiohttp.ConnectionTimeoutError:
            return Answer(job, Verdict.LATER, f"{job.where} cannot be reached")
        except (aiohttp.ClientError, OSError):  # a time-out is an OSError too
            return Answer(job, Verdict.PERHAPS, f"{job.where} did not answer")

    def _connections(self) -> aiohttp.ClientSession:
        if self._session is None:
            connector = aiohttp.TCPConnector(limit=0, resolver=outgoing.PublicResolver(), keepalive_timeout=60)
            self._session = aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar())
        return self._session


def _sealed_or_told(job: Job, answers: "SimpleQueue[Answer]") -> bytes | None:
    """What goes to the browser, or nothing, and then the answer is in the queue."""
    if not outgoing.may_receive(job.endpoint):  # names are looked up when the connection is made
        answers.put(Answer(job, Verdict.REFUSED, outgoing.NOT_PUBLIC))
        return None
    try:
        return _sealed(job, payloads.MOST)
    except Exception as fault:  # noqa: BLE001 (the others of the batch still go)
        answers.put(_failed(job, fault))
        return None


def _failed(job: Job, fault: Exception) -> Answer:
    log.error("A push for delivery %s could not be made", job.ref, exc_info=fault)
    return Answer(job, Verdict.REFUSED, f"it could not be made: {type(fault).__name__}")


def _sealed(job: Job, most: int) -> bytes:
    """Encrypted for that browser alone (RFC 8291)."""
    words = payloads.packed(
        event_id=job.event_id,
        hub_id=job.hub_id,
        title=job.title,
        body=job.body,
        url=job.url,
        page=job.page,
        topic=job.topic,
        language=job.language,
        unread=job.unread,
        most=most,
    )
    subscription = {"endpoint": job.endpoint, "keys": {"p256dh": job.p256dh, "auth": job.auth}}
    return bytes(WebPusher(subscription).encode(words)["body"])


def _headers(job: Job, origin: str) -> dict[str, str]:
    return {
        "Authorization": keys.authorization(origin),
        "Content-Encoding": "aes128gcm",
        "Content-Type": "application/octet-stream",
        "TTL": str(job.ttl),
        "Urgency": "normal",
        "Topic": f"n{job.event_id}",  # a second one replaces the first while the browser is away
    }


def _judge(job: Job, status: int, retry_after: str, words: str) -> Answer | None:
    said = f"{job.where} answered {status}: {' '.join(words.split())}".rstrip(": ")
    if 200 <= status < 300:
        return Answer(job, Verdict.TAKEN)
    if status in {404, 410}:
        return Answer(job, Verdict.GONE, said)
    if status == 413:
        return None
    if status == 429 or status >= 500:
        return Answer(job, Verdict.LATER, said, _seconds(retry_after))
    return Answer(job, Verdict.REFUSED, said)


def _seconds(retry_after: str) -> float | None:
    """A Retry-After in seconds, given as such or as a date (RFC 9110). What cannot be read says nothing."""
    given = retry_after.strip()
    if given.isdecimal():
        return float(given)
    try:
        return max(0.0, parsedate_to_datetime(given).timestamp() - time.time())
    except (ValueError, TypeError):
        return None
