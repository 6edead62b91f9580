"""What runs in the background for the records: rows with a due time. Every task claims them and may run twice."""

import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Final

from celery import Task, shared_task
from django.utils import timezone

from crm import anomalies, assigning, bulk, duplicates, exporting, happenings, records, settling, tasks_due
from crm.digests import running, schedules
from crm.importing import forgetting
from crm.importing import running as importing
from crm.lists import processing
from crm.models import BulkJob, Export, Happening, ImportJob, RecordList
from crm.room import ROOM
from crm.webhooks import carrying, looking_back
from crm.workflows import ending, reviewing, scheduling
from crm.workflows import running as workflows
from notifications.tasks import begin, wake

A_SLICE: Final = 1.5  # seconds: whatever came meanwhile has its turn before a long task goes on


@shared_task(acks_late=True)
def sweep() -> None:
    """Close the assignment windows, tell the tasks whose time has come, and start what else is due."""
    assigning.close_due()
    tasks_due.tell_due()
    schedules.adopt()
    processing.look_again()
    scheduling.start_due()
    reviewing.check_some()
    for has_work, task in _waiting():
        if has_work():
            wake(task)


def _waiting() -> Iterator[tuple[Callable[[], bool], "Task[..., None]"]]:
    """What may have work waiting, and the task that does it. One line each."""
    yield running.has_due, send_digests
    yield lambda: duplicates.check_some() > 0, check_duplicates
    yield anomalies.has_due, check_anomalies
    yield BulkJob.objects.under_way().exists, carry_bulk
    yield ImportJob.objects.under_way().exists, carry_imports
    yield Export.objects.under_way().exists, write_exports
    yield carrying.has_due, post_webhooks
    yield settling.has_work, settle
    yield Happening.objects.exists, follow
    yield RecordList.objects.to_process().exists, process_lists
    yield workflows.has_due, carry_workflows
    yield ending.has_rest, end_enrolments


def _for_a_while(step: Callable[[], int], task: Task[..., None]) -> None:
    """Take one step after the other; after a slice of time, what is left takes its turn behind other work.

    Whoever asks from here on gets another one: this one may not see their rows any more. Those would pile up, one for
    every tick and every wake-up during a crowd, until they held all threads and nobody was told anything. So there is
    room for some only (`crm.room`); whoever is refused comes again when one is done. Slices bound how long that takes,
    and how long the others wait where even so all threads are taken.
    """
    begin(task)
    if not ROOM.enter(task.name, again=partial(wake, task)):
        return
    is_more = False
    try:
        until = time.monotonic() + A_SLICE
        while (is_more := bool(step())) and time.monotonic() <= until:
            pass
    finally:
        for again in ROOM.leave(task.name):
            again()
    if is_more:
        wake(task)


@shared_task(acks_late=True)
def follow() -> None:
    """Let lists, workflows and webhooks follow what happened to records."""
    _for_a_while(happenings.step, follow)


@shared_task(acks_late=True)
def process_lists() -> None:
    """Fill lists."""
    _for_a_while(processing.step, process_lists)


@shared_task(acks_late=True)
def carry_workflows() -> None:
    """Take records through their workflows."""
    _for_a_while(workflows.step, carry_workflows)


@shared_task(acks_late=True)
def end_enrolments() -> None:
    """Cancel what is left in workflows that are off."""
    _for_a_while(ending.step, end_enrolments)


@shared_task(acks_late=True)
def settle() -> None:
    """Work out anew whom records name."""
    _for_a_while(settling.step, settle)


@shared_task(acks_late=True)
def carry_bulk() -> None:
    """Assign, delete and list many records."""
    _for_a_while(bulk.step, carry_bulk)


@shared_task(acks_late=True)
def carry_imports() -> None:
    """Read, try out, import and roll back files."""
    _for_a_while(importing.step, carry_imports)


@shared_task(acks_late=True)
def write_exports() -> None:
    """Write exports."""
    _for_a_while(exporting.step, write_exports)


@shared_task(acks_late=True)
def post_webhooks() -> None:
    """Post what happened to records to the endpoints that want to hear of it."""
    _for_a_while(carrying.step, post_webhooks)


@shared_task(acks_late=True)
def send_digests() -> None:
    """Compute the digests that are due, and have them told."""
    _for_a_while(lambda: running.run_step(timezone.now()), send_digests)


@shared_task(acks_late=True)
def check_duplicates() -> None:
    """Look for duplicates."""
    _for_a_while(duplicates.check_some, check_duplicates)


@shared_task(acks_late=True)
def forget_posts() -> None:
    """Remove the attempts of webhooks that are too old to be shown."""
    looking_back.forget_old()


@shared_task(acks_late=True)
def erase_exports() -> None:
    """Erase the files that have been kept for long enough."""
    exporting.erase_old()


@shared_task(acks_late=True)
def check_anomalies() -> None:
    """Count and judge the days that are over."""
    _for_a_while(anomalies.step, check_anomalies)


@shared_task(acks_late=True)
def report_duplicates() -> None:
    """Tell who looks after the data what the day before has found, and watch over the accounts that are new."""
    duplicates.report()
    while anomalies.adopt() == anomalies.AT_ONCE:
        pass


@shared_task(acks_late=True)
def empty_bin() -> None:
    """Erase what has been in the bin for long enough, and the files of old imports."""
    while records.purge() == records.MOST_PURGED:
        pass
    while forgetting.forget_some():
        pass


@shared_task(acks_late=True)
def look_after_digests() -> None:
    """Give rows to members whom the tick did not see come, and forget what became of old digests."""
    schedules.adopt(everybody=True)
    running.forget_old(timezone.now().date())
