"""Parcels to other apps: each goes through its member's connection, many at once."""

import queue
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from django.db import connection
from django.utils.translation import gettext_noop

from accounts.sealing import Unreadable
from notifications.channels.base import Outcome, Parcel, Sent, TryLater, Unreachable
from notifications.other_apps import connecting
from notifications.other_apps.speaking import Answer, Job
from notifications.posting import Verdict

if TYPE_CHECKING:
    from notifications.channels.connected import Connected

TOGETHER = 250  # parcels whose connections are read with one query
UNDER_WAY = 500  # at once, in this process
GATHER, NAP = 0.1, 0.005  # seconds
WAIT = 0.25  # seconds after which the caller may write down what is known

# Why a parcel goes nowhere. Stored as these words and translated when they are read.
NOT_CONNECTED = gettext_noop("The member has not connected this app.")
BROKEN = gettext_noop("The connection to this app is broken until the member connects it again.")


def carry(channel: "Connected", parcels: Iterable[Parcel]) -> Iterator[Outcome | None]:
    """Exactly one outcome per parcel, as it is known. What an answer taught us of a connection is kept."""
    under_way = UnderWay(channel, {}, queue.SimpleQueue())
    incoming, more = iter(parcels), True
    while more or under_way.jobs:
        while more and len(under_way.jobs) < UNDER_WAY:
            together = list(islice(incoming, TOGETHER))
            more = len(together) == TOGETHER
            yield from under_way.begin(together)
        if under_way.jobs:
            yield from under_way.answered()


def outcome_of(answer: Answer) -> Outcome:
    """What an answer means for its parcel."""
    parcel = answer.job.parcel
    match answer.verdict:
        case Verdict.TAKEN:
            return Sent(parcel, answer.job.secret.get("where", ""))
        case Verdict.GONE | Verdict.REFUSED:
            return Unreachable(parcel, answer.words)
        case Verdict.LATER | Verdict.PERHAPS:
            is_open = answer.verdict is Verdict.PERHAPS
            return TryLater(parcel, answer.words, seconds=answer.retry_after, may_have_arrived=is_open)


@dataclass
class UnderWay:
    """What was handed to an app and is not answered yet."""

    channel: "Connected"
    jobs: dict[int, Job]
    answers: "queue.SimpleQueue[Answer]"

    def begin(self, parcels: list[Parcel]) -> Iterator[Outcome]:
        """Start some parcels; those that go nowhere have their outcome at once."""
        connections = _connections(self.channel.key, {parcel.member_id for parcel in parcels})
        jobs: list[Job] = []
        for parcel in parcels:
            kept = connections.get(parcel.member_id)
            if kept is None or kept.broken_at:
                yield Unreachable(parcel, BROKEN if kept else NOT_CONNECTED)
                continue
            try:
                job = connecting.job_for(parcel, kept)
            except Unreadable as problem:
                connecting.break_off(kept, str(problem))
                yield Unreachable(parcel, BROKEN)
                continue
            jobs.append(job)
        self.jobs |= {job.ref: job for job in jobs}
        self.channel.app.begin(jobs, self.answers)

    def answered(self) -> Iterator[Outcome | None]:
        """What was answered by now. While much is under way it gathers for a moment: what many answers teach is
        written together, and whoever sends is not woken for each."""
        known = self._taken(wait=WAIT)
        ends = time.monotonic() + GATHER
        while known and len(known) < min(TOGETHER, len(self.jobs)) and time.monotonic() < ends:
            time.sleep(NAP)
            known += self._taken()
        if not known:
            yield None
            return
        connecting.learn(self.channel, known)
        for answer in known:
            del self.jobs[answer.job.ref]
            yield outcome_of(answer)

    def _taken(self, *, wait: float = 0) -> list[Answer]:
        """The answers that are there; waits so many seconds for the first."""
        known: list[Answer] = []
        try:
            known.append(self.answers.get(timeout=wait) if wait else self.answers.get_nowait())
            while True:
                known.append(self.answers.get_nowait())
        except queue.Empty:
            return known


def _connections(channel_key: str, member_ids: set[int]) -> dict[int, connecting.Kept]:
    """The connection of each member who has one."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT member_id, id, label, secret, broken_at FROM notifications_connection "
            "WHERE channel = %s AND member_id = ANY(%s)",
            [channel_key, list(member_ids)],
        )
        return {member: connecting.Kept(*facts) for member, *facts in cursor.fetchall()}
