"""Writing one mail: subject, headers, plain text and HTML, as the bytes that go over the wire."""

import email
import email.policy
import re
import time
from dataclasses import dataclass
from email.message import EmailMessage as ParsedMail
from email.utils import formatdate
from functools import cached_property, lru_cache
from html import escape
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.utils import formats, translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from notifications import caps
from notifications.channels.base import Missed, Parcel
from notifications.mail import links, listing, sheets
from notifications.mail.headers import (
    deliverable,
    harmless,
    header,
    mailbox,
    name_and_address,
    one_line,
    printable,
)
from notifications.mail.links import Reader

COLUMNS = 72
LIST = "\ue002"  # where the lists go, whose lines are wrapped already
BOUNDARY = "=_bellhop"  # “=_” never occurs in quoted-printable, so no text can contain it
_CAN_LINK = re.compile(r"https?://", re.IGNORECASE)


@dataclass(frozen=True)
class Letter:
    """A mail ready for the wire. Lines end in CRLF; dots are not doubled yet."""

    parcel: Parcel
    sender: str
    to: str
    raw: bytes

    def as_message(self) -> "Posted":
        """The same for Django's mail backends that are not SMTP: the outbox of the tests, the sandbox."""
        return Posted(self)


class Posted(EmailMultiAlternatives):
    """A finished mail, for backends that want Django's object."""

    def __init__(self, letter: Letter) -> None:
        self.raw = letter.raw
        parsed = self.parsed
        parts = {kind: parsed.get_body((kind,)) for kind in ("plain", "html")}
        text, page = (part.get_content() if part else "" for part in parts.values())
        super().__init__(
            subject=str(parsed["Subject"]),
            body=text,
            from_email=str(parsed["From"]),
            to=[letter.to],
            headers={name: str(value) for name, value in parsed.items()},
        )
        self.attach_alternative(page, "text/html")

    @cached_property
    def parsed(self) -> ParsedMail:
        return email.message_from_bytes(self.raw, policy=email.policy.default)

    def message(self, *, policy: Any = None) -> Any:
        """The mail as written, not assembled anew."""
        return email.message_from_bytes(self.raw, policy=policy or email.policy.SMTP)


def write(parcel: Parcel) -> Letter:
    """Write the mail. Raises Undeliverable when there is no address to write it to."""
    to = deliverable(parcel.email)
    reader = Reader(parcel.member_id, parcel.type_key)
    words = _words(parcel, to, reader)
    listed = parcel.message.sections
    shape = sheets.Shape(
        bool(words["body"]), parcel.may_turn_off, has_missed=parcel.missed is not None, has_sections=bool(listed)
    )
    plain_list, page_list = listing.laid_out(listed, parcel.language, wrap=wrapped, columns=COLUMNS)
    text = wrapped(sheets.text(parcel.language, shape).fill(words | {"sections": LIST}))
    plain = sheets.quoted(text.replace(LIST, plain_list) if listed else text)
    page = sheets.html(parcel.language, shape).fill(_escaped(words) | {"sections": page_list})
    _name, sender = name_and_address(settings.DEFAULT_FROM_EMAIL)
    part = "Content-Transfer-Encoding: quoted-printable\r\n\r\n"
    raw = b"".join(
        (
            _headers(parcel, to, reader, words["title"]).encode("ascii"),
            f'\r\n\r\n--{BOUNDARY}\r\nContent-Type: text/plain; charset="utf-8"\r\n{part}'.encode(),
            plain,
            f'\r\n--{BOUNDARY}\r\nContent-Type: text/html; charset="utf-8"\r\n{part}'.encode(),
            page,
            f"\r\n--{BOUNDARY}--\r\n".encode(),
        )
    )
    return Letter(parcel, sender, to, raw)


def _words(parcel: Parcel, to: str, reader: Reader) -> dict[str, str]:
    """What fills the gaps, as plain text."""
    message = parcel.message
    body = printable(message.body).strip()
    label = one_line(message.label)
    return {
        "title": one_line(message.title) or label,
        "body": body,
        "url": harmless(message.url) if _CAN_LINK.match(message.url) else settings.BASE_URL,
        "preheader": one_line(body or label, most=120),
        "account": one_line(parcel.account_name, most=80),
        "label": label,
        "unsubscribe": links.unsubscribe(reader) if parcel.may_turn_off else "",
        "why": links.why(parcel.hub_id, parcel.event_id),
        "settings": links.preferences(parcel.hub_id),
        "address": to,
        "missed": _missed(parcel.missed, parcel.language) if parcel.missed else "",
        "list": links.all_notifications(parcel.hub_id),
    }


