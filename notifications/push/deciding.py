"""Pop-up or push (D4, N-026, N-027). Decided when the push is about to leave, by where the member is now."""

import logging
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from django.db import connection
from django.utils.translation import gettext_noop
from redis import RedisError

from notifications import live, presence
from notifications.channels.base import Drop, Verdict, Wait

PATIENCE = 3.0  # seconds that a tab in use has to confirm the pop-up
AT_HAND = 150.0  # seconds a phone waits for somebody at work in a tab: longer than a tab believes in them (live.js)
LOOK_AGAIN = 20.0  # seconds until it is asked again whether they still are
TTL = 24 * 3600  # seconds for which a push is worth anything

log = logging.getLogger(__name__)


class Where(StrEnum):
    """Where a member is, as far as their tabs tell."""

    ACTIVE = "active"  # in a tab that has the focus, and doing something
    OPEN = "open"  # a tab is open, but they are elsewhere
    CLOSED = "closed"  # no tab at all


# Why a push does not go. Stored as these words and translated when they are read.
SHOWN = gettext_noop("It popped up in the tab that was in use.")
AT_WORK = gettext_noop("The member was at work in the application, and pop-ups are off for this.")
CLOSED = gettext_noop("No tab was open, and the member wants no notifications while the application is closed.")
READ = gettext_noop("It had been read before it was sent.")
AT_HAND_ALL_THE_TIME = gettext_noop("The member was at work in the application when it popped up, and went on working.")
STILL_AT_WORK = gettext_noop("Waiting for the member, who is at work in the application, to see it there.")
NO_PHONE = gettext_noop("The member has allowed notifications on no phone.")
NO_BROWSER = gettext_noop("The member has allowed notifications in no browser.")
TOO_OLD = gettext_noop("It was too old to be worth showing.")
NO_KEYS = gettext_noop("This installation has no keys for web push.")
WAITING = gettext_noop("Waiting for the pop-up to be seen.")


@dataclass(frozen=True)
class Case:
    """All that decides about one push."""

    where: Where
    pops_up: bool = True  # the pop-up is on for this notification
    age: float = 0  # seconds since the push began to wait
    wants_when_closed: bool = False
    is_read: bool = False
    has_browser: bool = True


def decide(case: Case) -> Verdict:
    """Go (None), wait some seconds, or be dropped and why."""
    if not case.has_browser:
        return Drop(NO_BROWSER)
    return _out_of_date(case) or _by_presence(case)


def decide_for_phone(case: Case) -> Verdict:
    """The same for a phone: it goes, unless the member sees it where they are at work."""
    if not case.has_browser:
        return Drop(NO_PHONE)
    return _out_of_date(case) or _by_being_at_hand(case)


def _out_of_date(case: Case) -> Verdict:
    if case.is_read:
        return Drop(READ)
    return Drop(TOO_OLD) if case.age > TTL else None


def _by_being_at_hand(case: Case) -> Verdict:
    if case.where is not Where.ACTIVE or not case.pops_up:
        return None
    if case.age < AT_HAND:
        return Wait(min(LOOK_AGAIN, AT_HAND - case.age), STILL_AT_WORK)
    return Drop(AT_HAND_ALL_THE_TIME)


def _by_presence(case: Case) -> Verdict:
    if case.where is Where.CLOSED:
        return None if case.wants_when_closed else Drop(CLOSED)
    if case.where is Where.OPEN:
        return None
    if not case.pops_up:
        return Drop(AT_WORK)
    if case.age < PATIENCE:
        return Wait(PATIENCE - case.age, WAITING)
    return None  # they are there, but no tab said that it showed


def judge(delivery_ids: Sequence[int]) -> Mapping[int, Verdict]:
    """The verdict on each of these deliveries: one query, and one look at who is there."""
    return _judge(delivery_ids, decide, phones=False)


def judge_for_phones(delivery_ids: Sequence[int]) -> Mapping[int, Verdict]:
    """The same for deliveries to phones."""
    return _judge(delivery_ids, decide_for_phone, phones=True)


def _judge(delivery_ids: Sequence[int], decided: Callable[[Case], Verdict], *, phones: bool) -> Mapping[int, Verdict]:
    rows = _read(delivery_ids, phones=phones)
    places = _where_all({(account, member) for _id, account, member, *_rest in rows})
    return {
        id_: decided(Case(places[member], pops_up, float(age), bool(wants), is_read, has_browser))
        for id_, _account, member, pops_up, age, wants, is_read, has_browser in rows
    }


def _read(delivery_ids: Sequence[int], *, phones: bool) -> list[tuple[int, int, int, bool, float, bool, bool, bool]]:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT d.id, m.account_id, d.member_id, coalesce(n.channels, 0) & %s > 0,
                   extract(epoch FROM statement_timestamp() - coalesce(d.released_at, d.created_at)),
                   s.pushes_when_closed, n.read_at IS NOT NULL OR n.archived_at IS NOT NULL,
                   EXISTS (SELECT 1 FROM notifications_browsersubscription b
                           WHERE b.user_id = m.user_id AND b.is_phone = %s)
                   OR EXISTS (SELECT 1 FROM notifications_device v
                              WHERE v.user_id = m.user_id AND v.platform = ANY(%s)
                                AND (v.account_id IS NULL OR v.account_id = m.account_id))
            FROM notifications_delivery d
            JOIN accounts_membership m ON m.id = d.member_id
            LEFT JOIN notifications_notification n ON n.member_id = d.member_id AND n.event_id = d.event_id
            LEFT JOIN notifications_membersettings s ON s.member_id = d.member_id
            WHERE d.id = ANY(%s)
            """,
            [live.POPUP, phones, _platforms() if phones else [], list(delivery_ids)],
        )
        return list(cursor.fetchall())


def _platforms() -> list[str]:
    from notifications.native import jobs  # it knows how long a push is worth anything, from here

    return sorted(jobs.available())


def _where_all(members: set[tuple[int, int]]) -> dict[int, Where]:
    by_account: defaultdict[int, set[int]] = defaultdict(set)
    for account_id, member_id in members:
        by_account[account_id].add(member_id)
    found: dict[int, Where] = {}
    for account_id, wanted in by_account.items():
        found |= where(account_id, wanted)
    return found


def where(account_id: int, members: set[int]) -> dict[int, Where]:
    """Where members of an account are. While Redis is away nobody knows: then they count as open, because a push
    too many is better than none."""
    try:
        is_open, is_active = presence.look(live.client(), account_id, members)
    except RedisError as error:
        log.warning("nobody knows who is there (%s): pushes go", type(error).__name__)
        is_open, is_active = members, set()
    return {
        member: Where.ACTIVE if member in is_active else Where.OPEN if member in is_open else Where.CLOSED
        for member in members
    }
