"""The Apple Push Notification service over HTTP/2: the request, its signature, and what an answer means."""

import time
from functools import lru_cache
from typing import Any

import orjson
from django.conf import settings
from google.auth import jwt
from google.auth.crypt.es import EsSigner

from notifications.native.jobs import MOST, DeviceJob
from notifications.push import payloads
from notifications.push.sending import Verdict

SIGNED_EVERY = 2400  # seconds: Apple wants a new signature between 20 and 60 minutes
GONE = frozenset({"BadDeviceToken", "Unregistered", "ExpiredToken"})


def url(job: DeviceJob) -> str:
    return f"{settings.APNS_URL}/3/device/{job.token}"


def headers(job: DeviceJob) -> dict[str, str]:
    return {
        "authorization": authorization(),
        "apns-topic": settings.APNS_TOPIC,
        "apns-push-type": "alert",
        "apns-priority": "10",
        "apns-expiration": str(int(time.time()) + job.ttl),
        "apns-collapse-id": job.collapses_as,
        "content-type": "application/json",
    }


def body(job: DeviceJob) -> bytes:
    """The payload, small enough."""

    def made(title: str, text: str) -> bytes:
        aps: dict[str, Any] = {"alert": {"title": title, "body": text}, "sound": "default"}
        if job.unread is not None:
            aps["badge"] = job.unread
        return orjson.dumps({"aps": aps, **job.data})

    return payloads.fitted(made, job.title, job.body, most=MOST)


def verdict(status: int, answer: bytes) -> tuple[Verdict, str]:
    """What an answer means for the device, and its words. Our own faults (topic, signature) prune nothing."""
    if status == 200:
        return Verdict.TAKEN, ""
    reason = _reason(answer)
    if status == 410 or reason in GONE:
        return Verdict.GONE, reason
    if status == 429 or status >= 500:
        return Verdict.LATER, reason
    return Verdict.REFUSED, reason


def _reason(answer: bytes) -> str:
    try:
        return str(orjson.loads(answer)["reason"])
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return ""


def authorization() -> str:
    """The header that says who we are; the same for 40 minutes, because Apple refuses new ones more often than that."""
    return _signed(settings.APNS_KEY, settings.APNS_KEY_ID, settings.APNS_TEAM_ID, int(time.time()) // SIGNED_EVERY)


@lru_cache(maxsize=4)
def _signed(key: str, key_id: str, team_id: str, turn: int) -> str:
    signer = EsSigner.from_string(key)
    claims = {"iss": team_id, "iat": turn * SIGNED_EVERY}
    token: bytes = jwt.encode(signer, claims, key_id=key_id)  # type: ignore[no-untyped-call]
    return f"bearer {token.decode()}"
