"""The open sockets of this web process: one Redis subscription for all of them, and their presence."""

import asyncio
import logging
from collections import defaultdict
from typing import Any, Protocol

import orjson
from channels.db import database_sync_to_async
from django.conf import settings
from redis.asyncio import Redis
from redis.exceptions import RedisError

from notifications import live, presence

REFRESH = presence.SECONDS / 3
log = logging.getLogger(__name__)


class Socket(Protocol):
    """What the hub needs of a consumer."""

    member_id: int
    account_id: int
    session: str

    async def tell(self, payload: bytes) -> None: ...
    async def end(self, code: int) -> None: ...


class Hub:
    """Hands each hint to the sockets it names. Listens while there is at least one socket."""

    def __init__(self) -> None:
        self.sockets: defaultdict[int, set[Socket]] = defaultdict(set)
        self._tasks: list[asyncio.Task[None]] = []
        self._redis: Redis | None = None

    def join(self, socket: Socket) -> None:
        """Take a socket in; the first one starts the listening."""
        self.sockets[socket.member_id].add(socket)
        if not self._tasks or any(task.done() for task in self._tasks):
            self._start()
        self._spawn(self._announce(socket))

    def leave(self, socket: Socket) -> None:
        """Let a socket go. Its presence fades by itself: another tab or process may hold the same member."""
        held = self.sockets.get(socket.member_id)
        if held is not None:
            held.discard(socket)
            if not held:
                del self.sockets[socket.member_id]

    def _start(self) -> None:
        for task in self._tasks:
            task.cancel()
        self._redis = Redis.from_url(settings.REDIS_URL, socket_connect_timeout=2)
        self._tasks = [asyncio.create_task(self._listen()), asyncio.create_task(self._refresh())]

    def _spawn(self, work: Any) -> None:
        task = asyncio.create_task(work)
        _background.add(task)
        task.add_done_callback(_background.discard)

    async def _listen(self) -> None:
        """Forward hints for as long as the process lives. After a lost connection every tab is told its state."""
        is_first = True
        while True:
            try:
                assert self._redis is not None
                async with self._redis.pubsub() as pubsub:
                    await pubsub.subscribe(live.channel())
                    if not is_first:
                        await self._resync()
                    is_first = False
                    async for message in pubsub.listen():
                        if message["type"] == "message":
                            await self._hand_out(message["data"])
            except (RedisError, OSError) as error:
                is_first = False
                log.warning("the hint channel is down (%s), trying again", type(error).__name__)
                await asyncio.sleep(0.5)

    async def _hand_out(self, raw: bytes) -> None:
        try:
            hint = orjson.loads(raw)
        except orjson.JSONDecodeError:
            return
        kind = hint.get("kind")
        if kind == "new":
            await self._tell_new(hint)
        elif kind == "state":
            await self._tell_state(hint)
        elif kind == "close":
            await self._close(hint)

    async def _tell_new(self, hint: dict[str, Any]) -> None:
        for to in hint["to"]:
            if sockets := self.sockets.get(to["id"]):
                words = hint["words"].get(to["lang"]) if to["popup"] else None
                payload = orjson.dumps(
                    {
                        "v": hint["v"],
                        "kind": "new",
                        "at": hint["at"],
                        "id": hint["event"],
                        "unread": to["unread"],
                        "newest": to["newest"],
                        "popup": words,
                    }
                )
                for socket in tuple(sockets):
                    await socket.tell(payload)

    async def _tell_state(self, hint: dict[str, Any]) -> None:
        for to in hint["to"]:
            if sockets := self.sockets.get(to["id"]):
                payload = state_payload(to, at=hint["at"], read=hint["read"])
                for socket in tuple(sockets):
                    await socket.tell(payload)

    async def _close(self, hint: dict[str, Any]) -> None:
        members = set(hint["members"])
        for socket in [s for held in self.sockets.values() for s in held]:
            if socket.member_id in members or (hint["session"] and socket.session == hint["session"]):
                await socket.end(4401)

    async def _resync(self) -> None:
        """Tell every open tab its state: hints may have been lost while the channel was down."""
        members = list(self.sockets)
        for start in range(0, len(members), live.AT_ONCE):
            states = await database_sync_to_async(live.state_of)(members[start : start + live.AT_ONCE])
            await self._tell_state({"to": states, "at": now_ms(), "read": []})

    async def _announce(self, *sockets: Socket) -> None:
        by_account: defaultdict[int, list[int]] = defaultdict(list)
        for socket in sockets:
            by_account[socket.account_id].append(socket.member_id)
        assert self._redis is not None
        try:
            pipe = self._redis.pipeline(transaction=False)
            for account_id, members in by_account.items():
                pipe.zadd(presence.key_of(account_id), dict(presence.entries(members)))
            await pipe.execute()
        except (RedisError, OSError) as error:
            log.warning("presence was not refreshed (%s)", type(error).__name__)

    async def _refresh(self) -> None:
        while True:
            await asyncio.sleep(REFRESH)
            await self._announce(*[socket for held in self.sockets.values() for socket in list(held)[:1]])


_background: set[asyncio.Task[Any]] = set()  # asyncio itself holds tasks only weakly
hub = Hub()


def now_ms() -> int:
    import time

    return time.time_ns() // 1_000_000


def state_payload(state: dict[str, Any], *, at: int, read: list[int]) -> bytes:
    """What a tab is told of its state."""
    return orjson.dumps(
        {
            "v": live.VERSION,
            "kind": "state",
            "at": at,
            "unread": state["unread"],
            "newest": state["newest"],
            "read": read,
        }
    )
