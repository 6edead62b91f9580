"""When somebody who wanted to be left alone is back: what was held is told, as one summary where it is several.

Row-driven: a member's `Silence` that is due is locked, what is no longer held is read, and everything that follows
(the summary's event, the marks on what it tells, the next window) is written in the same transaction. Two of these
share the work; one that dies half-way has done nothing.
"""

import math
import time
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext_noop

from notifications import channels, delivering, events, holding, layers, live, parcels, quiet, summing_up
from notifications.channels.base import Channel
from notifications.models import DeliveryStatus, Event, QuietHours, Silence
from notifications.moments import Hours, Window
from notifications.resolution import Layers
from notifications.summing_up import Summary
from notifications.types.system import CATCH_UP

BATCH = 200  # members at once
SETTLE = timedelta(seconds=60)  # after an end, another look: an event may have been being told across it
STUCK = timedelta(seconds=15)  # a delivery held for longer than it was to be

READ = gettext_noop("It had been read before it was sent.")  # the same words as push.deciding's


@dataclass(frozen=True)
class Item:
    """One notification that was held on one channel."""

    delivery_id: int | None  # None: a pop-up
    event_id: int
    channel: Channel
    type: str
    why_not: str  # it is not to be told any more

    @property
    def takes_each(self) -> bool:
        return bool(getattr(self.channel, "takes_each", False))

    @property
    def interrupts(self) -> bool:
        return bool(self.channel.bit & holding.INTERRUPTING)


@dataclass
class Work:
    """What one batch writes."""

    entries: list[tuple[int, str, str, datetime]] = field(default_factory=list)  # delivery, status, why, due
    summaries: list[Summary] = field(default_factory=list)
    popups: defaultdict[int, list[int]] = field(default_factory=lambda: defaultdict(list))  # event → members
    layers: dict[int, Layers] = field(default_factory=dict)  # what an account's layers say of summaries
    over: list[tuple[int, int]] = field(default_factory=list)  # (member, event) that no hush holds any more


def run_due(*, limit: int = BATCH, seconds: float = math.inf) -> int:
    """Look at everybody who is due, for about so long. Returns how many members that were.

    Safe to run twice and side by side.
    """
    looked, ends = 0, time.monotonic() + seconds
    while time.monotonic() < ends and (count := _run_batch(limit=limit)):
        looked += count
    return looked


def has_due() -> bool:
    """Whether anybody is due; whoever's deliveries were forgotten by an accident becomes so."""
    now = timezone.now()
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE notifications_silence q SET due_at = %(now)s
            WHERE (q.due_at IS NULL OR q.due_at > %(now)s) AND q.member_id IN (
                SELECT member_id FROM notifications_delivery WHERE status = 'held' AND due_at < %(stuck)s
            )
            """,
            {"now": now, "stuck": now - STUCK},
        )
    return Silence.objects.filter(due_at__lte=now).exists()


@transaction.atomic
def _run_batch(*, limit: int) -> int:
    now = timezone.now()
    rows = list(
        Silence.objects.select_for_update(skip_locked=True, of=("self",))
        .select_related("member__account", "member__user")
        .filter(due_at__lte=now)
        .order_by("due_at", "member_id")[:limit]
    )
    if not rows:
        return 0
    holds = {row.pk: _step(row, hours, now) for row, hours in _with_hours(rows)}
    work = Work()
    items, pending = _read([row.pk for row in rows])
    for row in rows:
        _release(row, items[row.pk], holds[row.pk], now, work)
        if not holds[row.pk] & live.POPUP:
            work.over += [(row.pk, event_id) for event_id in pending[row.pk]]
    _write(work, now)
    Silence.objects.bulk_update(rows, ["starts_at", "ends_at", "paused_until", "due_at"])
    transaction.on_commit(lambda: live.tell_state([row.pk for row in rows]), robust=True)
    return len(rows)


def _with_hours(rows: Sequence[Silence]) -> Iterable[tuple[Silence, list[Hours]]]:
    by_member: defaultdict[int, list[Hours]] = defaultdict(list)
    for one in QuietHours.objects.filter(member_id__in=[row.pk for row in rows]):
        by_member[one.member_id].append(Hours(one.weekday, one.starts, one.ends))
    return [(row, by_member[row.pk]) for row in rows]


def _step(row: Silence, hours: list[Hours], now: datetime) -> int:
    """Bring a member's silence up to now. Returns the channels that are held from now on."""
    ended = [end for end in (row.ends_at, row.paused_until) if end is not None and end <= now]
    if row.paused_until is not None and row.paused_until <= now:
        row.paused_until = None
    quiet.compute(row, hours, quiet.zone_of(row.member), now)
    ends = [end for end in (row.ends_at, row.paused_until) if end is not None]
    if ended and now - max(ended) < SETTLE:
        ends.append(now + SETTLE)
    row.due_at = min(ends, default=None)
    if row.paused_until is not None:
        return holding.PAUSABLE
    is_quiet = bool(row.starts_at and row.ends_at and Window(row.starts_at, row.ends_at).holds(now))
    return holding.INTERRUPTING if is_quiet else 0


