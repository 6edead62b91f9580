"""The newest events of an account, as SQL that reads a bounded number of rows however large the tables are.

Events are found through the index on (account, id): ids grow with time, so the first event that is too old ends the
search. What hangs on an event (its notifications, its deliveries) is bounded by the recipients each event has on
record. Who looks back further than that gets the newest part, and is told.
"""

from datetime import datetime
from typing import Any

from accounts.models import Account

EVENTS = 50_000  # so many events are read at most
RECIPIENTS = 250_000  # and with them so many recipients, the newest event in any case


def events_sql(
    account: Account,
    values: dict[str, Any],
    *,
    since: datetime,
    until: datetime | None = None,
    is_by_recipient: bool = True,
) -> str:
    """WITH queries `newest` and `chosen`: the account's events in [since, until), the newest ones when too many.

    Whoever reads nothing that hangs on the events says so with `is_by_recipient=False`: then only the events count.
    `chosen` has all columns of the event that a caller counts by. Ask `cut_sql()` whether something was left out.
    """
    values |= {
        "lb_account": account.pk,
        "lb_since": since,
        "lb_until": until,
        "lb_events": EVENTS,
        "lb_recipients": RECIPIENTS if is_by_recipient else None,
    }
    return f"""
        newest AS MATERIALIZED (
            SELECT id, type, created_at, recipients, outcome, fanned_out_at,
                   sum(recipients::bigint) OVER (ORDER BY id DESC) - recipients AS newer
            FROM (
                SELECT id, type, created_at, recipients, outcome, fanned_out_at FROM notifications_event
                WHERE account_id = %(lb_account)s AND id > {_last_before("lb_since")}
                  AND (%(lb_until)s::timestamptz IS NULL OR id <= {_last_before("lb_until")})
                ORDER BY id DESC LIMIT %(lb_events)s
            ) AS found
        ), chosen AS MATERIALIZED (
            SELECT * FROM newest WHERE newer < %(lb_recipients)s OR %(lb_recipients)s::bigint IS NULL
        )"""  # noqa: S608


def cut_sql() -> str:
    """When the oldest event that was read was made, if older ones had to be left out; else null."""
    return """(
        SELECT CASE WHEN (SELECT count(*) FROM newest) >= %(lb_events)s
                      OR (SELECT count(*) FROM newest) > (SELECT count(*) FROM chosen)
               THEN (SELECT min(created_at) FROM chosen) END
    )"""


def _last_before(name: str) -> str:
    return f"""coalesce((
        SELECT id FROM notifications_event WHERE account_id = %(lb_account)s AND created_at < %({name})s
        ORDER BY id DESC LIMIT 1
    ), 0)"""  # noqa: S608
