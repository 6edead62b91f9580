"""A notification from the browser (N-026 … N-030): web push to every browser in which the member allowed it."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from django.utils.translation import gettext_lazy as _

from accounts.models import Membership
from notifications.channels.base import Outcome, Parcel, Verdict

KEY = "browser"
BIT = 8


class Browser:
    key = KEY
    bit = BIT
    label = _("Browser")
    interrupts = True
    at_once = 250
    reached_sql = """EXISTS (SELECT 1 FROM notifications_browsersubscription b
        WHERE b.user_id = decided.user_id AND NOT b.is_phone)"""

    def reaches(self, member: Membership) -> bool:
        """Whether the member has allowed notifications in any browser."""
        return member.user.browser_subscriptions.filter(is_phone=False).exists()

    def judge(self, delivery_ids: Sequence[int]) -> Mapping[int, Verdict]:
        """Where the member is decides between pop-up and push (D4)."""
        from notifications.push import deciding  # beneath it lies the list of channels

        return deciding.judge(delivery_ids)

    def send_many(self, parcels: Iterable[Parcel]) -> Iterator[Outcome | None]:
        """Push to all browsers of each member, hundreds at once. Sent when any of them took it."""
        from notifications.push import carrying

        yield from carrying.carry(parcels)
