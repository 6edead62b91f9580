"""What runs in the background. Every task claims rows and may run twice; the sweeper finds what was left."""

import logging
import time
from typing import Any

from celery import Task, shared_task
from django.conf import settings
from redis import RedisError

from notifications import canary, caps, catching_up, channels, claiming, delivering, fanout, live, redriving, snoozing
from notifications.models import Event
from notifications.other_apps import webhook_log

A_WHILE = 20  # seconds: a worker that is told to stop has to wait no longer than this
GATHER = 0.2  # seconds: what several events want delivered is carried together, at a fraction of the cost
ASKED = 2  # seconds after which a task that was asked for and has not begun is asked for again

log = logging.getLogger(__name__)


@shared_task(acks_late=True)
def fan_out() -> None:
    """Tell everybody about the events that wait, then start carrying."""
    begin(fan_out)
    if fanout.run_due():
        wake_deliveries()


@shared_task(acks_late=True)
def deliver(*, channel: str, **_: object) -> None:
    """Carry what is due on one channel, for a while; what is left takes its turn behind other work."""
    time.sleep(GATHER)
    begin(deliver, channel=channel)
    if delivering.carry_for(channels.CARRIER[channel], seconds=A_WHILE):
        wake(deliver, channel=channel)


@shared_task(acks_late=True)
def redrive() -> None:
    """Make what failed due again, as far as somebody asked for it."""
    begin(redrive)
    if redriving.run_due(seconds=A_WHILE):
        wake(redrive)
    wake_deliveries()


@shared_task(acks_late=True)
def catch_up() -> None:
    """Tell what was held to whoever is back, and bring back what was snoozed."""
    begin(catch_up)
    looked = catching_up.run_due(seconds=A_WHILE)
    snoozing.run_due()
    if looked and catching_up.has_due():  # without progress somebody else holds what is left
        wake(catch_up)


@shared_task(acks_late=True)
def sweep() -> None:
    """Pick up whatever a dead worker or a lost wake-up left, and forget what is too old."""
    claiming.give_back_expired()
    caps.forget_old()
    if redriving.has_work():
        wake(redrive)
    webhook_log.forget_old()
    if Event.objects.filter(fanned_out_at=None).exists():
        wake(fan_out)
    if catching_up.has_due() or snoozing.has_due():
        wake(catch_up)
    wake_deliveries()


@shared_task(acks_late=True)
def sing() -> None:
    """Say that a worker is at work. It waits its turn behind other work: late is late."""
    canary.sing()


def wake_deliveries() -> None:
    """Start carrying on every channel that has something due."""
    for carrier in channels.CARRIERS:
        if not _is_asked(deliver, channel=carrier.key) and delivering.has_due(carrier):
            wake(deliver, channel=carrier.key)


def wake(task: "Task[..., None]", **given: Any) -> None:
    """Start a task soon. One that was asked for and has not begun will see the caller's rows too: once is enough.

    A broker that is down costs only time: the sweeper comes anyway.
    """
    try:
        if not live.client().set(_mark(task, given), 1, nx=True, ex=ASKED):
            return
    except RedisError as error:
        log.warning("%s may be started more often than needed (%s)", task.name, type(error).__name__)
    try:
        task.delay(**given)
    except Exception as error:  # noqa: BLE001 (kombu wraps transport errors in many types)
        log.warning("%s was not woken (%s): the sweeper will", task.name, type(error).__name__)
        begin(task, **given)


def begin(task: "Task[..., None]", **given: Any) -> None:
    """From here on whoever asks for the task has to start another one: this one may not see their rows any more."""
    try:
        live.client().delete(_mark(task, given))
    except RedisError:
        log.debug("the mark of %s stays until it ends by itself", task.name)


def _is_asked(task: "Task[..., None]", **given: Any) -> bool:
    try:
        return bool(live.client().exists(_mark(task, given)))
    except RedisError:
        return False


def _mark(task: "Task[..., None]", given: dict[str, Any]) -> str:
    return f"{settings.REDIS_PREFIX}asked:{task.name}:{','.join(map(str, given.values()))}"
