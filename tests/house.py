"""A house of its own: `manage.py up` in a folder and on a port that nobody else uses."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import closing, suppress
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from urllib.parse import urlsplit

import psutil

from config.local import CHECKOUT

KEPT = ("PATH", "HOME", "LANG", "TMPDIR")


def environment(**given: str) -> dict[str, str]:
    """The environment of a fresh terminal, with what is given."""
    return {name: os.environ[name] for name in KEPT if name in os.environ} | given


def manage(*arguments: str, env: Mapping[str, str]) -> "subprocess.CompletedProcess[str]":
    """Run one command to its end, as somebody at a terminal would."""
    command = [sys.executable, str(CHECKOUT / "manage.py"), *arguments]
    return subprocess.run(command, env=dict(env), capture_output=True, text=True, timeout=60, check=False)


def wait_for(condition: Callable[[], bool], what: str, *, seconds: float = 60) -> None:
    """Return when it holds; fail, naming it, when it never does."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"{what}: not within {seconds:.0f} seconds"
        time.sleep(0.05)


class House:
    """One `manage.py up`."""

    def __init__(self, var: Path) -> None:
        self.var = var
        self.told = var.parent / f"{var.name}.err"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, **given: str) -> None:
        with self.told.open("wb") as stderr:
            self.process = subprocess.Popen(
                [sys.executable, str(CHECKOUT / "manage.py"), "up", "--port", "0"],
                env=environment(VAR_DIR=str(self.var), **given),
                stderr=stderr,
                process_group=0,
            )
        wait_for(lambda: "Bellhop is at" in self.words() or self.has_ended, "up", seconds=120)
        assert not self.has_ended, self.words()

    @property
    def has_ended(self) -> bool:
        return self.process is None or self.process.poll() is not None

    def words(self) -> str:
        return self.told.read_text()

    def fact(self, name: str) -> str:
        """What var/local.env says."""
        lines = (self.var / "local.env").read_text().splitlines()
        return dict(line.split("=", 1) for line in lines)[name]

    def status(self) -> int:
        """What /healthz/ answers, 0 for nothing."""
        caller = HTTPConnection(urlsplit(self.fact("BASE_URL")).netloc, timeout=30)
        with suppress(OSError, HTTPException), closing(caller):
            caller.request("GET", "/healthz/")
            return caller.getresponse().status
        return 0

    def family(self) -> list[psutil.Process]:
        """`up` and all below it."""
        assert self.process
        me = psutil.Process(self.process.pid)
        return [me, *me.children(recursive=True)]

    def part(self, name: str) -> psutil.Process:
        """The child that runs `manage.py NAME`."""
        assert self.process
        return next(one for one in psutil.Process(self.process.pid).children() if name in one.cmdline()[2:3])

    def kill_everything(self) -> None:
        """`kill -9` for `up` and all below it, the last first."""
        for process in reversed(self.family()):
            with suppress(psutil.NoSuchProcess):
                process.kill()
        assert self.process
        self.process.wait()

    def send(self, number: signal.Signals) -> None:
        assert self.process
        self.process.send_signal(number)
