"""Two web and two worker processes against one database and Redis: a hint made in any reaches sockets in all."""

import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from http.client import HTTPConnection
from typing import Any

import psutil
import pytest
from websockets.sync.client import ClientConnection, connect

from config.local import CHECKOUT
from notifications import types
from tests.house import House, environment, manage, wait_for
from tests.kill.people import key_in, signed_in

pytestmark = pytest.mark.kill

KIND = types.TYPES["deals.stage_changed"]
BOB = "bob@example.com"


@contextmanager
def another(house: House, *command: str) -> Iterator[psutil.Process]:
    """One more process of a kind, as a deployment starts it."""
    child = subprocess.Popen(
        [sys.executable, str(CHECKOUT / "manage.py"), *command], env=environment(VAR_DIR=str(house.var))
    )
    try:
        yield psutil.Process(child.pid)
    finally:
        child.terminate()
        child.wait(30)


@contextmanager
def tab(port: int, origin: str, session: str) -> Iterator[ClientConnection]:
    """A socket of bob's to one web process."""
    headers = {"Cookie": f"bellhop_session={session}"}
    url = f"ws://127.0.0.1:{port}/ws/live/1001/"
    with connect(url, origin=origin, additional_headers=headers, proxy=None) as opened:  # type: ignore[arg-type]
        assert json.loads(opened.recv(timeout=10))["kind"] == "state"
        yield opened


def call(port: int, method: str, path: str, body: object = None, **headers: str) -> tuple[int, bytes]:
    """Status and body of one request to one web process."""
    with closing(HTTPConnection("127.0.0.1", port, timeout=15)) as caller:
        caller.request(method, path, json.dumps(body), {"Content-Type": "application/json", **headers})
        answer = caller.getresponse()
        return answer.status, answer.read()


def emit(port: int, key: str) -> int:
    """Emit to bob through one web process. Returns the event's id."""
    event = {"type": KIND.key, "data": dict(KIND.example), "audience": {"members": [BOB]}}
    status, body = call(port, "POST", "/api/v1/events/", event, Authorization=f"Bearer {key}")
    assert status == 202, body
    return int(json.loads(body)["id"])


def heard(opened: ClientConnection, of: Callable[[dict[str, Any]], bool], *, seconds: float = 30) -> bool:
    """Whether a socket is told it in time."""
    deadline = time.monotonic() + seconds
    while (left := deadline - time.monotonic()) > 0:
        if of(json.loads(opened.recv(timeout=left))):
            return True
    return False


def test_a_hint_made_in_any_process_reaches_the_sockets_of_all(house: House) -> None:
    house.start()
    here = environment(VAR_DIR=str(house.var))
    key = key_in(manage("apikey", "--hub", "1001", "--name", "x", "--scopes", "events.write", env=here).stdout)
    session = signed_in(here, [BOB])[BOB]
    origin = house.fact("BASE_URL")
    first = int(origin.rpartition(":")[2])
    second = _free_port()

    with ExitStack() as stack:
        stack.enter_context(another(house, "web", "--port", str(second)))
        other_worker = stack.enter_context(another(house, "worker"))
        wait_for(lambda: _answers(second), "the second web process")
        tabs = [stack.enter_context(tab(port, origin, session)) for port in (first, second)]

        for port in (first, second):  # made by whichever worker is faster
            _all_hear(tabs, emit(port, key))

        for still in (house.part("worker"), other_worker):  # made by the other one
            still.send_signal(signal.SIGSTOP)
            _all_hear(tabs, emit(second, key))
            still.send_signal(signal.SIGCONT)

        shown = emit(first, key)
        _all_hear(tabs, shown)
        _mark_read(second, origin, session, shown)  # made by a web process
        for each in tabs:
            assert heard(each, lambda told: shown in told.get("marks", {}).get("read", []))


def _all_hear(tabs: list[ClientConnection], event: int) -> None:
    for each in tabs:
        assert heard(each, lambda told: told["kind"] == "new" and told["id"] == event)


def _mark_read(port: int, origin: str, session: str, event: int) -> None:
    token = "a" * 32
    headers = {
        "Cookie": f"bellhop_session={session}; bellhop_csrf={token}",
        "X-CSRFToken": token,
        "Origin": origin,
        "Bellhop-Account": "1001",
    }
    status, body = call(port, "POST", "/api/v1/notifications/read/", {"ids": [event]}, **headers)
    assert status < 300, body


def _answers(port: int) -> bool:
    try:
        return call(port, "GET", "/healthz/")[0] == 200
    except OSError:
        return False


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
