"""Whom a change to an account's layers reaches: counted in SQL over all members, before and after it.

`read` gives what the account's super admins have set; `measure` compares two such states. Nothing loops over
members here: the layers are constants of one statement, as in the fan-out.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import connection, transaction

from accounts.models import Account, Role
from notifications import channels, layers, resolution, types
from notifications.channels.base import Channel
from notifications.models import AccountDefault, Profile, ProfileCells
from notifications.resolution import Choice, Layers, ProfileChoice
from notifications.types.base import NotificationType

NOTHING = Choice()


@dataclass(frozen=True)
class SaidProfile:
    """A profile with all it says, by type."""

    id: int
    role: str
    team_id: int | None
    cells: Mapping[str, Choice]


@dataclass(frozen=True)
class Said:
    """All that an account's super admins have set at one moment. Profiles in the order in which they answer."""

    defaults: Mapping[str, Choice] = field(default_factory=dict)
    profiles: tuple[SaidProfile, ...] = ()
    locks: Mapping[str, Choice] = field(default_factory=dict)

    def of(self, kind: NotificationType) -> Layers:
        """The layers of one type. Every profile stands in them, whether it says something of the type or not."""
        return Layers(
            offered=channels.mask(kind.offered),
            required=channels.mask(kind.required),
            built_in=channels.mask(kind.defaults),
            lock=self.locks.get(kind.key, NOTHING),
            default=self.defaults.get(kind.key, NOTHING),
            profiles=tuple(
                ProfileChoice(profile.id, profile.role, profile.team_id, profile.cells.get(kind.key, NOTHING))
                for profile in self.profiles
            ),
        )


@dataclass(frozen=True)
class CellReach:
    """One cell: for how many members it turns on or off, and how many chose otherwise themselves and keep that."""

    type: NotificationType
    channel: Channel
    turned_on: int = 0
    turned_off: int = 0
    keep_own: int = 0


@dataclass(frozen=True)
class Reach:
    """What a change does to the members of an account, all cells together and one by one."""

    members_affected: int = 0
    cells_affected: int = 0
    keep_own: int = 0
    cells: tuple[CellReach, ...] = ()
    members: Sequence[int] = ()  # those for whom at least one cell turns on or off


def read(account: Account) -> Said:
    """What stands now: four queries, however many types and profiles there are."""
    by_profile: dict[int, dict[str, Choice]] = {}
    for row in ProfileCells.objects.filter(profile__account=account):
        by_profile.setdefault(row.profile_id, {})[row.type] = Choice(row.chosen, row.on)
    locks: dict[str, Choice] = {}
    for lock in layers.standing_locks(account):
        if channel := channels.CHANNELS.get(lock.channel):
            before = locks.get(lock.type, NOTHING)
            locks[lock.type] = Choice(before.chosen | channel.bit, before.on | (channel.bit if lock.is_on else 0))
    return Said(
        defaults={row.type: Choice(row.chosen, row.on) for row in AccountDefault.objects.filter(account=account)},
        profiles=tuple(
            SaidProfile(row.pk, row.role, row.team_id, by_profile.get(row.pk, {}))
            for row in Profile.objects.filter(account=account)
        ),
        locks=locks,
    )


def measure(account: Account, before: Said, after: Said, *, turned_round: Said | None = None) -> Reach:
    """Count what the step from `before` to `after` does to the active members of the account.

    `turned_round` is `after` with each cell of the change set the other way: where that makes a difference, the
    change is what decides for a member, unless they chose themselves. It only serves `keep_own`.
    """
    kinds = [
        kind
        for kind in types.TYPES.values()
        if before.of(kind) != after.of(kind) or (turned_round and turned_round.of(kind) != after.of(kind))
    ]
    if not kinds:
        return Reach()
    touched, values = _touched_sql(account, kinds, before, after, turned_round)
    counts = ", ".join(
        f"coalesce(sum(weight) FILTER (WHERE turned & after & {bit} > 0), 0)::bigint, "
        f"coalesce(sum(weight) FILTER (WHERE turned & ~after & {bit} > 0), 0)::bigint, "
        f"coalesce(sum(weight) FILTER (WHERE kept & {bit} > 0), 0)::bigint"
        for bit in channels.BITS
    )
    weighed = "coalesce((SELECT sum(weight) FROM units WHERE id IN (SELECT unit FROM touched WHERE {} > 0)), 0)::bigint"
    totals = [weighed.format("turned"), weighed.format("kept"), *["0"] * (len(channels.BITS) * 3 - 2)]
    rows = _run(
        f"""{touched}
        SELECT kind, NULL::bigint[], {counts} FROM touched GROUP BY kind
        UNION ALL SELECT NULL, (
            SELECT array_agg(id ORDER BY id) FROM members WHERE unit IN (SELECT unit FROM touched WHERE turned > 0)
        ), {", ".join(totals)}
        ORDER BY kind NULLS LAST""",
        values,
    )
    *by_kind, (_all, members, members_affected, keep_own, *_none) = rows
    return Reach(
        members_affected=members_affected,
        members=members or [],
        cells_affected=sum(sum(row[i] + row[i + 1] for i in range(2, len(row), 3)) for row in by_kind),
        keep_own=keep_own,
        cells=tuple(
            CellReach(kinds[number], channel, *counted[i * 3 : i * 3 + 3])
            for number, _members, *counted in by_kind
            for i, channel in enumerate(channels.ALL)
            if any(counted[i * 3 : i * 3 + 3])
        ),
    )


