"""The cache, which nobody depends on: while Redis is away it is merely empty."""

import logging
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

from django.core.cache.backends.redis import RedisCache
from redis.exceptions import RedisError

log = logging.getLogger(__name__)
P = ParamSpec("P")
T = TypeVar("T")


class ForgivingRedisCache(RedisCache):
    """Django's Redis cache. Without Redis a read finds nothing and a write is dropped, with a line in the log."""

    def _attempt(self, what: Callable[[], T], *, otherwise: T) -> T:
        try:
            return what()
        except RedisError as problem:
            log.warning("The cache does not answer: %s", problem)
            return otherwise

    def add(self, *args: Any, **kwargs: Any) -> bool:
        return self._attempt(lambda: bool(super(ForgivingRedisCache, self).add(*args, **kwargs)), otherwise=True)

    def incr(self, key: str, delta: int = 1, version: int | None = None) -> int:
        return self._attempt(lambda: int(super(ForgivingRedisCache, self).incr(key, delta, version)), otherwise=0)

    def get(self, key: str, default: Any = None, version: int | None = None) -> Any:
        return self._attempt(lambda: super(ForgivingRedisCache, self).get(key, default, version), otherwise=default)

    def set(self, *args: Any, **kwargs: Any) -> None:
        self._attempt(lambda: super(ForgivingRedisCache, self).set(*args, **kwargs), otherwise=None)

    def touch(self, *args: Any, **kwargs: Any) -> bool:
        return self._attempt(lambda: bool(super(ForgivingRedisCache, self).touch(*args, **kwargs)), otherwise=False)

    def delete(self, *args: Any, **kwargs: Any) -> bool:
        return self._attempt(lambda: bool(super(ForgivingRedisCache, self).delete(*args, **kwargs)), otherwise=False)

    def get_many(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        nothing: dict[str, Any] = {}
        return self._attempt(lambda: super(ForgivingRedisCache, self).get_many(*args, **kwargs), otherwise=nothing)

    def set_many(self, data: dict[str, Any], *args: Any, **kwargs: Any) -> list[str]:
        everything = list(data)
        return self._attempt(
            lambda: super(ForgivingRedisCache, self).set_many(data, *args, **kwargs), otherwise=everything
        )

    def delete_many(self, *args: Any, **kwargs: Any) -> None:
        self._attempt(lambda: super(ForgivingRedisCache, self).delete_many(*args, **kwargs), otherwise=None)
