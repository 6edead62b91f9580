"""A house of its own: `manage.py up` in a folder and on a port that nobody else uses."""

import atexit
import fcntl
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import closing, suppress
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from urllib.parse import urlsplit

import psutil
import psycopg

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


def furnish(var: Path) -> None:
    """Copy a house that ran once into a folder: migrated, the demo in it, at rest. It starts five times as fast.

    The first one who asks makes it for the whole run; the others wait.
    """
    model = Path(tempfile.gettempdir()) / f"bellhop-test-{os.environ['BELLHOP_TEST_RUN']}-house"
    with model.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not model.exists():
            made = House(model.with_suffix(".made"))
            made.start()
            wait_for(lambda: _is_at_rest(made), "all that the demo tells has left")
            made.stop()
            made.var.rename(model)
            atexit.register(shutil.rmtree, model, ignore_errors=True)
    subprocess.run(["cp", "-a", str(model), str(var)], check=True)


def _is_at_rest(house: "House") -> bool:
    """Whether nothing waits to be told or carried. What is to leave later leaves now."""
    with psycopg.connect(house.fact("DATABASE_URL")) as connection:
        connection.execute("UPDATE notifications_delivery SET due_at = now() WHERE status = 'due' AND due_at > now()")
        return connection.execute(
            """
            SELECT NOT EXISTS (SELECT FROM notifications_event WHERE fanned_out_at IS NULL)
               AND NOT EXISTS (SELECT FROM notifications_notification WHERE waiting > 0)
               AND NOT EXISTS (SELECT FROM notifications_delivery WHERE status IN ('due', 'claimed', 'sending'))
            """
        ).fetchone() == (True,)


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

    def stop(self) -> None:
        """Ask it to end, and wait until it has."""
        if self.process and not self.has_ended:
            self.send(signal.SIGTERM)
            self.process.wait(60)

    def send(self, number: signal.Signals) -> None:
        assert self.process
        self.process.send_signal(number)
