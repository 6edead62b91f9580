"""What lately happened of one type, and what became of it for one member: the list behind “Why did I not get it?”."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

from accounts.models import Membership
from notifications import channels, holding
from notifications.channels.base import Channel
from notifications.models import Event, Held, Hushed, Notification
from notifications.types.base import NotificationType
from notifications.why import of_interest

NEWEST = 5_000  # looked through, so that a type that never happened costs no walk through everything


@dataclass(frozen=True)
class Told:
    """An event and the member's row of it; no row: it was not meant for them, or is still being told."""

    event: Event
    row: Notification | None
    shown: Sequence[Channel] = channels.ALL

    @property
    def sentence(self) -> str:
        """What became of it, in one line."""
        if self.row is None:
            return _("Still on its way") if self.event.fanned_out_at is None else _("Not meant for this person")
        if self.row.held != Held.NOT:
            return _("Held back: %(reason)s") % {"reason": Held(self.row.held).label}
        held = holding.held_by(Hushed(self.row.hushed)) & self.row.channels
        if not held:
            return self._names(self.row.channels) or _("Nothing: every channel was off")
        facts = {"held": self._names(held), "reason": Hushed(self.row.hushed).label}
        is_over = self.row.hushed in (Hushed.QUIET_OVER, Hushed.PAUSED_OVER)
        later = _("told after %(reason)s: %(held)s") if is_over else _("held for %(reason)s: %(held)s")
        return "; ".join(words for words in (self._names(self.row.channels & ~held), later % facts) if words)

    @property
    def is_told(self) -> bool:
        return self.row is not None and bool(self.row.channels)

    def _names(self, mask: int) -> str:
        return ", ".join(str(channel.label) for channel in self.shown if channel.bit & mask)


def lately(kind: NotificationType, member: Membership, *, among_all: bool = False, limit: int = 20) -> list[Told]:
    """The newest events of a type that the member has a row of, or with `among_all` those of the whole account.

    Looks through the newest 5,000 only. Three queries.
    """
    if among_all:
        newest = Event.objects.filter(account=member.account).order_by("-pk").values("pk")[:NEWEST]
        events = list(Event.objects.filter(pk__in=newest, type=kind.key).order_by("-pk")[:limit])
        rows = Notification.objects.filter(member=member, event__in=events)
    else:
        mine = Notification.objects.filter(member=member).order_by("-event_id").values("event_id")[:NEWEST]
        events = list(Event.objects.filter(pk__in=mine, type=kind.key).order_by("-pk")[:limit])
        rows = Notification.objects.filter(member=member, event__in=events)
    by_event = {row.event_id: row for row in rows}
    shown = of_interest(member)
    return [Told(event, by_event.get(event.pk), shown) for event in events]
