"""Parcels to pushes: one notification goes to every browser of its member, and is sent when any of them took it.

The ways say where the notifications of a channel go: browsers on computers, or everything that is on a phone.
"""

import queue
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Protocol

from django.conf import settings
from django.db.models import F

from notifications import live
from notifications.channels.base import Outcome, Parcel, Sent, TryLater, Unreachable
from notifications.models import BrowserSubscription
from notifications.native.devices import Devices
from notifications.push import keys, subscribing
from notifications.push.deciding import NO_BROWSER, NO_KEYS, NO_PHONE
from notifications.push.sending import Answer, Job, Sendable, Verdict, pusher

TOGETHER = 100  # parcels whose browsers are read with one query
UNDER_WAY = 600  # pushes at once, in this process
WAIT = 0.25  # seconds after which the caller may write down what is known
SENT_WITH = ("endpoint", "p256dh", "auth")  # of a subscription
GATHER = 0.02  # seconds: answers that come close together are taken together


class Way(Protocol):
    """One kind of address that the notifications of a channel go to."""

    @property
    def why_none(self) -> str:
        """Why a parcel without a job goes nowhere."""
        ...

    @property
    def kind(self) -> type[Sendable]:
        """The jobs that are its own."""
        ...

    def jobs(self, parcels: Sequence[Parcel], unread: Mapping[int, int]) -> Mapping[int, Sequence[Sendable]]:
        """What each parcel (by its delivery) becomes: a job per address. `unread`: of each member, for their icons."""
        ...

    def send(self, jobs: Sequence[Any], answers: "queue.SimpleQueue[Answer]") -> None: ...

    def learn(self, answers: Iterable[Answer]) -> None:
        """Keep what was answered to its jobs."""
        ...


@dataclass(frozen=True)
class Browsers:
    """Web push, to browsers on computers or to those on phones."""

    are_phones: bool = False
    kind = Job

    @property
    def why_none(self) -> str:
        if not keys.is_available():
            return NO_KEYS
        return NO_PHONE if self.are_phones else NO_BROWSER

    def jobs(self, parcels: Sequence[Parcel], unread: Mapping[int, int]) -> Mapping[int, Sequence[Job]]:
        if not keys.is_available():
            return {}
        browsers = _browsers({parcel.member_id for parcel in parcels}, are_phones=self.are_phones)
        return {
            parcel.delivery_id: [
                job_for(parcel, browser, unread=unread.get(parcel.member_id)) for browser in browsers[parcel.member_id]
            ]
            for parcel in parcels
        }

    def send(self, jobs: Sequence[Job], answers: "queue.SimpleQueue[Answer]") -> None:
        pusher().send(jobs, answers)

    def learn(self, answers: Iterable[Answer]) -> None:
        subscribing.learn(answers)


@dataclass(frozen=True)
class Route:
    """The ways of a channel, and whether its applications show a number on their icon."""

    ways: tuple[Way, ...]
    shows_unread: bool = False


COMPUTERS = Route((Browsers(),))
PHONES = Route((Browsers(are_phones=True), Devices()), shows_unread=True)


def unread_of(member_ids: Iterable[int]) -> dict[int, int]:
    """How many each member has unread: an installed application shows it on its icon."""
    return {state["id"]: state["unread"] for state in live.state_of(list(member_ids))}


@dataclass
class Journey:
    """A parcel and what its member's browsers answered so far."""

    parcel: Parcel
    awaited: int
    answers: list[Answer] = field(default_factory=list)


def carry(parcels: Iterable[Parcel], to: Route = COMPUTERS) -> Iterator[Outcome | None]:
    """Exactly one outcome per parcel, as it is known. What a browser's subscription taught us is kept."""
    trip = Trip(to)
    incoming, more = iter(parcels), True
    try:
        while more or trip.journeys:
            while more and trip.under_way < UNDER_WAY:
                together = list(islice(incoming, TOGETHER))
                more = len(together) == TOGETHER
                yield from trip.begin(together)
            if trip.journeys:
                yield from trip.taken()
    finally:
        trip.learn()


