"""Emptying the database while web and worker are at work on it."""

import logging
from contextlib import suppress

from django.core.management.color import no_style
from django.core.management.sql import sql_flush
from django.db import Error, OperationalError, connection

TRIES = 5
PATIENCE = "10s"  # the others notice after PostgreSQL's usual second that two wait for each other, and give way

log = logging.getLogger(__name__)


def empty() -> None:
    """Remove every row, whoever holds or wants some at this moment.

    TRUNCATE locks all tables, one after the other, and may meet a worker that locks two of them the other way round.
    """
    with suppress(Error), connection.cursor() as cursor:  # not everybody may
        cursor.execute("SELECT set_config('deadlock_timeout', %s, false)", [PATIENCE])
    for left in reversed(range(TRIES)):
        try:
            connection.ops.execute_sql_flush(sql_flush(no_style(), connection, reset_sequences=False))
        except OperationalError as problem:
            log.warning("the database was not emptied: %s", problem)
            if not left:
                raise
        else:
            return
