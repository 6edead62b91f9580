"""The application as it runs: a web and a worker process on the database and the Redis of this test run."""

import os
import signal
import socket
import subprocess
import sys
import time
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from config.local import new_vapid_key

VAPID_KEY = new_vapid_key()
CHECKOUT = Path(__file__).resolve().parent.parent.parent


class Stack:
    """Web and worker, each of which can be killed and started again. The port stays the same."""

    def __init__(self, *, database: str, log: Path) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        given = urlsplit(os.environ["DATABASE_URL"])
        self._environment = os.environ | {
            "BASE_URL": self.url,
            "VAPID_PRIVATE_KEY": VAPID_KEY,
            "OUTGOING_LOOPBACK": "true",
            "DATABASE_URL": urlunsplit(given._replace(path=f"/{database}")),
        }
        self._log = log.open("ab")
        self.web = self.start_web()
        self.worker = self._start("worker", "--concurrency", "2")

    def start_web(self) -> "subprocess.Popen[bytes]":
        """Start the web process. Callers wait at the socket, which is ours, until it takes them."""
        descriptor = self._listener.fileno()
        self.web = self._start("web", "--fd", str(descriptor), hand_over=(descriptor,))
        return self.web

    def kill_web(self) -> None:
        """What happens at the worst moment."""
        self.web.send_signal(signal.SIGKILL)
        self.web.wait(10)

    def wait(self, seconds: float = 30) -> None:
        """Return when pages are served."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and self.web.poll() is None:
            connection = HTTPConnection("127.0.0.1", self.port, timeout=seconds)
            try:
                connection.request("GET", "/healthz/")
                if connection.getresponse().status == 200:
                    return
            except (OSError, HTTPException):
                pass
            finally:
                connection.close()
            time.sleep(0.05)
        said = Path(self._log.name).read_text()[-2000:]
        raise AssertionError(f"The web process did not answer within {seconds:.0f} seconds. It said:\n{said}")

    def close(self) -> None:
        """Stop both."""
        for process in (self.web, self.worker):
            process.terminate()
        for process in (self.web, self.worker):
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(5)
        self._listener.close()
        self._log.close()

    def _start(self, *command: str, hand_over: tuple[int, ...] = ()) -> "subprocess.Popen[bytes]":
        return subprocess.Popen(
            [sys.executable, CHECKOUT / "manage.py", *command],
            env=self._environment,
            stdout=self._log,
            stderr=self._log,
            pass_fds=hand_over,
        )
