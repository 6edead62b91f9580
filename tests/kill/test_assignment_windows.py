"""Workers that close assignment windows are killed in the middle, again and again: everybody hears once."""

from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from crm import records
from crm.models import Assignment, AssignmentWindow
from notifications.models import Event
from tests import factories
from tests.kill.killing import work_and_die

PEOPLE, ROUNDS = 50, 30
WORKER = """
import django
django.setup()
from crm import assigning
print("ready", flush=True)
while assigning.close_due():
    pass
"""

pytestmark = [pytest.mark.kill, pytest.mark.django_db(transaction=True)]


@pytest.mark.req("N-082", "N-083")
def test_whoever_dies_everybody_hears_of_their_assignments_once(account: Any, alice: Any) -> None:
    people = factories.members(account, PEOPLE)
    for one in people:
        for _time in range(2):
            records.create(account, "tasks", {"name": "Call", "owner": one.pk}, by=alice)
    AssignmentWindow.objects.update(due_at=timezone.now() - timedelta(seconds=1))

    killed = 0
    for turn in range(ROUNDS):
        left = AssignmentWindow.objects.filter(closed_at=None).count()
        if not left:
            break
        killed += work_and_die(WORKER, after=0.02 + 0.03 * (turn % 5), may_end=turn > ROUNDS // 2)

    assert killed > 2
    assert not AssignmentWindow.objects.filter(closed_at=None).exists()
    heard = Counter(member for event in Event.objects.all() for member in event.audience["members"])
    assert heard == {one.pk: 1 for one in people}
    assert set(Assignment.objects.values_list("outcome", flat=True)) == {"told"}
