"""What if I had chosen otherwise: the recorded decisions of the last days, made again with other choices.

Every notification kept what the layers said and what the member had chosen. Resolving that again, with the same rule
that the fan-out uses and only the member's own choices and switches put in anew, gives what would have come.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import timedelta
from types import MappingProxyType

from django.db import connection, transaction
from django.utils import timezone

from accounts.models import Membership
from notifications import channels, preferences, reaching, resolution, types
from notifications.channels.base import Channel
from notifications.models import Held
from notifications.preferences import Cell, CellState, Standing
from notifications.resolution import Choice, Layers
from notifications.types.base import NotificationType

DAYS = 14
MOST = 5_000  # of the newest notifications are looked at


@dataclass(frozen=True)
class Decision:
    """What was decided alike for so many notifications of a type."""

    type: str
    said: Layers
    channels: int
    profiles: int
    count: int


@dataclass(frozen=True)
class Tried:
    """One cell of the page: how it stands, how it is tried, and what came and would have come over it."""

    state: CellState
    is_on: bool
    before: int
    after: int

    @property
    def key(self) -> str:
        return f"{self.state.type.key}/{self.state.channel.key}"

    @property
    def id(self) -> str:
        return f"{self.state.type.key.replace('.', '-')}-{self.state.channel.key}"


@dataclass(frozen=True)
class Row:
    """One type that happened, with a cell per channel."""

    kind: NotificationType
    count: int
    cells: list[Tried]


@dataclass(frozen=True)
class Total:
    """One channel: what came, what would have come, and whether it is switched on, really and in the trial."""

    channel: Channel
    before: int
    after: int
    is_on: bool
    was_on: bool

    @property
    def most(self) -> int:
        return max(self.before, self.after, 1)


@dataclass(frozen=True)
class Replay:
    """What came in the last days, and what would have come."""

    rows: list[Row]
    totals: list[Total]
    is_cut: bool
    days: int = DAYS

    @property
    def is_changed(self) -> bool:
        return any(total.is_on != total.was_on for total in self.totals) or any(
            cell.is_on != cell.state.is_kept_on for row in self.rows for cell in row.cells
        )


def replay(
    member: Membership,
    wanted: Mapping[Cell, bool] = MappingProxyType({}),
    switched: Mapping[str, bool] = MappingProxyType({}),
) -> Replay:
    """Make the decisions of the last 14 days again, with the member's choices as they stand now and `wanted` over
    them, and channels switched on or off. What is fixed stays as it is. At most twelve queries."""
    made, is_cut = _decisions(member)
    kinds = [kind for kind in preferences.kinds_for(member) if kind.key in {one.type for one in made}]
    standing = preferences.standing(member, kinds)
    shown = reaching.channels_of(member)
    switched_off = _switched_off(standing.settings.switched_off, switched)
    before: defaultdict[str, Counter[int]] = defaultdict(Counter)
    after: defaultdict[str, Counter[int]] = defaultdict(Counter)
    happened: Counter[str] = Counter()
    for one in made:
        if one.type not in standing.layers:
            continue
        happened[one.type] += one.count
        then = resolution.resolve(
            one.said,
            own=_own(standing, one.type, wanted),
            switched_off=switched_off,
            profiles=one.profiles,
            bits=channels.BITS,
        )
        for channel in shown:
            before[one.type][channel.bit] += one.count * bool(one.channels & channel.bit)
            after[one.type][channel.bit] += one.count * bool(then.channels & channel.bit)
    rows = [
        Row(kind, happened[kind.key], _cells(standing, kind, shown, wanted, before[kind.key], after[kind.key]))
        for kind in sorted(kinds, key=lambda kind: -happened[kind.key])
    ]
    totals = [
        Total(
            channel,
            sum(counts[channel.bit] for counts in before.values()),
            sum(counts[channel.bit] for counts in after.values()),
            is_on=not switched_off & channel.bit,
            was_on=not standing.settings.switched_off & channel.bit,
        )
        for channel in shown
    ]
    return Replay(rows, totals, is_cut)


@transaction.atomic
def save(member: Membership, wanted: Mapping[Cell, bool], switched: Mapping[str, bool]) -> Collection[Cell]:
    """Keep what was tried, all or nothing. Returns the cells that cannot be changed any more."""
    kept = preferences.choose_what_may_be(member, wanted)
    for channel_key, is_on in switched.items():
        if channel_key in channels.CHANNELS:
            preferences.switch(member, channel_key, on=is_on)
    return kept


def _decisions(member: Membership) -> tuple[list[Decision], bool]:
    """The recorded decisions of the last days, those that were alike together; and whether there were too many."""
    since = timezone.now() - timedelta(days=DAYS)
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT e.type, e.layers::text, n.channels, n.profiles, count(*)
            FROM (
                SELECT event_id, channels, profiles, held FROM notifications_notification
                WHERE member_id = %(member)s ORDER BY event_id DESC LIMIT %(most)s
            ) n
            JOIN notifications_event e ON e.id = n.event_id
            WHERE n.held = %(not_held)s AND e.created_at >= %(since)s AND e.layers IS NOT NULL
              AND e.type <> 'system.catch_up' AND coalesce(e.key, '') NOT LIKE 'snooze:%%'
            GROUP BY e.type, e.layers::text, n.channels, n.profiles
            """,
            {"member": member.pk, "most": MOST, "since": since, "not_held": Held.NOT},
        )
        found = cursor.fetchall()
        cursor.execute(
            """
            SELECT EXISTS (SELECT 1 FROM notifications_event e WHERE e.created_at >= %(since)s AND e.id = (
                SELECT event_id FROM notifications_notification
                WHERE member_id = %(member)s ORDER BY event_id DESC OFFSET %(most)s LIMIT 1))
            """,
            {"member": member.pk, "most": MOST, "since": since},
        )
        (is_cut,) = cursor.fetchone()
    made = [
        Decision(type_key, Layers.from_json(json.loads(said)), on, profiles, count)
        for type_key, said, on, profiles, count in found
        if type_key in types.TYPES
    ]
    return made, bool(is_cut)


def _switched_off(mask: int, switched: Mapping[str, bool]) -> int:
    for channel_key, is_on in switched.items():
        if channel_key in channels.CHANNELS:
            bit = channels.CHANNELS[channel_key].bit
            mask = mask & ~bit if is_on else mask | bit
    return mask


def _own(standing: Standing, type_key: str, wanted: Mapping[Cell, bool]) -> Choice:
    """The member's choices for a type as they stand, with what is tried over them."""
    own = standing.own.get(type_key, Choice())
    for (key, channel_key), is_on in wanted.items():
        if key == type_key and channel_key in channels.CHANNELS:
            bit = channels.CHANNELS[channel_key].bit
            own = Choice(own.chosen | bit, own.on | bit if is_on else own.on & ~bit)
    return own


def _cells(
    standing: Standing,
    kind: NotificationType,
    shown: list[Channel],
    wanted: Mapping[Cell, bool],
    before: Mapping[int, int],
    after: Mapping[int, int],
) -> list[Tried]:
    return [
        Tried(
            state,
            is_on=wanted.get((kind.key, state.channel.key), state.is_kept_on)
            if state.is_changeable
            else state.is_kept_on,
            before=before.get(state.channel.bit, 0),
            after=after.get(state.channel.bit, 0),
        )
        for state in standing.cells(kind)
        if state.channel in shown
    ]
