"""The live socket. It forwards hints and answers heartbeats with the state; see docs/SOCKET.md."""

from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from importlib import import_module
from typing import Any

import orjson
from channels.consumer import get_handler_name
from channels.db import database_sync_to_async
from channels.exceptions import StopConsumer
from channels.generic.websocket import AsyncWebsocketConsumer
from django.conf import settings
from django.contrib.auth import get_user
from django.http import HttpRequest, parse_cookie

from accounts.access import membership_of
from notifications import live
from notifications.hub import NO_ACCESS, SIGNED_OUT, hub, state_payload

LONGEST_QUESTION = 200


class LiveConsumer(AsyncWebsocketConsumer):  # type: ignore[misc]  # channels ships no types
    """One open tab. Tells it what is new; answers each "state?" with the absolute state.

    Thousands of these sit idle in a process, so each keeps as little as it can: no channel layer (the process-wide
    hub knows it), no task of its own, and of the request only the session's key.
    """

    member_id = 0
    account_id = 0
    session = ""
    active_until = 0.0  # on the monotonic clock: somebody is at work in this tab

    async def __call__(
        self,
        scope: dict[str, Any],
        receive: Callable[[], Awaitable[Any]],
        send: Callable[[Any], Awaitable[None]],
    ) -> None:
        """What Channels does around a consumer, less what only a channel layer needs."""
        self.base_send = send
        self._hub_id = scope["url_route"]["kwargs"]["hub_id"]
        self._session_key = _session_key(scope)
        del scope
        with suppress(StopConsumer):
            while True:
                await self.dispatch(await receive())

    async def dispatch(self, message: dict[str, Any]) -> None:
        """Without a trip to the database's thread, which Channels makes before each message."""
        await getattr(self, get_handler_name(message))(message)

    async def connect(self) -> None:
        """Let members of the account in. Others are told why by the close code, which needs an open socket."""
        await self.accept()
        found, refusal = await self._look()
        if found is None:
            await self.close(refusal)
            return
        self.member_id, self.account_id = found
        self.session = live.session_digest(self._session_key)
        await hub.join(self)
        await self._tell_state()  # read after joining: nothing falls between the two

    async def disconnect(self, code: int) -> None:
        hub.leave(self)

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        """The tab asks for its state, says whether somebody is at work in it, or that it showed a pop-up."""
        if not self.member_id or text_data is None or len(text_data) > LONGEST_QUESTION:
            return
        match _said(text_data):
            case {"kind": "state?"}:
                await self._answer_state()
            case {"kind": "here", "active": bool(is_active)}:
                hub.here(self, is_active)
            case {"kind": "shown", "id": int(event_id)} if 0 < event_id < 2**63:
                hub.shown(self, event_id)

    async def _answer_state(self) -> None:
        found, refusal = await self._look()  # what was true when it opened is looked up again
        if found != (self.member_id, self.account_id):
            await self.end(refusal)
        else:
            await self._tell_state()

    async def tell(self, payload: bytes) -> None:
        """Send something to the tab."""
        await self.send(text_data=payload.decode())

    async def end(self, code: int) -> None:
        """Close the socket for good: the code says why, and the tab does not come back."""
        hub.leave(self)
        with suppress(OSError, RuntimeError):  # it closed a moment ago
            await self.close(code)

    async def _tell_state(self) -> None:
        (state,) = await database_sync_to_async(live.state_of)([self.member_id])
        await self.tell(state_payload(state))

    async def _look(self) -> tuple[tuple[int, int] | None, int]:
        """The member and account behind the socket, or nobody; and the code that says why it may not be open."""
        found: tuple[tuple[int, int] | None, int] = await database_sync_to_async(look)(self._session_key, self._hub_id)
        return found


def look(session_key: str | None, hub_id: int) -> tuple[tuple[int, int] | None, int]:
    """Member id and account id of whoever signed in with that session, read afresh; None for strangers."""
    request = HttpRequest()
    request.session = import_module(settings.SESSION_ENGINE).SessionStore(session_key)
    user = get_user(request)
    if not user.is_authenticated:
        return None, SIGNED_OUT
    member = membership_of(user, hub_id)
    return (member.pk, member.account_id) if member else None, NO_ACCESS


def _session_key(scope: Mapping[str, Any]) -> str | None:
    cookie = next((value for name, value in scope["headers"] if name == b"cookie"), b"")
    key: str | None = parse_cookie(cookie.decode("latin1")).get(settings.SESSION_COOKIE_NAME)
    return key


def _said(text: str) -> object:
    """What the tab said; nothing for what is no JSON."""
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return None
