"""Carrying what leaves the building: found from the notifications' masks, claimed, handed over, recorded.

Nothing is lost when a worker dies: what it had claimed falls back when the claim ends. What it was just handing
over may have arrived; it goes again and is marked, because a mail twice is better than none.
"""

import logging
import secrets
import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from django.db import DatabaseError, connection, transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.errors import DomainError
from notifications import caps, claiming, holding, merging, parcels
from notifications.channels.base import Carrier, Hold, Judge, Missed, Outcome, Parcel, Sent, TryLater, Wait
from notifications.models import Delivery, DeliveryStatus, Notification
from notifications.recording import Entry, entry_of, write_down

BATCH = 500
AT_ONCE = 100  # so many are marked as being handed over together, and may at worst go twice
RECORD_EVERY = 0.25  # seconds
RENEW_EVERY = 60  # seconds

log = logging.getLogger(__name__)


class NotRetryable(DomainError):
    code = "delivery_not_retryable"


_at_it: dict[str, threading.Lock] = {}


def carry_for(carrier: Carrier, *, seconds: float) -> bool:
    """Carry what is due for about so long. Returns whether something is left, for a next turn.

    One thread of a process does this for a channel: the connections are shared anyway, and the other threads are
    free for other work. One that finds somebody at it may go, because whoever is at it looks once more before
    leaving.
    """
    ends = time.monotonic() + seconds
    lock = _at_it.setdefault(carrier.key, threading.Lock())
    while has_due(carrier):
        if time.monotonic() > ends:
            return True
        if not lock.acquire(blocking=False):
            return False
        try:
            turn = Round(carrier, ends=ends)
            turn.carry()
        finally:
            lock.release()
        if not turn.taken:  # somebody else holds what is left; whatever becomes of it, the sweeper looks again
            return False
    return False


def run_due(carrier: Carrier, *, limit: int = BATCH, ends: float | None = None) -> int:
    """Carry all that is due on one channel; nothing new after `ends` (monotonic). Returns how many were sent.

    Rows are claimed with SKIP LOCKED, so several of these share the work and never the same row.
    """
    return Round(carrier, limit=limit, ends=ends).carry()


def retry(deliveries: Iterable[Delivery]) -> int:
    """Send failed deliveries again now, with a fresh count of attempts. Refuses when none of them has failed."""
    count = Delivery.objects.filter(
        pk__in=[delivery.pk for delivery in deliveries], status=DeliveryStatus.FAILED
    ).update(status=DeliveryStatus.DUE, due_at=timezone.now(), attempts=0, error="")
    if not count:
        raise NotRetryable(_("Only failed deliveries can be sent again."))
    wake()
    return count


def has_due(carrier: Carrier) -> bool:
    """Whether a channel has anything to carry now."""
    return (
        Delivery.objects.filter(channel=carrier.key, status=DeliveryStatus.DUE, due_at__lte=timezone.now()).exists()
        or Notification.objects.filter(waiting__gt=0)
        .annotate(bit=F("waiting").bitand(carrier.bit))
        .filter(bit__gt=0)
        .exists()
    )


def wake() -> None:
    """Start carrying after the caller's transaction commits."""
    from notifications import tasks  # the task module knows everything; nothing below it may

    transaction.on_commit(lambda: tasks.wake_deliveries(), robust=True)


HOLD = f"""
    WITH still AS MATERIALIZED (
        SELECT q.member_id FROM notifications_silence q
        WHERE q.member_id IN (SELECT member_id FROM notifications_delivery WHERE id = ANY(%(ids)s::bigint[]))
          AND ({holding.IS_PAUSED} OR %(interrupts)s AND {holding.IS_QUIET})
        ORDER BY q.member_id FOR SHARE
    )
    UPDATE notifications_delivery d SET status = 'held', claim = '', attempts = d.attempts - 1, error = given.why,
        due_at = given.until
    FROM unnest(%(ids)s::bigint[], %(untils)s::timestamptz[], %(whys)s::text[]) AS given(id, until, why), still
    WHERE d.id = given.id AND d.member_id = still.member_id
      AND d.claim = %(claim)s AND d.status IN ('claimed', 'sending')
    RETURNING d.id
"""


