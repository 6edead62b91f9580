"""Reading what an account's layers say of its types at this moment: three queries, however many types."""

from collections import defaultdict
from collections.abc import Iterable

from django.db.models import Q
from django.utils import timezone

from accounts.models import Account
from notifications import channels
from notifications.models import AccountDefault, Lock, ProfileCells
from notifications.resolution import Choice, Layers, ProfileChoice
from notifications.types.base import NotificationType


def load(
    account: Account, kinds: Iterable[NotificationType], *, locks: Iterable[Lock] | None = None
) -> dict[str, Layers]:
    """The layers of each type, by its key. `locks`: those that stand, where the caller has read them already."""
    wanted = {kind.key: kind for kind in kinds}
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
        key: Layers(
            offered=channels.mask(kind.offered),
            required=channels.mask(kind.required),
            built_in=channels.mask(kind.defaults),
            lock=found[key],
            default=defaults.get(key, Choice()),
            profiles=tuple(profiles[key]),
        )
        for key, kind in wanted.items()
    }


def standing_locks(account: Account) -> Iterable[Lock]:
    """The locks that hold now: those without an end, and those whose end is still to come."""
    return Lock.objects.filter(account=account).filter(Q(ends_at=None) | Q(ends_at__gt=timezone.now()))


def _locks(locks: Iterable[Lock], wanted: Iterable[str]) -> defaultdict[str, Choice]:
    found: defaultdict[str, Choice] = defaultdict(Choice)
    for lock in locks:
        if lock.type in wanted and lock.channel in channels.CHANNELS:
            bit, before = channels.CHANNELS[lock.channel].bit, found[lock.type]
            found[lock.type] = Choice(before.chosen | bit, before.on | (bit if lock.is_on else 0))
    return found
