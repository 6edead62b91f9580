"""A tab says that it showed a pop-up to somebody who is there: then no push goes."""

from collections.abc import Iterable

from django.db import connection

from notifications.channels.browser import BIT, KEY
from notifications.push.deciding import SHOWN


def confirm(shown: Iterable[tuple[int, int]]) -> int:
    """Call off the pushes of (member id, event id) pairs that have not left yet. Returns how many.

    A push that nobody has written down yet is written down as called off. Whatever was not for that member, or has
    left, stays as it is. Safe to run twice.
    """
    pairs = sorted(set(shown))
    if not pairs:
        return 0
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO notifications_delivery (member_id, event_id, channel, status, error)
            SELECT n.member_id, n.event_id, %(key)s, 'dropped', %(why)s
            FROM unnest(%(members)s::bigint[], %(events)s::bigint[]) AS given(member_id, event_id)
            JOIN notifications_notification n ON n.member_id = given.member_id AND n.event_id = given.event_id
            LEFT JOIN notifications_delivery d ON d.member_id = n.member_id AND d.event_id = n.event_id
                 AND d.channel = %(key)s
            WHERE n.channels & %(bit)s > 0 AND (d.status IN ('due', 'claimed') OR n.waiting & %(bit)s > 0)
            ON CONFLICT (event_id, member_id, channel) DO UPDATE SET status = 'dropped', error = %(why)s, claim = ''
            WHERE notifications_delivery.status IN ('due', 'claimed')
            """,
            {
                "key": KEY,
                "bit": BIT,
                "why": SHOWN,
                "members": [member for member, _event in pairs],
                "events": [event for _member, event in pairs],
            },
        )
        return int(cursor.rowcount)
