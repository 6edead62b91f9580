"""How often one member may ask for something costly."""

import pytest

from accounts import pace
from accounts.pace import TooOften
from config.cache import ForgivingRedisCache

HALF_PAST = 1_800_000_030.0  # seconds: half a minute has gone


@pytest.fixture
def clock(monkeypatch):
    now = [HALF_PAST]
    monkeypatch.setattr(pace.time, "time", lambda: now[0])
    pace.cache.clear()
    return now


def ask(who: int = 1, what: str = "example") -> None:
    pace.keep(what, who=who, most=2, sentence="Slowly.")


def test_what_is_too_much_is_refused_until_the_next_minute(clock):
    ask()
    ask()
    with pytest.raises(TooOften, match=r"Slowly\.") as refused:
        ask()
    assert refused.value.wait == 30

    clock[0] += refused.value.wait
    ask()


def test_everybody_and_everything_is_counted_apart(clock):
    ask()
    ask()
    ask(who=2)
    ask(what="test")


def test_without_redis_nobody_is_held_back(monkeypatch):
    gone = ForgivingRedisCache("redis://127.0.0.1:1", {})
    monkeypatch.setattr(pace, "cache", gone)
    for _time in range(5):
        ask()
