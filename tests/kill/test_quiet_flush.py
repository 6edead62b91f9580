"""Worker and beat die again and again while hundreds are back from quiet hours and pauses: one summary each."""

import json
import random
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import psycopg
import pytest

from tests.house import House, environment, manage, wait_for
from tests.push_service import PushService, Receiver
from tests.smtp_sink import Sink

pytestmark = pytest.mark.kill

MEMBERS = 200  # the even ones have quiet hours, the odd ones paused everything
EVENTS = 2
WAVES = 4
SET_UP = """
import json
from datetime import timedelta
from pathlib import Path
from django.utils import timezone
from accounts.models import Account, Membership, User
from notifications import events, types
from notifications.events import Audience
from notifications.models import BrowserSubscription, MemberSettings, Silence
given = json.loads(Path({path!r}).read_text())
account = Account.objects.get(hub_id=1001)
people = User.objects.bulk_create([User(email=f"quiet{{i}}@example.com", password="!") for i in range(len(given))])
them = Membership.objects.bulk_create([Membership(account=account, user=person) for person in people])
BrowserSubscription.objects.bulk_create([
    BrowserSubscription(user=person, endpoint=one["endpoint"], p256dh=one["keys"]["p256dh"], auth=one["keys"]["auth"])
    for person, one in zip(people, given)
])
MemberSettings.objects.bulk_create([MemberSettings(member=member, pushes_when_closed=True) for member in them])
now, far = timezone.now(), timezone.now() + timedelta(hours=1)
Silence.objects.bulk_create([
    Silence(member=member, paused_until=far) if i % 2 else Silence(member=member, starts_at=now, ends_at=far)
    for i, member in enumerate(them)
])
kind = types.TYPES["deals.mentioned"]
for _ in range({events}):
    events.emit(
        kind, account=account, audience=Audience(members=tuple(member.pk for member in them)), data=dict(kind.example)
    )
"""


@pytest.fixture
def sink() -> Iterator[Sink]:
    sink = Sink().start()
    yield sink
    sink.stop()


@pytest.fixture
def service() -> Iterator[PushService]:
    service = PushService().start()
    yield service
    service.stop()


def test_whoever_dies_everybody_who_is_back_hears_once(
    house: House, sink: Sink, service: PushService, tmp_path: Path
) -> None:
    house.start(EMAIL_URL=f"smtp://127.0.0.1:{sink.port}", OUTGOING_LOOPBACK="true", DELIVERY_CLAIM_SECONDS="4")
    browsers = [Receiver(service) for _ in range(MEMBERS)]
    (tmp_path / "browsers").write_text(json.dumps([one.subscription for one in browsers]))
    script = SET_UP.format(path=str(tmp_path / "browsers"), events=EVENTS)
    made = manage("shell", "-v0", "-c", script, env=environment(VAR_DIR=str(house.var)))
    assert made.returncode == 0, made.stderr
    held = MEMBERS * EVENTS + MEMBERS // 2 * EVENTS  # pushes of all, mails of those who paused
    wait_for(lambda: count(house, HELD) == held, "all is held")
    assert service.posts == []

    rows(
        house,
        "UPDATE notifications_silence SET ends_at = ends_at - later, paused_until = paused_until - later,"
        " due_at = now() + (member_id %% %s) * interval '2 seconds' FROM (SELECT interval '1 hour' AS later) l"
        " WHERE due_at IS NULL RETURNING 1",
        WAVES,
    )
    dice = random.Random(20261122)
    for kill in range(WAVES):
        seen = count(house, SUMMARIES)
        with suppress(AssertionError):  # the last wave may have been told by then
            wait_for(lambda seen=seen: count(house, SUMMARIES) > seen, "summaries go on", seconds=8)  # type: ignore[misc]
        time.sleep(dice.uniform(0, 0.3))
        with suppress(psutil.NoSuchProcess, StopIteration):
            house.part("beat" if kill % 3 == 2 else "worker").kill()
    wait_for(lambda: is_quiet(house), "everybody is back", seconds=120)

    per_member = Counter(row[0] for row in rows(house, WHOSE))
    assert Counter(per_member.values()) == {1: MEMBERS // 2, 2: MEMBERS // 2}  # who paused has one by mail, too
    assert count(house, SUMMED) == held
    for browser in browsers:
        pushes = {push["id"]: push["title"] for push in browser.received}
        assert list(pushes.values()) == [f"While you were away: {EVENTS} notifications"]
    mails = {mail.mail["Message-ID"]: (mail.to[0], mail.mail["Subject"]) for mail in sink.mails}
    told = Counter(mails.values())
    for i in range(MEMBERS):
        address = f"quiet{i}@example.com"
        mine = {subject: number for (to, subject), number in told.items() if to == address}
        if i % 2:
            assert mine == {f"While you were away: {EVENTS} notifications": 1}
        else:
            assert list(mine.values()) == [EVENTS]


WHOSE = "SELECT (audience->'members'->>0)::bigint FROM notifications_event WHERE type = 'system.catch_up'"
SUMMARIES = "SELECT count(*) FROM notifications_event WHERE type = 'system.catch_up'"
HELD = "SELECT count(*) FROM notifications_delivery WHERE status = 'held'"
SUMMED = "SELECT count(*) FROM notifications_delivery WHERE status = 'summed'"


def is_quiet(house: House) -> bool:
    assert not house.has_ended, house.words()[-2000:]
    return rows(
        house,
        "SELECT (SELECT count(*) FROM notifications_silence WHERE due_at <= now())"
        " + (SELECT count(*) FROM notifications_event WHERE fanned_out_at IS NULL)"
        " + (SELECT count(*) FROM notifications_notification WHERE waiting > 0)"
        " + (SELECT count(*) FROM notifications_notification WHERE hushed IN (1, 2))"
        " + (SELECT count(*) FROM notifications_delivery WHERE status NOT IN ('sent', 'summed', 'dropped'))",
    ) == [(0,)]


def count(house: House, statement: str) -> int:
    return int(rows(house, statement)[0][0])


def rows(house: House, statement: str, *values: object) -> list[tuple[int, ...]]:
    with psycopg.connect(house.fact("DATABASE_URL"), connect_timeout=5) as connection:
        return connection.execute(statement.encode(), values or None).fetchall()
