"""The phones of a person (N-037): everything on which the mobile channel reaches them, in one list.

A phone is forgotten and tested by its reference, which says nothing to anybody else: “web-12”, “native-7”.
"""

from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from accounts.errors import DomainError
from accounts.models import Membership, User
from notifications.models import BrowserSubscription, Device, Platform
from notifications.native import devices, jobs
from notifications.push import subscribing

WEB, NATIVE = "web", "native"


class UnknownPhone(DomainError):
    code = "unknown_phone"
    status = 404


@dataclass(frozen=True)
class Phone:
    """One line of the list."""

    ref: str
    name: str
    kind: str
    seen_at: datetime
    added_at: datetime
    last_success_at: datetime | None
    last_error: str
    is_silent: bool = False
    why_not: str = ""  # why this installation cannot send to it at all
    digest: str = ""  # by this a page finds the phone it runs on


def of(person: User) -> list[Phone]:
    """A person's phones, the one seen last first."""
    found = [_web(row) for row in person.browser_subscriptions.filter(is_phone=True)]
    found += [_native(row) for row in person.devices.all()]
    return sorted(found, key=lambda phone: phone.seen_at, reverse=True)


def _web(row: BrowserSubscription) -> Phone:
    return Phone(
        ref=f"{WEB}-{row.pk}",
        name=row.browser or _("Unknown phone"),
        kind=_("Web app"),
        seen_at=row.seen_at,
        added_at=row.created_at,
        last_success_at=row.last_success_at,
        last_error=row.last_error,
        is_silent=row.is_silent,
        digest=row.digest,
    )


def _native(row: Device) -> Phone:
    why = jobs.why_not(row.platform)
    return Phone(
        ref=f"{NATIVE}-{row.pk}",
        name=row.name or (_("iPhone") if row.platform == Platform.APNS else _("Phone")),
        kind=_("Native app"),
        seen_at=row.seen_at,
        added_at=row.created_at,
        last_success_at=row.last_success_at,
        last_error=row.last_error,
        why_not=_(why) if why else "",
    )


def forget(person: User, ref: str) -> None:
    """No more notifications to one of a person's phones. Refuses what is not theirs as unknown."""
    row = _find(person, ref)
    if isinstance(row, BrowserSubscription):
        subscribing.forget(person, row.pk)
    else:
        row.delete()


def send_test(member: Membership, ref: str) -> str:
    """Send a test to one of the person's phones and say where it went. Refuses in words where it failed."""
    row = _find(member.user, ref)
    return devices.test(member, row) if isinstance(row, Device) else subscribing.send_test(member, row)


def _find(person: User, ref: str) -> BrowserSubscription | Device:
    kind, _dash, given = ref.partition("-")
    id_ = int(given) if given.isascii() and given.isdecimal() and len(given) < 18 else 0
    row: BrowserSubscription | Device | None = None
    if kind == WEB:
        row = person.browser_subscriptions.filter(pk=id_, is_phone=True).first()
    elif kind == NATIVE:
        row = person.devices.filter(pk=id_).first()
    if row is None:
        raise UnknownPhone(_("This phone is not in your list any more."))
    return row
