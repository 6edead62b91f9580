"""Several SMTP connections, kept open, and the mails that go over them.

A thread per connection in use; nothing here knows the database. What a server says decides: 5xx on a recipient or a
mail is for ever, everything else is for later. A connection that died while it lay idle is replaced, and the mail
that noticed goes over the new one.
"""

import atexit
import contextlib
import logging
import queue
import smtplib
import threading
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum

from django.core.mail import get_connection
from django.core.mail.backends.smtp import EmailBackend

from notifications.mail.writing import Letter

SMTP = "django.core.mail.backends.smtp.EmailBackend"
AHEAD = 96  # mails written before a connection is free: enough while the database is asked for more
SILENCE = 0.25  # seconds without an answer, after which the caller may do something else for a moment
ASK_AFTER = 10  # seconds a connection lay idle, after which it is asked whether it still lives
STALE_AFTER = 240  # seconds; most servers hang up after five minutes

log = logging.getLogger(__name__)


class Verdict(Enum):
    """What became of a mail."""

    SENT = "sent"
    NEVER = "never"
    LATER = "later"
    PERHAPS = "perhaps"  # all of it was sent, and then no answer came


@dataclass(frozen=True)
class Answer:
    """What became of one mail, and the server's words where it did not take it."""

    letter: Letter
    verdict: Verdict
    words: str = ""


class NoServer(Exception):
    """No connection can be had. Its text says why."""


class _Gone(Exception):
    """The connection ended before the mail was handed over: nothing has arrived."""


class Connections:
    """At most so many connections of this process to the mail server."""

    def __init__(self, most: int) -> None:
        self.most = most
        self._free = threading.Semaphore(most)
        self._idle: list[Line] = []
        self._lock = threading.Lock()
        atexit.register(self.close)

    def carry(self, letters: Iterable[Letter]) -> Iterator[Answer | None]:
        """Send letters; exactly one answer each, in any order, as each is known. Never raises. None: still waiting.

        Letters are taken in the caller's thread, few ahead of what is being sent.
        """
        job = _Job(self)
        try:
            yield from job.run(iter(letters))
        finally:
            job.stop()

    def close(self) -> None:
        """Say goodbye on every connection that lies idle."""
        with self._lock:
            lines, self._idle = self._idle, []
        for line in lines:
            line.close()

    def take(self) -> "Line":
        """A connection for one thread, the one last used first. Waits while all are in use."""
        self._free.acquire()
        with self._lock:
            return self._idle.pop() if self._idle else Line()

    def give_back(self, line: "Line") -> None:
        with self._lock:
            self._idle.append(line)
        self._free.release()


class Line:
    """One connection: opened when it is first needed, opened again when it was lost."""

    def __init__(self) -> None:
        self._smtp: smtplib.SMTP | None = None
        self._used_at = 0.0

    def carry(self, letter: Letter) -> Answer:
        """Hand one letter over. Raises NoServer when there is no connection to be had."""
        smtp, is_fresh = self._ready()
        try:
            return self._hand_over(smtp, letter)
        except _Gone as gone:
            self.close()
            if is_fresh:
                return Answer(letter, Verdict.LATER, str(gone))
        try:  # it had been lost, or the server wanted no more on it: once more, over a new one
            return self._hand_over(self._open(), letter)
        except _Gone as gone:
            self.close()
            return Answer(letter, Verdict.LATER, str(gone))

    def close(self) -> None:
        """Hang up, politely where the other side still listens."""
        smtp, self._smtp = self._smtp, None
        if smtp is None:
            return
        try:
            if smtp.sock:
                smtp.sock.settimeout(1)
            smtp.quit()
        except (OSError, smtplib.SMTPException):
            smtp.close()

    def _ready(self) -> tuple[smtplib.SMTP, bool]:
        """The connection, and whether it was opened just now."""
        idle = time.monotonic() - self._used_at
        if self._smtp is not None and idle > STALE_AFTER:
            self.close()
        if self._smtp is not None and idle > ASK_AFTER and not self._lives(self._smtp):
            self.close()
        if self._smtp is not None:
            return self._smtp, False
        return self._open(), True

    def _open(self) -> smtplib.SMTP:
        backend = get_connection()
        assert isinstance(backend, EmailBackend)
        try:
            backend.open()
            assert backend.connection is not None
            backend.connection.ehlo_or_helo_if_needed()
        except (OSError, smtplib.SMTPException) as problem:
            with contextlib.suppress(OSError, smtplib.SMTPException):
                backend.close()
            raise NoServer(_why_not(problem)) from None
        self._smtp = backend.connection
        return self._smtp

    def _lives(self, smtp: smtplib.SMTP) -> bool:
        try:
            return smtp.noop()[0] == 250
        except (OSError, smtplib.SMTPException):
            return False

    def _hand_over(self, smtp: smtplib.SMTP, letter: Letter) -> Answer:
        """MAIL, RCPT, DATA, the mail. Raises _Gone when the connection ended before the last dot was out."""
        try:
            code, words = smtp.docmd(f"MAIL FROM:<{letter.sender}>")
            # Whatever is wrong with the sender is our own fault, not this recipient's: later, never “never”.
            verdict = Verdict.LATER
            if code == 250:
                code, words = smtp.docmd(f"RCPT TO:<{letter.to}>")
                verdict = _verdict(code)
                if 200 <= code < 300:
                    code, words = smtp.docmd("DATA")
                    verdict = _verdict(code)
                    if code == 354:
                        return self._send_content(smtp, letter)
            if code == 421:
                raise _Gone(_said(code, words))
            smtp.docmd("RSET")
        except (OSError, smtplib.SMTPException) as problem:
            raise _Gone(f"the connection to the mail server was lost: {problem}") from None
        self._used_at = time.monotonic()
        return Answer(letter, verdict, _said(code, words))

    def _send_content(self, smtp: smtplib.SMTP, letter: Letter) -> Answer:
        smtp.send(letter.raw.replace(b"\n.", b"\n..") + b".\r\n")
        try:
            code, words = smtp.getreply()
        except (OSError, smtplib.SMTPException) as problem:
            self.close()
            return Answer(letter, Verdict.PERHAPS, f"the mail server did not answer after the mail: {problem}")
        self._used_at = time.monotonic()
        if 200 <= code < 300:
            return Answer(letter, Verdict.SENT)
        if code == 421:
            self.close()
        return Answer(letter, _verdict(code), _said(code, words))


