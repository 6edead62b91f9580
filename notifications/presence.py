"""Which members have a socket open right now, per account: a sorted set in Redis that forgets by itself.

It only saves work: whoever is missing here heals by asking for the state.
"""

import time
from collections.abc import Iterable, Mapping

from django.conf import settings
from redis import Redis

SECONDS = 60  # an entry that nobody refreshed for this long is gone
ACTIVE_SECONDS = 55  # a tab says again that it is in use, and its process writes that down, before this is over
LEAVING = 2.0  # seconds for which somebody who went to another page still counts as at work


def key_of(account_id: int) -> str:
    return f"{settings.REDIS_PREFIX}presence:{account_id}"


def of(redis: Redis, account_id: int) -> list[int]:
    """The members of an account with an open socket."""
    key, now = key_of(account_id), time.time()
    pipe = redis.pipeline(transaction=False)
    pipe.zremrangebyscore(key, "-inf", now)
    pipe.zrangebyscore(key, now, "+inf")
    return [int(member) for member in pipe.execute()[1]]


def look(redis: Redis, account_id: int, members: Iterable[int]) -> tuple[set[int], set[int]]:
    """Of some members of an account: who has a tab open, and who is at work in one that has the focus."""
    wanted, key, active, now = set(members), key_of(account_id), active_key_of(account_id), time.time()
    pipe = redis.pipeline(transaction=False)
    pipe.zmscore(key, [str(member) for member in wanted])
    pipe.zremrangebyscore(active, "-inf", now)
    pipe.zrangebyscore(active, now, "+inf")
    scores, _gone, at_work = pipe.execute()
    is_open = {member for member, score in zip(wanted, scores, strict=True) if score is not None and score > now}
    return is_open, wanted & {int(entry.partition(b":")[0]) for entry in at_work}


def active_key_of(account_id: int) -> str:
    """Who is at work: entries "<member>:<process>", because each process knows only its own sockets."""
    return f"{settings.REDIS_PREFIX}active:{account_id}"


def entries(members: Iterable[int]) -> Mapping[str, float]:
    """What a web process adds to an account's set for the sockets it holds."""
    until = time.time() + SECONDS
    return {str(member): until for member in members}
