"""One event becomes a thin row per recipient: preferences resolved and rows written by one statement per batch."""

import logging
from collections import Counter
from dataclasses import dataclass, replace
from typing import Any

from django.db import connection, transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone

from accounts.models import Role
from notifications import channels, holding, layers, live, merging, reaching, resolution, types
from notifications.models import Event, Held
from notifications.resolution import Layers
from notifications.types.base import NotificationType

BATCH = 10_000
log = logging.getLogger(__name__)


def run_due(*, batch: int = BATCH) -> int:
    """Tell everybody about every event that waits. Returns how many notifications were written.

    Safe to run twice and in several processes: an event is claimed with SKIP LOCKED for one batch at a time,
    and its cursor moves in the transaction that writes the rows. An event that comes while the last one is being
    told is left to whoever its emitting wakes.
    """
    written, is_last = 0, False
    while not is_last and (step := run_step(batch=batch)) is not None:
        live.tell_new(step.event, among=step.among, first=step.first, last=step.last)
        written += step.written
        is_last = step.is_last
    return written


@dataclass(frozen=True)
class Step:
    """What one batch did: it decided the members in (first, last] and wrote their rows."""

    event: Event
    first: int
    last: int
    written: int
    among: list[int] | None  # the members to tell live, or None when they are too many to list
    is_last: bool = False  # nothing else waited when the batch was claimed, and the event has no more


@transaction.atomic
def run_step(*, batch: int) -> Step | None:
    """Write the next batch of the oldest event nobody else is at. None when nothing waits."""
    event = (
        Event.objects.select_for_update(skip_locked=True, of=("self",))
        .select_related("account")
        .filter(fanned_out_at=None)
        .annotate(is_alone=~Exists(Event.objects.filter(fanned_out_at=None).exclude(pk=OuterRef("pk"))))
        .order_by("id")
        .first()
    )
    if event is None:
        return None
    kind = types.TYPES.get(event.type)
    if kind is None:  # a type that a newer version knows, or an older one knew: nothing to say
        log.error("event %s has the unknown type %s and is told to nobody", event.pk, event.type)
        event.layers = Layers(offered=0).as_json()
    elif event.layers is None:
        event.layers = layers.load_one(event.account, kind).as_json()
    step = _write(event, kind, batch) if kind else Step(event, event.cursor, event.cursor, 0, [])
    if kind and kind.merges and step.written:
        merging.gather(event, kind.merges)
    event.recipients += step.written
    event.cursor = step.last
    if step.written < batch:
        event.fanned_out_at = timezone.now()
    event.save(update_fields=["layers", "cursor", "recipients", "outcome", "fanned_out_at"])
    return replace(step, is_last=event.is_alone and event.fanned_out_at is not None)


def _write(event: Event, kind: NotificationType, batch: int) -> Step:
    """INSERT … SELECT for the next members of the audience; adds what was decided to `event.outcome`."""
    said = Layers.from_json(event.layers or {})
    decided, values = deciding_sql(event, kind, said)
    statement = f"""
        WITH decided AS ({decided} ORDER BY member_id LIMIT %(batch)s),
        written AS (
            INSERT INTO notifications_notification
                (member_id, event_id, channels, waiting, own, off, profiles, held, hushed)
            SELECT member_id, %(event)s, channels, channels & {channels.CARRIED} & {reaching.MASK},
                   own, off, profiles, held,
                   CASE WHEN channels & {holding.HELD_SQL} & ~{said.required} > 0 THEN hush ELSE 0 END
            FROM decided
            RETURNING member_id, channels, own, off, profiles, held
        )
        SELECT channels, own, off, profiles, held, count(*), max(member_id),
               (SELECT array_agg(member_id) FROM (
                    SELECT member_id FROM written WHERE channels & {live.INSIDE} > 0 LIMIT {live.FEW + 1}) few)
        FROM written GROUP BY channels, own, off, profiles, held
    """
    with connection.cursor() as cursor:
        cursor.execute(statement, {**values, "batch": batch, "event": event.pk})
        rows = cursor.fetchall()
    counts = Counter({tuple(answer[:5]): answer[5] for answer in event.outcome})
    for *answer, count, _last, _among in rows:
        counts[tuple(answer)] += count
    event.outcome = [[*answer, count] for answer, count in sorted(counts.items())]
    among = (rows[0][7] or []) if rows else []
    return Step(
        event,
        first=event.cursor,
        last=max((row[6] for row in rows), default=event.cursor),
        written=sum(row[5] for row in rows),
        among=among if len(among) <= live.FEW else None,
    )


