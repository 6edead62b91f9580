"""Webhooks after the Standard Webhooks specification: signed posts to a member's own endpoint.

Three headers: `webhook-id`, the same at each attempt of one message; `webhook-timestamp`, of this attempt;
`webhook-signature`, HMAC-SHA256 over “id.timestamp.body” in base64. While a secret is being replaced both sign.
"""

import base64
import hmac
import logging
import secrets
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from queue import SimpleQueue
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import orjson
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import Membership
from notifications import channels, outgoing
from notifications.channels.base import Parcel
from notifications.channels.webhook import Webhook
from notifications.models import Connection
from notifications.other_apps import connecting, webhook_log
from notifications.other_apps.speaking import Answer, App, BadOffer, Blank, Job, Offer, Secret
from notifications.posting import Reply, Unanswered, Verdict, poster

if TYPE_CHECKING:
    from django_stubs_ext import StrPromise

PREFIX = "whsec_"
SECRET_BYTES = 32  # the specification allows 24 to 64
OVERLAP = timedelta(hours=24)  # both secrets sign after a rotation

log = logging.getLogger(__name__)


class Webhooks:
    """How webhooks are connected and sent."""

    blanks: Sequence[Blank] = (
        Blank(
            "url",
            gettext_lazy("Address of your endpoint"),
            gettext_lazy(
                "An https address on the public internet, port 443 or 8443. Every notification is posted there."
            ),
            "https://example.com/hooks/bellhop",
        ),
    )
    steps: "Sequence[StrPromise]" = ()
    is_told_all = True

    def missing(self) -> str:
        return ""

    def understand(self, given: Mapping[str, str], before: Secret | None) -> Offer:
        """An endpoint. The signing secret stays when only the address changes."""
        url = given.get("url", "").strip()
        try:
            outgoing.check(url, resolve=True)
        except outgoing.BadAddress as refusal:
            words = _("Webhooks go to the ports 443 and 8443 only.") if _only_the_port_is_wrong(url) else str(refusal)
            raise BadOffer(words, fields={"url": [words]}) from None
        kept = {name: before[name] for name in ("key", "old", "old_until") if name in before} if before else {}
        new = "" if kept else new_key()
        label = outgoing.origin_of(url).partition("://")[2]
        return Offer(label, {"url": url, **(kept or {"key": new})}, shown_once=new)

    def begin(self, jobs: Sequence[Job], answers: "SimpleQueue[Answer]") -> None:
        poster().line_up((job.secret["url"], self._answer(job, answers)) for job in jobs)

    def learn(self, answers: Sequence[Answer]) -> None:
        webhook_log.write(answers)

    async def _answer(self, job: Job, answers: "SimpleQueue[Answer]") -> None:
        try:
            answers.put(await self._send(job))
        except Unanswered as silence:
            answers.put(Answer(job, silence.verdict, silence.words))
        except Exception as fault:
            log.exception("The webhook of delivery %s could not be made", job.ref)
            answers.put(Answer(job, Verdict.REFUSED, f"it could not be made: {type(fault).__name__}"))

    async def _send(self, job: Job) -> Answer:
        url, now = job.secret["url"], int(time.time())
        body = packed(job)
        return answer_of(job, await poster().post(url, body=body, headers=headers(job, body, at=now)))


def _only_the_port_is_wrong(url: str) -> bool:
    try:
        outgoing.check(url, resolve=False, ports=None)
    except outgoing.BadAddress:
        return False
    return urlsplit(url).port not in (None, *outgoing.PORTS)


def answer_of(job: Job, reply: Reply) -> Answer:
    """2xx is taken, 410 ends the endpoint, everything else is tried again (the specification)."""
    verdict = Verdict.TAKEN if reply.is_success else Verdict.GONE if reply.status == 410 else Verdict.LATER
    words = "" if reply.is_success else reply.words
    if 300 <= reply.status < 400:
        words = f"{reply.words} (redirects are not followed)"
    return Answer(job, verdict, words, reply.retry_after, reply.status, reply.took)


def payload(job: Job) -> dict[str, object]:
    """What is posted: the type, when it happened, and all that is known of it."""
    parcel, message = job.parcel, job.parcel.message
    return {
        "type": parcel.type_key,
        "timestamp": (job.occurred_at or timezone.now()).astimezone(UTC),
        "data": {
            "event": {"id": parcel.event_id or None, "data": job.data},
            "title": message.title,
            "body": message.body,
            "url": message.url,
            "topic": message.topic,
            "label": message.label,
            "account": {"hub_id": parcel.hub_id, "name": parcel.account_name},
            "member": {"id": parcel.member_id, "email": parcel.email},
        },
    }


def shown(parcel: Parcel, data: Mapping[str, object]) -> str:
    """An example's body, laid out to be read."""
    job = Job(0, 0, "", {}, parcel, occurred_at=datetime(2026, 11, 2, 9, 30, tzinfo=UTC), data=dict(data))
    return orjson.dumps(payload(job), option=orjson.OPT_UTC_Z | orjson.OPT_INDENT_2).decode()


def packed(job: Job) -> bytes:
    return orjson.dumps(payload(job), option=orjson.OPT_UTC_Z)


def headers(job: Job, body: bytes, *, at: int) -> dict[str, str]:
    """What goes with the body."""
    id_ = f"msg_{job.ref}" if job.ref else f"msg_test_{secrets.token_hex(8)}"
    signatures = [signature(key, id_, at, body) for key in signing(job.secret, at=at)]
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


@transaction.atomic
def rotate(member: Membership) -> str:
    """Replace the signing secret and return the new one, which is not shown again. The old one signs for a day too."""
    Membership.objects.select_for_update(no_key=True).get(pk=member.pk)
    connection = connecting.connection_of(member, webhook())
    secret = connecting.opened(connection)
    new = new_key()
    until = (timezone.now() + OVERLAP).isoformat()
    connection.secret = connecting.sealed({"url": secret["url"], "key": new, "old": secret["key"], "old_until": until})
    connection.save(update_fields=["secret"])
    return new


def old_until(connection: Connection) -> datetime | None:
    """Until when the secret before the present one signs, too."""
    secret = connecting.opened(connection)
    until = datetime.fromisoformat(secret["old_until"]) if secret.get("old") else None
    return until if until and until > timezone.now() else None


def webhook() -> Webhook:
    found = channels.APP["webhook"]
    assert isinstance(found, Webhook)
    return found


APPS: dict[str, App] = {"webhook": Webhooks()}
