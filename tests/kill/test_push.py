"""Everything that has to do with a push is killed while hundreds are under way: each arrives, and once where that
could be known."""

import json
import random
import threading
import time
from collections import Counter
from collections.abc import Iterator

import psycopg
import pytest

from notifications import types
from tests.house import House, environment, manage, wait_for
from tests.kill.killing import kill, rows
from tests.push_service import PushService, Receiver

pytestmark = pytest.mark.kill

KIND = types.TYPES["deals.mentioned"]
EVENTS = 500
SECONDS = 20  # over which they happen
KILLS = ["worker", "redis", "beat", "flush", "web", "worker"]
PEOPLE = ["alice@example.com", "bob@example.com", "carol@example.com"]
ALLOW = """
import json
from accounts.models import User
from notifications import preferences
from notifications.push import subscribing
for email, given in json.loads({browsers!r}).items():
    person = User.objects.get(email=email)
    subscribing.keep(person, subscribing.Offer(given["endpoint"], **given["keys"]))
    preferences.set_options(person.memberships.get(account__hub_id=1001), pushes_when_closed=True)
"""
EMIT = """
import time
from accounts.models import Account
from notifications import events, types
account = Account.objects.get(hub_id=1001)
people = [account.members.get(user__email=email) for email in {people!r}]
kind = types.TYPES["{kind}"]
for number in range({events}):
    to = people[number % len(people)]
    events.emit(kind, account=account, audience=[to], data=kind.example, key=f"push-{{number}}")
    time.sleep({seconds} / {events})
"""


@pytest.fixture
def service() -> Iterator[PushService]:
    server = PushService().start()
    server.latency = 0.4  # so that many are on their way whenever something dies
    yield server
    server.stop()


@pytest.mark.req("N-026")
def test_whatever_dies_every_push_arrives_and_none_twice_that_does_not_say_so(
    house: House, service: PushService
) -> None:
    house.start(OUTGOING_LOOPBACK="true", DELIVERY_CLAIM_SECONDS="5")
    browsers = {email: Receiver(service) for email in PEOPLE}
    told = json.dumps({email: browser.subscription for email, browser in browsers.items()})
    run(house, ALLOW.format(browsers=told))

    emitting = threading.Thread(
        target=run, args=(house, EMIT.format(people=PEOPLE, kind=KIND.key, events=EVENTS, seconds=SECONDS))
    )
    emitting.start()
    dice = random.Random(20261122)
    wait_for(lambda: bool(service.posts), "the first push")
    kills = 0
    while emitting.is_alive():
        kill(house, KILLS[kills % len(KILLS)])
        kills += 1
        time.sleep(dice.uniform(1, 2.5))
    assert kills >= len(KILLS), "the emitting was over before everything had been killed"
    wait_for(lambda: is_quiet(house), "all told and all pushed", seconds=90)

    pushes = rows(
        house,
        "SELECT d.event_id, u.email, d.status, d.is_repeat_possible FROM notifications_delivery d "
        "JOIN notifications_event e ON e.id = d.event_id JOIN accounts_membership m ON m.id = d.member_id "
        "JOIN accounts_user u ON u.id = m.user_id WHERE e.key LIKE 'push-%' AND d.channel = 'browser'",
    )
    assert len(pushes) == EVENTS
    assert {status for _event, _email, status, _is_marked in pushes} == {"sent"}
    arrived = Counter((post.token, post.headers["Topic"]) for post in service.posts if post.status == 201)
    marked = {(browsers[email].token, f"n{event}"): is_marked for event, email, _status, is_marked in pushes}
    assert service.refused == []
    assert [push for push in marked if not arrived[push]] == [], "said to be sent, and never arrived"
    assert [push for push, is_marked in marked.items() if arrived[push] > 1 and not is_marked] == []
    assert set(arrived) == set(marked), "nobody else got anything"


def run(house: House, script: str) -> None:
    done = manage("shell", "-v0", "-c", script, env=environment(VAR_DIR=str(house.var), OUTGOING_LOOPBACK="true"))
    assert done.returncode == 0, done.stderr


def is_quiet(house: House) -> bool:
    assert not house.has_ended, house.words()[-2000:]
    try:
        return rows(
            house,
            "SELECT (SELECT count(*) FROM notifications_event WHERE fanned_out_at IS NULL)"
            " + (SELECT count(*) FROM notifications_notification WHERE waiting > 0)"
            " + (SELECT count(*) FROM notifications_delivery WHERE channel = 'browser' AND status <> 'sent')",
        ) == [(0,)]
    except psycopg.Error:
        return False
