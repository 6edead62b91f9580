"""A notification on the phone (N-037): web push to the application installed there, and to native applications."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from django.utils.translation import gettext_lazy as _

from accounts.models import Membership
from notifications.channels.base import Outcome, Parcel, Verdict

KEY = "mobile"
BIT = 16


class Mobile:
    key = KEY
    bit = BIT
    label = _("Mobile app")
    interrupts = True
    reached_sql = """EXISTS (SELECT 1 FROM notifications_browsersubscription b
            WHERE b.user_id = decided.user_id AND b.is_phone)
        OR EXISTS (SELECT 1 FROM notifications_device v
            WHERE v.user_id = decided.user_id AND (v.account_id IS NULL OR v.account_id =
                (SELECT m.account_id FROM accounts_membership m WHERE m.id = decided.member_id)))"""

    def reaches(self, member: Membership) -> bool:
        """Whether the member has allowed notifications on any phone."""
        from notifications.native import devices

        return member.user.browser_subscriptions.filter(is_phone=True).exists() or devices.reached(member).exists()

    def judge(self, delivery_ids: Sequence[int]) -> Mapping[int, Verdict]:
        """While the member is at work in a tab the phone waits; see push.deciding."""
        from notifications.push import deciding  # beneath it lies the list of channels

        return deciding.judge_for_phones(delivery_ids)

    def send_many(self, parcels: Iterable[Parcel]) -> Iterator[Outcome | None]:
        """Push to all phones of each member, hundreds at once. Sent when any of them took it."""
        from notifications.push import carrying

        yield from carrying.carry(parcels, carrying.PHONES)
