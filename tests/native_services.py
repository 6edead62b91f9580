"""Google's and Apple's services for native applications on this machine: OAuth, FCM HTTP v1, and APNs over HTTP/2.

They check what the real ones check (signatures, token, topic, protocol, size) and can be told how to answer.
"""

import asyncio
import base64
import json
import re
import secrets
import socket
import threading
import time
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from hypercorn.asyncio import serve
from hypercorn.config import Config

LARGEST = 4096  # bytes of a payload
PROJECT, TOPIC, TEAM, KEY_ID = "bellhop-test", "com.example.bellhop", "TEAM123456", "KEY1234567"


def decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def pem(key: Any) -> str:
    return str(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode())


@dataclass
class Posted:
    """One message as it arrived."""

    token: str
    headers: dict[str, str]
    body: dict[str, Any]
    size: int
    version: str
    status: int = 200


@dataclass
class Forced:
    status: int
    body: dict[str, Any]
    headers: dict[str, str] = field(default_factory=dict)
    after: float = 0


class NativeServices:
    """Runs in a thread of its own on a free port; Apple's part takes nothing but HTTP/2."""

    def __init__(self) -> None:
        self._google = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self._apple = ec.generate_private_key(ec.SECP256R1())
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self.posts: list[Posted] = []
        self.access_tokens: list[str] = []
        self.signatures: set[str] = set()
        self.forced: dict[str, list[Forced]] = {}  # by device token; "" for whichever comes
        self.at_once = self.most_at_once = 0
        self._ready = threading.Event()

    # --- What the environment of an installation would say

    @property
    def fcm_credentials(self) -> dict[str, str]:
        return {
            "type": "service_account",
            "project_id": PROJECT,
            "client_email": "bellhop@example.com",
            "private_key": pem(self._google),
            "token_uri": f"{self.url}/token",
        }

    @property
    def apns_key(self) -> str:
        return pem(self._apple)

    # --- Running

    def start(self) -> "NativeServices":
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), daemon=True)
        self._thread.start()
        assert self._ready.wait(10), "the services did not start"
        return self

    def stop(self) -> None:
        """May be called twice. Lets what is being answered come to its end first."""
        deadline = time.monotonic() + 5
        while self.at_once and time.monotonic() < deadline:
            time.sleep(0.02)
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stopped.set)
            self._thread.join(10)

    async def _serve(self) -> None:
        self._loop, self._stopped = asyncio.get_running_loop(), asyncio.Event()
        config = Config()
        config.bind = [f"fd://{self._listener.detach()}"]
        config.graceful_timeout = 0.1
        config.errorlog = None
        self._ready.set()
        await serve(self._app, config, shutdown_trigger=self._stopped.wait)  # type: ignore[arg-type]

    def answer(
        self, status: int, body: dict[str, Any] | None = None, *, to: str = "", times: int = 1, **more: Any
    ) -> None:
        """Answer the next messages so, and take none of them. `after`: seconds; the rest are headers."""
        after = more.pop("after", 0)
        headers = {name.replace("_", "-").lower(): value for name, value in more.items()}
        self.forced.setdefault(to, []).extend([Forced(status, body or {}, headers, after)] * times)

    # --- The protocol

    async def _app(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            while (await receive())["type"] != "lifespan.shutdown":
                await send({"type": "lifespan.startup.complete"})
            await send({"type": "lifespan.shutdown.complete"})
            return
        body = b""
        while True:
            part = await receive()
            body += part.get("body", b"")
            if not part.get("more_body"):
                break
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            status, said, more = await self._answered(scope, headers, body)
        finally:
            self.at_once -= 1
        raw = json.dumps(said).encode()
        named = [(name.encode(), value.encode()) for name, value in more.items()]
        named.append((b"content-type", b"application/json"))
        await send({"type": "http.response.start", "status": status, "headers": named})
        await send({"type": "http.response.body", "body": raw})

    async def _answered(self, scope: Any, headers: dict[str, str], body: bytes) -> tuple[int, Any, dict[str, str]]:
        path = scope["path"]
        if path == "/token":
            return *self._token(body), {}
        if path == f"/v1/projects/{PROJECT}/messages:send":
            message = json.loads(body)["message"]
            size = len(body) - len(message["token"])
            post = Posted(message["token"], headers, message, size, scope["http_version"])
            return await self._taken(post, self._check_fcm)
        if found := re.fullmatch(r"/3/device/([0-9a-f]+)", path):
            post = Posted(found[1], headers, json.loads(body), len(body), scope["http_version"])
            return await self._taken(post, self._check_apns)
        return 404, {"error": {"status": "NOT_FOUND", "message": "no such project"}}, {}

    async def _taken(self, post: Posted, check: Any) -> tuple[int, Any, dict[str, str]]:
        waiting = self.forced.get(post.token) or self.forced.get("")
        forced = waiting.pop(0) if waiting else None
        if forced:
            await asyncio.sleep(forced.after)
        status, said = (forced.status, forced.body) if forced else check(post)
        post.status = status
        self.posts.append(post)
        return status, said, forced.headers if forced else {}

    def _token(self, body: bytes) -> tuple[int, Any]:
        """RFC 7523: a signed assertion for an access token."""
        if waiting := self.forced.get("token"):
            forced = waiting.pop(0)
            return forced.status, forced.body
        given = parse_qs(body.decode())
        head, claims, signature = given["assertion"][0].split(".")
        try:
            self._google.public_key().verify(
                decoded(signature), f"{head}.{claims}".encode(), padding.PKCS1v15(), hashes.SHA256()
            )
        except InvalidSignature:
            return 400, {"error": "invalid_grant", "error_description": "Invalid JWT Signature."}
        said = json.loads(decoded(claims))
        assert said["aud"] == "https://oauth2.googleapis.com/token", said  # wherever it is asked for
        assert said["scope"] == "https://www.googleapis.com/auth/firebase.messaging", said
        token = secrets.token_urlsafe(16)
        self.access_tokens.append(token)
        return 200, {"access_token": token, "expires_in": 3600, "token_type": "Bearer"}

    def _check_fcm(self, post: Posted) -> tuple[int, Any]:
        if post.headers.get("authorization", "").removeprefix("Bearer ") not in self.access_tokens:
            return 401, {"error": {"status": "UNAUTHENTICATED", "message": "no valid token"}}
        strings = all(isinstance(value, str) for value in post.body["data"].values())
        if post.size > LARGEST or not strings or not re.fullmatch(r"\d+s", post.body["android"]["ttl"]):
            return 400, {"error": {"status": "INVALID_ARGUMENT", "message": "too big, or not as it should be"}}
        return 200, {"name": f"projects/{PROJECT}/messages/{len(self.posts)}"}

    def _check_apns(self, post: Posted) -> tuple[int, Any]:
        if post.version != "2":
            return 505, {"reason": "HTTP/2 only"}
        try:
            self._check_signature(post.headers.get("authorization", ""))
        except (AssertionError, InvalidSignature, ValueError):
            return 403, {"reason": "InvalidProviderToken"}
        if post.headers.get("apns-topic") != TOPIC:
            return 400, {"reason": "DeviceTokenNotForTopic"}
        if post.size > LARGEST:
            return 413, {"reason": "PayloadTooLarge"}
        if len(post.headers.get("apns-collapse-id", "")) > 64:
            return 400, {"reason": "BadCollapseId"}
        return 200, {}

    def _check_signature(self, given: str) -> None:
        scheme, _space, token = given.partition(" ")
        assert scheme == "bearer"
        head, claims, signature = token.split(".")
        raw = decoded(signature)
        whole = utils.encode_dss_signature(int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big"))
        self._apple.public_key().verify(whole, f"{head}.{claims}".encode(), ec.ECDSA(hashes.SHA256()))
        said, names = json.loads(decoded(claims)), json.loads(decoded(head))
        assert (names["alg"], names["kid"], said["iss"]) == ("ES256", KEY_ID, TEAM)
        assert 0 <= time.time() - said["iat"] < 3600
        self.signatures.add(token)