@dataclass
class Trip:
    """Everything that one caller has under way."""

    to: Route
    journeys: dict[int, Journey] = field(default_factory=dict)  # by delivery
    under_way: int = 0  # pushes
    _answers: "queue.SimpleQueue[Answer]" = field(default_factory=queue.SimpleQueue)
    _unlearned: list[Answer] = field(default_factory=list)
    _learned_at: float = field(default_factory=time.monotonic)

    def begin(self, parcels: list[Parcel]) -> Iterator[Outcome]:
        """Start the pushes of some parcels; those that go nowhere have their outcome at once."""
        unread = unread_of({parcel.member_id for parcel in parcels}) if self.to.shows_unread and parcels else {}
        by_way = [way.jobs(parcels, unread) for way in self.to.ways]
        for parcel in parcels:
            awaited = sum(len(found.get(parcel.delivery_id, ())) for found in by_way)
            if not awaited:
                yield Unreachable(parcel, self.to.ways[0].why_none)
                continue
            self.journeys[parcel.delivery_id] = Journey(parcel, awaited=awaited)
            self.under_way += awaited
        for way, found in zip(self.to.ways, by_way, strict=True):
            way.send([job for jobs in found.values() for job in jobs], self._answers)

    def taken(self) -> Iterator[Outcome | None]:
        """What was answered by now."""
        known = self._heard()
        if not known:
            yield None
        self._unlearned += known
        if time.monotonic() - self._learned_at > WAIT:
            self.learn()
        for answer in known:
            self.under_way -= 1
            journey = self.journeys[answer.job.ref]
            journey.answers.append(answer)
            journey.awaited -= 1
            if not journey.awaited:
                del self.journeys[answer.job.ref]
                yield outcome_of(journey.parcel, journey.answers)

    def _heard(self) -> list[Answer]:
        known: list[Answer] = []
        try:
            known.append(self._answers.get(timeout=WAIT))
            if self.under_way > 1:
                time.sleep(GATHER)
            while True:
                known.append(self._answers.get_nowait())
        except queue.Empty:
            return known

    def learn(self) -> None:
        """Keep what the services said of browsers and devices."""
        known, self._unlearned = self._unlearned, []
        for way in self.to.ways:
            way.learn([answer for answer in known if isinstance(answer.job, way.kind)])
        self._learned_at = time.monotonic()


def outcome_of(parcel: Parcel, answers: list[Answer]) -> Outcome:
    """Any browser that took it makes it sent; otherwise any that may take it later makes it wait."""
    by_verdict: defaultdict[Verdict, list[Answer]] = defaultdict(list)
    for answer in answers:
        by_verdict[answer.verdict].append(answer)
    if taken := by_verdict[Verdict.TAKEN]:
        return Sent(parcel, ", ".join(sorted({answer.job.where for answer in taken})))
    words = "; ".join(dict.fromkeys(answer.words for answer in answers))
    if later := by_verdict[Verdict.LATER] + by_verdict[Verdict.PERHAPS]:
        named = [answer.seconds for answer in later if answer.seconds is not None]
        return TryLater(
            parcel, words, seconds=max(named, default=None), may_have_arrived=bool(by_verdict[Verdict.PERHAPS])
        )
    return Unreachable(parcel, words)


def job_for(parcel: Parcel, browser: BrowserSubscription, *, unread: int | None = None) -> Job:
    """What one browser gets of a parcel."""
    return Job(
        ref=parcel.delivery_id,
        subscription_id=browser.pk,
        endpoint=browser.endpoint,
        p256dh=browser.p256dh,
        auth=browser.auth,
        event_id=parcel.event_id,
        hub_id=parcel.hub_id,
        title=parcel.message.title,
        body=parcel.message.body,
        url=f"/{parcel.hub_id}/notifications/{parcel.event_id}/open/",
        topic=parcel.message.topic,
        page=_page(parcel.message.url),
        language=parcel.language,
        unread=unread,
    )


def _page(url: str) -> str:
    """The path of one of our own pages, if it is short enough to be worth carrying."""
    path = url.removeprefix(settings.BASE_URL) if url.startswith(f"{settings.BASE_URL}/") else ""
    return path.partition("#")[0].partition("?")[0] if len(path) < 500 else ""


def _browsers(member_ids: set[int], *, are_phones: bool) -> defaultdict[int, list[BrowserSubscription]]:
    """The browsers of each member: those of the person."""
    found: defaultdict[int, list[BrowserSubscription]] = defaultdict(list)
    of_members = BrowserSubscription.objects.filter(user__memberships__in=member_ids, is_phone=are_phones)
    for browser in of_members.order_by("pk").only(*SENT_WITH).annotate(member_id=F("user__memberships__id")):
        found[browser.member_id].append(browser)
    return found
