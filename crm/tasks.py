"""What runs in the background for the records: rows with a due time. Every task claims them and may run twice."""

import time

from celery import shared_task

from crm import assigning, duplicates, records, tasks_due
from notifications.tasks import A_WHILE, wake


@shared_task(acks_late=True)
def sweep() -> None:
    """Close the assignment windows and tell the tasks whose time has come."""
    assigning.close_due()
    tasks_due.tell_due()
    if duplicates.check_some():
        wake(check_duplicates)


@shared_task(acks_late=True)
def check_duplicates() -> None:
    """Look for duplicates for a while; what is left takes its turn behind other work."""
    until = time.monotonic() + A_WHILE
    while duplicates.check_some():
        if time.monotonic() > until:
            wake(check_duplicates)
            return


@shared_task(acks_late=True)
def report_duplicates() -> None:
    """Tell who looks after the data what the day before has found."""
    duplicates.report()


@shared_task(acks_late=True)
def empty_bin() -> None:
    """Erase what has been in the bin for long enough."""
    while records.purge() == records.MOST_PURGED:
        pass
