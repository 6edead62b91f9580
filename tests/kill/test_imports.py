"""Workers that import a file are killed in the middle, again and again: every row is taken once."""

from typing import Any

import pytest

from crm import schema
from crm.importing import deciding, running, uploading
from crm.importing.plans import Plan
from crm.models import Change, ImportJob, Record
from tests.kill.killing import work_and_die

ROWS, ROUNDS = 300, 6
WORKER = """
import django
django.setup()
from crm.importing import running
print("ready", flush=True)
while running.step():
    pass
"""

pytestmark = [pytest.mark.kill, pytest.mark.django_db(transaction=True)]


def test_whoever_dies_every_row_is_imported_once_and_taken_back_once(account: Any, alice: Any) -> None:
    content = "First name,City\n" + "".join(f"Mia {n},Oslo\n" for n in range(ROWS))
    kind = schema.kind_of(account, "contacts")
    job = uploading.upload(account, kind, file="many.csv", content=content.encode(), by=alice)
    deciding.check(job, Plan.read(job.plan))
    while running.step():
        pass

    deciding.start(job)
    assert _until("done") > 1
    assert ImportJob.objects.get().outcomes == {"created": ROWS}
    assert sorted(Record.objects.values_list("title", flat=True)) == sorted(f"Mia {n}" for n in range(ROWS))

    deciding.roll_back(job, by=alice)
    assert _until("rolled_back") > 0
    assert ImportJob.objects.get().undone == {"removed": ROWS}
    assert Change.objects.filter(what="deleted").count() == ROWS


def _until(state: str) -> int:
    """Workers, each killed a moment after it began, until the import is there; returns how many were killed."""
    killed = 0
    for turn in range(ROUNDS):
        if ImportJob.objects.filter(state=state).exists():
            break
        killed += work_and_die(WORKER, after=0.2 + 0.2 * (turn % 3), may_end=turn > ROUNDS // 2)
    assert ImportJob.objects.get().state == state
    return killed
