"""A push service on this machine: browsers hear of pushes over its WebSocket, servers post to it as to a real one.

It checks what real services check (VAPID signature, TTL, encoding, size) and can be told how to answer. `Receiver`
stands in for a browser where none is needed: it has keys of its own and decrypts what arrived.
"""

import asyncio
import base64
import json
import os
import queue
import secrets
import threading
import time
import uuid
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import http_ece
from aiohttp import WSMsgType, web
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

LARGEST = 4096  # bytes of a sealed push that every service takes
DAY = 24 * 3600
HANG_UP = 0  # instead of a status


def encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text.rstrip("=") + "=" * (-len(text.rstrip("=")) % 4))


@dataclass
class Post:
    """One push as it arrived."""

    token: str
    headers: dict[str, str]
    body: bytes
    status: int = 201


@dataclass
class Answer:
    """How the service answers instead of taking a push."""

    status: int  # HANG_UP for none
    headers: dict[str, str] = field(default_factory=dict)
    after: float = 0  # seconds


class Receiver:
    """A browser without a browser."""

    def __init__(self, service: "PushService") -> None:
        self._private = ec.generate_private_key(ec.SECP256R1())
        self._auth = os.urandom(16)
        self.token = service.register(uaid="", channel=uuid.uuid4().hex, key="")
        self.service = service

    @property
    def endpoint(self) -> str:
        return f"{self.service.url}/wpush/v2/{self.token}"

    @property
    def subscription(self) -> dict[str, Any]:
        """A PushSubscription as JSON has it."""
        point = self._private.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        return {"endpoint": self.endpoint, "keys": {"p256dh": encoded(point), "auth": encoded(self._auth)}}

    @property
    def received(self) -> list[dict[str, Any]]:
        """What arrived for this browser and was taken, decrypted."""
        return [
            json.loads(self.open(post.body))
            for post in self.service.posts
            if post.token == self.token and post.status == 201
        ]

    def open(self, body: bytes) -> bytes:
        return bytes(http_ece.decrypt(body, private_key=self._private, auth_secret=self._auth, version="aes128gcm"))


