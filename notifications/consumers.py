"""The live socket. It forwards hints and answers heartbeats with the state; see docs/SOCKET.md."""

import hashlib
from collections.abc import Mapping
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
from notifications.hub import hub, now_ms, state_payload

NOT_SIGNED_IN = 4401
NO_SUCH_ACCOUNT = 4404


def session_digest(session_key: str | None) -> str:
    """How a sign-in is named in hints: never by its key."""
    return hashlib.sha256((session_key or "").encode()).hexdigest()[:32]


class LiveConsumer(AsyncWebsocketConsumer):  # type: ignore[misc]  # channels ships no types
    """One open tab. Tells it what is new; answers each "state?" with the absolute state.

    It joins no channel-layer group (its layer alias does not exist): the process-wide hub knows it.
    """

    channel_layer_alias = "none"
    member_id = 0
    account_id = 0
    session = ""

    async def connect(self) -> None:
        await self.accept()
        if not self.scope["user"].is_authenticated:
            await self.close(NOT_SIGNED_IN)
            return
        found = await self._look()
        if found is None:
            await self.close(NO_SUCH_ACCOUNT)
            return
        self.member_id, self.account_id, state = found
        self.session = session_digest(self.scope["session"].session_key)
        hub.join(self)
        await self.tell(state_payload(state, at=now_ms(), read=[]))

    async def disconnect(self, code: int) -> None:
        hub.leave(self)

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        """The tab asks for its state, at its heartbeat and when it comes to the front. All else is ignored."""
        if text_data is None or len(text_data) > 200 or _kind_of(text_data) != "state?":
            return
        if not await self._is_still_signed_in():
            await self.end(NOT_SIGNED_IN)
        elif (found := await self._look()) is None:
            await self.end(NO_SUCH_ACCOUNT)
        else:
            await self.tell(state_payload(found[2], at=now_ms(), read=[]))

    async def tell(self, payload: bytes) -> None:
        await self.send(text_data=payload.decode())

    async def end(self, code: int) -> None:
        hub.leave(self)
        await self.close(code)

    async def _look(self) -> tuple[int, int, dict[str, Any]] | None:
        """The member behind the socket and the state of their bell, read now."""
        found: tuple[int, int, dict[str, Any]] | None = await database_sync_to_async(look)(
            self.scope["user"], self.scope["url_route"]["kwargs"]["hub_id"]
        )
        return found

    async def _is_still_signed_in(self) -> bool:
        """Whether the sign-in that opened the socket still stands: a session is frozen at connect, so look again."""
        return bool(await database_sync_to_async(is_signed_in)(self.scope["session"]))


def look(user: User, hub_id: int) -> tuple[int, int, dict[str, Any]] | None:
    """Member id, account id and bell state of a person in an account, or None for a stranger."""
    member = membership_of(user, hub_id)
    return (member.pk, member.account_id, live.state_of([member.pk])[0]) if member else None


def is_signed_in(session: Any) -> bool:
    """Whether a sign-in stands, read afresh."""
    request = HttpRequest()
    request.session = import_module(settings.SESSION_ENGINE).SessionStore(session.session_key)
    return get_user(request).is_authenticated


def _kind_of(text: str) -> object:
    try:
        asked = orjson.loads(text)
    except orjson.JSONDecodeError:
        return None
    return asked.get("kind") if isinstance(asked, Mapping) else None