def deciding_sql(event: Event, kind: NotificationType, said: Layers) -> tuple[str, dict[str, Any]]:
    """The SELECT that decides for each member of the audience after the cursor, and its values.

    Columns: member_id, user_id, channels, own, off, profiles, held, hush. Everything that varies between members is in
    the inner SELECT; the outer one folds it with the layers, which are constants.
    """
    audience, values = audience_sql(event)
    values |= {"account": event.account_id, "cursor": event.cursor, "type": event.type}
    held = [f"WHEN NOT m.is_active OR {_IS_BARRED} THEN {Held.INACTIVE}"]
    if event.actor_id and not event.tells_actor:
        held.append(f"WHEN m.id = %(actor)s AND NOT coalesce(s.hears_own_acts, false) THEN {Held.OWN_ACT}")
        values["actor"] = event.actor_id
    if kind.for_role:
        held.append(f"WHEN m.role <> %(for_role)s THEN {Held.NOT_FOR}")
        values["for_role"] = kind.for_role
    if kind.for_seat:
        held.append(f"WHEN m.seat <> %(for_seat)s THEN {Held.NOT_FOR}")
        values["for_seat"] = kind.for_seat
    if kind.needs_permission:
        held.append(f"WHEN NOT {_holds('%(needs)s')} THEN {Held.NOT_FOR}")
        values["needs"] = kind.needs_permission
    changeable = ~resolution.fixed(said)
    answer = resolution.channels_sql(
        said, own_chosen="own_chosen", own_on="own_on", switched_off="switched_off", profiles="profiles"
    )
    return (
        f"""
        SELECT member_id, user_id, CASE WHEN held = 0 THEN {answer} ELSE 0 END AS channels,
               own_chosen & ~switched_off & {changeable} AS own, switched_off & {changeable} AS off,
               profiles, held, hush
        FROM (
            SELECT m.id AS member_id, m.user_id,
                   coalesce(p.chosen, 0)::int AS own_chosen, coalesce(p."on", 0)::int AS own_on,
                   coalesce(s.switched_off, 0)::int AS switched_off,
                   {_profiles_sql(said, values)} AS profiles,
                   CASE {" ".join(held)} ELSE 0 END AS held, {holding.HUSH_SQL} AS hush
            FROM accounts_membership m
            LEFT JOIN notifications_preference p ON p.member_id = m.id AND p.type = %(type)s
            LEFT JOIN notifications_membersettings s ON s.member_id = m.id
            LEFT JOIN notifications_silence q ON q.member_id = m.id
            WHERE m.account_id = %(account)s AND m.id > %(cursor)s AND ({audience})
        ) AS members""",
        values,
    )


# A join with 100,000 people would cost half of the deciding; the few who may not sign in have an index of their own.
_IS_BARRED = "m.user_id IN (SELECT id FROM accounts_user WHERE NOT is_active)"


def audience_sql(event: Event) -> tuple[str, dict[str, Any]]:
    """Which members (alias m) the audience names. A deactivated member is in it only when named in person."""
    given = event.audience
    parts, values = [], {}
    if given["everyone"]:
        parts.append("m.is_active")
    if given["members"]:
        parts.append("m.id = ANY(%(members)s)")
        values["members"] = list(given["members"])
    if given["teams"]:
        parts.append(f"m.is_active AND (m.primary_team_id = ANY(%(teams)s) OR {_extra('%(teams)s')})")
        values["teams"] = list(given["teams"])
    if given["primary_teams"]:
        parts.append("m.is_active AND m.primary_team_id = ANY(%(primary_teams)s)")
        values["primary_teams"] = list(given["primary_teams"])
    for i, permission in enumerate(given["permissions"]):
        parts.append(f"m.is_active AND {_holds(f'%(permission{i})s')}")
        values[f"permission{i}"] = permission
    return " OR ".join(f"({part})" for part in parts) or "false", values


def _holds(permission: str) -> str:
    return f"(m.role = '{Role.SUPER_ADMIN}' OR {permission} = ANY(m.permissions))"


def _extra(teams: str) -> str:
    return f"m.id IN (SELECT x.membership_id FROM accounts_membership_extra_teams x WHERE x.team_id = ANY({teams}))"


def _profiles_sql(said: Layers, values: dict[str, Any]) -> str:
    """The profiles that apply to member m, as bits. The twin of resolution.matching."""
    parts = []
    for i, profile in enumerate(said.profiles):
        if profile.role:
            values[f"role{i}"] = profile.role
            applies = f"m.role = %(role{i})s"
        else:
            values[f"team{i}"] = [profile.team_id]
            applies = f"(m.primary_team_id = ANY(%(team{i})s) OR {_extra(f'%(team{i})s')})"
        parts.append(f"CASE WHEN {applies} THEN {1 << i} ELSE 0 END")
    return " | ".join(parts) or "0"
