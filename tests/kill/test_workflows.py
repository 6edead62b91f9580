"""Workers that take records through a workflow are killed in the middle, again and again: every step is done once."""

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from typing import Any

import pytest
from django.db import connection

from crm.models import ActionRun, Association, Enrolment, Record
from crm.workflows import enrolling
from notifications.models import Event
from tests.crm.workflows import NOTIFY, build

RECORDS, KILLS = 60, 3
WORKER = """
import django
django.setup()
from crm.workflows import running
while running.step():
    pass
"""

pytestmark = [pytest.mark.kill, pytest.mark.django_db(transaction=True)]


@pytest.mark.req("N-154")
def test_whoever_dies_every_step_is_done_once(account: Any, alice: Any, bob: Any) -> None:
    steps = [
        {"do": "rotate", "members": [alice.pk, bob.pk]},
        {**NOTIFY, "owner": True},
        {"do": "task", "name": "Call", "due_in_days": 1, "member": "owner"},
    ]
    workflow = build(alice, steps=steps)
    rows = Record.objects.bulk_create(
        Record(account=account, kind="tickets", title=f"Ticket {number}") for number in range(RECORDS)
    )
    enrolling.enrol_all(workflow, alice)

    for kill in range(1, KILLS + 1):
        _work_and_die(at=kill * 3 * RECORDS // (KILLS + 1))
    _work_and_die(at=None)

    assert Counter(Enrolment.objects.values_list("state", flat=True)) == {"done": RECORDS}
    assert ActionRun.objects.count() == 3 * RECORDS
    told = Event.objects.filter(type="workflows.notified").values_list("data__url", flat=True)
    assert Counter(told) == {f"/1001/tickets/{row.pk}/": 1 for row in rows}
    tasks = Record.objects.filter(kind="tasks")
    assert Counter(tasks.values_list("owner", flat=True)) == {alice.pk: RECORDS / 2, bob.pk: RECORDS / 2}
    assert Association.objects.count() == tasks.count() == RECORDS


def _work_and_die(*, at: int | None) -> None:
    """A worker that is killed in the middle of whatever it does once so many steps are done; None: to its end."""
    before, _slash, _name = os.environ["DATABASE_URL"].rpartition("/")
    env = os.environ | {
        "DATABASE_URL": f"{before}/{connection.settings_dict['NAME']}",
        "DJANGO_SETTINGS_MODULE": "config.settings",
    }
    with subprocess.Popen([sys.executable, "-c", WORKER], env=env) as worker:
        if at is not None:
            while ActionRun.objects.count() < at:
                assert worker.poll() is None, "it was to be killed in the middle"
                time.sleep(0.005)
            worker.send_signal(signal.SIGKILL)
        assert worker.wait(60) == (0 if at is None else -signal.SIGKILL)
