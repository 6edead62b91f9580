"""Tests wait for conditions, never for time."""

import time
from collections.abc import Callable

PATIENCE = 15  # seconds until a condition that never comes fails


def wait_for(condition: Callable[[], bool], what: str, *, seconds: float = PATIENCE) -> None:
    """Return when it holds; fail, naming it, when it never does."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"{what}: not within {seconds:.0f} seconds"
        time.sleep(0.02)
