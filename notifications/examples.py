"""“Send myself an example”: a real event with a type's example data, for the one who asks."""

from dataclasses import dataclass

from django.db import transaction
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts import pace
from accounts.models import Membership
from notifications import channels, events, preferences
from notifications.channels.base import Reaching
from notifications.models import Event
from notifications.preferences import CellState
from notifications.types.base import NotificationType

MOST = 20  # of one member in a minute


@dataclass(frozen=True)
class Example:
    """The event that was made, and what the member's cells say of it."""

    event: Event
    cells: list[CellState]
    unreached: frozenset[str] = frozenset()  # channels that have nowhere to send it

    @property
    def sentence(self) -> str:
        """Where it will arrive, or why nothing will come."""
        names = [
            str(cell.channel.label) for cell in self.cells if cell.is_on and cell.channel.key not in self.unreached
        ]
        if names:
            return _("An example is on its way: %(channels)s.") % {"channels": ", ".join(names)}
        silent = self.unreached & channels.APP.keys()  # apps that were never connected have nothing to do with it
        cells = [cell for cell in self.cells if cell.is_offered and cell.channel.key not in silent]
        reasons = [f"{cell.channel.label} – {cell.origin}" for cell in cells]
        return _("Nothing will come, every channel is off: %(reasons)s.") % {"reasons": "; ".join(reasons)}


@transaction.atomic
def send(kind: NotificationType, *, to: Membership) -> Example:
    """Emit an example of a type to a member, as if it had just happened. Refuses types that they do not have, and
    more than some in a minute."""
    if not preferences.is_for(kind, to):
        raise preferences.UnknownCell(_("There is no such notification for you."))
    too_often = _("That were many examples within a minute. Wait a little, then try again.")
    pace.keep("example", who=to.pk, most=MOST, sentence=too_often)
    url = reverse("notifications:list", kwargs={"hub_id": to.account.hub_id})
    event = events.emit(kind, audience=[to], by=to, data={**kind.example, "url": url}, tells_actor=True)
    carriers = [carrier for carrier in channels.CARRIERS if isinstance(carrier, Reaching)]
    unreached = frozenset(carrier.key for carrier in carriers if not carrier.reaches(to))
    return Example(event, preferences.standing(to, [kind]).cells(kind), unreached)
