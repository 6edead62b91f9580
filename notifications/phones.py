"""The phones of a person (N-037): everything on which the mobile channel reaches them, in one list.

A phone is forgotten and tested by its reference, which says nothing to anybody else: “web-12”.
"""

from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from accounts.errors import DomainError
from accounts.models import Membership, User
from notifications.models import BrowserSubscription
from notifications.push import subscribing

WEB = "web"


class UnknownPhone(DomainError):
    code = "unknown_phone"
    status = 404


@dataclass(frozen=True)
class Phone:
    """One line of the list."""

    ref: str
    name: str
    kind: str
    added_at: datetime
    last_success_at: datetime | None
    last_error: str
    is_silent: bool
    digest: str = ""  # by this a page finds the phone it runs on


def of(person: User) -> list[Phone]:
    """A person's phones, the one seen last first."""
    rows = person.browser_subscriptions.filter(is_phone=True).order_by("-seen_at", "-pk")
    return [_web(row) for row in rows]


def _web(row: BrowserSubscription) -> Phone:
    return Phone(
        ref=f"{WEB}-{row.pk}",
        name=row.browser or _("Unknown phone"),
        kind=_("Web app"),
        added_at=row.created_at,
        last_success_at=row.last_success_at,
        last_error=row.last_error,
        is_silent=row.is_silent,
        digest=row.digest,
    )


def forget(person: User, ref: str) -> None:
    """No more notifications to one of a person's phones. Refuses what is not theirs as unknown."""
    _find(person, ref).delete()


def send_test(member: Membership, ref: str) -> str:
    """Send a test to one of the person's phones and say where it went. Refuses in words where it failed."""
    return subscribing.send_test(member, _find(member.user, ref))


def _find(person: User, ref: str) -> BrowserSubscription:
    kind, _dash, given = ref.partition("-")
    id_ = int(given) if given.isascii() and given.isdecimal() and len(given) < 18 else 0
    row = person.browser_subscriptions.filter(pk=id_, is_phone=True).first() if kind == WEB else None
    if row is None:
        raise UnknownPhone(_("This phone is not in your list any more."))
    return row
