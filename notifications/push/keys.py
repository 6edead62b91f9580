"""Our own VAPID key pair (RFC 8292): by it a push service knows that a push comes from whom the browser allowed."""

import base64
import time
from functools import lru_cache

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.conf import settings
from py_vapid import Vapid

HOUR = 3600
VALID = 12 * HOUR  # seconds; a service may refuse more than a day


def is_available() -> bool:
    """Whether this installation can push at all: it has a key and somebody who answers for it."""
    return bool(settings.VAPID_PRIVATE_KEY and settings.VAPID_SUBJECT)


def public() -> str:
    """The public half as browsers take it, or nothing where there is no key."""
    return _public(settings.VAPID_PRIVATE_KEY) if is_available() else ""


def authorization(origin: str) -> str:
    """The header for one push service. Signed once an hour and origin: signing costs more than encrypting."""
    return _signed(settings.VAPID_PRIVATE_KEY, settings.VAPID_SUBJECT, origin, int(time.time()) // HOUR)


@lru_cache(maxsize=1024)
def _signed(key: str, subject: str, origin: str, hour: int) -> str:
    claims = {"aud": origin, "sub": subject, "exp": hour * HOUR + VALID}
    return str(_pair(key).sign(claims)["Authorization"])


@lru_cache(maxsize=4)
def _public(key: str) -> str:
    point = _pair(key).public_key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    return base64.urlsafe_b64encode(point).rstrip(b"=").decode()


@lru_cache(maxsize=4)
def _pair(key: str) -> Vapid:
    return Vapid.from_string(private_key=key)
