"""What the link in a mail may do: turn this type's mails off for this member, and on again."""

from dataclasses import dataclass

from accounts.models import Membership
from notifications import preferences, types
from notifications.channels import CHANNELS
from notifications.mail.links import Reader
from notifications.models import How
from notifications.preferences import CellState
from notifications.types.base import NotificationType

EMAIL = "email"


@dataclass(frozen=True)
class Subscription:
    """One type's mails for one member, as they stand now."""

    member: Membership
    kind: NotificationType
    cell: CellState

    @property
    def masked_address(self) -> str:
        return masked(self.member.email)


def find(reader: Reader | None) -> Subscription | None:
    """What a token speaks of, or None when nobody is there any more: a stranger learns nothing from either."""
    if reader is None or (kind := types.TYPES.get(reader.type_key)) is None:
        return None
    member = Membership.objects.active().select_related("user", "account").filter(pk=reader.member_id).first()
    if member is None or not preferences.is_for(kind, member):
        return None
    cells = preferences.standing(member, [kind]).cells(kind)
    (cell,) = (cell for cell in cells if cell.channel is CHANNELS[EMAIL])
    return Subscription(member, kind, cell) if cell.is_offered else None


def turn_off(subscription: Subscription) -> None:
    """Send this member no more mails of this type. Refuses what cannot be turned off (`FixedCell`)."""
    _choose(subscription, is_on=False)


def turn_on(subscription: Subscription) -> None:
    """Undo it: back to what the layers below say, or on by own choice where they say off."""
    _choose(subscription, is_on=None)
    found = find(Reader(subscription.member.pk, subscription.kind.key))
    if found is not None and not found.cell.is_on:
        _choose(subscription, is_on=True)


def _choose(subscription: Subscription, *, is_on: bool | None) -> None:
    preferences.choose(subscription.member, {(subscription.kind.key, EMAIL): is_on}, how=How.MAIL)


def masked(address: str) -> str:
    """An address that its owner recognises and nobody else can read: b•••@e•••.com."""
    local, _at, domain = address.rpartition("@")
    name, dot, end = domain.rpartition(".")
    return f"{local[:1]}•••@{name[:1]}•••{dot}{end}"
