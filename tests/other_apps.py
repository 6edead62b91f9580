"""The other apps on this machine: a webhook's endpoint, Slack's Web API and its sign-in, and what Teams, Google Chat,
Discord and Telegram offer to post to. Each checks what the real one checks, and can be told how to answer."""

import asyncio
import json
import re
import threading
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

SLACK_TOKEN, SLACK_USER, SLACK_CODE = "xoxb-1-good", "U02ANN", "the-code"
BOT = "123456789:AAbbCCddEEffGGhhIIjj"


@dataclass
class Post:
    """One request as it arrived."""

    path: str
    headers: dict[str, str]
    body: bytes
    query: dict[str, str] = field(default_factory=dict)

    @property
    def json(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.body)
        return found


@dataclass
class Answer:
    """How the next request is answered instead."""

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    text: str = ""
    after: float = 0  # seconds


class OtherApps:
    """Runs in a thread of its own on a free port."""

    def __init__(self) -> None:
        self.posts: list[Post] = []
        self.answers: list[Answer] = []
        self.at_once = self.most_at_once = 0
        self._ready = threading.Event()

    def start(self) -> "OtherApps":
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), daemon=True)
        self._thread.start()
        assert self._ready.wait(10), "the apps did not start"
        return self

    def stop(self) -> None:
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stopped.set)
            self._thread.join(10)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def answer(self, status: int, *, times: int = 1, text: str = "", after: float = 0, **headers: str) -> None:
        """Answer the next requests so."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.answers += [Answer(status, named, text, after)] * times

    async def _serve(self) -> None:
        self._loop, self._stopped = asyncio.get_running_loop(), asyncio.Event()
        app = web.Application()
        app.router.add_post("/api/chat.postMessage", self._slack_message)
        app.router.add_post("/api/oauth.v2.access", self._slack_access)
        app.router.add_post("/api/webhooks/{id}/{token}", self._discord)
        app.router.add_post("/v1/spaces/{space}/messages", self._google)
        app.router.add_post("/bot{token}/sendMessage", self._telegram)
        app.router.add_post("/workflows/{id}/triggers/manual/paths/invoke", self._teams)
        app.router.add_post("/{path:.*}", self._anything)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        self.port = int(runner.addresses[0][1])
        self._ready.set()
        await self._stopped.wait()
        await runner.cleanup()

    async def _taken(self, request: web.Request) -> tuple[Post, web.Response | None]:
        """What came, and the answer that was asked for, if one was."""
        post = Post(request.path, dict(request.headers), await request.read(), dict(request.query))
        self.posts.append(post)
        if not self.answers:
            return post, None
        forced = self.answers.pop(0)
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        await asyncio.sleep(forced.after)
        self.at_once -= 1
        kind = "application/json" if forced.text.startswith("{") else "text/plain"
        return post, web.Response(status=forced.status, headers=forced.headers, text=forced.text, content_type=kind)

    async def _anything(self, request: web.Request) -> web.Response:
        _post, forced = await self._taken(request)
        return forced or web.Response(text="ok")

    async def _slack_message(self, request: web.Request) -> web.Response:
        post, forced = await self._taken(request)
        if forced:
            return forced
        if request.headers.get("Authorization") != f"Bearer {SLACK_TOKEN}":
            return web.json_response({"ok": False, "error": "invalid_auth"})
        if post.json.get("channel") != SLACK_USER:
            return web.json_response({"ok": False, "error": "channel_not_found"})
        if not post.json.get("text") or not post.json.get("blocks"):
            return web.json_response({"ok": False, "error": "no_text"})
        return web.json_response({"ok": True, "channel": "D1", "ts": "1.2"})

    async def _slack_access(self, request: web.Request) -> web.Response:
        post, forced = await self._taken(request)
        if forced:
            return forced
        given = dict(pair.split("=", 1) for pair in post.body.decode().split("&") if "=" in pair)
        if given.get("code") != SLACK_CODE:
            return web.json_response({"ok": False, "error": "invalid_code"})
        return web.json_response(
            {
                "ok": True,
                "access_token": SLACK_TOKEN,
                "token_type": "bot",
                "scope": "chat:write,im:write",
                "team": {"id": "T1", "name": "Nordic Oak Workspace"},
                "authed_user": {"id": SLACK_USER},
            }
        )

    async def _discord(self, request: web.Request) -> web.Response:
        post, forced = await self._taken(request)
        if forced:
            return forced
        if request.match_info["token"] != "right":
            return web.json_response({"message": "Unknown Webhook", "code": 10015}, status=404)
        if not 0 < len(post.json.get("content", "")) <= 2000:
            return web.json_response({"message": "Cannot send an empty message", "code": 50006}, status=400)
        return web.Response(status=204)

    async def _google(self, request: web.Request) -> web.Response:
        post, forced = await self._taken(request)
        if forced:
            return forced
        if (request.query.get("key"), request.query.get("token")) != ("AIzaKey", "tok-1"):
            return web.json_response({"error": {"code": 401, "message": "Request is missing auth"}}, status=401)
        return web.json_response({"name": "spaces/AAA/messages/1", "text": post.json["text"]})

    async def _telegram(self, request: web.Request) -> web.Response:
        post, forced = await self._taken(request)
        if forced:
            return forced
        if request.match_info["token"] != BOT:
            return web.json_response({"ok": False, "error_code": 401, "description": "Unauthorized"}, status=401)
        if str(post.json.get("chat_id")) != "4711":
            return web.json_response(
                {"ok": False, "error_code": 400, "description": "Bad Request: chat not found"}, status=400
            )
        if post.json.get("parse_mode") == "HTML" and re.search(r"<(?!/?(b|i|a)\b)", post.json["text"]):
            return web.json_response(
                {"ok": False, "error_code": 400, "description": "Bad Request: can't parse entities"}, status=400
            )
        return web.json_response({"ok": True, "result": {"message_id": 1}})

    async def _teams(self, request: web.Request) -> web.Response:
        _post, forced = await self._taken(request)
        if forced:
            return forced
        if request.query.get("sig") != "sign-ature_1":
            return web.json_response({"error": {"code": "AuthorizationFailed", "message": "No."}}, status=401)
        return web.Response(status=202)
