"""The addresses a mail names. Those that act carry a token bound to one purpose, one member and one type."""

from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from django.conf import settings
from django.core.signing import BadSignature, Signer
from django.urls import reverse


class Purpose(StrEnum):
    """What a token is good for; a token made for one is nothing to the other."""

    FOOTER = "footer"  # the page a person opens from the mail
    ONE_CLICK = "one-click"  # the List-Unsubscribe header: only the POST of RFC 8058


@dataclass(frozen=True)
class Reader:
    """Whom a token speaks of: a member, and the type they may turn off with it."""

    member_id: int
    type_key: str


def token(purpose: Purpose, reader: Reader) -> str:
    """A token that nobody can make without our secret key. It does not end: a mail may be old."""
    return _signer(purpose, settings.SECRET_KEY).sign(f"{reader.member_id}.{reader.type_key}")


def open_token(purpose: Purpose, given: str) -> Reader | None:
    """Who is meant, or None when it was not made by us for this purpose."""
    try:
        member_id, _dot, type_key = _signer(purpose, settings.SECRET_KEY).unsign(given).partition(".")
        return Reader(int(member_id), type_key)
    except (BadSignature, ValueError):
        return None


def unsubscribe(reader: Reader) -> str:
    """The page where this member turns this type's mails off."""
    return f"{settings.BASE_URL}{_path('notifications:unsubscribe')}".replace("TOKEN", token(Purpose.FOOTER, reader), 1)


def one_click(reader: Reader) -> str:
    """Where a mail program posts when its own “unsubscribe” is pressed."""
    return f"{settings.BASE_URL}{_path('notifications:unsubscribe-one-click')}".replace(
        "TOKEN", token(Purpose.ONE_CLICK, reader), 1
    )


def why(hub_id: int, event_id: int) -> str:
    """The page that says why a member got this."""
    return f"{settings.BASE_URL}/{hub_id}/notifications/{event_id}/why/"


def preferences(hub_id: int) -> str:
    """The e-mail tab of a member's settings."""
    return f"{settings.BASE_URL}/{hub_id}/settings/notifications/email/"


def all_notifications(hub_id: int) -> str:
    """The page with all of a member's notifications."""
    return f"{settings.BASE_URL}/{hub_id}/notifications/"


@lru_cache
def _signer(purpose: Purpose, key: str) -> Signer:
    return Signer(key=key, salt=f"notifications.mail.links.{purpose}")


@lru_cache
def _path(name: str) -> str:
    return reverse(name, args=["TOKEN"])
