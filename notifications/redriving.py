"""Sending what failed once more: a channel and a range of time, first counted, then worked off in bites.

Only deliveries that have failed are touched. What was sent, held back, dropped or is under way stays as it is. One that
failed and may have arrived all the same (its worker was cut off while it was sending) stays too, unless that is asked
for: so nothing arrives twice because of this without somebody having said so.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts import members
from accounts.errors import DomainError
from accounts.models import Account, Membership
from notifications import channels, looking_back, types
from notifications.board import EARLIER
from notifications.models import Redrive

BITE = 1000  # failed deliveries that one transaction looks at
MOST = 1_000_000  # failures of one range
LONGEST = timedelta(days=31)
OLDEST = timedelta(days=366)


class InvalidRange(DomainError):
    """What should be sent again was not said rightly. `fields` names each wrong part."""

    code = "invalid_range"
    status = 422


class NothingFailed(DomainError):
    code = "nothing_failed"


class RedriveUnderWay(DomainError):
    code = "redrive_under_way"


@dataclass(frozen=True, kw_only=True)
class Range:
    """Deliveries of one channel that were made in [begins_at, ends_at), of all types or of one.

    `may_repeat`: also those that may have arrived already.
    """

    channel: str
    begins_at: datetime
    ends_at: datetime
    type: str = ""
    may_repeat: bool = False


@dataclass(frozen=True)
class Draft:
    """What a re-drive would do: how many it sends again, and how many it leaves alone because of their state.

    The `uncertain` ones are among `failed` where the range takes them, and beside it where it does not.
    """

    failed: int
    sent: int = 0
    capped: int = 0
    dropped: int = 0
    under_way: int = 0  # waiting or in a worker's hands
    uncertain: int = 0  # failed, and may have arrived all the same
    cut_at: datetime | None = None  # those that are left alone were counted from here on only

    @property
    def left_alone(self) -> int:
        return self.sent + self.capped + self.dropped + self.under_way


def draft(account: Account, wanted: Range) -> Draft:
    """Count, without changing anything. Refuses what `start` would refuse about the range."""
    _check(wanted)
    values: dict[str, Any] = _values(account, wanted)
    chosen = looking_back.events_sql(account, values, since=wanted.begins_at - EARLIER, until=wanted.ends_at)
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            WITH {chosen}
            SELECT count(*) FILTER (WHERE d.status = 'sent'), count(*) FILTER (WHERE d.status = 'capped'),
                   count(*) FILTER (WHERE d.status = 'dropped'),
                   count(*) FILTER (WHERE d.status IN ('due', 'claimed', 'sending')), {looking_back.cut_sql()}
            FROM chosen e JOIN notifications_delivery d ON d.event_id = e.id
            WHERE d.channel = %(channel)s AND d.created_at >= %(from)s AND d.created_at < %(to)s
              AND (%(type)s = '' OR e.type = %(type)s)
            """,  # noqa: S608
            values,
        )
        sent, capped, dropped, under_way, cut_at = cursor.fetchone()
    failed, uncertain = _count_failed(account, wanted)
    return Draft(failed, sent, capped, dropped, under_way, uncertain, cut_at)


def start(account: Account, wanted: Range, *, by: Membership | None) -> Redrive:
    """Begin to send again what failed in the range, and write down who asked for it.

    `by` is a super admin of the account, or None for the operator or a program. Refuses while another re-drive of
    this channel is under way, and where nothing failed.
    """
    members.require_super_admin(account, by)
    _check(wanted)
    failed, uncertain = _count_failed(account, wanted)
    if not failed and uncertain:
        raise NothingFailed(_("All that failed in this range may have arrived already. Say that it may go twice."))
    if not failed:
        raise NothingFailed(_("Nothing that failed is in this range any more."))
    try:
        with transaction.atomic():
            redrive = Redrive.objects.create(
                account=account,
                channel=wanted.channel,
                type=wanted.type,
                begins_at=wanted.begins_at,
                ends_at=wanted.ends_at,
                may_repeat=wanted.may_repeat,
                failed=failed,
                cursor_at=wanted.begins_at,
                made_by=by,
            )
    except IntegrityError:
        raise RedriveUnderWay(
            _("Another range of this channel is being sent again at the moment. Wait until it is done.")
        ) from None
    _wake()
    return redrive


def has_work() -> bool:
    """Whether any re-drive is not done yet."""
    return Redrive.objects.filter(finished_at=None).exists()


def run_due(*, seconds: float) -> bool:
    """Work off re-drives for about so long, bite by bite. Returns whether something is left."""
    ends = time.monotonic() + seconds
    while run_step():
        if time.monotonic() > ends:
            return has_work()
    return False


