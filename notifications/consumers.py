"""The live socket. It forwards hints and answers heartbeats with the state; see docs/SOCKET.md."""

from collections.abc import Mapping
from contextlib import suppress
from importlib import import_module
from typing import Any

import orjson
from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer
from django.conf import settings
from django.contrib.auth import get_user
from django.http import HttpRequest

from accounts.access import membership_of
from accounts.models import User
from notifications import live
from notifications.hub import NO_ACCESS, SIGNED_OUT, hub, state_payload

LONGEST_QUESTION = 200


class LiveConsumer(AsyncWebsocketConsumer):  # type: ignore[misc]  # channels ships no types
    """One open tab. Tells it what is new; answers each "state?" with the absolute state.

    It joins no channel-layer group (its layer alias does not exist): the process-wide hub knows it.
    """

    channel_layer_alias = "none"
    member_id = 0
    account_id = 0
    session = ""

    async def connect(self) -> None:
        """Let members of the account in. Others are told why by the close code, which needs an open socket."""
        await self.accept()
        if not self.scope["user"].is_authenticated:
            await self.close(SIGNED_OUT)
            return
        hub_id = self.scope["url_route"]["kwargs"]["hub_id"]
        found = await database_sync_to_async(look)(self.scope["user"], hub_id)
        if found is None:
            await self.close(NO_ACCESS)
            return
        self.member_id, self.account_id = found
        self.session = live.session_digest(self.scope["session"].session_key)
        await hub.join(self)
        await self._tell_state()  # read after joining: nothing falls between the two

    async def disconnect(self, code: int) -> None:
        hub.leave(self)

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        """The tab asks for its state, at its heartbeat and when it comes to the front. All else is ignored."""
        if not self.member_id or text_data is None or len(text_data) > LONGEST_QUESTION or _kind(text_data) != "state?":
            return
        if (reason := await database_sync_to_async(self._refusal)()) is not None:
            await self.end(reason)
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

    def _refusal(self) -> int | None:
        """Why the socket may not stay. What was true when it opened is looked up again."""
        if not is_signed_in(self.scope["session"]):
            return SIGNED_OUT
        known = look(self.scope["user"], self.scope["url_route"]["kwargs"]["hub_id"])
        return None if known == (self.member_id, self.account_id) else NO_ACCESS


def look(user: User, hub_id: int) -> tuple[int, int] | None:
    """Member id and account id of a person in an account, or None for a stranger."""
    member = membership_of(user, hub_id)
    return (member.pk, member.account_id) if member else None


def is_signed_in(session: Any) -> bool:
    """Whether a sign-in stands, read afresh."""
    request = HttpRequest()
    request.session = import_module(settings.SESSION_ENGINE).SessionStore(session.session_key)
    return get_user(request).is_authenticated


def _kind(text: str) -> object:
    try:
        asked = orjson.loads(text)
    except orjson.JSONDecodeError:
        return None
    return asked.get("kind") if isinstance(asked, Mapping) else None
