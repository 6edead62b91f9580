"""What runs in the background for the records: rows with a due time. Every task claims them and may run twice."""

from celery import shared_task

from crm import assigning, records, tasks_due


@shared_task(acks_late=True)
def sweep() -> None:
    """Close the assignment windows and tell the tasks whose time has come."""
    assigning.close_due()
    tasks_due.tell_due()


@shared_task(acks_late=True)
def empty_bin() -> None:
    """Erase what has been in the bin for long enough."""
    while records.purge() == records.MOST_PURGED:
        pass
