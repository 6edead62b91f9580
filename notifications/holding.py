"""What waits while a member is left alone: in quiet hours what interrupts, in a pause all but the bell.

What is required on a channel (N-005) never waits. One rule, for the fan-out as SQL, for a single delivery in Python.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.utils.translation import gettext_noop

from notifications import channels
from notifications.channels.base import Channel, Hold
from notifications.models import BELL, Hushed

INTERRUPTING = sum(channel.bit for channel in channels.ALL if getattr(channel, "interrupts", False))
PAUSABLE = sum(channels.BITS) & ~BELL

# Why a delivery waits. Stored as these words and translated when they are read.
QUIET = gettext_noop("Held for the quiet hours of the member.")
PAUSED = gettext_noop("Held, because the member paused everything.")
SUMMED_UP = gettext_noop("It was held, and told in the summary afterwards.")

IS_PAUSED = "coalesce(q.paused_until > statement_timestamp(), false)"
IS_QUIET = "coalesce(q.starts_at <= statement_timestamp() AND statement_timestamp() < q.ends_at, false)"
"""Conditions on a row q of notifications_silence, which may be missing."""

HUSH_SQL = f"CASE WHEN {IS_PAUSED} THEN {Hushed.PAUSED} WHEN {IS_QUIET} THEN {Hushed.QUIET} ELSE 0 END"
HELD_SQL = f"(CASE hush WHEN {Hushed.PAUSED} THEN {PAUSABLE} WHEN {Hushed.QUIET} THEN {INTERRUPTING} ELSE 0 END)"
"""The channels that a hush holds."""

UNTIL_SQL = f"""CASE WHEN {IS_PAUSED} THEN q.paused_until END AS paused_until,
    CASE WHEN {IS_QUIET} THEN q.ends_at END AS quiet_until"""
"""Columns for `held_until`."""


def held_by(hushed: Hushed) -> int:
    """The channels that a hush holds, or held while it lasted."""
    if hushed == Hushed.NOT:
        return 0
    return INTERRUPTING if hushed in (Hushed.QUIET, Hushed.QUIET_OVER) else PAUSABLE


def held_until(row: Mapping[str, Any], channel: Channel) -> Hold | None:
    """Until when a delivery waits and why, by the columns of UNTIL_SQL; None: it may go."""
    paused: datetime | None = row["paused_until"]
    quiet: datetime | None = row["quiet_until"] if channel.bit & INTERRUPTING else None
    if paused is not None:
        return Hold(max(paused, quiet or paused), PAUSED)
    return Hold(quiet, QUIET) if quiet is not None else None