@dataclass
class Round:
    """One worker's deliveries on their way, under one claim. Each outcome is written down soon after it is known.

    The carrier takes parcels while earlier ones are still under way, so that it never waits for the database.
    """

    carrier: Carrier
    limit: int = BATCH
    ends: float | None = None
    claim: str = field(default_factory=lambda: secrets.token_hex(16))
    sent: int = 0
    taken: int = 0
    _kept: set[int] = field(default_factory=set)  # claimed, not yet given to the carrier
    _handed: dict[int, Parcel] = field(default_factory=dict)  # given to the carrier, outcome not known
    _known: list[Outcome] = field(default_factory=list)  # outcomes not yet written down
    _recorded_at: float = field(default_factory=time.monotonic)
    _renewed_at: float = field(default_factory=time.monotonic)

    def carry(self) -> int:
        """Hand over all that is due. Returns how many were sent."""
        try:
            for outcome in self.carrier.send_many(self._parcels()):
                if outcome is not None:
                    self._handed.pop(outcome.parcel.delivery_id, None)
                    self._known.append(outcome)
                self._record_when_time()
        except DatabaseError:  # nothing can be written down now: the claim ends, and the sweeper comes
            raise
        except Exception:  # a carrier promises not to raise; a fault in one must neither lose nor repeat for ever
            log.exception("The channel %s broke off", self.carrier.key)
            why = "the channel broke off; the log says more"
            self._known += [TryLater(parcel, why, may_have_arrived=True) for parcel in self._handed.values()]
        finally:
            self._record()
            self._let_go()
        return self.sent

    def _parcels(self) -> Iterator[Parcel]:
        """What is due, batch after batch, some at a time marked as being handed over."""
        while self.ends is None or time.monotonic() < self.ends:
            status = DeliveryStatus.SENDING if self._leaves_at_once else DeliveryStatus.CLAIMED
            ids = claiming.take(self.carrier, limit=self.limit, claim=self.claim, status=status)
            if not ids:
                return
            self.taken += len(ids)
            self._kept.update(ids)
            packed = parcels.pack(self.carrier, ids)
            self._drop(packed.dropped)
            self._put_off(packed.put_off)
            self._hold(packed.held)
            for start in range(0, len(packed.ready), self._at_once):
                for id_, missed in self._mark_sending(packed, packed.ready[start : start + self._at_once]).items():
                    parcel = packed.parcel(id_, missed)
                    self._kept.discard(id_)
                    self._handed[id_] = parcel
                    yield parcel

    @property
    def _at_once(self) -> int:
        return getattr(self.carrier, "at_once", AT_ONCE)

    @property
    def _leaves_at_once(self) -> bool:
        """Whether all that is taken may be marked at once, as it is taken: nothing is decided in between that only a
        mark may follow, and the carrier would have it marked together anyway."""
        return self._at_once >= self.limit and caps.of(self.carrier) is None and not isinstance(self.carrier, Judge)

    def _mark_sending(self, packed: parcels.Packed, ids: list[int]) -> dict[int, Missed | None]:
        """Mark what is about to be handed over, each with what it has to tell of earlier days.

        Leaves out what was lost to somebody else meanwhile, and what its address gets no more of today.
        """
        if cap := caps.of(self.carrier):
            keys = {id_: packed.key(id_) for id_ in ids}
            going = caps.mark_sending(self.carrier.key, cap, keys, claim=self.claim, seconds=claiming.CLAIM)
        elif self._leaves_at_once:
            going = dict.fromkeys(ids)
        else:
            going = dict.fromkeys(claiming.mark_sending(ids, claim=self.claim))
        self._kept.difference_update(id_ for id_ in ids if id_ not in going)
        return going

    def _record_when_time(self) -> None:
        now = time.monotonic()
        if now - self._recorded_at > RECORD_EVERY:
            self._record()
            self._recorded_at = now
        if now - self._renewed_at > RENEW_EVERY:
            self._renew()
            self._renewed_at = now

    def _renew(self) -> None:
        """Keep what is ours, however slow the other side is."""
        Delivery.objects.filter(claim=self.claim, status__in=[DeliveryStatus.CLAIMED, DeliveryStatus.SENDING]).update(
            claimed_until=timezone.now() + timedelta(seconds=claiming.CLAIM)
        )

    def _record(self) -> None:
        known, self._known = self._known, []
        write_down([entry_of(outcome) for outcome in known], claim=self.claim)
        self.sent += sum(isinstance(outcome, Sent) for outcome in known)

    def _drop(self, dropped: Sequence[parcels.Dropped]) -> None:
        write_down([Entry(one.delivery_id, DeliveryStatus.DROPPED, one.why) for one in dropped], claim=self.claim)
        self._kept.difference_update(one.delivery_id for one in dropped)

    def _put_off(self, waits: Mapping[int, Wait]) -> None:
        """Give back what may not leave yet, due a little later."""
        if not waits:
            return
        with connection.cursor() as cursor:
            cursor.execute(
                """
                UPDATE notifications_delivery d SET status = 'due', claim = '', attempts = d.attempts - 1,
                    error = given.why, due_at = statement_timestamp() + make_interval(secs => given.seconds)
                FROM unnest(%s::bigint[], %s::float8[], %s::text[]) AS given(id, seconds, why)
                WHERE d.id = given.id AND d.claim = %s AND d.status = 'claimed'
                """,
                [list(waits), [w.seconds for w in waits.values()], [w.why for w in waits.values()], self.claim],
            )
        self._kept.difference_update(waits)

    def _hold(self, holds: Mapping[int, Hold]) -> None:
        """Let what came to a member who is left alone wait until that is over.

        Looked at once more under a lock that whoever releases takes too: what is over meanwhile stays ours, is let go
        at the end, and leaves at once.
        """
        if not holds:
            return
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(
                HOLD,
                {
                    "ids": list(holds),
                    "untils": [hold.until for hold in holds.values()],
                    "whys": [hold.why for hold in holds.values()],
                    "claim": self.claim,
                    "interrupts": bool(self.carrier.bit & holding.INTERRUPTING),
                },
            )
            held = {id_ for (id_,) in cursor.fetchall()}
            merging.dissolve(held)
        self._kept.difference_update(held)

    def _let_go(self) -> None:
        """Give back what was claimed and never tried."""
        if self._kept:
            Delivery.objects.filter(pk__in=self._kept, claim=self.claim).update(
                status=DeliveryStatus.DUE, claim="", attempts=F("attempts") - 1
            )