def _read(member_ids: list[int]) -> tuple[dict[int, list[Item]], dict[int, list[int]]]:
    """What is held for each member, and which of their notifications are marked as hushed."""
    items: defaultdict[int, list[Item]] = defaultdict(list)
    pending: defaultdict[int, list[int]] = defaultdict(list)
    with connection.cursor() as cursor:
        cursor.execute(HELD, {"members": member_ids})
        names = [column.name for column in cursor.description]
        for values in cursor.fetchall():
            row = dict(zip(names, values, strict=True))
            if row["delivery_id"] is None:
                pending[row["member_id"]].append(row["event_id"])
                if not row["pops_up"]:
                    continue
            channel = channels.CHANNELS.get(row["channel"])
            if channel is None:  # a channel that a newer version knows
                continue
            why_not = parcels.objection(row, channel) or ("" if row["is_unread"] else READ)
            items[row["member_id"]].append(
                Item(row["delivery_id"], row["event_id"], channel, row["type"] or "", why_not)
            )
    return items, pending


HELD = f"""
    SELECT h.delivery_id, h.member_id, h.event_id, h.channel, e.type,
           n.read_at IS NULL AND n.archived_at IS NULL AS is_unread,
           coalesce(n.channels, 0) & {live.POPUP} > 0
               AND coalesce((e.layers->>'required')::int, 0) & {live.POPUP} = 0 AS pops_up,
           m.id IS NOT NULL AS is_member, m.is_active AND u.is_active AS is_active,
           p.chosen & ~p."on" AS turned_off, s.switched_off, l.is_on AS locked_on
    FROM (
        SELECT id AS delivery_id, member_id, event_id, channel FROM notifications_delivery
        WHERE status = 'held' AND member_id = ANY(%(members)s)
        UNION ALL
        SELECT NULL, member_id, event_id, 'popup' FROM notifications_notification
        WHERE hushed IN (1, 2) AND member_id = ANY(%(members)s)
    ) h
    LEFT JOIN notifications_event e ON e.id = h.event_id
    LEFT JOIN notifications_notification n ON n.member_id = h.member_id AND n.event_id = h.event_id
    LEFT JOIN accounts_membership m ON m.id = h.member_id
    LEFT JOIN accounts_user u ON u.id = m.user_id
    LEFT JOIN notifications_preference p ON p.member_id = h.member_id AND p.type = e.type
    LEFT JOIN notifications_membersettings s ON s.member_id = h.member_id
    LEFT JOIN notifications_lock l ON l.account_id = e.account_id AND l.type = e.type AND l.channel = h.channel
         AND (l.ends_at IS NULL OR l.ends_at > statement_timestamp())
    ORDER BY h.event_id DESC, h.delivery_id
"""


