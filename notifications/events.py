"""Asking: something happened, and these people should hear. Writes one row and wakes the fan-out after commit."""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.errors import DomainError
from accounts.models import Account, Membership, Permission, Team
from notifications import layers, types
from notifications.models import Event
from notifications.resolution import Layers
from notifications.types.base import NotificationType

MAX_BYTES = 16 * 1024


class InvalidEvent(DomainError):
    """The event was not taken. `fields` names each wrong part and says what would be right."""

    code = "invalid_event"
    status = 422


class EventTooLarge(DomainError):
    code = "event_too_large"
    status = 413


class KeyReused(DomainError):
    code = "idempotency_key_reused"
    status = 422


@dataclass(frozen=True)
class Audience:
    """Who should hear: everyone named by any of these. Whether they want to is decided later."""

    members: tuple[int, ...] = ()
    teams: tuple[int, ...] = ()  # primary and extra members
    primary_teams: tuple[int, ...] = ()  # primary members only (N-061)
    permissions: tuple[str, ...] = ()
    everyone: bool = False

    @property
    def is_empty(self) -> bool:
        return not (self.members or self._is_wider)

    @property
    def is_one_member(self) -> bool:
        """Whether it names one member in person and nobody else."""
        return len(self.members) == 1 and not self._is_wider

    @property
    def _is_wider(self) -> bool:
        return bool(self.teams or self.primary_teams or self.permissions or self.everyone)


@transaction.atomic
def emit(
    type: NotificationType | str,
    *,
    audience: Audience | Iterable[Membership],
    data: Mapping[str, Any],
    account: Account | None = None,
    by: Membership | None = None,
    key: str | None = None,
    occurred_at: datetime | None = None,
    tells_actor: bool = False,
    limit: int | None = None,
) -> Event:
    """Record that something happened; it is told after the caller's transaction commits.

    The same `key` with the same content returns the first event and tells nobody again (`Event.is_replay`); with
    other content it is refused (`KeyReused`). Unknown types, missing or surplus data and strangers in the audience
    are refused (`InvalidEvent`), more than 16 KiB too (`EventTooLarge`). With a `limit`, a mask of channels, it goes
    over no others, whatever the preferences say.
    """
    account, audience = _settle(account, audience, by)
    row = drafted(
        type,
        audience=audience,
        data=data,
        account=account,
        known=known_in(account, [audience]),
        by=by,
        key=key,
        occurred_at=occurred_at,
        tells_actor=tells_actor,
    )
    if limit is not None:
        limit_to(row, limit)
    event = _save_once(row)
    if event is row:
        wake()
    return event


def limit_to(event: Event, limit: int, said: Layers | None = None) -> None:
    """Let an event that is not written yet use some channels only: its layers are read now, and offer no others.

    `said`: what the layers say, where the caller has read it for several.
    """
    said = said or layers.load_one(event.account, types.TYPES[event.type])
    event.layers = replace(said, offered=said.offered & limit, required=said.required & limit).as_json()


@dataclass(frozen=True)
class Known:
    """The members and teams that an account really has, of those somebody named."""

    members: frozenset[int]
    teams: frozenset[int]


def known_in(account: Account, audiences: Iterable[Audience]) -> Known:
    """Look up what these audiences name, two queries for all of them."""
    members: set[int] = set()
    teams: set[int] = set()
    for audience in audiences:
        members.update(audience.members)
        teams.update(audience.teams, audience.primary_teams)
    return Known(
        members=frozenset(Membership.objects.of(account).filter(pk__in=members).values_list("pk", flat=True))
        if members
        else frozenset(),
        teams=frozenset(Team.objects.filter(account=account, pk__in=teams).values_list("pk", flat=True))
        if teams
        else frozenset(),
    )


def drafted(
    type: NotificationType | str,
    *,
    audience: Audience,
    data: Mapping[str, Any],
    account: Account,
    known: Known,
    by: Membership | None = None,
    key: str | None = None,
    occurred_at: datetime | None = None,
    tells_actor: bool = False,
) -> Event:
    """An event that may be written, not yet written. Refuses as `emit` does, except for a reused key."""
    kind = _known(type)
    _check(kind, account=account, audience=audience, known=known, data=data, by=by)
    data = dict(data)
    size = len(json.dumps(data, ensure_ascii=False).encode())
    if size > MAX_BYTES:
        raise EventTooLarge(
            _("The data is %(size)s bytes long; at most %(most)s fit.") % {"size": size, "most": MAX_BYTES},
            fields={"data": [_("Send less, and a link to the rest.")]},
        )
    content = {
        "type": kind.key,
        "data": data,
        "audience": asdict(audience),
        "by": by.pk if by else None,
        "occurred_at": occurred_at.isoformat() if occurred_at else None,
    }
    return Event(
        account=account,
        type=kind.key,
        actor=by,
        data=data,
        audience=asdict(audience),
        tells_actor=tells_actor,
        key=key,
        fingerprint=_fingerprint(content) if key else "",
        occurred_at=occurred_at or timezone.now(),
    )


