"""Webhooks after the Standard Webhooks specification: signed posts to a member's own endpoint."""

import logging
import secrets
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from queue import SimpleQueue
from typing import TYPE_CHECKING

import orjson
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy

from accounts.models import Membership
from notifications import channels, standard_webhooks
from notifications.channels.base import Parcel
from notifications.channels.webhook import Webhook
from notifications.models import Connection
from notifications.other_apps import connecting, webhook_log
from notifications.other_apps.speaking import Answer, App, BadOffer, Blank, Job, Offer, Secret
from notifications.posting import Reply, Unanswered, Verdict, poster

if TYPE_CHECKING:
    from django_stubs_ext import StrPromise

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

    def missing(self) -> str:
        return ""

    def understand(self, given: Mapping[str, str], before: Secret | None) -> Offer:
        """An endpoint. The signing secret stays when only the address changes."""
        url = given.get("url", "").strip()
        if problem := standard_webhooks.problem_with(url):
            raise BadOffer(problem, fields={"url": [problem]})
        kept = {name: before[name] for name in ("key", "old", "old_until") if name in before} if before else {}
        new = "" if kept else standard_webhooks.new_key()
        return Offer(standard_webhooks.where(url), {"url": url, **(kept or {"key": new})}, shown_once=new)

    def begin(self, jobs: Sequence[Job], answers: "SimpleQueue[Answer]") -> None:
        poster().send(lambda: [(job.secret["url"], self._answer(job, answers)) for job in jobs])

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


def answer_of(job: Job, reply: Reply) -> Answer:
    verdict, words = standard_webhooks.verdict_of(reply), standard_webhooks.words_of(reply)
    return Answer(job, verdict, words, reply.retry_after, reply.status, reply.took)


def payload(job: Job) -> dict[str, object]:
    """What is posted: the type, when it happened, and all that is known of it."""
    parcel, message = job.parcel, job.parcel.message
    return {
        "type": parcel.type_key,
        "timestamp": (parcel.occurred_at or timezone.now()).astimezone(UTC),
        "data": {
            "event": {"id": parcel.event_id or None, "data": parcel.data},
            "title": message.title,
            "body": message.body,
            "url": message.url,
            "topic": message.topic,
            "label": message.label,
            "account": {"hub_id": parcel.hub_id, "name": parcel.account_name},
            "member": {"id": parcel.member_id, "email": parcel.email},
        },
    }


def shown(parcel: Parcel) -> str:
    """An example's body, laid out to be read."""
    job = Job(0, 0, "", {}, parcel)
    return orjson.dumps(payload(job), option=orjson.OPT_UTC_Z | orjson.OPT_INDENT_2).decode()


def packed(job: Job) -> bytes:
    return orjson.dumps(payload(job), option=orjson.OPT_UTC_Z)


def headers(job: Job, body: bytes, *, at: int) -> dict[str, str]:
    """What goes with the body."""
    id_ = f"msg_{job.ref}" if job.ref else f"msg_test_{secrets.token_hex(8)}"
    return standard_webhooks.headers(id_, job.secret, body, at=at)


@transaction.atomic
def rotate(member: Membership) -> str:
    """Replace the signing secret and return the new one, which is not shown again. The old one signs for a day too."""
    Membership.objects.select_for_update(no_key=True).get(pk=member.pk)
    connection = connecting.connection_of(member, webhook())
    secret = connecting.opened(connection)
    new = standard_webhooks.replaced(secret)
    connection.secret = connecting.sealed({"url": secret["url"], **new})
    connection.save(update_fields=["secret"])
    return new["key"]


def old_until(connection: Connection) -> datetime | None:
    """Until when the secret before the present one signs, too."""
    return standard_webhooks.old_until(connecting.opened(connection))


def webhook() -> Webhook:
    found = channels.APP["webhook"]
    assert isinstance(found, Webhook)
    return found


APPS: dict[str, App] = {"webhook": Webhooks()}
