"""What a task digest says: the counts, and the tasks in three lists, each a link with its due time in words.

The run row keeps ids only; titles and due times are read when the mail is written, for hundreds of members at once.
What was deleted or completed since has left the lists.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from typing import Any, NamedTuple

from django.db import connection
from django.utils import translation
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from crm import paths
from crm.digests import task_lists, timing
from crm.models import DigestKind
from notifications.personal import Personal, Recipient
from notifications.rendering import Line, Section, absolute

FEW = 5  # tasks named in the line that mail programs show beside the subject


@dataclass(frozen=True)
class Told:
    """One digest as it was computed."""

    event_id: int
    member_id: int
    hub_id: int
    zone: str
    ran_at: datetime
    overdue: int
    today: int
    upcoming: int
    tasks: list[int]

    @property
    def parts(self) -> tuple[tuple[int, list[int]], ...]:
        """Overdue, due today, upcoming: how many there were, and those that are named."""
        first, second = min(self.overdue, task_lists.MOST), min(self.today, task_lists.MOST)
        return (
            (self.overdue, self.tasks[:first]),
            (self.today, self.tasks[first : first + second]),
            (self.upcoming, self.tasks[first + second :]),
        )


class Task(NamedTuple):
    """What is said of one task."""

    pk: int
    title: str
    due: int  # seconds since 1970: read ten times as fast as a moment


def for_each(recipients: Sequence[Recipient]) -> Mapping[Recipient, Personal]:
    """What these recipients are told: two queries for all."""
    digests = {(one.event_id, one.member_id): one for one in _read(recipients)}
    tasks = _tasks({pk for one in digests.values() for pk in one.tasks})
    said: dict[Recipient, Personal] = {}
    for language in {recipient.language for recipient in recipients}:
        with translation.override(language):
            headings = (_("Overdue"), _("Due today"), _("In the next 7 days"))
            for recipient in recipients:
                digest = digests.get((recipient.event_id, recipient.member_id))
                if digest is not None and recipient.language == language:
                    said[recipient] = _personal(digest, tasks, headings, language)
    return said


def _read(recipients: Sequence[Recipient]) -> list[Told]:
    """The run rows. The newest of a member are looked at first, which is where the wanted one stands."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT g.event_id, g.member_id, a.hub_id, coalesce(nullif(m.time_zone, ''), a.time_zone), r.ran_at,
                   r.overdue, r.today, r.upcoming, r.tasks
            FROM unnest(%s::bigint[], %s::bigint[]) AS g(event_id, member_id)
            JOIN accounts_membership m ON m.id = g.member_id JOIN accounts_account a ON a.id = m.account_id
            CROSS JOIN LATERAL (
                SELECT * FROM crm_digestrun d
                WHERE d.member_id = g.member_id AND d.kind = '{DigestKind.TASKS}' AND d.event_id = g.event_id
                ORDER BY d."on" DESC, d.turn DESC LIMIT 1
            ) r
            """,
            [[one.event_id for one in recipients], [one.member_id for one in recipients]],
        )
        return [Told(*row) for row in cursor.fetchall()]


def _tasks(ids: set[int]) -> dict[int, Task]:
    """What is said of these tasks. One array instead of thousands of values: the ORM takes as long as all else."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT id, title, extract(epoch FROM due_at)::bigint FROM crm_record
            WHERE id = ANY(%s) AND deleted_at IS NULL AND completed_at IS NULL AND due_at IS NOT NULL
            """,
            [list(ids)],
        )
        return {row[0]: Task(*row) for row in cursor.fetchall()}


def _personal(digest: Told, tasks: Mapping[int, Task], headings: Sequence[str], language: str) -> Personal:
    data: dict[str, Any] = {"due": digest.today, "overdue": digest.overdue, "tasks": _some(digest, tasks)}
    today, now = digest.ran_at.astimezone(timing.zone_of(digest.zone)).date(), digest.ran_at.timestamp()
    sections = []
    for heading, (count, ids) in zip(headings, digest.parts, strict=True):
        lines = []
        for task in (tasks[pk] for pk in ids if pk in tasks):
            words = due_words(task.due, digest.zone, today, task.due < now, language)
            lines.append(Line(task.title, words, absolute(paths.task(digest.hub_id, task.pk))))
        left = count - len(ids)
        more = ngettext("and %(n)s more", "and %(n)s more", left) % {"n": left} if left else ""
        if lines or more:
            sections.append(Section(f"{heading} ({count})", tuple(lines), more))
    return Personal(data, tuple(sections))


def _some(digest: Told, tasks: Mapping[int, Task]) -> str:
    names = [tasks[pk].title for pk in digest.tasks if pk in tasks]
    return ", ".join(names[:FEW]) + (", …" if len(names) > FEW else "")


@lru_cache(maxsize=16_384)
def due_words(due: int, zone: str, today: date, is_over: bool, language: str) -> str:
    """ "Due today, 14:30", "Was due yesterday, 09:00": in the language that is given, which is the active one."""
    moment = datetime.fromtimestamp(due, timing.zone_of(zone))
    day, at = moment.date(), date_format(moment, "TIME_FORMAT")
    facts = {"time": at, "weekday": date_format(moment, "l"), "day": date_format(moment, "DATE_FORMAT")}
    near = {
        (today, False): _("Due today, %(time)s"),
        (today, True): _("Was due today, %(time)s"),
        (today + timing.DAY, False): _("Due tomorrow, %(time)s"),
        (today - timing.DAY, True): _("Was due yesterday, %(time)s"),
    }
    far = _("Was due %(weekday)s, %(day)s, %(time)s") if is_over else _("Due %(weekday)s, %(day)s, %(time)s")
    return near.get((day, is_over), far) % facts
