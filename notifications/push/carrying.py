"""Parcels to pushes: one notification goes to every browser of its member, and is sent when any of them took it."""

import logging
import queue
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice

from django.conf import settings

from accounts.models import Membership
from notifications.channels.base import Outcome, Parcel, Sent, TryLater, Unreachable
from notifications.models import BrowserSubscription
from notifications.push import keys, subscribing
from notifications.push.deciding import NO_BROWSER, NO_KEYS
from notifications.push.sending import Answer, Job, Verdict, pusher

TOGETHER = 50  # parcels whose browsers are read with one query
UNDER_WAY = 300  # pushes at once, in this process
WAIT = 0.25  # seconds after which the caller may write down what is known

log = logging.getLogger(__name__)


@dataclass
class Journey:
    """A parcel and what its member's browsers answered so far."""

    parcel: Parcel
    awaited: int
    answers: list[Answer] = field(default_factory=list)


def carry(parcels: Iterable[Parcel]) -> Iterator[Outcome | None]:
    """Exactly one outcome per parcel, as it is known. What a browser's subscription taught us is kept."""
    journeys: dict[int, Journey] = {}
    answers: queue.SimpleQueue[Answer] = queue.SimpleQueue()
    incoming, more = iter(parcels), True
    while more or journeys:
        while more and sum(journey.awaited for journey in journeys.values()) < UNDER_WAY:
            together = list(islice(incoming, TOGETHER))
            more = len(together) == TOGETHER
            yield from _begin(together, journeys, answers)
        if journeys:
            yield from _taken(journeys, answers)


def _begin(
    parcels: list[Parcel], journeys: dict[int, Journey], answers: "queue.SimpleQueue[Answer]"
) -> Iterator[Outcome]:
    """Start the pushes of some parcels; those that go nowhere have their outcome at once."""
    browsers = _browsers({parcel.member_id for parcel in parcels})
    for parcel in parcels:
        mine = browsers[parcel.member_id]
        if not mine or not keys.is_available():
            yield Unreachable(parcel, NO_BROWSER if keys.is_available() else NO_KEYS)
            continue
        journeys[parcel.delivery_id] = Journey(parcel, awaited=len(mine))
        for browser in mine:
            pusher().send(job_for(parcel, browser), answers)


def _taken(journeys: dict[int, Journey], answers: "queue.SimpleQueue[Answer]") -> Iterator[Outcome | None]:
    """What was answered by now."""
    known: list[Answer] = []
    try:
        known.append(answers.get(timeout=WAIT))
        while True:
            known.append(answers.get_nowait())
    except queue.Empty:
        pass
    if not known:
        yield None
        return
    subscribing.learn(known)
    for answer in known:
        journey = journeys[answer.job.ref]
        journey.answers.append(answer)
        journey.awaited -= 1
        if not journey.awaited:
            del journeys[answer.job.ref]
            yield outcome_of(journey.parcel, journey.answers)


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


def job_for(parcel: Parcel, browser: BrowserSubscription) -> Job:
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
    )


def _page(url: str) -> str:
    """The path of one of our own pages, if it is short enough to be worth carrying."""
    path = url.removeprefix(settings.BASE_URL) if url.startswith(f"{settings.BASE_URL}/") else ""
    return path.partition("#")[0].partition("?")[0] if len(path) < 500 else ""


def _browsers(member_ids: set[int]) -> defaultdict[int, list[BrowserSubscription]]:
    """The browsers of each member: those of the person."""
    found: defaultdict[int, list[BrowserSubscription]] = defaultdict(list)
    people = dict(Membership.objects.filter(pk__in=member_ids).values_list("pk", "user_id"))
    by_person: defaultdict[int, list[BrowserSubscription]] = defaultdict(list)
    for browser in BrowserSubscription.objects.filter(user_id__in=set(people.values()), is_phone=False).order_by("pk"):
        by_person[browser.user_id].append(browser)
    for member_id, user_id in people.items():
        found[member_id] = by_person[user_id]
    return found
