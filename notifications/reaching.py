"""Who can be reached at all, as SQL: nothing has to wait for a channel on which a member has nothing.

Most people have no browser, phone or other app of theirs connected, so a fan-out to many asks this very often. The
other apps are asked about together: first whether the member has connected any, which for many recipients PostgreSQL
answers from one look at the account's connections (a hashed subplan) and for few from the member's own, and only then
which.
"""

from django.db import connection

from accounts.models import Membership
from notifications import channels
from notifications.channels.base import Channel, Reaching
from notifications.channels.connected import Connected

_APPS = sum(app.bit for app in channels.APPS)
_BIT_OF = " ".join(f"WHEN '{app.key}' THEN {app.bit}" for app in channels.APPS)
_CONNECTED = f"""
    CASE WHEN channels & {_APPS} = 0 THEN -1
         WHEN NOT EXISTS (SELECT 1 FROM notifications_connection a WHERE a.account_id = %(account)s
                          AND a.broken_at IS NULL AND a.member_id = decided.member_id) THEN {~_APPS}
         ELSE {~_APPS} | coalesce((SELECT bit_or(CASE c.channel {_BIT_OF} ELSE 0 END)
                                   FROM notifications_connection c
                                   WHERE c.member_id = decided.member_id AND c.broken_at IS NULL), 0) END"""
_REACHED = [
    f"CASE WHEN channels & {carrier.bit} = 0 OR {carrier.reached_sql} THEN -1 ELSE ~{carrier.bit} END"
    for carrier in channels.CARRIERS
    if isinstance(carrier, Reaching) and not isinstance(carrier, Connected)
]

MASK = " & ".join([*_REACHED, _CONNECTED])
"""An integer expression over the row `decided`: all bits but those of the carriers that do not reach the member.

It takes the value `account`.
"""


def channels_of(member: Membership) -> list[Channel]:
    """The channels that reach a member at all, whatever they prefer. One query for all that ask."""
    asking = [channel for channel in channels.ALL if isinstance(channel, Reaching)]
    answers = ", ".join(f"({channel.reached_sql})" for channel in asking)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {answers} FROM (SELECT %s::bigint AS member_id, %s::bigint AS user_id) AS decided",
            [member.pk, member.user_id],
        )
        reached = {channel.key for channel, is_reached in zip(asking, cursor.fetchone(), strict=True) if is_reached}
    return [channel for channel in channels.ALL if channel not in asking or channel.key in reached]
