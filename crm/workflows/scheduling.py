"""Workflows that run by the clock: when the next turn is, and starting those whose time has come.

A turn that was missed (nobody was running) comes once, late; the next one is counted from then on.
"""

from collections.abc import Mapping
from datetime import datetime, time, timedelta
from typing import Any, Final

from django.db import transaction
from django.utils import timezone

from accounts.models import Account
from crm.digests.timing import zone_of
from crm.models import Trigger, Workflow, WorkflowState
from notifications.moments import instant

MOST_AT_ONCE: Final = 100
DAY: Final = timedelta(days=1)


def following(trigger: Mapping[str, Any], zone: str, *, after: datetime) -> datetime | None:
    """The first turn after a moment, on the clocks of a zone; None without a schedule. Pure.

    A wall time that does not exist that day is the next valid instant; one that occurs twice is the first (D1).
    """
    if trigger.get("on") != Trigger.SCHEDULE:
        return None
    here, at = zone_of(zone), time.fromisoformat(trigger["at"])
    on = after.astimezone(here).date() - DAY
    while True:
        on += DAY
        if trigger["every"] == "week" and on.weekday() != trigger["weekday"]:
            continue
        moment = instant(on, at, here)
        if moment > after:
            return moment


def start_due(now: datetime | None = None) -> int:
    """Begin to enrol in the workflows whose time has come; returns how many. Safe to run twice and at once."""
    from crm.workflows import enrolling  # it wakes what this module is woken by

    now = now or timezone.now()
    with transaction.atomic():
        rows = (
            Workflow.objects.running()
            .filter(next_at__lte=now)
            .select_related("account")
            .select_for_update(of=("self",), skip_locked=True, no_key=True)
            .order_by("next_at")[:MOST_AT_ONCE]
        )
        started = list(rows)
        for one in started:
            enrolling.begin_wave(one, by=None)
            one.next_at = following(one.trigger, one.account.time_zone, after=now)
            one.save(update_fields=["next_at"])
    return len(started)


def zone_changed(account: Account) -> None:
    """The account's clocks were set to another zone: what comes next is due at another moment."""
    rows = Workflow.objects.of(account).filter(state=WorkflowState.ON, next_at__isnull=False)
    with transaction.atomic():
        for one in rows.select_for_update(of=("self",), no_key=True).order_by("pk"):
            one.next_at = following(one.trigger, account.time_zone, after=timezone.now())
            one.save(update_fields=["next_at"])
