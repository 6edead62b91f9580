"""`digest`: the task digests of 100,000 members with 10 tasks each, computed and told; then mails of them, sent.

The yardstick of the computing is the one query that reads the same tasks grouped by member, in the same run; ours
also resolves who wants a digest, writes a row per member and the event, and moves every schedule on. The mails are
measured as in `mail`, against the same bytes through smtplib.

    python -m bench.digest
"""

from datetime import timedelta
from typing import Any

from django.db import connection
from django.utils import timezone

from accounts.models import Account
from bench import mail, people, services
from bench.fanout import settled
from bench.figure import REPEATS, Figure, load, median, say, table

MINUTE = timedelta(minutes=1)
MAILS = 2000
TASKS = 10
BARE = """
    SELECT owner_id, count(*), array_agg(title ORDER BY due_at) FROM crm_record
    WHERE account_id = %(account)s AND kind = 'tasks' AND deleted_at IS NULL AND completed_at IS NULL
      AND due_at < %(ends)s
    GROUP BY owner_id
"""


def run() -> list[Figure]:
    """Computing for everybody, then sending some of it without latency and with 10 ms per command."""
    with services.running():
        account = people.crowd()
        prepare(account)
        try:
            figures = [compute(account.pk)]
            tell(account.pk, MAILS)
            for latency, share in ((0, 0.35), (10, 0.8)):
                figures.append(
                    mail.measure(
                        account.pk,
                        latency,
                        count=MAILS,
                        times=REPEATS,
                        must_reach=share,
                        name="digest mail",
                        what="digests of 10 tasks rendered, sent and recorded",
                    )
                )
            return figures
        finally:
            mail.clear(account.pk)
            with connection.cursor() as cursor:
                cursor.execute("TRUNCATE crm_record, crm_digestrun, crm_digestschedule CASCADE")
            people.clean()


def prepare(account: Account) -> None:
    """Everybody wants the digest and has ten tasks: three overdue, the others due within the week."""
    from crm.digests import schedules

    people.choose(account, "tasks.digest", count=people.CROWD, chosen=4, on=4)
    say("  a million tasks are made …")
    _execute(
        """
        INSERT INTO crm_record (account_id, kind, title, owner_id, people, address, domain, due_at, "values", search,
                                match_keys, sort_title, to_check, source, created_at, updated_at, version)
        SELECT %(account)s, 'tasks', format('Call customer %%s back about offer %%s', m.id, i), m.id, ARRAY[m.id], '',
               '', date_trunc('hour', now()) + make_interval(hours => 20 * i - 60), '{}', '', '{}', '', false, 'page',
               now(), now(), 1
        FROM generate_series(0, %(tasks)s - 1) i,
             (SELECT id FROM accounts_membership WHERE account_id = %(account)s ORDER BY id) m
        """,
        account=account.pk,
        tasks=TASKS,
    )
    schedules.adopt(everybody=True)
    _execute("VACUUM ANALYZE crm_record")


def compute(account: int) -> Figure:
    """Alternately: the tick from the first claim to the last commit, and the query whose rows are all fetched."""
    from crm.digests import running
    from crm.models import DigestRun

    load_before = load()
    ours, theirs = [], []
    for i in range(REPEATS + 1):
        _make_due()
        took = settled(running.run_due)
        assert DigestRun.objects.filter(outcome="told", tasks__len=TASKS).count() == people.CROWD
        bare = settled(_read, account)
        say(f"  digests {took:.2f} s, the bare query {bare:.2f} s")
        if i:  # the first one warms up both
            ours.append(people.CROWD / took)
            theirs.append(people.CROWD / bare)
    return Figure(
        name="digest",
        what="task digests of 100,000 members with 10 tasks each: claimed, computed, written, scheduled anew",
        value=median(ours),
        unit="digests/s",
        goal="≥ 0.3 × the bare query",
        is_met=median(ours) >= 0.3 * median(theirs),
        yardstick=median(theirs),
        yardstick_what="the one query that reads the same tasks grouped by member",
        load=load_before,
        samples=ours,
        details={"yardstick_samples": theirs, "batch": running.BATCH},
    )


def tell(account: int, count: int) -> None:
    """Have the digests of some members ready to be mailed, and nothing else."""
    from crm.digests import running
    from notifications import fanout

    _make_due()
    running.run_step(timezone.now(), batch=count)
    fanout.run_due()


def _make_due() -> None:
    """As if nothing had run yet, and it were time for everybody."""
    _execute("TRUNCATE crm_digestrun, notifications_event, notifications_notification CASCADE")
    _execute("UPDATE crm_digestschedule SET next_at = %(at)s WHERE kind = 'tasks'", at=timezone.now() - MINUTE)
    _execute("VACUUM ANALYZE crm_digestschedule")


def _read(account: int) -> int:
    with connection.cursor() as cursor:
        cursor.execute(BARE, {"account": account, "ends": timezone.now() + timedelta(days=8)})
        return len(cursor.fetchall())


def _execute(statement: str, **values: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, values or None)


if __name__ == "__main__":
    print(table(run()))
