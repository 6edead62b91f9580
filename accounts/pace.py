"""How often one member may ask for something that costs others: counted in the cache, in windows of a minute.

While Redis is away nobody is held back.
"""

import time

from django.core.cache import cache
from django.utils.functional import Promise

from accounts.errors import DomainError

WINDOW = 60  # seconds


class TooOften(DomainError):
    """Not now. `wait` says after how many seconds."""

    code = "too_often"
    status = 429

    def __init__(self, sentence: str | Promise, *, wait: float) -> None:
        super().__init__(sentence)
        self.wait = wait


def keep(what: str, *, who: int, most: int, sentence: str | Promise) -> None:
    """Count one more, and refuse with the sentence what is more than `most` a minute."""
    now = time.time()
    minute = int(now // WINDOW)
    key = f"pace:{what}:{who}:{minute}"
    cache.add(key, 0, timeout=2 * WINDOW)
    try:
        count = cache.incr(key)
    except ValueError:  # it was emptied in between
        return
    if count > most:
        raise TooOften(sentence, wait=(minute + 1) * WINDOW - now)
