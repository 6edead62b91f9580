"""Telling that a task is due, or that its reminder has come: once per task and time (N-139).

The time is a row. What changed in between (another time, completed, deleted) is read again when it comes.
"""

import logging
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone, translation
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from accounts.models import Membership
from crm import paths, permissions
from crm.models import DueNotice, Record
from notifications import events
from notifications.types import tasks as types

MOST_AT_ONCE = 500
TOO_LATE = timedelta(hours=24)  # after a long downtime: the list of overdue tasks says it better

log = logging.getLogger(__name__)


def plan(record: Record) -> None:
    """Put a task's due time and reminder into rows, in the caller's transaction. What lies behind is not told."""
    if record.kind != "tasks":
        return
    times = {} if record.completed_at else {"due_at": record.due_at, "remind_at": record.remind_at}
    now = timezone.now()
    wanted = {what: at for what, at in times.items() if at and at > now}
    outdated = DueNotice.objects.filter(record=record, settled_at=None)
    for what, at in wanted.items():
        outdated = outdated.exclude(what=what, at=at)
    outdated.delete()
    if wanted:
        DueNotice.objects.bulk_create(
            [DueNotice(record=record, what=what, at=at) for what, at in wanted.items()], ignore_conflicts=True
        )


def tell_due(now: datetime | None = None) -> int:
    """Tell all whose time has come; returns how many rows were settled. Safe to run twice and at once."""
    now = now or timezone.now()
    settled = 0
    while True:
        with transaction.atomic():
            rows = list(
                DueNotice.objects.select_for_update(of=("self",), skip_locked=True)
                .filter(settled_at=None, at__lte=now)
                .select_related("record__account")
                .order_by("at")[:MOST_AT_ONCE]
            )
            people = _people(rows)
            for row in rows:
                row.outcome = _settle(row, people, now)
                row.settled_at = timezone.now()
            DueNotice.objects.bulk_update(rows, ["outcome", "settled_at"])
        settled += len(rows)
        if len(rows) < MOST_AT_ONCE:
            return settled


def due_words(at: datetime, now: datetime) -> str:
    """ "today, 14:30", in the language and zone that are set."""
    local, today = timezone.localtime(at), timezone.localtime(now).date()
    time = date_format(local, "TIME_FORMAT")
    if local.date() == today:
        return _("today, %(time)s") % {"time": time}
    if local.date() == today + timedelta(days=1):
        return _("tomorrow, %(time)s") % {"time": time}
    return _("on %(day)s, %(time)s") % {"day": date_format(local, "DATE_FORMAT"), "time": time}


def _people(rows: list[DueNotice]) -> dict[int, Membership]:
    wanted = {member for row in rows for member in row.record.people}
    found = Membership.objects.active().filter(pk__in=wanted).select_related("user", "account")
    return {one.pk: one for one in found}


def _settle(row: DueNotice, people: dict[int, Membership], now: datetime) -> str:
    """Tell one notice, or say why not."""
    task = row.record
    for applies, outcome in (
        (task.is_deleted, "deleted"),
        (task.completed_at is not None, "completed"),
        (getattr(task, row.what) != row.at, "changed"),
        (now - row.at > TOO_LATE, "late"),
    ):
        if applies:
            return outcome
    assignees = permissions.who_may_see(task, [people[pk] for pk in task.people if pk in people])
    for one in assignees:  # each in their own zone and language, so an event each
        with translation.override(one.spoken_language), timezone.override(one.zone):
            due = due_words(task.due_at or row.at, now)
        events.emit(
            types.DUE,
            audience=[one],
            account=task.account,
            data={"task": task.title, "due": due, "url": paths.record(task)},
            key=f"crm.due:{task.pk}:{row.what}:{row.at.isoformat()}:{one.pk}",
        )
    return "told" if assignees else "nobody"
