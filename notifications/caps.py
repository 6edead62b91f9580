"""At most so many of one type, address and day of the account over one channel (N-016, N-017).

A place is taken in the statement that marks a delivery as being handed over, so that every one of several workers
sees what the others took. The delivery keeps its place: at another attempt on the same day it needs no second one.
What finds no place is held back for good, says so, and is named once by the next that goes to that address.
"""

import logging
import re
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from typing import cast
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.db import connection, transaction
from django.utils import formats, timezone
from django.utils.translation import gettext as _

from accounts.models import Membership
from notifications import types
from notifications.channels.base import Carrier, Channel, DailyCap, Missed
from notifications.models import DailyCount, Delivery, DeliveryStatus

KEPT = 3  # days for which counts are kept
KEPT_CAPPED = 30  # days for which the next mail may still name what was held back
BITE = 1000  # counts that are removed at once
NEVER_LEFT = [DeliveryStatus.FAILED, DeliveryStatus.DROPPED, DeliveryStatus.CAPPED]

log = logging.getLogger(__name__)


@dataclass(frozen=True, order=True)
class Key:
    """What shares one count, beside the channel."""

    account_id: int
    type: str
    address: str
    day: date


def of(channel: Channel | Carrier) -> DailyCap | None:
    """The cap of a channel, if it has one."""
    return cast(DailyCap | None, getattr(channel, "daily_cap", None))


def key(account_id: int, zone: str, type_key: str, address: str) -> Key:
    """Where something that is to leave now counts: the day is the account's, the address is in lower case."""
    return Key(account_id, type_key, normal(address), today(zone))


def normal(address: str) -> str:
    return address.strip().lower()


def today(zone: str) -> date:
    """The date in a time zone, whatever its clocks do that day."""
    return timezone.now().astimezone(_zone(zone)).date()


@lru_cache
def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        log.warning("The time zone %r is unknown here: the daily limit counts days in UTC", name)
        return ZoneInfo("UTC")


# --- Taking places


def mark_sending(
    channel: str, cap: DailyCap, keys: Mapping[int, Key], *, claim: str, seconds: float
) -> dict[int, Missed | None]:
    """Mark claimed deliveries as being handed over, as far as their addresses still have places today.

    The others are held back. Returns those that go, in the order given, each with what it has to name of earlier
    days. One statement, and three more only where something was held back before.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            TAKE,
            {
                "ids": list(keys),
                "accounts": [key.account_id for key in keys.values()],
                "types": [key.type for key in keys.values()],
                "addresses": [key.address for key in keys.values()],
                "days": [key.day for key in keys.values()],
                "channel": channel,
                "cap": cap.limit,
                "claim": claim,
                "lease": seconds,
                "reason": cap.words % {"limit": f"{cap.limit:,}"},
            },
        )
        going = {id_: has_news for id_, goes, has_news in cursor.fetchall() if goes}
    with_news = {id_: key for id_, key in keys.items() if going.get(id_)}
    news = _name_what_was_missed(channel, cap, with_news) if with_news else {}
    return {id_: news.get(id_) for id_ in keys if id_ in going}


# Counts are locked in the order of their keys, so that workers wait for each other and never in a circle. Counts and
# deliveries meet in windows, not joins: the planner cannot know how many there are, and would compare all with all.
TAKE = """
    WITH given AS MATERIALIZED (
        SELECT g.id, g.account_id, g.type, g.address, g.day,
               CASE WHEN c.address = g.address AND c.day = g.day THEN c.id END AS place_id
        FROM unnest(%(ids)s::bigint[], %(accounts)s::bigint[], %(types)s::text[], %(addresses)s::text[],
                    %(days)s::date[]) AS g(id, account_id, type, address, day)
        JOIN notifications_delivery d ON d.id = g.id
        LEFT JOIN notifications_dailycount c ON c.id = d.place_id
        WHERE d.claim = %(claim)s AND d.status = 'claimed'
        ORDER BY d.id FOR NO KEY UPDATE OF d
    ), counted AS (
        INSERT INTO notifications_dailycount AS c (account_id, channel, type, address, day, asked, capped)
        SELECT account_id, %(channel)s, type, address, day, count(*), greatest(0, count(*) - %(cap)s)
        FROM given WHERE place_id IS NULL
        GROUP BY account_id, type, address, day ORDER BY account_id, type, address, day
        ON CONFLICT (day, account_id, channel, type, address) DO UPDATE SET
            asked = c.asked + excluded.asked,
            capped = c.capped + greatest(0, least(excluded.asked, c.asked + excluded.asked - %(cap)s))
        RETURNING c.id, c.account_id, c.type, c.address, c.day, c.asked
    ), together AS (
        SELECT id, account_id, type, address, day, place_id, NULL::bigint AS count_id, NULL::integer AS asked FROM given
        UNION ALL
        SELECT NULL, account_id, type, address, day, NULL, id, asked FROM counted
    ), turns AS (
        SELECT id, account_id, type, address, day, place_id, max(count_id) OVER alike AS count_id,
               max(asked) OVER alike - count(id) FILTER (WHERE place_id IS NULL) OVER alike
               + row_number() OVER (PARTITION BY account_id, type, address, day, place_id IS NULL ORDER BY id) AS turn
        FROM together WINDOW alike AS (PARTITION BY account_id, type, address, day)
    ), fate AS (
        SELECT id, account_id, type, address, day, place_id IS NOT NULL OR turn <= %(cap)s AS goes,
               CASE WHEN place_id IS NULL AND turn <= %(cap)s THEN count_id ELSE place_id END AS place_id
        FROM turns WHERE id IS NOT NULL
    )
    UPDATE notifications_delivery d SET
        status = CASE WHEN fate.goes THEN 'sending' ELSE 'capped' END,
        claim = CASE WHEN fate.goes THEN d.claim ELSE '' END,
        error = CASE WHEN fate.goes THEN d.error ELSE %(reason)s END,
        claimed_until = statement_timestamp() + make_interval(secs => %(lease)s),
        place_id = fate.place_id
    FROM fate WHERE d.id = fate.id
    RETURNING d.id, fate.goes, EXISTS (
        SELECT FROM notifications_dailycount before
        WHERE before.account_id = fate.account_id AND before.channel = %(channel)s AND before.type = fate.type
          AND before.address = fate.address AND before.day < fate.day AND before.capped > 0
          AND (before.told_by_id IS NULL OR before.told_by_id = fate.id OR EXISTS (
              SELECT FROM notifications_delivery t
              WHERE t.id = before.told_by_id AND t.status IN ('failed', 'dropped', 'capped')
          ))
    )
