"""Who can be reached at all, as SQL: nothing has to wait for a channel on which a member has nothing.

Most people have no browser, phone or other app of theirs connected, so a fan-out to many asks this very often.
"""

from notifications import channels
from notifications.channels.base import Reaching

MASK = " & ".join(
    f"CASE WHEN channels & {carrier.bit} = 0 OR {carrier.reached_sql} THEN -1 ELSE ~{carrier.bit} END"
    for carrier in channels.CARRIERS
    if isinstance(carrier, Reaching)
)
"""An integer expression over the row `decided`: all bits but those of the carriers that do not reach the member."""
