"""The open sockets of this web process: one Redis subscription for all of them, and their presence."""

import asyncio
import logging
import secrets
import time
from collections import defaultdict
from collections.abc import Coroutine, Iterable, Mapping, Sequence
from typing import Any, Protocol

import orjson
from channels.db import database_sync_to_async
from django.conf import settings
from django.db import DatabaseError
from redis.asyncio import Redis
from redis.exceptions import RedisError

from notifications import live, presence
from notifications.push import showing

REFRESH = presence.SECONDS / 3
SHARE = 200  # members whose presence is refreshed together
CHECK = 4.0  # seconds between two looks for hints that never came
PATIENCE = 1.0  # seconds that a new socket waits for the subscription; after that its heartbeat must do
log = logging.getLogger(__name__)


class Socket(Protocol):
    """What the hub needs of a consumer."""

    member_id: int
    account_id: int
    session: str
    active_until: float

    async def tell(self, payload: bytes) -> None: ...
    async def end(self, code: int) -> None: ...


SIGNED_OUT = 4401
NO_ACCESS = 4404
TOO_SLOW = 1013  # "try again later": the tab comes back and asks for its state
SLOW = 0.25  # seconds
GATHER = 0.2  # seconds
MOMENT = 0.05  # seconds


class Hub:
    """Hands each hint to the sockets it names. Begins to listen with the first socket, then goes on."""

    def __init__(self) -> None:
        self.sockets: defaultdict[int, set[Socket]] = defaultdict(set)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._ready = asyncio.Event()
        self._heard: dict[int, float] = {}  # event → when it was hinted at
        self._name = secrets.token_hex(4)  # tells this process's entries from those of others
        self._shown: set[tuple[int, int]] = set()  # (member, event) whose pop-up was seen, not yet written down
        self._coming: list[tuple[Socket, asyncio.Future[None]]] = []  # not yet written down, and who waits for it
        self._is_writing = False  # those who came before
        self._moves: dict[Socket, bool] = {}  # whose member came to work or stopped; whether by leaving the page

    async def join(self, socket: Socket) -> None:
        """Take a socket in. When this returns, whatever is hinted from now on reaches it."""
        self._listen_here()
        self.sockets[socket.member_id].add(socket)
        try:
            async with asyncio.timeout(PATIENCE):
                await self._ready.wait()
                await self._arrive(socket)
        except TimeoutError:
            log.warning("a socket opened while the hint channel was down")

    async def _arrive(self, socket: Socket) -> None:
        """Return when the socket's presence is written down. Thousands come back at once when a deployment ends:
        while some are being written, the others gather."""
        written = asyncio.get_running_loop().create_future()
        self._coming.append((socket, written))
        if not self._is_writing:
            self._is_writing = True
            _spawn(self._write_arrivals())
        await written

    async def _write_arrivals(self) -> None:
        try:
            while self._coming:
                coming, self._coming = self._coming, []
                await self._announce([socket for socket, _written in coming])
                for _socket, written in coming:
                    if not written.done():  # it was patient so long
                        written.set_result(None)
        finally:
            self._is_writing = False

    def leave(self, socket: Socket) -> None:
        """Let a socket go. Its presence fades by itself: another tab or process may hold the same member."""
        held = self.sockets.get(socket.member_id)
        if held is not None:
            held.discard(socket)
            if not held:
                del self.sockets[socket.member_id]
        if socket.active_until > time.monotonic():  # most go to another page: that is back in a moment
            socket.active_until = 0.0
            self._moved(socket, by_leaving=True)

    def here(self, socket: Socket, is_active: bool) -> None:
        """A tab says that somebody is at work in it, or no longer. Other processes hear of it only when it changes."""
        was_active = socket.active_until > time.monotonic()
        socket.active_until = time.monotonic() + presence.ACTIVE_SECONDS if is_active else 0.0
        if is_active != was_active:
            self._moved(socket)

    def _moved(self, socket: Socket, *, by_leaving: bool = False) -> None:
        """What many tabs say within a moment is written down together: thousands leave when a deployment begins."""
        if not self._moves:
            _spawn(self._write_moves())
        self._moves[socket] = by_leaving

    async def _write_moves(self) -> None:
        await asyncio.sleep(MOMENT)
        moves, self._moves = self._moves, {}
        for by_leaving in set(moves.values()):
            await self._announce_active([one for one, how in moves.items() if how is by_leaving], leaving=by_leaving)

    def shown(self, socket: Socket, event_id: int) -> None:
        """A tab in use showed a pop-up. What many tabs say within a moment is written down together."""
        if socket.active_until <= time.monotonic():
            return
        if not self._shown:
            _spawn(self._write_shown())
        self._shown.add((socket.member_id, event_id))

    async def _write_shown(self) -> None:
        await asyncio.sleep(GATHER)
        shown, self._shown = self._shown, set()
        try:
            await database_sync_to_async(showing.confirm)(shown)
        except DatabaseError as error:
            log.warning("%s pop-ups that were seen are pushed too (%s)", len(shown), type(error).__name__)

    def _listen_here(self) -> None:
        """Listen on the running loop, unless we do already."""
        loop = asyncio.get_running_loop()
        if self._loop is loop and not any(task.done() for task in self._tasks):
            return
        if self._loop is loop:
            for task in self._tasks:
                task.cancel()
        else:
            for held in (self.sockets, self._coming, self._moves, self._shown):
                held.clear()  # a loop that has ended took its sockets with it
            self._is_writing = False
        self._loop, self._ready = loop, asyncio.Event()
        keepalive = {} if settings.REDIS_URL.startswith("unix:") else {"socket_keepalive": True}
        self._redis = Redis.from_url(settings.REDIS_URL, socket_connect_timeout=2, **keepalive)
        self._tasks = [asyncio.create_task(work()) for work in (self._listen, self._refresh, self._check)]

    async def _listen(self) -> None:
        """Forward hints for as long as the process lives."""
        while True:
            try:
                async with self._redis.pubsub() as pubsub:
                    await pubsub.subscribe(live.channel())
                    async for message in pubsub.listen():
                        if message["type"] == "message":
                            await self._hand_out(message["data"])
                        elif message["type"] == "subscribe":
                            self._subscribed()
            except (RedisError, OSError) as error:
                log.warning("the hint channel is down (%s), trying again", type(error).__name__)
                await asyncio.sleep(0.5)

    def _subscribed(self) -> None:
        """After a lost connection, which the client mends by itself, every tab is told its state."""
        if self._ready.is_set():
            _spawn(self._resync())
        self._ready.set()

    async def _hand_out(self, raw: bytes) -> None:
        """Hand a hint to whom it names. Whatever a newer or older process says that we do not know is skipped."""
        try:
            hint = orjson.loads(raw)
            match hint["kind"]:
                case "new":
                    await self._tell_new(hint)
                case "state":
                    await self._tell_state(hint["to"], hint["marks"])
                case "close":
                    await self._close(hint)
        except (orjson.JSONDecodeError, KeyError, TypeError) as error:
            log.warning("a hint was not understood (%s)", type(error).__name__)

    async def _tell_new(self, hint: Mapping[str, Any]) -> None:
        self._heard[hint["event"]] = time.monotonic()
        for to in hint["to"]:
            if sockets := self.sockets.get(to["id"]):
                words = hint["words"].get(to["lang"]) if to["popup"] else None
                popup = {**words, "sound": to.get("sound")} if words else None
                await _tell(sockets, {"kind": "new", **_shown(to), "id": hint["event"], "popup": popup})

    async def _tell_state(self, states: Iterable[Mapping[str, Any]], marks: Mapping[str, Any]) -> None:
        for to in states:
            if sockets := self.sockets.get(to["id"]):
                await _tell(sockets, {"kind": "state", **_shown(to), "marks": marks})

    async def _close(self, hint: Mapping[str, Any]) -> None:
        members = set(hint["members"])
        for socket in [s for held in self.sockets.values() for s in held]:
            if socket.member_id in members:
                _spawn(socket.end(NO_ACCESS))
            elif hint["session"] and socket.session == hint["session"]:
                _spawn(socket.end(SIGNED_OUT))

    async def _resync(self, members: Sequence[int] | None = None) -> None:
        """Tell every open tab, or those of some members, the state: hints may have been lost."""
        members = list(self.sockets) if members is None else members
        try:
            await self._tell_all(members)
        except DatabaseError as error:
            log.warning("open tabs were not told their state (%s): they will ask", type(error).__name__)

    async def _tell_all(self, members: Sequence[int]) -> None:
        for start in range(0, len(members), live.AT_ONCE):
            states = await database_sync_to_async(live.state_of)(members[start : start + live.AT_ONCE])
            for to in states:
                if sockets := self.sockets.get(to["id"]):
                    await _tell(sockets, {"kind": "state", **_shown(to), "resync": True})

    async def _check(self) -> None:
        """Look now and then for events nobody hinted at, so that no badge is wrong for long.

        Whoever was to hint at them may have died between writing the rows and saying so.
        """
        while True:
            await asyncio.sleep(CHECK)
            long_ago = time.monotonic() - 60
            self._heard = {event: at for event, at in self._heard.items() if at > long_ago}
            if not self.sockets:
                continue
            try:
                events = [e for e in await database_sync_to_async(live.just_told)() if e not in self._heard]
                if events:
                    self._heard |= dict.fromkeys(events, time.monotonic())
                    here = list(self.sockets)
                    await self._resync(await database_sync_to_async(live.recipients_among)(here, events))
            except DatabaseError as error:
                log.warning("hints that never came were not looked for (%s)", type(error).__name__)

    async def _announce(self, sockets: Iterable[Socket]) -> None:
        by_account: defaultdict[int, list[int]] = defaultdict(list)
        for socket in sockets:
            by_account[socket.account_id].append(socket.member_id)
        try:
            pipe = self._redis.pipeline(transaction=False)
            for account_id, members in by_account.items():
                pipe.zadd(presence.key_of(account_id), dict(presence.entries(members)))
                pipe.expire(presence.key_of(account_id), presence.SECONDS)
            await pipe.execute()
        except (RedisError, OSError) as error:
            log.warning("presence was not refreshed (%s)", type(error).__name__)

    async def _announce_active(self, sockets: Iterable[Socket], *, leaving: bool = False) -> None:
        """Write down which members are at work in a tab of this process, each for as long as their tab said."""
        now, clock = time.monotonic(), time.time()
        by_account: defaultdict[int, dict[str, float]] = defaultdict(dict)
        for socket in sockets:
            tabs = self.sockets.get(socket.member_id, ())
            left = max((tab.active_until - now for tab in tabs), default=0.0)
            if left <= 0:
                left = presence.LEAVING if leaving else 0.0
            by_account[socket.account_id][f"{socket.member_id}:{self._name}"] = clock + left
        try:
            pipe = self._redis.pipeline(transaction=False)
            for account_id, entries in by_account.items():
                pipe.zadd(presence.active_key_of(account_id), entries)
                pipe.expire(presence.active_key_of(account_id), presence.SECONDS)
            await pipe.execute()
        except (RedisError, OSError) as error:
            log.warning("who is at work was not written down (%s)", type(error).__name__)

    async def _refresh(self) -> None:
        """Some members at a time, spread over the interval: thousands at once would hold up the hints."""
        while True:
            members = list(self.sockets)
            shares = [members[i : i + SHARE] for i in range(0, len(members), SHARE)] or [[]]
            for share in shares:
                await asyncio.sleep(REFRESH / len(shares))
                await self._announce([next(iter(held)) for m in share if (held := self.sockets.get(m))])
                now = time.monotonic()
                at_work = [s for m in share for s in self.sockets.get(m, ()) if s.active_until > now]
                if at_work:
                    await self._announce_active(at_work)