def _release(row: Silence, items: list[Item], held: int, now: datetime, work: Work) -> None:
    """Decide what becomes of what was held for one member."""
    told: list[Item] = []
    for item in items:
        if item.channel.bit & held:
            if item.delivery_id is not None:  # goes on waiting: until when may have changed
                until, why = _until(row, item, now)
                work.entries.append((item.delivery_id, DeliveryStatus.HELD, why, until))
        elif item.why_not:
            _settle(item, DeliveryStatus.DROPPED, item.why_not, now, work)
        else:
            told.append(item)
    for name, group in _groups(told):
        _tell(row, name, group, now, work)


def _until(row: Silence, item: Item, now: datetime) -> tuple[datetime, str]:
    window = row.ends_at if item.interrupts and row.starts_at and row.starts_at <= now else None
    if row.paused_until is not None:
        return max(row.paused_until, window or row.paused_until), holding.PAUSED
    assert window is not None
    return window, holding.QUIET


def _groups(told: list[Item]) -> Iterable[tuple[str, list[Item]]]:
    """What is summed up together: all that lights up or rings, each other channel for itself; programs get each."""
    groups: defaultdict[str, list[Item]] = defaultdict(list)
    for item in told:
        name = f"each-{item.delivery_id}" if item.takes_each else "now" if item.interrupts else item.channel.key
        groups[name].append(item)
    return groups.items()


def _tell(row: Silence, name: str, group: list[Item], now: datetime, work: Work) -> None:
    """One thing goes itself; several become one summary over the channels that held any of them."""
    news = [item for item in group if item.type != CATCH_UP.key]
    if news:  # a summary that was held itself is summed up with the rest, and counts for nothing
        for item in group:
            if item not in news:
                _settle(item, DeliveryStatus.SUMMED, holding.SUMMED_UP, now, work)
        group = news
    if len({item.event_id for item in group}) == 1:
        for item in group:
            if item.delivery_id is None:
                work.popups[item.event_id].append(row.pk)
            else:
                _settle(item, DeliveryStatus.DUE, "", now, work)
        return
    for item in group:
        _settle(item, DeliveryStatus.SUMMED, holding.SUMMED_UP, now, work)
    account = row.member.account
    if account.pk not in work.layers:
        work.layers[account.pk] = layers.load_one(account, CATCH_UP)
    summary = summing_up.write(
        row.member,
        {item.event_id: item.type for item in group},
        bits=sum({item.channel.bit for item in group}),
        has_list=name != "now",
        key=f"catch-up:{row.pk}:{name}:{int(now.timestamp() * 1000)}",
        said=work.layers[account.pk],
    )
    work.summaries.append(summary)


def _settle(item: Item, status: DeliveryStatus, why: str, now: datetime, work: Work) -> None:
    if item.delivery_id is not None:
        work.entries.append((item.delivery_id, status, why, now))


def _write(work: Work, now: datetime) -> None:
    with connection.cursor() as cursor:
        if work.entries:
            cursor.execute(
                """
                UPDATE notifications_delivery d SET status = given.status, error = given.why, due_at = given.due_at,
                    released_at = CASE given.status WHEN 'held' THEN d.released_at ELSE %s END
                FROM unnest(%s::bigint[], %s::text[], %s::text[], %s::timestamptz[])
                    AS given(id, status, why, due_at)
                WHERE d.id = given.id AND d.status = 'held'
                """,
                [now, *(list(column) for column in zip(*work.entries, strict=True))],
            )
        if work.over:
            cursor.execute(
                """
                UPDATE notifications_notification n SET hushed = n.hushed + 2
                FROM unnest(%s::bigint[], %s::bigint[]) AS given(member_id, event_id)
                WHERE n.member_id = given.member_id AND n.event_id = given.event_id AND n.hushed IN (1, 2)
                """,
                [list(column) for column in zip(*work.over, strict=True)],
            )
    if work.summaries:
        summing_up.fill_lists(work.summaries)
        Event.objects.bulk_create([summary.event for summary in work.summaries])
        events.wake()
    delivering.wake()
    for event in Event.objects.filter(pk__in=work.popups):
        _pop_up_after_commit(event, work.popups[event.pk])


def _pop_up_after_commit(event: Event, members: list[int]) -> None:
    transaction.on_commit(lambda: live.tell_new(event, among=members, first=0, last=0), robust=True)
