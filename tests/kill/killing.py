"""Ending parts of a house at the worst moment, and reading what its rows say afterwards."""

from contextlib import suppress
from typing import Any

import psutil
import psycopg
import redis

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
    with psycopg.connect(house.fact("DATABASE_URL"), connect_timeout=5) as connection:
        return connection.execute(statement.encode(), values or None).fetchall()