def _touched_sql(
    account: Account, kinds: list[NotificationType], before: Said, after: Said, turned_round: Said | None
) -> tuple[str, dict[str, Any]]:
    """WITH … touched: a row (kind, unit, weight, after, turned, kept) per unit and type for which something moves.

    Members who chose nothing of these types and have role, seat, permissions, switches and profiles in common get
    the same answers: they are decided once, as a unit that weighs as much as they are many.
    """
    values: dict[str, Any] = {"account": account.pk, "types": [kind.key for kind in kinds]}
    per_kind = [
        _kind_sql(
            number, kind, before.of(kind), after.of(kind), turned_round.of(kind) if turned_round else None, values
        )
        for number, kind in enumerate(kinds)
    ]
    return (
        f"""
        WITH present AS MATERIALIZED (
            SELECT m.id, m.role, m.seat, m.permissions, coalesce(s.switched_off, 0)::int AS switched_off,
                   {_profiles_sql(before, "was", values)} AS was, {_profiles_sql(after, "becomes", values)} AS becomes
            FROM accounts_membership m
            JOIN accounts_user u ON u.id = m.user_id
            LEFT JOIN notifications_membersettings s ON s.member_id = m.id
            WHERE m.account_id = %(account)s AND m.is_active AND u.is_active
        ), own AS MATERIALIZED (
            SELECT p.member_id, p.type, p.chosen::int AS chosen, p."on"::int AS is_on
            FROM notifications_preference p
            WHERE p.type = ANY(%(types)s) AND p.chosen > 0 AND p.member_id IN (SELECT id FROM present)
        ), members AS MATERIALIZED (
            SELECT *, CASE WHEN has_own THEN id ELSE min(id) OVER (
                PARTITION BY has_own, role, seat, permissions, switched_off, was, becomes) END AS unit
            FROM (SELECT *, id IN (SELECT member_id FROM own) AS has_own FROM present) AS known
        ), units AS MATERIALIZED (
            SELECT unit AS id, count(*) AS weight, role, seat, permissions, switched_off, was, becomes
            FROM members GROUP BY unit, role, seat, permissions, switched_off, was, becomes
        ), touched AS MATERIALIZED ({" UNION ALL ".join(per_kind)})""",
        values,
    )


def _kind_sql(
    number: int,
    kind: NotificationType,
    was: Layers,
    becomes: Layers,
    other: Layers | None,
    values: dict[str, Any],
) -> str:
    """The units for which one type changes. `wanted` is what they would get without a choice of their own."""
    own = {"own_chosen": "own_chosen", "own_on": "own_on", "switched_off": "switched_off"}
    none = {"own_chosen": "0", "own_on": "0", "switched_off": "0"}
    wanted = resolution.channels_sql(becomes, **none, profiles="becomes")
    wanted_before = resolution.channels_sql(was, **none, profiles="was")
    wanted_other = resolution.channels_sql(other, **none, profiles="becomes") if other else wanted_before
    values[f"type{number}"] = kind.key
    return f"""
        SELECT {number} AS kind, unit, weight, after, before # after AS turned,
               (wanted # after) & ((wanted # wanted_other) | (wanted # wanted_before)) & ~(before # after) AS kept
        FROM (
            SELECT m.id AS unit, m.weight,
                   {resolution.channels_sql(was, **own, profiles="was")} AS before,
                   {resolution.channels_sql(becomes, **own, profiles="becomes")} AS after,
                   {wanted} AS wanted, {wanted_before} AS wanted_before, {wanted_other} AS wanted_other
            FROM (
                SELECT m.*, coalesce(o.chosen, 0) AS own_chosen, coalesce(o.is_on, 0) AS own_on
                FROM units m LEFT JOIN own o ON o.member_id = m.id AND o.type = %(type{number})s
                WHERE {_exists_sql(kind, number, values)}
            ) AS m
        ) AS cells
        WHERE before <> after OR wanted <> after"""


def _exists_sql(kind: NotificationType, number: int, values: dict[str, Any]) -> str:
    """Whether a type exists for member m. The twin of `NotificationType.is_for`."""
    parts = ["true"]
    if kind.for_role:
        parts.append(f"m.role = %(for_role{number})s")
        values[f"for_role{number}"] = kind.for_role
    if kind.for_seat:
        parts.append(f"m.seat = %(for_seat{number})s")
        values[f"for_seat{number}"] = kind.for_seat
    if kind.needs_permission:
        parts.append(f"(m.role = '{Role.SUPER_ADMIN}' OR %(needs{number})s = ANY(m.permissions))")
        values[f"needs{number}"] = kind.needs_permission
    return " AND ".join(parts)


def _profiles_sql(said: Said, name: str, values: dict[str, Any]) -> str:
    """The profiles of `said` that apply to member m, as bits. The twin of `resolution.matching`."""
    parts = ["0"]
    for i, profile in enumerate(said.profiles):
        if profile.role:
            values[f"{name}{i}"] = profile.role
            applies = f"m.role = %({name}{i})s"
        else:
            values[f"{name}{i}"] = profile.team_id
            applies = (
                f"(m.primary_team_id = %({name}{i})s OR m.id IN "
                f"(SELECT x.membership_id FROM accounts_membership_extra_teams x WHERE x.team_id = %({name}{i})s))"
            )
        parts.append(f"CASE WHEN {applies} THEN {1 << i} ELSE 0 END")
    return " | ".join(parts)


@transaction.atomic
def _run(statement: str, values: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        # Compiling the long expressions would take longer than running them.
        cursor.execute("SET LOCAL jit = off")
        cursor.execute(statement, values)
        return list(cursor.fetchall())
