"""How the long tasks of one worker process share its threads, so that what is quick never waits behind them."""

from collections.abc import Callable
from threading import Lock
from typing import Final

AT_ONCE: Final = 3  # long tasks, of the four threads of a worker: one stays free for what is told to people
OF_EACH: Final = 2  # a crowd in one of them leaves room for the others, and slow endpoints hold none up but their own


class Room:
    """Which long tasks are at work in this process. Who finds no room goes away and is called when somebody leaves.

    Counted in the process whose threads it is about: more workers do more at once, and what one of them holds ends with
    it, so there is no lease. Nothing is lost: who is refused is noted under the same lock under which those at work
    leave, so somebody is there to call them. When the process dies first, the sweeper finds their rows.
    """

    def __init__(self, *, at_once: int = AT_ONCE, of_each: int = OF_EACH) -> None:
        self.at_once, self.of_each = at_once, of_each
        self._lock = Lock()
        self._at_work: list[str] = []
        self._refused: dict[str, Callable[[], None]] = {}

    def enter(self, name: str, *, again: Callable[[], None]) -> bool:
        """Whether there is room for a task of this name. If not, `again` is handed to whoever leaves next."""
        with self._lock:
            if len(self._at_work) >= self.at_once or self._at_work.count(name) >= self.of_each:
                self._refused[name] = again
                return False
            self._at_work.append(name)
            return True

    def leave(self, name: str) -> list[Callable[[], None]]:
        """Make room. Returns how to call those who were refused meanwhile, the longest first."""
        with self._lock:
            self._at_work.remove(name)
            refused, self._refused = list(self._refused.values()), {}
            return refused


ROOM = Room()
