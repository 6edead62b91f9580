"""What happens to records, told to the people it concerns: never to who did it, never to who may not see it."""

from collections.abc import Iterable, Mapping

from django.db.models import Q

from accounts.models import Membership
from crm import permissions
from crm.models import Record
from notifications import events
from notifications.models import Event
from notifications.types.base import NotificationType

NOBODY = "Bellhop"  # who acted when no member did: a program, a rule
LONGEST = 120


def actor(by: Membership | None) -> str:
    return by.name if by else NOBODY


def short(text: str, longest: int = LONGEST) -> str:
    """One line, cut where it gets long."""
    line = " ".join(text.split())
    return line if len(line) <= longest else f"{line[: longest - 1].rstrip()}…"


def tell(
    type: NotificationType,  # noqa: A002 (as events.emit calls it)
    *,
    about: Record,
    to: Iterable[Membership],
    by: Membership | None,
    data: Mapping[str, str | int],
    key: str,
) -> Event | None:
    """Emit to those of `to` who may see the record, except `by`. Nobody left: nothing is emitted."""
    others = {one.pk: one for one in to if by is None or one.pk != by.pk}
    seers = permissions.who_may_see(about, others.values())
    if not seers:
        return None
    return events.emit(type, audience=seers, account=about.account, by=by, data=data, key=key)


def owner_and_followers(record: Record) -> list[Membership]:
    """Who owns a record or follows it, one query."""
    return list(
        Membership.objects.filter(Q(pk=record.owner_id) | Q(followed__record=record), account=record.account_id)
        .select_related("user", "account")
        .distinct()
    )