def _settle(
    account: Account | None, audience: Audience | Iterable[Membership], by: Membership | None
) -> tuple[Account, Audience]:
    """The account and the audience as ids, whichever way the caller named them."""
    if not isinstance(audience, Audience):
        people = list(audience)
        account = account or (people[0].account if people else None)
        audience = Audience(members=tuple(dict.fromkeys(person.pk for person in people)))
    account = account or (by.account if by else None)
    if account is None:
        raise InvalidEvent(_("Say which account this happened in."), fields={"account": [_("It is missing.")]})
    return account, audience


def _known(type: NotificationType | str) -> NotificationType:
    if isinstance(type, NotificationType):
        return type
    if (kind := types.TYPES.get(type)) is None:
        raise InvalidEvent(
            _("There is no notification type “%(type)s”.") % {"type": type[:80]},
            fields={"type": [_("Choose one of those at /developers/types/.")]},
        )
    return kind


def _check(
    kind: NotificationType,
    *,
    account: Account,
    audience: Audience,
    known: Known,
    data: Mapping[str, Any],
    by: Membership | None,
) -> None:
    """Refuse what cannot be told or is told to strangers. Every problem is named, not only the first."""
    problems: dict[str, Sequence[str | Promise]] = {
        problem.field: [problem.message] for problem in kind.check_data(data)
    }
    if audience.is_empty:
        problems["audience"] = [_("Name at least one member, team or permission, or everyone.")]
    elif kind.for_one and not audience.is_one_member:
        problems["audience"] = [_("This is told to one person only. Name one member, and nobody else.")]
    problems |= strangers(audience, known)
    if by is not None and by.account_id != account.pk:
        problems["actor"] = [_("This member does not exist in the account.")]
    if problems:
        raise InvalidEvent(_("The event was not accepted."), fields=problems)


def strangers(audience: Audience, known: Known) -> dict[str, Sequence[str | Promise]]:
    """What the audience names that the account does not have: another account's are unknown, like any other."""
    problems: dict[str, Sequence[str | Promise]] = {}
    if unknown := sorted(set(audience.members) - known.members):
        problems["audience.members"] = [_("Unknown member: %(ids)s.") % {"ids": _some(unknown)}]
    for field, wanted in (("teams", audience.teams), ("primary_teams", audience.primary_teams)):
        if unknown := sorted(set(wanted) - known.teams):
            problems[f"audience.{field}"] = [_("Unknown team: %(ids)s.") % {"ids": _some(unknown)}]
    if odd := sorted(set(audience.permissions) - set(Permission.values)):
        problems["audience.permissions"] = [
            _("Unknown permission: %(names)s. There are: %(all)s.")
            % {"names": _some(odd), "all": ", ".join(Permission.values)}
        ]
    return problems


def _some(values: Sequence[object]) -> str:
    return ", ".join(str(value) for value in values[:5]) + (", …" if len(values) > 5 else "")


def _fingerprint(content: Mapping[str, Any]) -> str:
    text = json.dumps(content, sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()


def _save_once(row: Event) -> Event:
    """Write the event, or return the one that the same key made before."""
    if row.key is None:
        row.save(force_insert=True)
        return row
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError:
        first = Event.objects.filter(account=row.account, key=row.key).first()
        if first is None:
            raise
        return replayed(first, row)
    return row


def replayed(first: Event, again: Event) -> Event:
    """The event that a key made before, or `KeyReused` when the key now comes with other content."""
    if first.fingerprint != again.fingerprint:
        raise KeyReused(
            _("This idempotency key was used before, for another event."),
            fields={"key": [_("Send a new key, or the same content as the first time.")]},
        )
    first.is_replay = True
    return first


def wake() -> None:
    """Start the fan-out after the caller's transaction commits."""
    from notifications import tasks  # the task module knows everything; nothing below it may

    transaction.on_commit(lambda: tasks.wake(tasks.fan_out), robust=True)
