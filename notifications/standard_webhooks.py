"""What every webhook has in common: where it may go, how it is signed, and what an answer means.

The Standard Webhooks specification has three headers: `webhook-id`, the same at each attempt of one message;
`webhook-timestamp`, of this attempt; `webhook-signature`, HMAC-SHA256 over “id.timestamp.body” in base64. While a
secret is being replaced both sign.
"""

import base64
import hmac
import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from django.utils import timezone
from django.utils.translation import gettext as _

from notifications import outgoing
from notifications.posting import Reply, Verdict

PREFIX = "whsec_"
SECRET_BYTES = 32  # the specification allows 24 to 64
OVERLAP = timedelta(hours=24)  # both secrets sign after a rotation

Secret = Mapping[str, str]  # `key`; after a rotation `old` and `old_until` too


def problem_with(url: str) -> str:
    """Why posts cannot go to an address, in a sentence; nothing when they can. Looks the name up."""
    try:
        outgoing.check(url, resolve=True)
    except outgoing.BadAddress as refusal:
        return _("Webhooks go to the ports 443 and 8443 only.") if _only_the_port_is_wrong(url) else str(refusal)
    return ""


def where(url: str) -> str:
    """Where an address leads, without what may be secret in it."""
    return outgoing.origin_of(url).partition("://")[2]


def headers(id_: str, secret: Secret, body: bytes, *, at: int) -> dict[str, str]:
    """What goes with the body."""
    signatures = [signature(key, id_, at, body) for key in signing(secret, at=at)]
    return {
        "Content-Type": "application/json",
        "User-Agent": "Bellhop-Webhooks/1",
        "webhook-id": id_,
        "webhook-timestamp": str(at),
        "webhook-signature": " ".join(signatures),
    }


def signing(secret: Secret, *, at: int) -> list[str]:
    """The keys that sign at that moment, the new one first."""
    keys = [secret["key"]]
    if secret.get("old") and datetime.fromisoformat(secret["old_until"]).timestamp() > at:
        keys.append(secret["old"])
    return keys


def signature(key: str, id_: str, at: int, body: bytes) -> str:
    """One signature, “v1,…”."""
    words = b"%s.%d.%s" % (id_.encode(), at, body)
    signed = hmac.digest(base64.b64decode(key.removeprefix(PREFIX)), words, "sha256")
    return f"v1,{base64.b64encode(signed).decode()}"


def new_key() -> str:
    return PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def replaced(secret: Secret) -> dict[str, str]:
    """A new key; the present one signs beside it for a day."""
    return {"key": new_key(), "old": secret["key"], "old_until": (timezone.now() + OVERLAP).isoformat()}


def old_until(secret: Secret) -> datetime | None:
    """Until when the key before the present one signs, too."""
    until = datetime.fromisoformat(secret["old_until"]) if secret.get("old") else None
    return until if until and until > timezone.now() else None


def verdict_of(reply: Reply) -> Verdict:
    """2xx is taken, 410 ends the endpoint, everything else is tried again (the specification)."""
    return Verdict.TAKEN if reply.is_success else Verdict.GONE if reply.status == 410 else Verdict.LATER


def words_of(reply: Reply) -> str:
    """What is worth keeping of an answer."""
    if reply.is_success:
        return ""
    return f"{reply.words} (redirects are not followed)" if 300 <= reply.status < 400 else reply.words


def _only_the_port_is_wrong(url: str) -> bool:
    try:
        outgoing.check(url, resolve=False, ports=None)
    except outgoing.BadAddress:
        return False
    return urlsplit(url).port not in (None, *outgoing.PORTS)
