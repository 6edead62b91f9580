"""Firebase Cloud Messaging, HTTP v1: the message, the access token, and what an answer means.

google-auth, Google's own library, trades the service account's key for access tokens.
"""

import asyncio
import time
from functools import lru_cache, partial
from typing import Any, cast

import orjson
from django.conf import settings
from google.auth.exceptions import RefreshError, TransportError
from google.auth.transport.requests import Request
from google.oauth2.service_account import Credentials

from notifications.native.jobs import MOST, DeviceJob
from notifications.push import payloads
from notifications.push.sending import Verdict

SCOPE = "https://www.googleapis.com/auth/firebase.messaging"
PATIENCE = 10  # seconds for the token


class NoToken(Exception):
    """No access token. `is_ours`: the credentials were refused, so trying again does not help."""

    def __init__(self, words: str, *, is_ours: bool) -> None:
        super().__init__(words)
        self.is_ours = is_ours


def url() -> str:
    return f"{settings.FCM_URL}/v1/projects/{settings.FCM_CREDENTIALS['project_id']}/messages:send"


def body(job: DeviceJob) -> bytes:
    """The message. Its payload fits; the token does not count."""

    def made(title: str, text: str) -> bytes:
        return orjson.dumps({"message": _message(job, title, text)})

    room = MOST + len(job.token)
    return payloads.fitted(made, job.title, job.body, most=room)


def _message(job: DeviceJob, title: str, text: str) -> dict[str, Any]:
    shown: dict[str, Any] = {"tag": f"bellhop-{job.event_id}"}
    aps: dict[str, Any] = {"sound": "default"}
    if job.unread is not None:
        shown["notification_count"] = aps["badge"] = job.unread
    headers = {"apns-collapse-id": job.collapses_as, "apns-expiration": str(int(time.time()) + job.ttl)}
    return {
        "token": job.token,
        "notification": {"title": title, "body": text},
        "data": job.data,
        "android": {
            "collapse_key": job.collapses_as,
            "ttl": f"{job.ttl}s",
            "priority": "HIGH",  # it shows at once, which is what Google wants it used for
            "notification": shown,
        },
        "apns": {"headers": headers, "payload": {"aps": aps}},
    }


def verdict(status: int, answer: bytes) -> tuple[Verdict, str]:
    """What an answer means for the device, and its words. Only UNREGISTERED says that the device is gone."""
    if status == 200:
        return Verdict.TAKEN, ""
    code, message = _error(answer)
    words = f"{code}: {message}".strip(": ")
    if code == "UNREGISTERED":
        return Verdict.GONE, words
    if status == 429 or status >= 500:
        return Verdict.LATER, words
    return Verdict.REFUSED, words


def _error(answer: bytes) -> tuple[str, str]:
    """The code and the sentence of an error, as far as it is one of theirs."""
    try:
        error = orjson.loads(answer)["error"]
        details = [one for one in error.get("details", ()) if "errorCode" in one]
        return str(details[0]["errorCode"] if details else error["status"]), str(error.get("message", ""))
    except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError):
        return "", ""


async def authorization(*, fresh: bool = False) -> str:
    """The header with a valid access token; `fresh`: the one we had was refused. Raises NoToken."""
    credentials = _credentials(orjson.dumps(settings.FCM_CREDENTIALS))
    async with _turn(asyncio.get_running_loop()):
        if fresh or not credentials.valid:
            try:
                await asyncio.to_thread(credentials.refresh, _within(PATIENCE))
            except RefreshError as refusal:
                if refusal.retryable:
                    raise NoToken(_words(refusal), is_ours=False) from None
                raise NoToken(_words(refusal), is_ours=True) from None
            except TransportError:
                raise NoToken("Google’s sign-in cannot be reached", is_ours=False) from None
    return f"Bearer {credentials.token}"


def _words(refusal: RefreshError) -> str:
    return f"Google’s sign-in refused the credentials: {refusal.args[0] if refusal.args else refusal}"


def _within(seconds: float) -> Request:
    """google-auth's way of asking, with less patience than its own two minutes."""
    return cast(Request, partial(Request(), timeout=seconds))


@lru_cache(maxsize=2)
def _credentials(info: bytes) -> Credentials:
    made = Credentials.from_service_account_info(orjson.loads(info), scopes=[SCOPE])  # type: ignore[no-untyped-call]
    return cast(Credentials, made)


@lru_cache(maxsize=2)
def _turn(_loop: asyncio.AbstractEventLoop) -> asyncio.Lock:
    """One asks for a token at a time; the others use what it got."""
    return asyncio.Lock()