class _Job:
    """One call of `carry`: its threads, and the letters between them and the caller."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections
        self._work: queue.SimpleQueue[Letter | None] = queue.SimpleQueue()
        self._done: queue.SimpleQueue[Answer] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._ahead = max(AHEAD, 2 * connections.most)
        self._threads = 0
        self._alive = 0  # threads that have, or may yet get, a connection
        self._down = ""  # why no connection can be had; then every letter is for later

    def run(self, letters: Iterator[Letter]) -> Iterator[Answer | None]:
        under_way, is_more = 0, True
        while under_way or is_more:
            while is_more and under_way < self._ahead:
                letter = next(letters, None)
                if letter is None:
                    is_more = False
                    break
                self._work.put(letter)
                under_way += 1
                self._start_thread()
            if under_way:
                try:
                    answer = self._done.get(timeout=SILENCE)
                except queue.Empty:
                    yield None
                    continue
                under_way -= 1
                yield answer

    def stop(self) -> None:
        """Send the threads home. What one of them is just sending, it finishes."""
        try:
            while True:
                self._work.get_nowait()
        except queue.Empty:
            pass
        for _thread in range(self._threads):
            self._work.put(None)

    def _start_thread(self) -> None:
        with self._lock:
            if self._threads >= self._connections.most:
                return
            self._threads += 1
            self._alive += 1
        threading.Thread(target=self._serve, name="mail", daemon=True).start()

    def _serve(self) -> None:
        line = self._connections.take()
        try:
            while (letter := self._work.get()) is not None:
                if self._down:
                    self._done.put(Answer(letter, Verdict.LATER, self._down))
                elif not self._carry(line, letter):
                    return
        finally:
            self._connections.give_back(line)

    def _carry(self, line: Line, letter: Letter) -> bool:
        """Carry one letter; False when this thread has no connection and others have."""
        try:
            self._done.put(line.carry(letter))
        except NoServer as reason:
            with self._lock:
                is_last = self._alive == 1
                if is_last:
                    self._down = str(reason)
                else:
                    self._alive -= 1
            if not is_last:
                self._work.put(letter)
                return False
            log.warning("No mail can be sent now: %s", reason)
            self._done.put(Answer(letter, Verdict.LATER, self._down))
        except Exception:
            log.exception("A mail could not be handed over because of a fault of ours")
            line.close()
            self._done.put(Answer(letter, Verdict.LATER, "a fault on our side; the log says more"))
        return True


def _verdict(code: int) -> Verdict:
    return Verdict.NEVER if 500 <= code < 600 else Verdict.LATER


def _why_not(problem: OSError | smtplib.SMTPException) -> str:
    """Why no connection could be had, as a sentence's end."""
    if isinstance(problem, smtplib.SMTPAuthenticationError):
        return f"the mail server refused our sign-in: {_said(problem.smtp_code, problem.smtp_error)}"
    if isinstance(problem, smtplib.SMTPResponseException):
        return f"the mail server refused us: {_said(problem.smtp_code, problem.smtp_error)}"
    return f"the mail server cannot be reached: {problem}"


def _said(code: int, words: bytes | str) -> str:
    """The server's answer as one line."""
    text = words if isinstance(words, str) else words.decode(errors="replace")
    return f"{code} {' '.join(text.split())}"[:500]
