"""The live socket as an ASGI server speaks to it: who may open it, what it says, and when it has to close."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from asgiref.sync import async_to_sync, sync_to_async
from asgiref.testing import ApplicationCommunicator
from django.test import Client

from accounts.models import Membership
from config.asgi import application
from notifications import events, fanout, types
from notifications.hub import Hub, _background, hub

KIND = types.TYPES["deals.mentioned"]
pytestmark = pytest.mark.django_db(transaction=True)


class Tab(ApplicationCommunicator):  # type: ignore[misc]
    """One socket, in the words of ASGI."""

    def __init__(self, hub_id: int, headers: list[tuple[bytes, bytes]]) -> None:
        path = f"/ws/live/{hub_id}/"
        super().__init__(application, {"type": "websocket", "path": path, "headers": headers, "subprotocols": []})

    async def connect(self) -> bool:
        await self.send_input({"type": "websocket.connect"})
        return bool((await self.receive_output(5))["type"] == "websocket.accept")

    async def send_to(self, **content: str | bytes) -> None:
        await self.send_input({"type": "websocket.receive", **content})

    async def heard(self, kind: str) -> dict[str, Any]:
        """The next thing of that kind."""
        while True:
            said: dict[str, Any] = json.loads((await self.receive_output(5))["text"])
            if said["kind"] == kind:
                return said

    async def closed_with(self) -> int:
        message = await self.receive_output(5)
        assert message["type"] == "websocket.close"
        return int(message["code"])

    async def disconnect(self) -> None:
        await self.send_input({"type": "websocket.disconnect", "code": 1000})
        await self.wait(5)


def signed_in(member: Membership) -> Client:
    client = Client()
    client.force_login(member.user)
    return client


def talk(
    client: Client,
    work: Callable[[Tab], Awaitable[None]],
    *,
    hub_id: int = 1001,
    origin: str = "http://testserver",
) -> None:
    """Open a socket with the client's cookies, do the work, close it."""
    cookies = "; ".join(f"{name}={morsel.value}" for name, morsel in client.cookies.items())
    headers = [(b"origin", origin.encode()), (b"cookie", cookies.encode())]

    async def run() -> None:
        socket = Tab(hub_id, headers)
        assert await socket.connect()
        await work(socket)
        await socket.disconnect()
        await stop_listening()

    async_to_sync(run)()


async def stop_listening(house: Hub = hub) -> None:
    """The hub listens as long as its process lives; here its loop ends sooner."""
    if house._loop is not asyncio.get_running_loop():  # nobody was let in
        return
    for task in house._tasks:
        task.cancel()
    await asyncio.gather(*house._tasks, *_background, return_exceptions=True)
    await house._redis.aclose()


def test_a_member_is_told_the_state_and_then_what_is_new(bob: Membership) -> None:
    async def work(socket: Tab) -> None:
        assert (await socket.heard("state"))["unread"] == 0
        await sync_to_async(tell)()
        new = await socket.heard("new")
        assert new["unread"] == 1
        assert new["popup"]["title"]
        await socket.send_to(text='{"kind": "state?"}')
        assert (await socket.heard("state"))["unread"] == 1

    def tell() -> None:
        events.emit(KIND, audience=[bob], data=dict(KIND.example))
        fanout.run_due()

    talk(signed_in(bob), work)


def test_who_is_not_signed_in_is_told_so(bob: Membership) -> None:
    async def work(socket: Tab) -> None:
        assert await socket.closed_with() == 4401

    talk(Client(), work)


@pytest.mark.parametrize("hub_id", [1001, 999])
def test_another_accounts_socket_looks_like_one_that_is_not_there(
    bob: Membership, mallory: Membership, hub_id: int
) -> None:
    async def work(socket: Tab) -> None:
        assert await socket.closed_with() == 4404

    talk(signed_in(mallory), work, hub_id=hub_id)


def test_a_sign_in_that_ended_is_noticed_at_the_next_heartbeat(bob: Membership) -> None:
    client = signed_in(bob)

    async def work(socket: Tab) -> None:
        await socket.heard("state")
        await sync_to_async(client.session.flush)()
        await socket.send_to(text='{"kind": "state?"}')
        assert await socket.closed_with() == 4401

    talk(client, work)


def test_a_member_who_was_deactivated_is_let_go_at_the_next_heartbeat(bob: Membership) -> None:
    async def work(socket: Tab) -> None:
        await socket.heard("state")
        await sync_to_async(Membership.objects.filter(pk=bob.pk).update)(is_active=False)
        await socket.send_to(text='{"kind": "state?"}')
        assert await socket.closed_with() == 4404

    talk(signed_in(bob), work)


def test_another_sites_page_cannot_open_it(bob: Membership) -> None:
    async def run() -> None:
        headers = [(b"origin", b"https://evil.example")]
        socket = Tab(1001, headers)
        assert not await socket.connect()

    async_to_sync(run)()


def test_nonsense_is_ignored(bob: Membership) -> None:
    async def work(socket: Tab) -> None:
        await socket.heard("state")
        for nonsense in ("{", "[]", '"state?"', "x" * 300, '{"kind": "drop"}'):
            await socket.send_to(text=nonsense)
        await socket.send_to(bytes=b"\xff")
        await socket.send_to(text='{"kind": "state?"}')
        await socket.heard("state")

    talk(signed_in(bob), work)
