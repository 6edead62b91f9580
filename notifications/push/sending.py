"""Sending pushes: encrypt, sign, post, hundreds at once, and read what the push service answered (RFC 8030)."""

import logging
from collections.abc import Coroutine, Iterable
from dataclasses import dataclass
from functools import lru_cache
from queue import SimpleQueue
from typing import Any, Protocol

from pywebpush import WebPusher

from notifications import outgoing
from notifications.posting import Reply, Unanswered, poster
from notifications.posting import Verdict as Verdict
from notifications.push import keys, payloads
from notifications.push.deciding import TTL

log = logging.getLogger(__name__)


class Sendable(Protocol):
    """One notification for one address: what is common to all kinds of them."""

    @property
    def ref(self) -> int: ...  # what the caller knows it by
    @property
    def row_id(self) -> int: ...  # the row that learns from the answer
    @property
    def address(self) -> str: ...  # as that row has it
    @property
    def where(self) -> str: ...  # the service, in a word


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
        return self.subscription_id

    @property
    def address(self) -> str:
        return self.endpoint


@dataclass(frozen=True)
class Answer:
    job: Sendable
    verdict: Verdict
    words: str = ""
    seconds: float | None = None  # how long the service asks us to wait


def push_now(job: Job) -> Answer:
    """Send one push and wait for the answer."""
    answers: SimpleQueue[Answer] = SimpleQueue()
    pusher().send([job], answers)
    return answers.get()


@lru_cache(maxsize=1)
def pusher() -> "Pusher":
    """What sends for this process. Its connections are those of the process."""
    return Pusher()


class Pusher:
    """Every job gets exactly one answer."""

    def send(self, jobs: Iterable[Job], answers: "SimpleQueue[Answer]") -> None:
        """Begin to send; the answers come into the queue."""
        poster().send(lambda: self._sendings(jobs, answers))

    def _sendings(
        self, jobs: Iterable[Job], answers: "SimpleQueue[Answer]"
    ) -> list[tuple[str, Coroutine[Any, Any, None]]]:
        """All are sealed before the first one leaves: that is faster than to seal each in its turn."""
        sealed = [(job, body) for job in jobs if (body := _sealed_or_told(job, answers))]
        return [(job.endpoint, self._answer(job, body, answers)) for job, body in sealed]

    async def _answer(self, job: Job, body: bytes, answers: "SimpleQueue[Answer]") -> None:
        try:
            answers.put(await self._send(job, body))
        except Unanswered as silence:
            answers.put(Answer(job, silence.verdict, silence.words))
        except Exception as fault:  # noqa: BLE001 (whatever it is, whoever waits for the answer gets one)
            answers.put(_failed(job, fault))

    async def _send(self, job: Job, body: bytes) -> Answer:
        answer = await self._post(job, body)
        if answer is None:  # 413: once more, as small as it may be
            answer = await self._post(job, _sealed(job, payloads.SMALL))
        return answer or Answer(job, Verdict.REFUSED, f"{job.where} takes no push, however small (413)")

    async def _post(self, job: Job, body: bytes) -> Answer | None:
        """The answer, or None where the push was too large."""
        headers = _headers(job, outgoing.origin_of(job.endpoint))
        return _judge(job, await poster().post(job.endpoint, body=body, headers=headers))


def _sealed_or_told(job: Job, answers: "SimpleQueue[Answer]") -> bytes | None:
    """What goes to the browser, or nothing, and then the answer is in the queue."""
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
        "User-Agent": "Bellhop-Push/1",
        "Urgency": "normal",
        "Topic": f"n{job.event_id}",  # a second one replaces the first while the browser is away
    }


def _judge(job: Job, reply: Reply) -> Answer | None:
    if reply.is_success:
        return Answer(job, Verdict.TAKEN)
    if reply.status in {404, 410}:
        return Answer(job, Verdict.GONE, reply.words)
    if reply.status == 413:
        return None
    if reply.status == 429 or reply.status >= 500:
        return Answer(job, Verdict.LATER, reply.words, reply.retry_after)
    return Answer(job, Verdict.REFUSED, reply.words)
