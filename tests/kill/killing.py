"""Ending parts of a house at the worst moment, and reading what its rows say afterwards."""

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from typing import Any

import psutil
import psycopg
import redis
from django.db import connection

from tests.house import House


def kill(house: House, what: str) -> None:
    """End one part as a power cut would: "worker", "web", "beat", "redis", "postgres"; "flush" empties Redis."""
    if what == "flush":
        with suppress(redis.RedisError):
            redis.Redis.from_url(house.fact("REDIS_URL")).flushall()
        return
    with suppress(psutil.NoSuchProcess, StopIteration):
        victim(house, what).kill()


def victim(house: House, what: str) -> psutil.Process:
    if what not in {"redis", "postgres"}:
        return house.part(what)
    up = house.family()[0]
    names = {"redis": {"redis-server", "valkey-server"}, "postgres": {"postgres"}}[what]
    return next(child for child in up.children() if child.name() in names)


def rows(house: House, statement: str, *values: object) -> list[tuple[Any, ...]]:
    """What a house's database says."""
    with psycopg.connect(house.fact("DATABASE_URL"), connect_timeout=5) as own:
        return own.execute(statement.encode(), values or None).fetchall()


def work_and_die(work: str, *, after: float, may_end: bool) -> bool:
    """A worker that is killed so many seconds after it said "ready"; returns whether it was still at it."""
    before, _slash, _name = os.environ["DATABASE_URL"].rpartition("/")
    env = os.environ | {
        "DATABASE_URL": f"{before}/{connection.settings_dict['NAME']}",
        "DJANGO_SETTINGS_MODULE": "config.settings",
    }
    with subprocess.Popen([sys.executable, "-c", work], env=env, stdout=subprocess.PIPE) as worker:
        assert worker.stdout is not None
        assert worker.stdout.readline() == b"ready\n"
        if may_end:  # enough was killed: let the rest be done
            worker.wait(60)
        time.sleep(after)
        was_at_it = worker.poll() is None
        worker.send_signal(signal.SIGKILL)
    return was_at_it
