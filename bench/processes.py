"""The web process, the worker and the clients, as processes of their own on this machine only."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import psutil
from django.conf import settings

from config.embedded.processes import spawn, stop

CHECKOUT = Path(__file__).parent.parent


class Web:
    """One web process: its port, and how much memory it holds."""

    def __init__(self, port: int, child: "subprocess.Popen[bytes]") -> None:
        self.port, self.child = port, child
        self.process = psutil.Process(child.pid)

    def memory(self) -> int:
        """Resident bytes, after its garbage has been collected."""
        self.child.send_signal(signal.SIGUSR1)
        time.sleep(2)
        return int(self.process.memory_info().rss)

    def cpu(self) -> float:
        """Seconds of processor time so far."""
        times = self.process.cpu_times()
        return float(times.user + times.system)


@contextlib.contextmanager
def web() -> Iterator[Web]:
    """One web process as docs/DEPLOY.md has it (uvicorn, a pool of database connections), on a free port."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(1024)
        fd, port = listener.fileno(), listener.getsockname()[1]
        child = _start("bench.web", "--fd", str(fd), hand_over=[fd], DATABASE_POOL="true")
        try:
            wait_until(lambda: _is_healthy(port), seconds=60, what="the web process", child=child)
            yield Web(port, child)
        finally:
            stop(child, politely=signal.SIGTERM, patience=5)


@contextlib.contextmanager
def worker() -> Iterator["subprocess.Popen[bytes]"]:
    """One worker with its four threads, which has begun to take tasks."""
    from notifications import tasks

    child = spawn([sys.executable, CHECKOUT / "manage.py", "worker"], folder=CHECKOUT, environment=_environment())
    try:
        wait_until(
            lambda: bool(tasks.fan_out.app.control.ping(timeout=0.5)), seconds=60, what="the worker", child=child
        )
        yield child
    finally:
        stop(child, politely=signal.SIGTERM, patience=10)


class Tabs:
    """Open sockets in a client process."""

    def __init__(self, child: "subprocess.Popen[bytes]") -> None:
        self.child = child
        self.opening = self._answer()

    def count(self) -> dict[str, int]:
        """How many frames of kind "new" they have heard."""
        return self._ask("count")

    def take(self) -> list[tuple[int, int, dict[str, Any]]]:
        """What they have heard: when (monotonic ns), which tab, what."""
        return [(when, tab, json.loads(frame)) for when, tab, frame in self._ask("take")["new"]]

    def begin_to_say_here(self) -> None:
        """From now on each says every 30 seconds that somebody is at work in it."""
        self._ask("here")

    def wait_for(self, frames: int, *, seconds: float) -> int:
        """Wait until so many have come, or the time is over. Returns how many have."""
        deadline = time.monotonic() + seconds
        while (count := self.count()["count"]) < frames and time.monotonic() < deadline:
            time.sleep(0.1)
        return count

    def _ask(self, question: str) -> Any:
        assert self.child.stdin
        self.child.stdin.write(f"{question}\n".encode())
        self.child.stdin.flush()
        return self._answer()

    def _answer(self) -> Any:
        assert self.child.stdout
        line = self.child.stdout.readline()
        if not line:
            raise RuntimeError("the clients' process has ended")
        return json.loads(line)


@contextlib.contextmanager
def tabs(port: int, hub_id: int, cookies: Sequence[str]) -> Iterator[Tabs]:
    """So many tabs of an account, each signed in with a session of its own."""
    child = subprocess.Popen(
        [sys.executable, "-m", "bench.sockets"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=CHECKOUT
    )
    try:
        assert child.stdin
        where = {
            "port": port,
            "hub_id": hub_id,
            "cookies": list(cookies),
            "cookie_name": settings.SESSION_COOKIE_NAME,
        }
        child.stdin.write(json.dumps(where).encode() + b"\n")
        child.stdin.flush()
        yield Tabs(child)
    finally:
        child.kill()
        child.communicate()


def wait_until(
    ready: Callable[[], bool], *, seconds: float, what: str, child: "subprocess.Popen[bytes] | None" = None
) -> None:
    """Return once it is so. Raises when it takes too long or the process has ended."""
    deadline = time.monotonic() + seconds
    while not ready():
        if (child and child.poll() is not None) or time.monotonic() > deadline:
            raise RuntimeError(f"{what} did not get ready")
        time.sleep(0.05)


def _start(module: str, *given: str, hand_over: Sequence[int] = (), **environment: str) -> "subprocess.Popen[bytes]":
    return spawn(
        [sys.executable, "-m", module, *given],
        folder=CHECKOUT,
        environment=_environment() | environment,
        hand_over=hand_over,
    )


def _environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name != "BELLHOP_BENCH_FOLDER"}


def _is_healthy(port: int) -> bool:
    caller = HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        caller.request("GET", "/healthz/")
        return caller.getresponse().status == 200
    except OSError:
        return False
    finally:
        caller.close()
