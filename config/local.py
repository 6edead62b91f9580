"""Running everything on one machine: where it is, written down in var/local.env for every other command."""

import argparse
import base64
import errno
import fcntl
import json
import os
import secrets
import signal
import socket
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil
from cryptography.hazmat.primitives.asymmetric import ec
from django.core.exceptions import ImproperlyConfigured

from config.embedded import places
from config.embedded.places import Places
from config.embedded.postgres import Postgres, programs_for
from config.embedded.processes import end, explain, same_process
from config.embedded.redis import Redis
from config.errors import Refusal

CHECKOUT = Path(__file__).resolve().parent.parent
WRITTEN = ("BELLHOP_MODE", "SECRET_KEY", "BASE_URL", "DATABASE_URL", "REDIS_URL")


@dataclass
class Local:
    """One checkout, prepared: nobody else runs it, the port is ours, the addresses are in the environment."""

    var: Path
    address: str
    listener: socket.socket
    postgres: Postgres | None
    redis: Redis | None
    remark: str
    lock: int

    def note(self, children: Iterable[int]) -> None:
        """Write down which processes are ours, so that the next start can tell leftovers from strangers."""
        found = [[pid, psutil.Process(pid).create_time()] for pid in children if psutil.pid_exists(pid)]
        _write(self.var / "up.json", json.dumps(found))


_prepared: list[Local] = []


def prepared() -> Local:
    """What prepare() made."""
    if not _prepared:
        raise Refusal("Start it on the command line: python manage.py up")
    return _prepared[0]


def parser() -> argparse.ArgumentParser:
    """The options of `up` that have to be known before Django's settings are read."""
    options = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    options.add_argument("--port", type=int, default=8000, help="the port to serve on (8000)")
    return options


def prepare(arguments: Sequence[str]) -> None:
    """Before Django's settings are read: take the lock and the port, decide where the services are, write
    var/local.env. Refuses, in a sentence, when it runs already, the port is taken or var/ cannot be written."""
    if {"-h", "--help"} & set(arguments):
        os.environ["BELLHOP_MODE"] = "test"  # to read the help, nothing has to be there
        return
    if os.environ.setdefault("BELLHOP_MODE", "local") != "local":
        raise ImproperlyConfigured(
            "`up` runs Bellhop on one machine, with BELLHOP_MODE=local. A deployment starts `web`, `worker` and "
            "`beat` (docs/DEPLOY.md)."
        )
    port = parser().parse_known_args(arguments)[0].port
    var = Path(os.environ.get("VAR_DIR") or CHECKOUT / "var").resolve()
    try:
        var.mkdir(parents=True, exist_ok=True)
        lock = _lock(var)
        _end_leftovers(var / "up.json")
        listener = _listen(port)
        _prepared.append(_settle(var, listener, lock))
    except OSError as problem:
        raise explain(problem, var) from problem


def _settle(var: Path, listener: socket.socket, lock: int) -> Local:
    where = places.choose(var)
    postgres = None if os.environ.get("DATABASE_URL") else _postgres(where)
    redis = None if os.environ.get("REDIS_URL") else _redis(where)
    known = _read(var / "local.env")
    os.environ.setdefault("SECRET_KEY", known.get("SECRET_KEY") or secrets.token_urlsafe(50))
    os.environ.setdefault("BASE_URL", f"http://127.0.0.1:{listener.getsockname()[1]}")
    if postgres:
        os.environ["DATABASE_URL"] = postgres.url()
    if redis:
        os.environ["REDIS_URL"] = redis.url()
    _write(var / "local.env", "".join(f"{name}={os.environ[name]}\n" for name in WRITTEN))
    if not os.environ.get("VAPID_PRIVATE_KEY") and not (var / "vapid.key").exists():
        _write(var / "vapid.key", f"{new_vapid_key()}\n")  # kept: browsers that allowed notifications know its twin
    remark = ""
    if postgres and where.elsewhere and where.user:
        remark = (
            f"This folder is closed to the user {where.user.name}, who runs PostgreSQL: "
            f"its data is kept in {where.elsewhere}."
        )
    return Local(var, os.environ["BASE_URL"], listener, postgres, redis, remark, lock)


def new_vapid_key() -> str:
    """A private key for web push, as VAPID_PRIVATE_KEY takes it."""
    number = ec.generate_private_key(ec.SECP256R1()).private_numbers().private_value
    return base64.urlsafe_b64encode(number.to_bytes(32, "big")).rstrip(b"=").decode()


def _postgres(where: Places) -> Postgres:
    home = where.elsewhere or where.var
    return Postgres(
        data=where.postgres,
        sockets=where.sockets,
        log=where.var / "log" / "postgres.log",
        user=where.user,
        bin_folder=programs_for(where.user, copy_to=home),
    )


def _redis(where: Places) -> Redis:
    return Redis(data=where.redis, sockets=where.sockets, log=where.var / "log" / "redis.log")


def _lock(var: Path) -> int:
    """Only one `up` for a var folder. The lock goes with the process, however it ends."""
    lock = os.open(var / "up.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = os.read(lock, 20).decode().strip()
        address = _read(var / "local.env").get("BASE_URL", "")
        raise Refusal(
            f"Bellhop runs here already (process {holder}), at {address}. Stop it first, with Ctrl-C where it "
            "was started."
        ) from None
    os.ftruncate(lock, 0)
    os.write(lock, str(os.getpid()).encode())
    return lock


def _listen(port: int) -> socket.socket:
    """Take the port at once, so that a taken one is known before anything is started."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(("127.0.0.1", port))
        listener.listen(1024)
    except OverflowError:
        raise Refusal(f"{port} is no port. Choose one from 1024 to 65535: make run PORT=8001") from None
    except OSError as problem:
        if problem.errno == errno.EADDRINUSE:
            raise Refusal(
                f"Port {port} is taken by another program. Choose another: make run PORT={port + 1}"
            ) from None
        if problem.errno == errno.EACCES:
            raise Refusal(f"Port {port} is not for this user. Choose one above 1023: make run PORT=8000") from None
        raise
    return listener


def _end_leftovers(noted: Path) -> None:
    """End web, worker and beat of a run that was killed before it could stop them."""
    try:
        pairs = [(int(pid), float(started)) for pid, started in json.loads(noted.read_text())]
    except (OSError, ValueError, TypeError):
        return
    alive = [process for pid, started in pairs if (process := same_process(pid, started))]
    end(alive, politely=signal.SIGTERM, patience=20)


def _read(file: Path) -> dict[str, str]:
    try:
        lines = file.read_text().splitlines()
    except OSError:
        return {}
    return dict(line.split("=", 1) for line in lines if "=" in line)


def _write(file: Path, text: str) -> None:
    """All of it or none: the old one stays when there is no room."""
    new = file.with_suffix(".new")
    handle = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())
    new.replace(file)
