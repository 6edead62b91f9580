"""Children are started again when they die, but not for ever."""

import os
import signal
import subprocess
import sys
from collections.abc import Sequence

import pytest

from config import supervisor
from config.embedded.processes import spawn
from config.errors import Refusal
from config.supervisor import Part, Stopped, Supervisor


def ignore(children: Sequence[int]) -> None: ...


def dies_at_once() -> "subprocess.Popen[bytes]":
    return spawn([sys.executable, "-c", "raise SystemExit(3)"])


def test_a_child_that_dies_at_once_again_and_again_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor, "LONGEST_PAUSE", 0.01)
    monkeypatch.setattr(supervisor, "TICK", 0.01)

    def watched() -> None:
        with Supervisor(note=ignore) as watch:
            watch.add(Part("The worker", dies_at_once))
            while True:
                watch.tick()

    with pytest.raises(Refusal, match=r"The worker ended \(exit code 3\), 6 times"):
        watched()


def test_a_child_that_somebody_kills_comes_back_however_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor, "LONGEST_PAUSE", 0.01)
    monkeypatch.setattr(supervisor, "TICK", 0.01)
    victim = Part("The worker", lambda: spawn([sys.executable, "-c", "import time; time.sleep(60)"]))

    with Supervisor(note=ignore) as watch:
        watch.add(victim)
        for _ in range(supervisor.PATIENCE + 1):
            assert victim.child
            killed = victim.child
            killed.kill()
            killed.wait()
            while victim.child is killed:
                watch.tick()
        assert victim.is_running


def test_leaving_stops_the_later_group_first() -> None:
    order: list[str] = []

    class Told(Part):
        @property
        def is_running(self) -> bool:
            running = super().is_running
            if not running and self.name not in order:
                order.append(self.name)
            return running

    def sleeper() -> "subprocess.Popen[bytes]":
        return spawn([sys.executable, "-c", "import time; time.sleep(60)"])

    with Supervisor(note=ignore) as watch:
        watch.add(Told("database", sleeper))
        watch.add(Told("web", sleeper))

    assert order == ["web", "database"]


def test_a_request_to_stop_waits_for_what_must_not_be_interrupted() -> None:
    done: list[str] = []

    def migrated() -> None:
        with Supervisor(note=ignore) as watch, watch.undisturbed():
            os.kill(os.getpid(), signal.SIGTERM)
            done.append("migration")

    with pytest.raises(Stopped):
        migrated()
    assert done == ["migration"]
