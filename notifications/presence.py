"""Which members have a socket open right now, per account: a sorted set in Redis that forgets by itself.

It only saves work: whoever is missing here heals by asking for the state.
"""

import time
from collections.abc import Iterable, Mapping

from django.conf import settings
from redis import Redis

SECONDS = 60  # an entry that nobody refreshed for this long is gone


def key_of(account_id: int) -> str:
    return f"{settings.REDIS_PREFIX}presence:{account_id}"


def of(redis: Redis, account_id: int) -> list[int]:
    """The members of an account with an open socket."""
    key, now = key_of(account_id), time.time()
    pipe = redis.pipeline(transaction=False)
    pipe.zremrangebyscore(key, "-inf", now)
    pipe.zrangebyscore(key, now, "+inf")
    return [int(member) for member in pipe.execute()[1]]


def entries(members: Iterable[int]) -> Mapping[str, float]:
    """What a web process adds to an account's set for the sockets it holds."""
    until = time.time() + SECONDS
    return {str(member): until for member in members}
