"""What one test leaves never reaches the next, even when the worker was in the middle of something."""

import threading

import psycopg
import pytest
from django.db import connection
from psycopg.errors import DeadlockDetected

from accounts.models import Account
from tests.browser.conditions import wait_for
from tests.browser.emptying import empty


def test_whoever_is_at_work_gives_way_when_everything_is_emptied(account):
    tables = connection.introspection.django_table_names(only_existing=True, include_views=False)
    first, last = tables[0], tables[-1]
    given_way = threading.Event()

    def work() -> None:
        """As a worker does: holds one table, and then wants another, which is being emptied already."""
        with psycopg.connect(**connection.get_connection_params()) as line:
            line.execute(f'LOCK TABLE "{last}" IN ROW EXCLUSIVE MODE')
            begun.set()
            wait_for(lambda: is_locked(first), "the emptying has begun")
            with pytest.raises(DeadlockDetected):
                line.execute(f'LOCK TABLE "{first}" IN ROW EXCLUSIVE MODE')
            line.rollback()
            given_way.set()

    begun = threading.Event()
    worker = threading.Thread(target=work)
    worker.start()
    assert begun.wait(10)
    empty()
    worker.join(20)

    assert given_way.is_set()
    assert not Account.objects.filter(pk=account.pk).exists()


def is_locked(table: str) -> bool:
    """Whether somebody has all of a table to themselves. Looked up beside the connection of the test."""
    with psycopg.connect(**connection.get_connection_params()) as line:
        held = (
            "SELECT count(*) FROM pg_locks WHERE relation = %s::regclass AND mode = 'AccessExclusiveLock' AND granted"
        )
        return bool(line.execute(held, [table]).fetchone()[0])
