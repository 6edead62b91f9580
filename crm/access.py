"""What the members of an account see and edit of a kind, a page at a time."""

from collections.abc import Mapping
from dataclasses import dataclass

from django.db.models import Exists, OuterRef, Q, QuerySet

from accounts.models import Account, Membership
from crm import choosing
from crm.models import Reach, RecordPermission
from crm.permissions import Reaches, reaches_of

SIZE = 50
MOST_COUNTED = 1_000
LIMITED = ~Q(sees=Reach.ALL, edits=Reach.ALL)


@dataclass(frozen=True)
class Access:
    """How far a member sees and edits the records of a kind."""

    member: Membership
    sees: Reach
    edits: Reach


def page(
    account: Account, kind: str, *, words: str = "", is_limited: bool = False, after: int = 0, size: int = SIZE
) -> tuple[list[Access], int]:
    """Active members whose name or address holds these letters, and where the next page begins (0: there is none).

    `is_limited`: only those who do not see and edit all. Two queries, whatever the number of members.
    """
    rows = Membership.objects.active().of(account).filter(choosing.named(words), pk__gt=after)
    if is_limited:
        rows = rows.filter(Exists(_limited(kind).filter(member=OuterRef("pk"))))
    found = list(rows.select_related("user", "primary_team").order_by("pk")[: size + 1])
    shown = found[:size]
    reaches = reaches_of(shown, kind)
    return [_access(one, reaches) for one in shown], shown[-1].pk if len(found) > size else 0


def number_limited(account: Account, kind: str) -> int:
    """How many active members do not see and edit all; a thousand stands for more."""
    rows = _limited(kind).filter(member__account=account, member__is_active=True)
    return rows.values("pk")[:MOST_COUNTED].count()


def _limited(kind: str) -> "QuerySet[RecordPermission]":
    return RecordPermission.objects.filter(LIMITED, kind=kind)


def _access(member: Membership, reaches: Mapping[int, Reaches]) -> Access:
    return Access(member, *reaches[member.pk])
