"""How often one caller may ask. Counted in Redis by the minute; while Redis is away nobody is held back."""

import logging
import time
from functools import cache

from django.conf import settings
from redis import Redis, RedisError
from rest_framework.request import Request
from rest_framework.settings import api_settings
from rest_framework.throttling import BaseThrottle
from rest_framework.views import APIView

from accounts.api.authentication import Caller

WINDOW = 60  # seconds
PAUSE = 5  # seconds in which Redis is not asked again after it did not answer

log = logging.getLogger(__name__)


class CallerThrottle(BaseThrottle):
    """So many requests per minute for each key and each member; views with a `throttle_scope` count apart."""

    _asks_again_at = 0.0
    _seconds_left: float = 0

    def allow_request(self, request: Request, view: APIView) -> bool:
        caller = request.auth
        if not isinstance(caller, Caller):
            return True
        scope = getattr(view, "throttle_scope", "") or ("key" if caller.member is None else "member")
        most = _rate(scope)
        if most is None:
            return True
        now = time.time()
        minute = int(now // WINDOW)
        self._seconds_left = (minute + 1) * WINDOW - now
        return self._count(f"{settings.REDIS_PREFIX}throttle:{scope}:{caller.throttled_as}:{minute}") <= most

    def wait(self) -> float:
        return self._seconds_left

    def _count(self, name: str) -> int:
        """How often this was counted, this time included; 0 when Redis does not say."""
        if time.monotonic() < CallerThrottle._asks_again_at:
            return 0
        try:
            pipe = _client().pipeline(transaction=False)
            pipe.incr(name)
            pipe.expire(name, 2 * WINDOW)
            return int(pipe.execute()[0])
        except (RedisError, OSError) as error:
            CallerThrottle._asks_again_at = time.monotonic() + PAUSE
            log.warning("requests are not counted for now (%s)", type(error).__name__)
            return 0


@cache
def _client() -> Redis:
    return Redis.from_url(settings.REDIS_URL, socket_timeout=0.5, socket_connect_timeout=0.5)


def _rate(scope: str) -> int | None:
    """Requests a minute, from the settings; None where there is no limit."""
    return api_settings.DEFAULT_THROTTLE_RATES.get(scope) or None  # type: ignore[return-value]  # ours are numbers
