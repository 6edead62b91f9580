"""Posting to FCM and APNs: many at once over few HTTP/2 connections, from a thread of this process."""

import logging
import os
from collections.abc import Iterable
from functools import lru_cache
from queue import SimpleQueue

import httpx
from django.conf import settings

from notifications.models import Platform
from notifications.native import apns, fcm
from notifications.native.jobs import DeviceJob, why_not
from notifications.posting import Verdict, poster, retry_after
from notifications.push.sending import Answer

TIMEOUT = httpx.Timeout(10, connect=5, pool=20)
AT_ONCE = 100  # requests under way to one service
CONNECTIONS = 4  # to one service; each carries many requests
WORDS = 200  # characters of an answer that are kept

log = logging.getLogger(__name__)


def push_now(job: DeviceJob) -> Answer:
    """Send one and wait for the answer."""
    answers: SimpleQueue[Answer] = SimpleQueue()
    sender().send([job], answers)
    return answers.get()


def sender() -> "NativeSender":
    """This process's connections; a process that was forked off starts with none."""
    return _sender(os.getpid())


@lru_cache(maxsize=2)
def _sender(_process: int) -> "NativeSender":
    return NativeSender()


class NativeSender:
    """Every job gets exactly one answer. Its connections live in the loop of the process's other posts."""

    def __init__(self) -> None:
        self._clients: dict[str, httpx.AsyncClient] = {}
        poster().at_end(self._close)

    async def _close(self) -> None:
        for client in self._clients.values():
            await client.aclose()

    def send(self, jobs: Iterable[DeviceJob], answers: "SimpleQueue[Answer]") -> None:
        """Begin to send; the answers come into the queue."""
        poster().send(lambda: [(self._base(job), self._answer(job, answers)) for job in jobs], at_once=AT_ONCE)

    async def _answer(self, job: DeviceJob, answers: "SimpleQueue[Answer]") -> None:
        try:
            answers.put(await self._send(job))
        except Exception as fault:
            log.exception("A push for delivery %s could not be made", job.ref)
            answers.put(Answer(job, Verdict.REFUSED, f"it could not be made: {type(fault).__name__}"))

    async def _send(self, job: DeviceJob) -> Answer:
        if why := why_not(job.platform):
            return Answer(job, Verdict.REFUSED, why)
        try:
            return await (self._by_fcm(job) if job.platform == Platform.FCM else self._by_apns(job))
        except fcm.NoToken as refusal:
            return Answer(job, Verdict.REFUSED if refusal.is_ours else Verdict.LATER, str(refusal)[:WORDS])
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout):
            return Answer(job, Verdict.LATER, f"{job.where} cannot be reached")
        except httpx.HTTPError:
            return Answer(job, Verdict.PERHAPS, f"{job.where} did not answer")

    def _base(self, job: DeviceJob) -> str:
        return str(settings.FCM_URL if job.platform == Platform.FCM else settings.APNS_URL)

    async def _by_fcm(self, job: DeviceJob) -> Answer:
        client = self._client(settings.FCM_URL)
        body = fcm.body(job)
        for is_again in (False, True):
            headers = {"authorization": await fcm.authorization(fresh=is_again), "content-type": "application/json"}
            response = await client.post(fcm.url(), content=body, headers=headers)
            if response.status_code != 401:  # a token that ended earlier than it said: once more with a new one
                break
        return _answer(job, response, *fcm.verdict(response.status_code, response.content))

    async def _by_apns(self, job: DeviceJob) -> Answer:
        client = self._client(settings.APNS_URL)
        response = await client.post(apns.url(job), content=apns.body(job), headers=apns.headers(job))
        return _answer(job, response, *apns.verdict(response.status_code, response.content))

    def _client(self, base: str) -> httpx.AsyncClient:
        """The connections to one service. HTTP/2 and nothing else: Apple speaks no other, and one carries many."""
        if base not in self._clients:
            self._clients[base] = httpx.AsyncClient(
                http2=True,
                http1=False,
                timeout=TIMEOUT,
                limits=httpx.Limits(max_connections=CONNECTIONS, keepalive_expiry=300),
            )
        return self._clients[base]


def _answer(job: DeviceJob, response: httpx.Response, verdict: Verdict, words: str) -> Answer:
    said = "" if verdict is Verdict.TAKEN else f"{job.where} answered {response.status_code}: {words}".rstrip(": ")
    seconds = retry_after(response.headers.get("retry-after", "")) if verdict is Verdict.LATER else None
    return Answer(job, verdict, said[:WORDS], seconds)
