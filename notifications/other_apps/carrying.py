"""Parcels to other apps: each goes through its member's connection, many at once."""

import logging
import queue
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from django.utils.translation import gettext_noop

from accounts.sealing import Unreadable
from notifications.channels.base import Outcome, Parcel, Sent, TryLater, Unreachable
from notifications.models import Connection, Event
from notifications.other_apps import connecting
from notifications.other_apps.speaking import Answer, Job
from notifications.posting import Verdict

if TYPE_CHECKING:
    from notifications.channels.connected import Connected

TOGETHER = 100  # parcels whose connections are read with one query
UNDER_WAY = 300  # at once, in this process
WAIT = 0.25  # seconds after which the caller may write down what is known

# Why a parcel goes nowhere. Stored as these words and translated when they are read.
NOT_CONNECTED = gettext_noop("The member has not connected this app.")
BROKEN = gettext_noop("The connection to this app is broken until the member connects it again.")

log = logging.getLogger(__name__)


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
        app = self.channel.app
        connections = _connections(self.channel.key, {parcel.member_id for parcel in parcels})
        events = _events({parcel.event_id for parcel in parcels}) if app.is_told_all else {}
        for parcel in parcels:
            connection = connections.get(parcel.member_id)
            if connection is None or connection.broken_at:
                yield Unreachable(parcel, BROKEN if connection else NOT_CONNECTED)
                continue
            try:
                job = connecting.job_for(parcel, connection, events.get(parcel.event_id))
            except Unreadable as problem:
                connecting.break_off(connection, str(problem))
                yield Unreachable(parcel, BROKEN)
                continue
            self.jobs[job.ref] = job
            app.begin(job, self.answers)

    def answered(self) -> Iterator[Outcome | None]:
        """What was answered by now."""
        known: list[Answer] = []
        try:
            known.append(self.answers.get(timeout=WAIT))
            while True:
                known.append(self.answers.get_nowait())
        except queue.Empty:
            pass
        if not known:
            yield None
            return
        connecting.learn(self.channel, known)
        for answer in known:
            del self.jobs[answer.job.ref]
            yield outcome_of(answer)


def _connections(channel_key: str, member_ids: set[int]) -> dict[int, Connection]:
    """The connection of each member who has one."""
    rows = Connection.objects.filter(channel=channel_key, member_id__in=member_ids)
    return {row.member_id: row for row in rows}


def _events(event_ids: set[int]) -> dict[int, Event]:
    return Event.objects.only("occurred_at", "data").in_bulk(event_ids)
