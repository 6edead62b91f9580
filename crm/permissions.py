"""Which records a member sees and edits: a row per member and kind, applied inside every query.

`all`: every record of the kind. `own`: those where the member is the owner or named in a custom user property.
`team`: their own, and those owned by somebody with whom they share a team. Nobody edits what they do not see.
"""

from collections.abc import Iterable

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from accounts.errors import DomainError
from accounts.members import require_super_admin
from accounts.models import Membership
from crm import schema
from crm.models import Reach, Record, RecordPermission

Reaches = tuple[Reach, Reach]  # what a member sees, what they edit
STRENGTH = {Reach.OWN: 0, Reach.TEAM: 1, Reach.ALL: 2}


class InvalidPermission(DomainError):
    code = "invalid_permission"
    status = 422


def condition(member: Membership, what: str) -> Q:
    """What "sees" or "edits" lets a member have, as a condition on Record; another account's are never in it."""
    here = Q(account=member.account_id)
    if member.is_super_admin:
        return here
    rows = list(RecordPermission.objects.filter(member=member))
    if not rows:
        return here
    reaches = {row.kind: _reach(row, what) for row in rows}
    free = ~Q(kind__in=[kind for kind, reach in reaches.items() if reach != Reach.ALL])
    for kind, reach in reaches.items():
        if reach != Reach.ALL:
            free |= Q(kind=kind) & _within(member, reach)
    return here & free


def within_kind(member: Membership, kind: str, what: str = "sees") -> Q:
    """The same for the records of one kind, in words that an index can serve. At most three queries of its own."""
    sees, edits = reach_of(member, kind)
    reach = edits if what == "edits" else sees
    here = Q(account=member.account_id, kind=kind)
    return here if reach == Reach.ALL else here & _within(member, reach)


def who_may_see(record: Record, members: Iterable[Membership]) -> list[Membership]:
    """Those of these members who are active and may see a record that is not in the bin.

    One query, and two more for each who sees their team's only and is not named in it.
    """
    here = [one for one in members if one.account_id == record.account_id and one.is_active and one.user.is_active]
    limited = {
        row.member_id: row.sees
        for row in RecordPermission.objects.filter(member__in=here, kind=record.kind).exclude(sees=Reach.ALL)
    }
    return [
        one
        for one in here
        if one.is_super_admin
        or one.pk not in limited
        or one.pk in record.people
        or (limited[one.pk] == Reach.TEAM and _share_a_team(one, record))
    ]


def limited_kinds(member: Membership) -> set[str]:
    """The kinds of which a member does not see all records."""
    if member.is_super_admin:
        return set()
    return set(RecordPermission.objects.filter(member=member).exclude(sees=Reach.ALL).values_list("kind", flat=True))


def reach_of(member: Membership, kind: str) -> Reaches:
    """How far a member sees and edits records of a kind."""
    if member.is_super_admin:
        return Reach.ALL, Reach.ALL
    return reaches_of([member], kind)[member.pk]


def reaches_of(members: Iterable[Membership], kind: str) -> dict[int, Reaches]:
    """The same for several members, by id. One query."""
    there = list(members)
    rows = {row.member_id: row for row in RecordPermission.objects.filter(member__in=there, kind=kind)}
    found: dict[int, Reaches] = {}
    for one in there:
        row = None if one.is_super_admin else rows.get(one.pk)
        found[one.pk] = (Reach(row.sees), _reach(row, "edits")) if row else (Reach.ALL, Reach.ALL)
    return found


@transaction.atomic
def set_reach(member: Membership, kind: str, *, sees: str, edits: str, by: Membership | None) -> RecordPermission:
    """Say which records of a kind a member sees and edits. Super admins say so; nobody edits more than they see."""
    require_super_admin(member.account, by)
    schema.kind_of(member.account, kind)
    if sees not in Reach.values or edits not in Reach.values:
        raise InvalidPermission(_("Choose all, their team's or their own."))
    if STRENGTH[Reach(edits)] > STRENGTH[Reach(sees)]:
        raise InvalidPermission(
            _("A member cannot edit what they do not see."), fields={"edits": [_("Choose no more than they see.")]}
        )
    row, _made = RecordPermission.objects.update_or_create(
        member=member, kind=kind, defaults={"sees": sees, "edits": edits}
    )
    return row


def _reach(row: RecordPermission, what: str) -> Reach:
    reach = min(STRENGTH[Reach(row.sees)], STRENGTH[Reach(row.edits)]) if what == "edits" else STRENGTH[Reach(row.sees)]
    return next(one for one, strength in STRENGTH.items() if strength == reach)


def _within(member: Membership, reach: Reach) -> Q:
    own = Q(people__contains=[member.pk])
    return own if reach == Reach.OWN else own | Q(owner__in=_teammates(member))


def _teammates(member: Membership) -> "list[int]":
    """Everybody who shares a team with the member, as a primary member or besides."""
    teams = _teams(member)
    if not teams:
        return []
    mates = Membership.objects.filter(account=member.account_id).filter(
        Q(primary_team__in=teams) | Q(extra_teams__in=teams)
    )
    return list(mates.values_list("pk", flat=True).distinct())


def _teams(member: Membership) -> list[int]:
    extra = list(member.extra_teams.values_list("pk", flat=True))
    return [*extra, member.primary_team_id] if member.primary_team_id else extra


def _share_a_team(member: Membership, record: Record) -> bool:
    if record.owner_id is None:
        return False
    teams = _teams(member)
    return (
        Membership.objects.filter(pk=record.owner_id)
        .filter(Q(primary_team__in=teams) | Q(extra_teams__in=teams))
        .exists()
    )
