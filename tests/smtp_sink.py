"""A real SMTP server for tests, on a free loopback port: takes mails, refuses, answers late, or hangs up, as told."""

import asyncio
import re
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session

HANG_UP = ""  # instead of an answer: the connection ends


@dataclass
class Received:
    """One mail as it arrived."""

    sender: str
    to: list[str]
    raw: bytes
    peer: Any = None

    @property
    def mail(self) -> EmailMessage:
        return message_from_bytes(self.raw, policy=policy.default)


@dataclass
class Sink:
    """The server and what it was told to do. Answers are given by step: MAIL, RCPT, DATA, END (after the mail)."""

    latency: float = 0  # seconds before each answer
    mails: list[Received] = field(default_factory=list)
    commands: Counter[str] = field(default_factory=Counter)
    connections: int = 0
    most_connections: int = 1000  # one more is refused
    open: set[Any] = field(default_factory=set)  # transports
    port: int = 0
    password: str | None = None  # sign-in is asked for, and only this one is right
    _answers: list[tuple[str, re.Pattern[str], str, int]] = field(default_factory=list)

    def answer(self, step: str, with_: str, *, to: str = ".*", times: int = 10**9) -> None:
        """Give this answer at a step, for recipients that match, so many times. `HANG_UP` ends the connection."""
        self._answers.append((step, re.compile(to), with_, times))

    def heal(self) -> None:
        """From now on everything is taken."""
        self._answers.clear()

    def start(self, port: int = 0) -> "Sink":
        """Listen on a port, a free one unless named."""
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="sink", daemon=True)
        self._thread.start()
        self._server = self._wait(self._loop.create_server(lambda: _Server(self), "127.0.0.1", port))
        self.port = int(self._server.sockets[0].getsockname()[1])
        return self

    def stop(self) -> None:
        """Hang up everywhere and listen no more."""
        self.hang_up()
        self._wait(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _end(self) -> None:
        self._server.close()
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()

    def _wait(self, coroutine: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(10)

    def hang_up(self) -> None:
        """End every open connection, as a server does with those that lie idle."""
        self._loop.call_soon_threadsafe(lambda: [transport.close() for transport in list(self.open)])
        wait_for(lambda: not self.open)

    def chosen(self, step: str, recipients: list[str]) -> str | None:
        """What was told for this step, if anything."""
        for i, (at, to, given, left) in enumerate(self._answers):
            if at == step and left and any(to.search(recipient) for recipient in recipients or [""]):
                self._answers[i] = (at, to, given, left - 1)
                return given
        return None


class _Server(SMTP):
    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        sign_in = {"authenticator": self._check, "auth_require_tls": False}
        super().__init__(_Handler(sink), hostname="sink.test", loop=sink._loop, **(sign_in if sink.password else {}))

    def _check(self, _server: Any, _session: Any, _envelope: Any, _way: str, data: Any) -> AuthResult:
        return AuthResult(success=data.password.decode() == self._sink.password, handled=False)

    def connection_made(self, transport: Any) -> None:
        if len(self._sink.open) >= self._sink.most_connections:
            transport.write(b"421 4.7.0 Too many connections\r\n")
            transport.close()
            return
        self._sink.connections += 1
        self._sink.open.add(transport)
        super().connection_made(transport)

    def connection_lost(self, error: Exception | None) -> None:
        if self.transport is not None:
            self._sink.open.discard(self.transport)
            super().connection_lost(error)

    async def push(self, status: Any) -> None:
        if self._sink.latency:
            await asyncio.sleep(self._sink.latency)
        if not status:
            self.transport.close()
            return
        await super().push(status)


class _Handler:
    def __init__(self, sink: Sink) -> None:
        self.sink = sink

    async def handle_MAIL(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        self.sink.commands["MAIL"] += 1
        given = self.sink.chosen("MAIL", [address])
        if given is None:
            envelope.mail_from = address
        return "250 OK" if given is None else given

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        self.sink.commands["RCPT"] += 1
        given = self.sink.chosen("RCPT", [address])
        if given is None:
            envelope.rcpt_tos.append(address)
        return "250 OK" if given is None else given

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        self.sink.commands["DATA"] += 1
        given = self.sink.chosen("END", envelope.rcpt_tos)
        if given is None or given == HANG_UP:  # it arrived; only the answer may be missing
            assert isinstance(envelope.content, bytes)
            self.sink.mails.append(
                Received(envelope.mail_from or "", list(envelope.rcpt_tos), envelope.content, session.peer)
            )
        return "250 OK" if given is None else given


def wait_for(condition: Callable[[], object], *, seconds: float = 10) -> None:
    """Return as soon as the condition holds; fail after that long."""
    ends = time.monotonic() + seconds
    waiting = threading.Event()
    while not condition():
        assert time.monotonic() < ends, "it did not happen in time"
        waiting.wait(0.005)