"""


@transaction.atomic
def _name_what_was_missed(channel: str, cap: DailyCap, keys: Mapping[int, Key]) -> dict[int, Missed]:
    """Which of these deliveries name what was held back on an earlier day: each day is named by one of them, once.

    The one that names it does so at every attempt. If it never leaves after all, another one takes over.
    """
    days = _capped_days(channel, keys.values())
    named_by = {row.told_by_id for row in days if row.told_by_id}
    never_left = set(
        Delivery.objects.filter(pk__in=named_by - keys.keys(), status__in=NEVER_LEFT).values_list("pk", flat=True)
    )
    waiting: defaultdict[tuple[int, str, str], list[DailyCount]] = defaultdict(list)
    found: dict[int, Missed] = {}
    for row in days:
        if row.told_by_id is None or row.told_by_id in never_left:
            waiting[row.account_id, row.type, row.address].append(row)
        elif row.told_by_id in keys:
            found[row.told_by_id] = _missed(row, cap, keys[row.told_by_id])
    for id_, here in keys.items():
        earlier = [row for row in waiting[here.account_id, here.type, here.address] if row.day < here.day]
        if earlier and id_ not in found:
            waiting[here.account_id, here.type, here.address].remove(earlier[0])
            DailyCount.objects.filter(pk=earlier[0].pk).update(told_by=id_)
            found[id_] = _missed(earlier[0], cap, here)
    return found


def _capped_days(channel: str, keys: Collection[Key]) -> list[DailyCount]:
    """The days on which something for these addresses was held back, oldest first, locked in the order of TAKE."""
    rows = DailyCount.objects.select_for_update(no_key=True).filter(
        channel=channel,
        capped__gt=0,
        account_id__in={key.account_id for key in keys},
        type__in={key.type for key in keys},
        address__in={key.address for key in keys},
        day__lt=max(key.day for key in keys),
    )
    return list(rows.order_by("account_id", "type", "address", "day"))


def _missed(row: DailyCount, cap: DailyCap, here: Key) -> Missed:
    return Missed(row.capped, cap.limit, row.day, is_yesterday=row.day == here.day - timedelta(days=1))


# --- Saying so


def reason(delivery: Delivery, channel: Channel) -> str:
    """Why a delivery was held back, in the reader's language and with the limit of that day."""
    if (cap := of(channel)) is None:
        return delivery.error
    before, _limit, after = cap.words.partition("%(limit)s")
    if match := re.fullmatch(f"{re.escape(before)}([0-9,]+){re.escape(after)}", delivery.error):
        return _(cap.words) % {"limit": grouped(int(match[1].replace(",", "")))}
    return delivery.error


def grouped(number: int) -> str:
    """1,000 as the reader writes it."""
    return formats.number_format(number, force_grouping=True)


def used_today(member: Membership, channels: Sequence[Channel]) -> dict[str, int]:
    """How many of each type the member's address had today over these channels, as far as they are limited."""
    limited = [channel.key for channel in channels if of(channel)]
    if not limited:
        return {}
    rows = DailyCount.objects.filter(
        account_id=member.account_id,
        channel__in=limited,
        type__in=list(types.TYPES),  # so that the index finds each, however many addresses the account has
        address=normal(member.email),
        day=today(member.account.time_zone),
    )
    return {row.type: row.left for row in rows if row.left}


# --- Forgetting


def forget_old() -> int:
    """Remove a bite of old counts. What was held back is kept longer, for the mail that names it."""
    now = timezone.now().date()
    with connection.cursor() as cursor:
        cursor.execute(
            """
            DELETE FROM notifications_dailycount WHERE id IN (
                SELECT id FROM notifications_dailycount
                WHERE day < %s AND (capped = 0 OR day < %s)
                ORDER BY day LIMIT %s FOR UPDATE SKIP LOCKED
            )
            """,
            [now - timedelta(days=KEPT), now - timedelta(days=KEPT_CAPPED), BITE],
        )
        return int(cursor.rowcount)
