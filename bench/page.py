"""The settings page and the bell's pages of a member with 20,000 notifications among 1,000,000, over HTTP."""

import json
import time
from http.client import HTTPConnection

from django.conf import settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import Account, Membership
from bench import people, processes, services
from bench.figure import Figure, load, median, percentile, timed
from notifications import types

ROWS = 1_000_000
EVENTS = 20_000
MEMBERS = 1_000
REQUESTS = 40
KIND = "deals.stage_changed"
PAGES = {"settings": "settings-email", "bell": "bell", "list": "list"}


def run() -> list[Figure]:
    """40 requests of each page, one after the other, and the queries behind one."""
    with services.running():
        account = people.account(900_003, members=MEMBERS)
        member = account.members.select_related("user").order_by("id")[0]
        _notifications(account, member)
        load_before = load()
        round_trip = _round_trip()
        (session,) = people.sign_in([member])
        figures = []
        with processes.web() as web:
            for name, view in PAGES.items():
                path = reverse(f"notifications:{view}", kwargs={"hub_id": account.hub_id})
                took = _requests(web.port, path, session)
                queries = _queries(path, session)
                figures.append(
                    Figure(
                        name=f"page_{name}",
                        what=f"{path.replace(str(account.hub_id), '…')} at {ROWS:,} notifications, {queries} queries",
                        value=median(took),
                        unit="ms",
                        yardstick=round_trip,
                        yardstick_what="SELECT 1, there and back",
                        goal="≤ 12 queries",
                        is_met=queries <= 12,
                        load=load_before,
                        samples=[round(ms, 2) for ms in took],
                        details={"queries": queries, "p99_ms": percentile(took, 0.99)},
                    )
                )
        return figures


def _notifications(account: Account, member: Membership) -> None:
    """20,000 events: all of them for one member, and so many for the others that there are a million in all."""
    kind = types.TYPES[KIND]
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH made AS (
                INSERT INTO notifications_event (account_id, type, data, audience, tells_actor, fingerprint,
                    occurred_at, created_at, cursor, recipients, outcome, fanned_out_at)
                SELECT %(account)s, %(type)s, %(data)s, '{}', false, '', at, at, 0, 0, '[]', at
                FROM (SELECT now() - make_interval(mins => %(events)s - i) AS at
                      FROM generate_series(1, %(events)s) i) moments
                RETURNING id
            )
            INSERT INTO notifications_notification
                (member_id, event_id, channels, waiting, own, off, profiles, held)
            SELECT member_id, event_id, 5, 0, 0, 0, 0, 0
            FROM (SELECT %(member)s::bigint AS member_id, id AS event_id FROM made
                  UNION
                  SELECT m.id, e.id FROM (SELECT id, row_number() OVER (ORDER BY id) AS place FROM made) e
                  JOIN (SELECT id, row_number() OVER (ORDER BY id) AS place FROM accounts_membership
                        WHERE account_id = %(account)s AND id <> %(member)s) m
                  ON m.place %% %(share)s = e.place %% %(share)s) rows
            ORDER BY member_id, event_id LIMIT %(rows)s
            """,
            {
                "account": account.pk,
                "type": kind.key,
                "data": json.dumps(dict(kind.example)),
                "events": EVENTS,
                "member": member.pk,
                "share": EVENTS * (MEMBERS - 1) // (ROWS - EVENTS),
                "rows": ROWS,
            },
        )
        assert cursor.rowcount >= 0.99 * ROWS, cursor.rowcount
        cursor.execute("VACUUM ANALYZE notifications_notification, notifications_event")


def _round_trip() -> float:
    """SELECT 1 on an open connection, in ms."""
    with connection.cursor() as cursor:
        return median([timed(lambda: cursor.execute("SELECT 1").fetchone()) * 1000 for _ in range(200)])


def _requests(port: int, path: str, session: str) -> list[float]:
    """How many ms each request took, over one connection kept open; the first three warm up."""
    caller = HTTPConnection("127.0.0.1", port, timeout=30)
    took = []
    for i in range(REQUESTS + 3):
        start = time.perf_counter()
        caller.request("GET", path, headers={"Cookie": f"{settings.SESSION_COOKIE_NAME}={session}"})
        answer = caller.getresponse()
        answer.read()
        if answer.status != 200:
            raise RuntimeError(f"{path} answered {answer.status}")
        if i > 2:
            took.append((time.perf_counter() - start) * 1000)
    caller.close()
    return took


def _queries(path: str, session: str) -> int:
    """How many queries stand behind one request."""
    client = Client()
    client.cookies[settings.SESSION_COOKIE_NAME] = session
    client.get(path)
    with CaptureQueriesContext(connection) as captured:
        assert client.get(path).status_code == 200
    return len(captured)
