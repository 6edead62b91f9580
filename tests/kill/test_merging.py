"""Workers that tell comments are killed in the middle: each reply is in one mail, and no mail has more than three."""

from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from notifications import events, fanout, types
from notifications.models import Delivery, Event, Merge
from tests import factories
from tests.kill.killing import work_and_die

COMMENT = types.comments.ACTIVITY_COMMENTED
PEOPLE, REPLIES, ROUNDS = 20, 200, 4
WORKER = """
import django
django.setup()
from notifications import fanout
print("ready", flush=True)
while fanout.run_due():
    pass
"""

pytestmark = [pytest.mark.kill, pytest.mark.django_db(transaction=True)]


@pytest.mark.req("N-064")
def test_whoever_dies_each_reply_is_in_one_mail(account: Any) -> None:
    people = factories.members(account, PEOPLE)
    for _number in range(REPLIES):
        events.emit(COMMENT, audience=people, data=COMMENT.example)
    Event.objects.update(created_at=timezone.now() - timedelta(minutes=10))

    killed = sum(work_and_die(WORKER, after=0.03 + 0.05 * turn, may_end=False) for turn in range(ROUNDS))
    left = Event.objects.filter(fanned_out_at=None).count()
    fanout.run_due()

    assert killed > 1
    assert 0 < left < REPLIES
    assert Delivery.objects.count() == PEOPLE * REPLIES
    mails = Counter(Delivery.objects.values_list("merge", flat=True))
    assert Counter(mails.values()) == {3: PEOPLE * (REPLIES // 3), REPLIES % 3: PEOPLE}
    assert mails == dict(Merge.objects.values_list("pk", "count"))
    assert set(Delivery.objects.exclude(status="merged").values_list("merge", flat=True)) == mails.keys()
    assert Delivery.objects.exclude(status="merged").count() == len(mails)
