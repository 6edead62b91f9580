"""Whether the workers work: a row that they touch every few seconds. A process that exists may consume nothing.

Beat sends the task, the broker carries it, a worker writes the row: when any of them stops, the row grows old. The
database's own clock is asked both times, so that machines whose clocks differ agree.
"""

from django.db import connection

WORKERS = "workers"


def sing() -> None:
    """Say that somebody is at work."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO notifications_canary (name, seen_at) VALUES (%s, clock_timestamp())
            ON CONFLICT (name) DO UPDATE SET seen_at = clock_timestamp()
            """,
            [WORKERS],
        )


def seconds_silent() -> int | None:
    """How long nobody has been at work; None: nobody ever was."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT extract(epoch FROM clock_timestamp() - seen_at)::int FROM notifications_canary WHERE name = %s",
            [WORKERS],
        )
        row = cursor.fetchone()
    return max(0, row[0]) if row else None
