"""Members whose mail of a kind is due at the same moment, and those of them who want it, as SQL."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any

from accounts.models import Account
from notifications import channels, fanout, layers
from notifications.events import Audience
from notifications.models import Event
from notifications.types.base import NotificationType


@dataclass(frozen=True)
class Slot:
    """Schedule rows of one kind and account that agree in everything but the member."""

    kind: str
    account_id: int
    frequency: str
    hour: int
    zone: str  # of the members, now
    computed_in: str  # the zone `at` was computed in
    on: date
    at: datetime
    is_skipped: bool
    members: list[int]


@dataclass(frozen=True)
class Wanting:
    """A WITH part named `wanting` (member_id, place, "on", at): who of the slots wants the mail, with its values."""

    sql: str
    values: dict[str, Any]


def wanting(account: Account, type: NotificationType, slots: Sequence[Slot]) -> Wanting:  # noqa: A002
    """Who wants mails of this type, decided by the notifications' own statement over all preference layers."""
    ids = [member for slot in slots for member in slot.members]
    asked = Event(account=account, type=type.key, audience=asdict(Audience(members=tuple(ids))))
    decided, values = fanout.deciding_sql(asked, type, layers.load_one(account, type))
    return Wanting(
        f"""
        decided AS MATERIALIZED ({decided}),
        wanting AS MATERIALIZED (
            SELECT d.member_id, g.place, s."on", s.at
            FROM decided d
            JOIN unnest(%(members)s::bigint[], %(places)s::integer[]) AS g(member_id, place) USING (member_id)
            JOIN unnest(%(slots)s::integer[], %(ons)s::date[], %(ats)s::timestamptz[]) AS s(place, "on", at)
                 USING (place)
            WHERE d.channels & {channels.CARRIER["email"].bit} > 0
        )
        """,
        values
        | {
            "places": [place for place, slot in enumerate(slots) for _member in slot.members],
            "slots": list(range(len(slots))),
            "ons": [slot.on for slot in slots],
            "ats": [slot.at for slot in slots],
        },
    )