class PushService:
    """Runs in a thread of its own on a free port."""

    def __init__(self) -> None:
        self.posts: list[Post] = []
        self.acknowledged: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
        self.refused: list[str] = []  # why pushes were not in order
        self.answers: dict[str, list[Answer]] = {}  # by token; "" for whichever comes
        self.at_once = self.most_at_once = 0
        self.latency = 0.0  # seconds that every push takes
        self._channels: dict[str, dict[str, Any]] = {}  # by token
        self._sockets: dict[str, web.WebSocketResponse] = {}
        self._strangers: set[str] = set()  # what browsers are called that were forgotten
        self._ready = threading.Event()

    def start(self) -> "PushService":
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), daemon=True)
        self._thread.start()
        assert self._ready.wait(10), "the push service did not start"
        return self

    def stop(self) -> None:
        """May be called twice."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stopped.set)
            self._thread.join(10)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def socket_url(self) -> str:
        return f"ws://127.0.0.1:{self.port}/"

    def register(self, *, uaid: str, channel: str, key: str) -> str:
        token = secrets.token_urlsafe(24)
        self._channels[token] = {"uaid": uaid, "channel": channel, "key": key, "is_gone": False}
        return token

    def answer(self, status: int, *, to: str = "", times: int = 1, after: float = 0, **headers: str) -> None:
        """Answer the next pushes so, and take none of them."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.answers.setdefault(to, []).extend([Answer(status, named, after)] * times)

    def forget_browsers(self) -> None:
        """Drop every browser's registrations, and greet it as a new one when it comes back: it has to begin again."""
        asyncio.run_coroutine_threadsafe(self._forget_browsers(), self._loop).result(10)

    async def _forget_browsers(self) -> None:
        self._strangers |= set(self._sockets)
        for channel in self._channels.values():
            channel["is_gone"] |= channel["uaid"] in self._strangers
        for socket in list(self._sockets.values()):
            await socket.close()

    async def _serve(self) -> None:
        self._loop, self._stopped = asyncio.get_running_loop(), asyncio.Event()
        app = web.Application(client_max_size=1 << 20)
        app.router.add_get("/", self._socket)
        app.router.add_post("/wpush/v2/{token}", self._push)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        self.port = int(runner.addresses[0][1])
        self._ready.set()
        await self._stopped.wait()
        await runner.cleanup()

    async def _push(self, request: web.Request) -> web.Response:
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            post = Post(request.match_info["token"], dict(request.headers), await request.read())
            await asyncio.sleep(self.latency)
            forced = self.answers.get(post.token) or self.answers.get("")
            answer = forced.pop(0) if forced else None
            if answer:
                await asyncio.sleep(answer.after)
            post.status = answer.status if answer else self._check(post)
            self.posts.append(post)
            if post.status == 201:
                await self._hand_on(post)
            if post.status == HANG_UP and request.transport:
                request.transport.abort()
                return web.Response()
            return web.Response(status=post.status, headers=answer.headers if answer else {}, text="{}")
        finally:
            self.at_once -= 1

    def _check(self, post: Post) -> int:
        """What real services look at, in their order."""
        channel = self._channels.get(post.token)
        if channel is None:
            return 404
        if channel["is_gone"]:
            return 410
        if not post.headers.get("TTL", "").isdecimal() or post.headers.get("Content-Encoding") != "aes128gcm":
            return 400
        if len(post.body) > LARGEST:
            return 413
        topic = post.headers.get("Topic", "")
        if len(topic) > 32:
            return 400
        try:
            self._check_vapid(post.headers.get("Authorization", ""), channel["key"])
        except (ValueError, KeyError, AssertionError, InvalidSignature) as why:
            self.refused.append(repr(why))
            return 401
        return 201

    def _check_vapid(self, given: str, registered: str) -> None:
        """RFC 8292: signature, audience, end, and the key that the browser subscribed with."""
        scheme, _space, rest = given.partition(" ")
        assert scheme == "vapid", scheme
        parts = dict(part.strip().split("=", 1) for part in rest.split(","))
        if registered:
            assert decoded(parts["k"]) == decoded(registered), "another key"
        head, payload, signature = parts["t"].split(".")
        raw = decoded(signature)
        whole = utils.encode_dss_signature(int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big"))
        key = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), decoded(parts["k"]))
        key.verify(whole, f"{head}.{payload}".encode(), ec.ECDSA(hashes.SHA256()))
        claims = json.loads(decoded(payload))
        assert claims["aud"] == self.url, claims
        assert time.time() < claims["exp"] < time.time() + DAY, claims
        assert urlsplit(claims["sub"]).scheme in {"mailto", "https"}, claims

    async def _hand_on(self, post: Post) -> None:
        channel = self._channels[post.token]
        socket = self._sockets.get(channel["uaid"])
        if socket is None:
            return
        await socket.send_json(
            {
                "messageType": "notification",
                "channelID": channel["channel"],
                "version": secrets.token_urlsafe(16),
                "ttl": int(post.headers["TTL"]),
                "timestamp": int(time.time()),
                "data": encoded(post.body),
                "headers": {"encoding": "aes128gcm"},
            }
        )

    async def _socket(self, request: web.Request) -> web.WebSocketResponse:
        """What Firefox keeps open (the autopush protocol)."""
        socket = web.WebSocketResponse(protocols=("push-notification",))
        await socket.prepare(request)
        uaid = ""
        async for message in socket:
            if message.type is not WSMsgType.TEXT:
                continue
            said = json.loads(message.data)
            kind = said.get("messageType", "ping")
            if kind == "ping":
                await socket.send_str("{}")
            elif kind == "hello":
                uaid = said.get("uaid") or ""
                uaid = uuid.uuid4().hex if uaid in self._strangers | {""} else uaid
                self._sockets[uaid] = socket
                greeting = {"messageType": "hello", "status": 200, "uaid": uaid, "use_webpush": True, "broadcasts": {}}
                await socket.send_json(greeting)
            elif kind == "register":
                token = self.register(uaid=uaid, channel=said["channelID"], key=said.get("key") or "")
                endpoint = f"{self.url}/wpush/v2/{token}"
                done = {"messageType": "register", "status": 200, "channelID": said["channelID"]}
                await socket.send_json(done | {"pushEndpoint": endpoint})
            elif kind == "unregister":
                for channel in self._channels.values():
                    channel["is_gone"] |= channel["channel"] == said["channelID"]
                done = {"messageType": "unregister", "status": 200, "channelID": said["channelID"]}
                await socket.send_json(done)
            elif kind == "ack":
                for update in said.get("updates", []):
                    self.acknowledged.put(update)
        self._sockets = {id_: other for id_, other in self._sockets.items() if other is not socket}
        return socket
