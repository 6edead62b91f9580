"""What is in the Friday mail: the workflows whose enrolment changed since the last one, with the numbers (N-156)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection
from django.utils import translation
from django.utils.translation import ngettext

from accounts.models import Account
from crm import paths
from crm.digests import emitting
from crm.digests.slots import Slot, wanting
from crm.models import DigestKind, DigestOutcome
from notifications.types import workflows as types

TYPE = types.FRIDAY_SUMMARY
WEEK = timedelta(days=7)
MOST = 10  # workflows named in the mail; the rest is counted


@dataclass(frozen=True)
class Enrolment:
    """A workflow, how many records came into it, and how many are through or out."""

    name: str
    came: int
    went: int


def changed(account: Account, since: datetime, until: datetime) -> Sequence[Enrolment]:
    """The workflows of an account into which records came or out of which they went between two moments, those whose
    number under way changed most first."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT w.name, came.n, went.n
            FROM crm_workflow w
            CROSS JOIN LATERAL (SELECT count(*) AS n FROM crm_enrolment e WHERE e.workflow_id = w.id
                                AND e.enrolled_at >= %(since)s AND e.enrolled_at < %(until)s) came
            CROSS JOIN LATERAL (SELECT count(*) AS n FROM crm_enrolment e WHERE e.workflow_id = w.id
                                AND e.ended_at >= %(since)s AND e.ended_at < %(until)s) went
            WHERE w.account_id = %(account)s AND w.deleted_at IS NULL AND came.n + went.n > 0
            ORDER BY abs(came.n - went.n) DESC, came.n + went.n DESC, w.name
            """,
            {"account": account.pk, "since": since, "until": until},
        )
        return [Enrolment(*row) for row in cursor.fetchall()]


def write(account: Account, slots: Sequence[Slot], now: datetime) -> None:
    """Write the Friday mails of these members and have them told. Nothing changed: a row that says so, no mail."""
    for moment, members in since(account, slots, now).items():
        tell(account, slots, members, changed(account, moment, now), now)


def since(account: Account, slots: Sequence[Slot], now: datetime) -> dict[datetime, list[int]]:
    """Those who want the mail, by the moment their last one looked until; the first one looks back a week."""
    members = wanting(account, TYPE, slots)
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            WITH {members.sql}
            SELECT coalesce(last.ran_at, %(week_ago)s), array_agg(w.member_id ORDER BY w.member_id)
            FROM wanting w LEFT JOIN LATERAL (
                SELECT ran_at FROM crm_digestrun r
                WHERE r.member_id = w.member_id AND r.kind = '{DigestKind.WORKFLOWS}'
                  AND r.outcome IN ('{DigestOutcome.TOLD}', '{DigestOutcome.EMPTY}')
                ORDER BY r."on" DESC LIMIT 1
            ) last ON true
            GROUP BY 1
            """,
            {**members.values, "week_ago": now - WEEK},
        )
        return dict(cursor.fetchall())


def tell(account: Account, slots: Sequence[Slot], ids: list[int], news: Sequence[Enrolment], now: datetime) -> None:
    """Write the runs of these members, and one event for those who had none on their day."""
    turns = {member: slot for slot in slots for member in slot.members}
    event_id = emitting.next_event() if news else None
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            INSERT INTO crm_digestrun (member_id, kind, "on", turn, due_at, ran_at, outcome, event_id, overdue, today,
                                       upcoming, tasks)
            SELECT g.member_id, '{DigestKind.WORKFLOWS}', g."on", 0, g.at, %(now)s, %(outcome)s, %(event)s, 0, 0, 0,
                   '{{}}'
            FROM unnest(%(members)s::bigint[], %(ons)s::date[], %(ats)s::timestamptz[]) AS g(member_id, "on", at)
            ON CONFLICT DO NOTHING RETURNING member_id
            """,
            {
                "members": ids,
                "ons": [turns[member].on for member in ids],
                "ats": [turns[member].at for member in ids],
                "now": now,
                "outcome": (DigestOutcome.TOLD if news else DigestOutcome.EMPTY).value,
                "event": event_id,
            },
        )
        told = [member for (member,) in cursor.fetchall()]
    if event_id is not None and told:
        data: dict[str, str | int] = {
            "changed": len(news),
            "workflows": words(news, account.language),
            "url": paths.workflows(account),
        }
        emitting.emit(TYPE, account, told, data=data, event_id=event_id, now=now)


def words(news: Sequence[Enrolment], language: str) -> str:
    """ "Welcome series (48 in, 21 out), Quiet customers (6 out)"."""
    with translation.override(language):
        named = [f"{one.name} ({_counted(one)})" for one in news[:MOST]]
        if len(news) > MOST:
            more = len(news) - MOST
            named.append(ngettext("and %(n)s more", "and %(n)s more", more) % {"n": more})
    return ", ".join(named)


def _counted(one: Enrolment) -> str:
    came = ngettext("%(n)s in", "%(n)s in", one.came) % {"n": one.came}
    went = ngettext("%(n)s out", "%(n)s out", one.went) % {"n": one.went}
    return ", ".join(words for words, number in ((came, one.came), (went, one.went)) if number)