def _missed(missed: Missed, language: str) -> str:
    """What was held back on an earlier day, in a line."""
    with translation.override(language):
        if missed.is_yesterday:
            words = ngettext(
                "Yesterday %(count)s more of these was not mailed: the daily limit of %(limit)s was reached.",
                "Yesterday %(count)s more of these were not mailed: the daily limit of %(limit)s was reached.",
                missed.count,
            )
        else:
            words = ngettext(
                "On %(day)s %(count)s more of these was not mailed: the daily limit of %(limit)s was reached.",
                "On %(day)s %(count)s more of these were not mailed: the daily limit of %(limit)s was reached.",
                missed.count,
            )
        return words % {
            "count": caps.grouped(missed.count),
            "limit": caps.grouped(missed.limit),
            "day": formats.date_format(missed.day, "DATE_FORMAT"),
        }


def _escaped(words: dict[str, str]) -> dict[str, str]:
    safe = {gap: escape(text) for gap, text in words.items()}
    safe["body"] = safe["body"].replace("\n", "<br>\n")
    return safe


def _headers(parcel: Parcel, to: str, reader: Reader, title: str) -> str:
    """All header lines. Message-ID is the same at every attempt, so that a mail that goes twice can be told."""
    host = _host(settings.BASE_URL)
    lines = [
        _from(settings.DEFAULT_FROM_EMAIL, parcel.account_name, parcel.language),
        f"To: {mailbox(one_line(parcel.name, most=80), to)}",
        header("Subject", title),
        f"Date: {formatdate(time.time())[:-5]}+0000",
        f"Message-ID: <n.{parcel.event_id}.{parcel.member_id}@{host}>",
        "Auto-Submitted: auto-generated",
        "X-Auto-Response-Suppress: All",
        _list_id(parcel.type_key, parcel.message.label, parcel.hub_id, host),
    ]
    if parcel.may_turn_off:
        lines += [
            f"List-Unsubscribe: <{links.one_click(reader)}>",
            "List-Unsubscribe-Post: List-Unsubscribe=One-Click",
        ]
    lines += [
        f"Content-Language: {parcel.language}",
        "MIME-Version: 1.0",
        f'Content-Type: multipart/alternative; boundary="{BOUNDARY}"',
    ]
    return "\r\n".join(lines)


def wrapped(text: str) -> str:
    """Plain text in lines of 72; an address that is longer stays whole. Empty lines never come in threes."""
    lines: list[str] = []
    for line in text.strip().split("\n"):
        line = line.rstrip()
        if len(line) > COLUMNS and " " in line:
            lines += _broken(line)
        elif line or lines[-1]:
            lines.append(line)
    return "\n".join(lines)


def _broken(line: str) -> list[str]:
    """A long line at its spaces. (textwrap does more than is needed, at ten times the price.)"""
    lines, here = [], ""
    for word in line.split():
        if here and len(here) + 1 + len(word) > COLUMNS:
            lines.append(here)
            here = word
        else:
            here = f"{here} {word}" if here else word
    return [*lines, here]


@lru_cache(maxsize=1024)
def _from(sender: str, account_name: str, language: str) -> str:
    name, address = name_and_address(sender)
    account = one_line(account_name, most=80)
    if name and account:
        with translation.override(language):
            name = _("%(account)s via %(product)s") % {"account": account, "product": name}
    return f"From: {mailbox(one_line(name or account), address)}"


@lru_cache(maxsize=4096)
def _list_id(type_key: str, label: str, hub_id: int, host: str) -> str:
    dotted = re.sub(r"[^a-z0-9.]+", "-", type_key.lower()).strip(".-")
    phrase = one_line(label, most=100)
    return (
        f"List-Id: {mailbox(phrase, f'{dotted}.{hub_id}.{host}')}" if phrase else f"List-Id: <{dotted}.{hub_id}.{host}>"
    )


@lru_cache(maxsize=8)
def _host(base_url: str) -> str:
    """Where our Message-IDs are unique: the host of our address."""
    host = urlsplit(base_url).hostname or "localhost"
    return host.encode("idna").decode("ascii") if not host.isascii() else host.replace(":", "-")
