"""Real services for the tests: a throw-away PostgreSQL for the run and a Redis for each process that runs tests.

Loaded early (`-p tests.services`), because Django's settings read the addresses from the environment. Runs at the
same time do not meet: each has its own folder, named after its process. TEST_DATABASE_URL brings another PostgreSQL.
"""

import contextlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Generator
from pathlib import Path

import psutil
import pytest

from config.embedded.postgres import THROW_AWAY, Postgres, programs, programs_for
from config.embedded.processes import unprivileged_user
from config.embedded.redis import Redis

CHECKOUT = Path(__file__).resolve().parent.parent
PREFIX = "bellhop-test-"


class Services:
    """What this process started. The folder and everything in it end with it."""

    def __init__(self) -> None:
        self._stack = contextlib.ExitStack()

    def start(self) -> None:
        """Start what is needed and say in the environment where it is."""
        os.environ["BELLHOP_MODE"] = "test"
        os.environ["VAR_DIR"] = str(self._folder())
        for name in (
            "SECRET_KEY",
            "BASE_URL",
            "EMAIL_URL",
            "BROKER_URL",
            "ALLOWED_HOSTS",
            "DATABASE_POOL",
            "VAPID_PRIVATE_KEY",
            "VAPID_SUBJECT",
        ):
            os.environ.pop(name, None)
        if "PYTEST_XDIST_WORKER" not in os.environ:
            os.environ["BELLHOP_TEST_RUN"] = str(os.getpid())
            os.environ["DATABASE_URL"] = os.environ.get("TEST_DATABASE_URL") or self._postgres()
        os.environ["REDIS_URL"] = self._redis()

    def stop(self) -> None:
        """Stop everything and remove the folder."""
        self._stack.close()

    def _folder(self) -> Path:
        _remove_what_dead_runs_left()
        self.folder = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-"))
        self.folder.chmod(0o755)  # our own and fresh; the servers' folders in it are closed
        self._stack.callback(shutil.rmtree, self.folder, ignore_errors=True)
        return self.folder

    def _postgres(self) -> str:
        user = unprivileged_user(self.folder)
        server = Postgres(
            data=self.folder / "postgres",
            sockets=self.folder / "pg",
            log=self.folder / "postgres.log",
            user=user,
            bin_folder=programs_for(user, copy_to=Path(tempfile.gettempdir())),
            options=THROW_AWAY,
        )
        template = _template(server)
        subprocess.run(["cp", "-a", str(template), str(server.data)], check=True)
        server.start()
        self._stack.callback(server.stop)
        return server.url()

    def _redis(self) -> str:
        server = Redis(
            data=self.folder / "redis", sockets=self.folder / "rd", log=self.folder / "redis.log", keeps=False
        )
        server.start()
        self._stack.callback(server.stop)
        return server.url()


def _template(server: Postgres) -> Path:
    """A freshly made data folder, kept under var/ for the next run: copying it takes a tenth of making one."""
    made_with = programs().parent
    kept = CHECKOUT / "var" / f"test-template-{made_with.name}-{server.user.name if server.user else os.geteuid()}"
    if not kept.exists():
        kept.parent.mkdir(exist_ok=True)
        server.prepare()
        half = kept.with_name(f"{kept.name}.{os.getpid()}")
        shutil.rmtree(half, ignore_errors=True)
        subprocess.run(["cp", "-a", str(server.data), str(half)], check=True)
        shutil.rmtree(server.data)
        try:
            half.rename(kept)
        except OSError:  # another run was faster
            shutil.rmtree(half)
    return kept


def _remove_what_dead_runs_left() -> None:
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        pid = folder.name.removeprefix(PREFIX).partition("-")[0]
        if pid.isdecimal() and not psutil.pid_exists(int(pid)):
            shutil.rmtree(folder, ignore_errors=True)


_services = Services()


@pytest.hookimpl(wrapper=True)
def pytest_load_initial_conftests() -> Generator[None, None, None]:
    """Before pytest-django reads the settings."""
    _services.start()
    try:
        return (yield)
    except BaseException:
        _services.stop()
        raise


def pytest_unconfigure() -> None:
    """After everything, also after Ctrl-C."""
    _services.stop()