hub = Hub()


def state_payload(state: Mapping[str, Any]) -> bytes:
    """What a tab is told that asked for its state."""
    return _packed({"kind": "state", **_shown(state)})


async def _tell(sockets: Iterable[Socket], content: dict[str, Any]) -> None:
    """Send to each socket. One that does not take it is dropped, so that nobody waits for a sleeping laptop."""
    payload = _packed(content)
    for socket in tuple(sockets):
        try:
            async with asyncio.timeout(SLOW):
                await socket.tell(payload)
        except TimeoutError:
            hub.leave(socket)
            _spawn(socket.end(TOO_SLOW))
        except (OSError, RuntimeError):  # it closed a moment ago
            hub.leave(socket)


def _shown(state: Mapping[str, Any]) -> dict[str, Any]:
    return {name: state[name] for name in ("at", "unread", "newest", "dot", "silence") if name in state}


def _packed(content: dict[str, Any]) -> bytes:
    return orjson.dumps({"v": live.VERSION, **content})


_background: set[asyncio.Task[None]] = set()  # asyncio itself holds tasks only weakly


def _spawn(work: Coroutine[Any, Any, None]) -> None:
    task = asyncio.get_running_loop().create_task(work)
    _background.add(task)
    task.add_done_callback(_background.discard)
