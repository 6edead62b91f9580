"""Children that are started, watched, started again when they die, and stopped in order."""

import contextlib
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from types import FrameType
from typing import Any

from config.errors import Refusal

IMMEDIATE = 10.0  # seconds: one that dies sooner than this after its start died at once
PATIENCE = 6  # so many immediate deaths in a row of a part that never got going, then we give up
LONGEST_PAUSE = 10.0
TICK = 0.2
REQUESTS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


class Stopped(BaseException):
    """Somebody asked us to stop: Ctrl-C or SIGTERM."""


@dataclass
class Part:
    """One child: how it is started, how it is asked to stop, and how it has fared."""

    name: str
    start: Callable[[], "subprocess.Popen[bytes]"]
    ask: signal.Signals = signal.SIGTERM
    patience: float = 20
    can_hurry: bool = True
    child: "subprocess.Popen[bytes] | None" = None
    started_at: float = 0
    immediate_deaths: int = 0
    has_lasted: bool = False  # it got going once: whatever ends it now, it comes back
    again_at: float = 0

    @property
    def is_running(self) -> bool:
        return self.child is not None and self.child.poll() is None

    def launch(self) -> None:
        """Start it."""
        self.started_at = time.monotonic()
        self.child = self.start()

    def look(self) -> bool:
        """Whether it had to be started again. Refuses when it never gets going."""
        now = time.monotonic()
        if self.is_running or now < self.again_at:
            return False
        if self.again_at == 0:
            self._plan_another(now, f"ended ({_how(self.child)})")
            return False
        self.again_at = 0
        try:
            self.launch()
        except Refusal as refusal:
            self._plan_another(time.monotonic(), f"does not come back: {refusal}")
            return False
        return True

    def _plan_another(self, now: float, what: str) -> None:
        is_immediate = now - self.started_at < IMMEDIATE
        was_killed = self.child is not None and self.child.returncode == -signal.SIGKILL  # not its own doing
        self.has_lasted = self.has_lasted or not is_immediate
        self.immediate_deaths = self.immediate_deaths + 1 if is_immediate and not was_killed else 0
        if self.immediate_deaths >= PATIENCE and not self.has_lasted:
            raise Refusal(f"{self.name} {what}, {PATIENCE} times right after its start. Its own words are above.")
        pause = min(0.25 * 2**self.immediate_deaths, LONGEST_PAUSE)
        say(f"{self.name} {what}; it is started again in {pause:g} s.")
        self.again_at = now + pause


class Supervisor:
    """Watches its parts until somebody asks it to stop. Parts are started in order and stopped by `groups`,
    the last group first; the parts of one group are stopped together."""

    def __init__(self, *, note: Callable[[Sequence[int]], None]) -> None:
        self.groups: list[list[Part]] = []
        self.is_hurried = False
        self._note = note
        self._handlers: dict[signal.Signals, Any] = {}

    def __enter__(self) -> "Supervisor":
        """From here on Ctrl-C and SIGTERM raise Stopped, and leaving stops all parts."""
        for number in REQUESTS:
            self._handlers[number] = signal.signal(number, _raise_stopped)
        return self

    def __exit__(self, *_: object) -> None:
        for number in REQUESTS:
            signal.signal(number, self._hurry)
        for group in reversed(self.groups):
            self._stop(group)
        for number, handler in self._handlers.items():
            signal.signal(number, handler)

    @contextlib.contextmanager
    def undisturbed(self) -> Iterator[None]:
        """What must not be interrupted in the middle: a request to stop waits until it is over."""
        asked: list[int] = []
        for number in REQUESTS:
            signal.signal(number, lambda number, frame: asked.append(number))
        try:
            yield
        finally:
            for number in REQUESTS:
                signal.signal(number, _raise_stopped)
        if asked:
            raise Stopped

    def add(self, *parts: Part) -> None:
        """Start these parts, which will be stopped together."""
        self.groups.append(list(parts))
        for part in parts:
            part.launch()
        self._note_children()

    def tick(self) -> None:
        """Look after every part once, then wait a moment."""
        changed = [part for group in self.groups for part in group if part.look()]
        if changed:
            self._note_children()
        time.sleep(TICK)

    def _note_children(self) -> None:
        """The services tell their own leftovers; what is noted are the processes that can be hurried."""
        parts = [part for group in self.groups for part in group if part.can_hurry]
        self._note([part.child.pid for part in parts if part.child and part.is_running])

    def _stop(self, group: list[Part]) -> None:
        running = [part for part in group if part.is_running]
        for part in running:
            _send(part, part.ask)
        asked_at = time.monotonic()
        while any(part.is_running for part in running):
            waited = time.monotonic() - asked_at
            for part in running:
                if part.is_running and (waited > part.patience or (self.is_hurried and part.can_hurry)):
                    _send(part, signal.SIGKILL)
            time.sleep(0.05)

    def _hurry(self, number: int, frame: FrameType | None) -> None:
        self.is_hurried = True


def say(sentence: str) -> None:
    """Tell whoever watches the terminal."""
    with contextlib.suppress(OSError):  # the terminal may be gone
        print(sentence, file=sys.stderr, flush=True)  # noqa: T201


def _raise_stopped(number: int, frame: FrameType | None) -> None:
    raise Stopped


def _send(part: Part, number: signal.Signals) -> None:
    if part.child is not None:
        part.child.send_signal(number)


def _how(child: "subprocess.Popen[bytes] | None") -> str:
    if child is None or child.returncode is None:
        return "it never ran"
    if child.returncode < 0:
        return f"killed by {signal.Signals(-child.returncode).name}"
    return f"exit code {child.returncode}"
