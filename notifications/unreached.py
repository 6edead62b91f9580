"""Required notices that could reach nobody (N-005): what failed, and whom the next one would not reach.

What is required must arrive whatever a member prefers, so somebody has to look after it. Everything is read from
indexes of what is wrong, which are short, and never more than can be shown.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from allauth.account.models import EmailAddress
from django.db import connection
from django.db.models import Exists, Max, OuterRef
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import Account, Membership
from notifications import channels, reasons, types
from notifications.channels.base import Channel
from notifications.models import BrowserSubscription
from notifications.types.base import NotificationType

if TYPE_CHECKING:
    from django_stubs_ext import StrPromise

DAYS = 30
MOST = 200  # of each sort
EXAMINED = 50_000  # failures that are looked at, the newest first
EMAIL = "email"


class Sort(StrEnum):
    """What is wrong."""

    NOTICE = "notice"
    ADDRESS = "address_fails"
    UNVERIFIED = "address_not_verified"
    DEVICES = "devices_dead"


ADVICE: dict[Sort, "StrPromise"] = {
    Sort.NOTICE: _("Tell the person another way; then put right why it failed and send it again."),
    Sort.ADDRESS: _("Ask for an address that works, and invite the person with it."),
    Sort.UNVERIFIED: _("Ask the person to open the link in the mail, or send the invitation again."),
    Sort.DEVICES: _("Ask the person to open Bellhop in that browser once and allow notifications again."),
}
WHY: dict[Sort, "StrPromise"] = {
    Sort.UNVERIFIED: _("Nobody has confirmed yet that this address is theirs."),
    Sort.DEVICES: _("Each of their browsers refused the last push."),
}


@dataclass(frozen=True)
class Unreached:
    """One member and one thing that is wrong; of a notice also which, over which channel, and how often."""

    sort: Sort
    member_id: int
    name: str
    email: str
    why: str
    at: datetime | None = None
    kind: NotificationType | None = None
    channel: Channel | None = None
    delivery_id: int | None = None  # the newest that failed
    count: int = 1

    @property
    def advice(self) -> str:
        return str(ADVICE[self.sort])


@dataclass(frozen=True)
class Findings:
    """What was found, the most urgent first."""

    rows: list[Unreached]
    is_more: bool  # there is more of at least one sort than is listed

    @property
    def count(self) -> int:
        return len(self.rows)

    @property
    def shown(self) -> str:
        """The count as it can be told: 45, or 200+."""
        return f"{self.count}+" if self.is_more else str(self.count)


def find(account: Account) -> Findings:
    """All that keeps required notices from members of the account: five statements, whatever the number of rows."""
    since = timezone.now() - timedelta(days=DAYS)
    sorts = (_notices(account, since), _failing(account, since), _unverified(account), _devices(account))
    rows = [row for found in sorts for row in found[:MOST]]
    return Findings(rows, is_more=any(len(found) > MOST for found in sorts))


def required_cells() -> list[tuple[str, str]]:
    """The cells that nobody can turn off and that leave the building."""
    return [
        (kind.key, key) for kind in types.TYPES.values() for key in sorted(kind.required) if key in channels.CARRIER
    ]


def _notices(account: Account, since: datetime) -> list[Unreached]:
    """Required notices whose delivery has failed, those of one kind to one member taken together."""
    cells = required_cells()
    rows = _read(
        """
        SELECT d.member_id, e.type, d.channel, max(d.created_at), max(d.id), count(*),
               (array_agg(d.error ORDER BY d.id DESC))[1]
        FROM (
            SELECT id, member_id, event_id, channel, created_at, error FROM notifications_delivery
            WHERE status = 'failed' AND channel = ANY(%(channels)s) AND created_at >= %(since)s
            ORDER BY created_at DESC LIMIT %(examined)s
        ) AS d
        JOIN notifications_event e ON e.id = d.event_id AND e.account_id = %(account)s
        JOIN unnest(%(types)s::text[], %(keys)s::text[]) AS cell(type, channel)
             ON cell.type = e.type AND cell.channel = d.channel
        JOIN accounts_membership m ON m.id = d.member_id AND m.is_active
        GROUP BY d.member_id, e.type, d.channel ORDER BY max(d.created_at) DESC LIMIT %(most)s
        """,
        account,
        since,
        channels=sorted({key for _type, key in cells}),
        types=[key for key, _channel in cells],
        keys=[channel for _type, channel in cells],
    )
    return _named(
        Unreached(
            sort=Sort.NOTICE,
            member_id=member_id,
            name="",
            email="",
            why=reasons.words_of(error),
            at=at,
            kind=types.TYPES[type_key],
            channel=channels.CHANNELS[channel],
            delivery_id=delivery_id,
            count=count,
        )
        for member_id, type_key, channel, at, delivery_id, count, error in rows
    )


def _failing(account: Account, since: datetime) -> list[Unreached]:
    """Members whose newest mails all failed: nothing has been sent to them since."""
    rows = _read(
        """
        SELECT d.member_id, max(d.created_at), max(d.id), count(*), (array_agg(d.error ORDER BY d.id DESC))[1]
        FROM (
            SELECT id, member_id, created_at, error FROM notifications_delivery
            WHERE status = 'failed' AND channel = %(channel)s AND created_at >= %(since)s
            ORDER BY created_at DESC LIMIT %(examined)s
        ) AS d
        JOIN accounts_membership m ON m.id = d.member_id AND m.account_id = %(account)s AND m.is_active
        WHERE NOT EXISTS (
            SELECT FROM notifications_delivery s
            WHERE s.member_id = d.member_id AND s.channel = %(channel)s AND s.status = 'sent' AND s.id > d.id
        )
        GROUP BY d.member_id ORDER BY max(d.created_at) DESC LIMIT %(most)s
        """,
        account,
        since,
        channel=EMAIL,
    )
    return _named(
        Unreached(
            sort=Sort.ADDRESS,
            member_id=member_id,
            name="",
            email="",
            why=reasons.words_of(error),
            at=at,
            channel=channels.CHANNELS[EMAIL],
            delivery_id=delivery_id,
            count=count,
        )
        for member_id, at, delivery_id, count, error in rows
    )


def _unverified(account: Account) -> list[Unreached]:
    verified = EmailAddress.objects.filter(
        user_id=OuterRef("user_id"), email__iexact=OuterRef("user__email"), verified=True
    )
    rows = _members(account).filter(~Exists(verified)).values_list("pk", "user__name", "user__email", "created_at")
    return [
        Unreached(Sort.UNVERIFIED, pk, name or email, email, str(WHY[Sort.UNVERIFIED]), at=at)
        for pk, name, email, at in rows.order_by("pk")[: MOST + 1]
    ]


def _devices(account: Account) -> list[Unreached]:
    """Members who allowed notifications in browsers, each of which refused the last push."""
    theirs = BrowserSubscription.objects.filter(user_id=OuterRef("user_id"))
    rows = (
        _members(account)
        .filter(Exists(theirs), ~Exists(theirs.filter(last_error_at=None)))
        .annotate(at=Max("user__browser_subscriptions__last_error_at"))
        .order_by("pk")
        .values_list("pk", "user__name", "user__email", "at")
    )
    return [
        Unreached(Sort.DEVICES, pk, name or email, email, str(WHY[Sort.DEVICES]), at=at)
        for pk, name, email, at in rows[: MOST + 1]
    ]


def _members(account: Account) -> Any:
    return Membership.objects.active().of(account)


def _read(statement: str, account: Account, since: datetime, **values: Any) -> list[tuple[Any, ...]]:
    given: dict[str, Any] = {"account": account.pk, "since": since, "examined": EXAMINED, "most": MOST + 1}
    with connection.cursor() as cursor:
        cursor.execute(statement, given | values)
        return list(cursor.fetchall())


def _named(rows: Iterator[Unreached]) -> list[Unreached]:
    """The same with the names and addresses of the members, read at once."""
    found = list(rows)
    people = Membership.objects.filter(pk__in={row.member_id for row in found}, user__is_active=True)
    names = {pk: (name or email, email) for pk, name, email in people.values_list("pk", "user__name", "user__email")}
    return [
        replace(row, name=names[row.member_id][0], email=names[row.member_id][1])
        for row in found
        if row.member_id in names
    ]
