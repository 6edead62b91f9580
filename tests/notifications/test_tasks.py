"""Waking: soon, once for a burst, and never so that something is missed."""

import pytest
from redis import RedisError

from notifications import channels, events, live, tasks, types
from notifications.models import Delivery, Event
from tests import factories

KIND = types.TYPES["deals.stage_changed"]  # bell and e-mail


@pytest.fixture(autouse=True)
def nobody_was_asked():
    for key in live.client().keys("*asked:*"):
        live.client().delete(key)


@pytest.fixture
def started(monkeypatch):
    """What was put in the queue."""
    queue: list[str] = []
    monkeypatch.setattr(tasks.fan_out, "delay", lambda: queue.append("fan_out"))
    monkeypatch.setattr(tasks.deliver, "delay", lambda *, channel: queue.append(channel))
    return queue


def test_a_burst_of_events_wakes_the_fan_out_once(started, bob, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        for _ in range(20):
            events.emit(KIND, audience=[bob], data=dict(KIND.example))
    assert started == ["fan_out"]

    tasks.fan_out()

    assert not Event.objects.filter(fanned_out_at=None).exists()
    assert started == ["fan_out", "email"]


def test_what_comes_while_a_task_works_wakes_another(started, monkeypatch):
    tasks.wake(tasks.fan_out)
    monkeypatch.setattr(tasks.fanout, "run_due", lambda: tasks.wake(tasks.fan_out))

    tasks.fan_out()

    assert started == ["fan_out", "fan_out"]


def test_deliveries_of_several_fan_outs_are_carried_by_one_task(started, account):
    people = factories.members(account, 3)
    for person in people:
        events.emit(KIND, audience=[person], data=dict(KIND.example))
        tasks.fan_out()
    assert started.count("email") == 1

    tasks.deliver(channel="email")

    assert Delivery.objects.filter(status="sent").count() == 3
    assert not tasks.delivering.has_due(channels.CARRIER["email"])


def test_a_queue_that_fails_is_asked_again_at_once(started, monkeypatch):
    def broken() -> None:
        raise ConnectionError

    with monkeypatch.context() as patch:
        patch.setattr(tasks.fan_out, "delay", broken)
        tasks.wake(tasks.fan_out)
    tasks.wake(tasks.fan_out)
    assert started == ["fan_out"]


def test_without_redis_a_task_is_started_each_time(started, monkeypatch):
    class Away:
        def __getattr__(self, name: str):
            def fails(*_: object, **__: object) -> None:
                raise RedisError

            return fails

    monkeypatch.setattr(live, "client", Away)
    tasks.wake(tasks.fan_out)
    tasks.wake(tasks.fan_out)
    assert started == ["fan_out", "fan_out"]
