"""Reading what an account's layers say of its types at this moment: three queries, however many types.

Defaults, profiles and locks belong to a plan (N-003). On another plan they are kept and say nothing, so that nobody
is held by a lock that nobody can lift.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace

from django.db import connection
from django.db.models import Q
from django.utils import timezone

from accounts import plans
from accounts.models import Account
from accounts.plans import Feature
from notifications import channels
from notifications.models import AccountDefault, Lock, ProfileCells
from notifications.resolution import Choice, Layers, ProfileChoice
from notifications.types.base import NotificationType


def load(
    account: Account, kinds: Iterable[NotificationType], *, locks: Iterable[Lock] | None = None
) -> dict[str, Layers]:
    """The layers of each type, by its key. `locks`: those that stand, where the caller has read them already."""
    wanted = {kind.key: kind for kind in kinds}
    if not _may_say_something(account):
        return {key: built_in(kind) for key, kind in wanted.items()}
    found = _locks(standing_locks(account) if locks is None else locks, wanted)
    defaults = {
        row.type: Choice(row.chosen, row.on) for row in AccountDefault.objects.filter(account=account, type__in=wanted)
    }
    profiles: defaultdict[str, list[ProfileChoice]] = defaultdict(list)
    for row in (
        ProfileCells.objects.filter(profile__account=account, type__in=wanted)
        .select_related("profile")
        .order_by("profile__position", "profile_id")
    ):
        profiles[row.type].append(
            ProfileChoice(row.profile_id, row.profile.role, row.profile.team_id, Choice(row.chosen, row.on))
        )
    return {
        key: replace(
            built_in(kind),
            lock=found[key],
            default=defaults.get(key, Choice()),
            profiles=tuple(profiles[key]),
        )
        for key, kind in wanted.items()
    }


def load_one(account: Account, kind: NotificationType) -> Layers:
    """The layers of one type. One query in the many accounts that have set nothing for it: each event asks."""
    if not _may_say_something(account):
        return built_in(kind)
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT EXISTS (SELECT 1 FROM notifications_lock WHERE account_id = %(account)s AND type = %(type)s)
                OR EXISTS (SELECT 1 FROM notifications_accountdefault
                           WHERE account_id = %(account)s AND type = %(type)s)
                OR EXISTS (SELECT 1 FROM notifications_profilecells c
                           JOIN notifications_profile p ON p.id = c.profile_id
                           WHERE p.account_id = %(account)s AND c.type = %(type)s)
            """,
            {"account": account.pk, "type": kind.key},
        )
        (says_something,) = cursor.fetchone()
    return load(account, [kind])[kind.key] if says_something else built_in(kind)


def built_in(kind: NotificationType) -> Layers:
    """What holds where nobody has set anything."""
    return Layers(
        offered=channels.mask(kind.offered),
        required=channels.mask(kind.required),
        built_in=channels.mask(kind.defaults),
    )


def standing_locks(account: Account) -> Iterable[Lock]:
    """The locks that hold now: those without an end, and those whose end is still to come."""
    if not _may_say_something(account):
        return Lock.objects.none()
    return Lock.objects.filter(account=account).filter(Q(ends_at=None) | Q(ends_at__gt=timezone.now()))


def _may_say_something(account: Account) -> bool:
    return plans.has(account.plan, Feature.DEFAULT_PREFERENCES)


def _locks(locks: Iterable[Lock], wanted: Iterable[str]) -> defaultdict[str, Choice]:
    found: defaultdict[str, Choice] = defaultdict(Choice)
    for lock in locks:
        if lock.type in wanted and lock.channel in channels.CHANNELS:
            bit, before = channels.CHANNELS[lock.channel].bit, found[lock.type]
            found[lock.type] = Choice(before.chosen | bit, before.on | (bit if lock.is_on else 0))
    return found
