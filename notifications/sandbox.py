"""The outbox of an installation without a mail server: every mail is kept as it would have gone out."""

import email
import email.policy
import re
from collections.abc import Sequence
from dataclasses import dataclass
from email.message import EmailMessage as ParsedMail

from django.conf import settings
from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend

from notifications.models import SandboxMail
from notifications.recording import storable

KEPT = 1000  # the newest
PAGE = 25
_BREAK = re.compile(rb"\r?\n")


class SandboxBackend(BaseEmailBackend):
    """A Django mail backend that keeps mails instead of sending them."""

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        """Keep these mails, and of all only the newest thousand."""
        rows = [
            SandboxMail(
                sent_to=", ".join(storable(address) for address in message.recipients())[:1000],
                subject=" ".join(storable(str(message.subject)).split())[:1000],
                raw=getattr(message, "raw", None) or _BREAK.sub(b"\r\n", message.message().as_bytes()),
            )
            for message in email_messages
            if message.recipients()
        ]
        SandboxMail.objects.bulk_create(rows)
        forget_old()
        return len(rows)


def is_open() -> bool:
    """Whether this installation shows its mails: only where none of them leaves, and never in production."""
    return settings.IS_MAIL_SANDBOXED and not settings.IS_PRODUCTION


def forget_old(*, kept: int = KEPT) -> None:
    """Delete all but the newest mails."""
    newest = SandboxMail.objects.order_by("-pk").values_list("pk", flat=True)
    if (last := newest[kept : kept + 1].first()) is not None:
        SandboxMail.objects.filter(pk__lte=last).delete()


@dataclass(frozen=True)
class Page:
    """Some mails, newest first, without their contents; `before` leads to the older ones, or is None."""

    mails: list[SandboxMail]
    before: int | None


def page(*, before: int | None = None, size: int = PAGE) -> Page:
    """A page of the outbox: the newest mails, or those older than `before`."""
    mails = SandboxMail.objects.defer("raw").order_by("-pk")
    if before is not None:
        mails = mails.filter(pk__lt=before)
    found = list(mails[: size + 1])
    return Page(found[:size], found[size - 1].pk if len(found) > size else None)


@dataclass(frozen=True)
class Opened:
    """A kept mail, taken apart for reading."""

    headers: list[tuple[str, str]]
    text: str
    html: str


def opened(kept: SandboxMail) -> Opened:
    """The parts of a kept mail. Never raises: what cannot be read is shown as it is."""
    raw = bytes(kept.raw)
    try:
        parsed = email.message_from_bytes(raw, policy=email.policy.default)
        headers = [(name, str(value)) for name, value in parsed.items()]
        return Opened(headers, _content(parsed, "plain"), _content(parsed, "html"))
    except (LookupError, ValueError, TypeError, AttributeError):
        return Opened([], raw.decode(errors="replace"), "")


def _content(parsed: ParsedMail, kind: str) -> str:
    part = parsed.get_body((kind,))
    return str(part.get_content()) if part is not None else ""