@transaction.atomic
def run_step() -> bool:
    """Take one bite of the oldest re-drive that nobody else is at. Returns whether there was one.

    The cursor moves in the transaction that makes the deliveries due, so a bite counts once or not at all.
    """
    redrive = (
        Redrive.objects.select_for_update(skip_locked=True, of=("self",))
        .filter(finished_at=None)
        .order_by("pk")
        .first()
    )
    if redrive is None:
        return False
    wanted = Range(
        channel=redrive.channel,
        begins_at=redrive.begins_at,
        ends_at=redrive.ends_at,
        type=redrive.type,
        may_repeat=redrive.may_repeat,
    )
    with connection.cursor() as cursor:
        cursor.execute(
            STEP,
            _values(redrive.account, wanted)
            | {"bite": BITE, "cursor_at": redrive.cursor_at, "cursor_id": redrive.cursor_id},
        )
        sent_again, looked_at, last_at, last_id = cursor.fetchone()
    redrive.sent_again += sent_again
    if looked_at:
        redrive.cursor_at, redrive.cursor_id = last_at, last_id
    if looked_at < BITE:
        redrive.finished_at = timezone.now()
    redrive.save(update_fields=["sent_again", "cursor_at", "cursor_id", "finished_at"])
    return True


# The same as `delivering.retry`, for a bite of the index of what failed. Rows of other accounts are passed by unlocked:
# somebody may be sending those again at the same moment. Our own are locked in order and looked at once more.
STEP = """
    WITH looked AS MATERIALIZED (
        SELECT id, event_id, created_at FROM notifications_delivery
        WHERE channel = %(channel)s AND status = 'failed' AND (created_at, id) > (%(cursor_at)s, %(cursor_id)s)
          AND created_at < %(to)s
        ORDER BY created_at, id LIMIT %(bite)s
    ), ours AS MATERIALIZED (
        SELECT d.id FROM looked
        JOIN notifications_event e ON e.id = looked.event_id AND e.account_id = %(account)s
             AND (%(type)s = '' OR e.type = %(type)s)
        JOIN notifications_delivery d ON d.id = looked.id
        WHERE d.status = 'failed' AND (%(may_repeat)s OR NOT d.is_repeat_possible) ORDER BY d.id FOR UPDATE OF d
    ), again AS (
        UPDATE notifications_delivery d
        SET status = 'due', due_at = statement_timestamp(), attempts = 0, error = '', claim = ''
        FROM ours WHERE d.id = ours.id AND d.status = 'failed' RETURNING d.id
    )
    SELECT (SELECT count(*) FROM again), count(*), (array_agg(created_at ORDER BY created_at DESC, id DESC))[1],
           (array_agg(id ORDER BY created_at DESC, id DESC))[1]
    FROM looked
"""


def _count_failed(account: Account, wanted: Range) -> tuple[int, int]:
    """How many go again, and how many failures may have arrived all the same."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT count(*) FILTER (WHERE %(may_repeat)s OR NOT is_repeat_possible),
                   count(*) FILTER (WHERE is_repeat_possible)
            FROM (
                SELECT d.is_repeat_possible FROM notifications_delivery d
                JOIN notifications_event e ON e.id = d.event_id AND e.account_id = %(account)s
                     AND (%(type)s = '' OR e.type = %(type)s)
                WHERE d.channel = %(channel)s AND d.status = 'failed'
                  AND d.created_at >= %(from)s AND d.created_at < %(to)s LIMIT %(most)s
            ) AS failures
            """,
            _values(account, wanted) | {"most": MOST},
        )
        going, uncertain = cursor.fetchone()
    return going, uncertain


def _values(account: Account, wanted: Range) -> dict[str, Any]:
    return {
        "account": account.pk,
        "channel": wanted.channel,
        "type": wanted.type,
        "from": wanted.begins_at,
        "to": wanted.ends_at,
        "may_repeat": wanted.may_repeat,
    }


def _check(wanted: Range) -> None:
    problems: Mapping[str, str] = {
        name: words
        for name, words in (
            (
                "channel",
                _("Choose a channel that leaves the building.") if wanted.channel not in channels.CARRIER else "",
            ),
            ("type", _("There is no such notification.") if wanted.type and wanted.type not in types.TYPES else ""),
            ("begins_at", _beginning_problem(wanted)),
            ("ends_at", _range_problem(wanted)),
        )
        if words
    }
    if problems:
        raise InvalidRange(next(iter(problems.values())), fields={name: [words] for name, words in problems.items()})


def _beginning_problem(wanted: Range) -> str:
    if wanted.begins_at > timezone.now():
        return _("This moment is still to come.")
    return _("What is older than a year is not sent again.") if wanted.begins_at < timezone.now() - OLDEST else ""


def _range_problem(wanted: Range) -> str:
    if wanted.ends_at <= wanted.begins_at:
        return _("The end must come after the beginning.")
    if wanted.ends_at - wanted.begins_at > LONGEST:
        return _("Choose at most %(days)s days at once.") % {"days": LONGEST.days}
    return ""


def _wake() -> None:
    from notifications import tasks  # the task module knows everything; nothing below it may

    transaction.on_commit(lambda: tasks.wake(tasks.redrive), robust=True)
