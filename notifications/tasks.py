"""What runs in the background. Every task claims rows and may run twice; the sweeper finds what was left."""

import logging
from typing import Any

from celery import Task, shared_task

from notifications import channels, delivering, fanout
from notifications.models import Event

A_WHILE = 20  # seconds: a worker that is told to stop has to wait no longer than this

log = logging.getLogger(__name__)


@shared_task(acks_late=True)
def fan_out() -> None:
    """Tell everybody about the events that wait, then start carrying."""
    if fanout.run_due():
        wake_deliveries()


@shared_task(acks_late=True)
def deliver(*, channel: str, **_: object) -> None:
    """Carry what is due on one channel, for a while; what is left takes its turn behind other work."""
    if delivering.carry_for(channels.CARRIER[channel], seconds=A_WHILE):
        wake(deliver, channel=channel)


@shared_task(acks_late=True)
def sweep() -> None:
    """Pick up whatever a dead worker or a lost wake-up left."""
    delivering.give_back_expired()
    if Event.objects.filter(fanned_out_at=None).exists():
        wake(fan_out)
    wake_deliveries()


def wake_deliveries() -> None:
    """Start carrying on every channel that has something due."""
    for carrier in channels.CARRIERS:
        if delivering.has_due(carrier):
            wake(deliver, channel=carrier.key)


def wake(task: "Task[..., None]", **given: Any) -> None:
    """Start a task soon. A broker that is down costs only time: the sweeper comes anyway."""
    try:
        task.delay(**given)
    except Exception as error:  # noqa: BLE001 (kombu wraps transport errors in many types)
        log.warning("%s was not woken (%s): the sweeper will", task.name, type(error).__name__)
