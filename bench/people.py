"""Who is there to be told: an account with many members, their sign-ins and their choices, made by SQL."""

import secrets
from collections.abc import Sequence
from datetime import timedelta

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.db import connection
from django.utils import timezone

from accounts.models import Account, Membership, User
from accounts.plans import Plan
from notifications import live

CROWD = 100_000
OVERRIDES = 20_000


def clean() -> None:
    """Forget what happened so far, so that a figure does not pay for the one before: the people stay."""
    with connection.cursor() as cursor:
        cursor.execute(
            "TRUNCATE notifications_event, notifications_notification, notifications_delivery, "
            "notifications_preference, notifications_sandboxmail, django_session CASCADE"
        )
    live.client().flushdb()


def account(hub_id: int, *, members: int) -> Account:
    """The account with that Hub ID and so many members; made at the first call, found again at the next."""
    found, is_new = Account.objects.get_or_create(
        hub_id=hub_id, defaults={"name": f"Bench {hub_id}", "domain": f"b{hub_id}.example", "plan": Plan.ENTERPRISE}
    )
    if is_new:
        with connection.cursor() as cursor:
            cursor.execute(
                """
                WITH people AS (
                    INSERT INTO accounts_user (email, name, password, is_active, is_superuser, created_at)
                    SELECT format('b%%s-%%s@example.com', %(hub)s, i), format('Member %%s', i), '!', true, false, now()
                    FROM generate_series(1, %(count)s) i RETURNING id
                )
                INSERT INTO accounts_membership (account_id, user_id, role, permissions, seat, time_zone, language,
                    working_hours, availability, is_active, created_at)
                SELECT %(account)s, id, 'member', '{}', 'free', '', '', '{}', 'available', true, now()
                FROM people ORDER BY id
                """,
                {"hub": hub_id, "count": members, "account": found.pk},
            )
            cursor.execute("ANALYZE accounts_user, accounts_membership")
    return found


def crowd() -> Account:
    """100,000 members."""
    return account(900_000, members=CROWD)


def choose(account: Account, type_key: str, *, count: int, chosen: int, on: int) -> None:
    """Let so many members, spread over the account, have a choice of their own for a type."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO notifications_preference (member_id, type, chosen, "on")
            SELECT id, %(type)s, %(chosen)s, %(on)s FROM (
                SELECT id FROM accounts_membership WHERE account_id = %(account)s
                ORDER BY hashint8(id) LIMIT %(count)s) picked
            ORDER BY id ON CONFLICT DO NOTHING
            """,
            {"type": type_key, "chosen": chosen, "on": on, "account": account.pk, "count": count},
        )
        cursor.execute("ANALYZE notifications_preference")


def sign_in(members: Sequence[Membership]) -> list[str]:
    """A session for each, as the browser's cookie names it."""
    people = User.objects.in_bulk([member.user_id for member in members])
    store, until = SessionStore(), timezone.now() + timedelta(days=1)
    rows = [
        Session(
            session_key=secrets.token_hex(16),
            expire_date=until,
            session_data=store.encode(
                {
                    SESSION_KEY: str(member.user_id),
                    BACKEND_SESSION_KEY: settings.AUTHENTICATION_BACKENDS[0],
                    HASH_SESSION_KEY: people[member.user_id].get_session_auth_hash(),
                }
            ),
        )
        for member in members
    ]
    Session.objects.bulk_create(rows, batch_size=2_000)
    return [row.session_key for row in rows]
