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

RECORDS, ROUNDS = 80, 5
WORKER = """
import django
django.setup()
from crm.workflows import running
print("ready", flush=True)
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

    killed = 0
    for turn in range(ROUNDS):
        if turn and not Enrolment.objects.filter(state="waiting").exists():
            break
        killed += _work_and_die(after=0.1 + 0.1 * (turn % 3), may_end=turn == ROUNDS - 1)

    assert killed > 1
    assert Counter(Enrolment.objects.values_list("state", flat=True)) == {"done": RECORDS}
    assert ActionRun.objects.count() == 3 * RECORDS
    told = Event.objects.filter(type="workflows.notified").values_list("data__url", flat=True)
    assert Counter(told) == {f"/1001/tickets/{row.pk}/": 1 for row in rows}
    tasks = Record.objects.filter(kind="tasks")
    assert Counter(tasks.values_list("owner", flat=True)) == {alice.pk: RECORDS / 2, bob.pk: RECORDS / 2}
    assert Association.objects.count() == tasks.count() == RECORDS


def _work_and_die(*, after: float, may_end: bool) -> bool:
    """A worker that is killed so many seconds after it began; returns whether it was still at it."""
    before, _slash, _name = os.environ["DATABASE_URL"].rpartition("/")
    env = os.environ | {
        "DATABASE_URL": f"{before}/{connection.settings_dict['NAME']}",
        "DJANGO_SETTINGS_MODULE": "config.settings",
    }
    with subprocess.Popen([sys.executable, "-c", WORKER], env=env, stdout=subprocess.PIPE) as worker:
        assert worker.stdout is not None
        assert worker.stdout.readline() == b"ready\n"
        if may_end:  # enough was killed: let the rest be done
            worker.wait(60)
        time.sleep(0 if may_end else after)
        was_at_it = worker.poll() is None
        worker.send_signal(signal.SIGKILL)
    return was_at_it
