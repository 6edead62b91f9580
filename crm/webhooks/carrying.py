"""Posting what is due, some endpoints and some of their posts at a time.

A turn is claimed in one transaction, posted in none, and each answer written as it comes. An endpoint has one turn at
a time: a worker that is killed repeats at most what was in flight, with the same `webhook-id`. While nothing gets
through to an endpoint only one message is tried at a time, after growing waits; the others lose no attempt by that.
After days of it the endpoint is turned off.
"""

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from queue import Empty, SimpleQueue

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q
from django.utils import timezone
from django.utils.translation import gettext_noop

from accounts.sealing import Unreadable
from crm.models import PostState, Webhook, WebhookPost, WebhookTry
from crm.models.webhooks import WebhookQuerySet
from crm.webhooks import registering
from notifications import standard_webhooks
from notifications.posting import Unanswered, Verdict, poster
from notifications.recording import BACK_OFF, LONGEST_WAIT

ENDPOINTS = 10  # served together
IN_A_TURN = 20  # posts of one endpoint, all at once
CLAIM = timedelta(seconds=120)  # then whoever claimed is dead; a post takes 20 seconds at most
LONGEST_REST = 600  # seconds between two tries while nothing gets through
GIVEN_UP = timedelta(days=5)  # of nothing getting through
WORDS_KEPT = 300

# Why an endpoint stopped by itself. Stored as these words and translated when they are read.
CLOSED = gettext_noop("It answered that it is closed (410).")
FAILED_FOR_LONG = gettext_noop("Nothing got through for five days.")
UNREADABLE = gettext_noop("Its signing secret cannot be read any more. Make a new webhook.")

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Answer:
    """What became of one attempt. Without a post it was a test."""

    webhook_id: int
    post: WebhookPost | None
    verdict: Verdict
    words: str = ""
    retry_after: float | None = None  # seconds
    status: int | None = None
    took: float | None = None  # seconds


@dataclass
class Turn:
    """Some posts of one endpoint that go out together."""

    webhook: Webhook
    secret: dict[str, str]
    posts: list[WebhookPost]
    answers: list[Answer] = field(default_factory=list)

    @property
    def is_over(self) -> bool:
        return len(self.answers) == len(self.posts)


def step() -> bool:
    """Take a turn at some endpoints. False: nothing is due, or others are at it."""
    turns = {turn.webhook.pk: turn for turn in _claim()}
    if not turns:
        return False
    answers: SimpleQueue[Answer] = SimpleQueue()
    poster().send(
        lambda: [
            (turn.webhook.url, _begin(turn.webhook, turn.secret, post, answers))
            for turn in turns.values()
            for post in turn.posts
        ]
    )
    while any(not turn.is_over for turn in turns.values()):
        known = _taken(answers)
        if not known:
            log.error("Some posts were never answered; their claims run out, and then they go again")
            return False
        for answer in known:
            turns[answer.webhook_id].answers.append(answer)
        write(known)
        for webhook_id in {answer.webhook_id for answer in known if turns[answer.webhook_id].is_over}:
            _settle(webhook_id, turns[webhook_id].answers)
    return True


def has_due() -> bool:
    return _waiting(timezone.now()).exists()


async def post(webhook: Webhook, secret: dict[str, str], id_: str, body: str, number: WebhookPost | None) -> Answer:
    """Post once. Only in the poster's loop."""
    try:
        sent, now = body.encode(), int(time.time())
        headers = standard_webhooks.headers(id_, secret, sent, at=now)
        reply = await poster().post(webhook.url, body=sent, headers=headers)
    except Unanswered as silence:
        return Answer(webhook.pk, number, silence.verdict, silence.words)
    except Exception as fault:
        log.exception("The post %s could not be made", id_)
        return Answer(webhook.pk, number, Verdict.LATER, f"it could not be made: {type(fault).__name__}")
    words, verdict = standard_webhooks.words_of(reply), standard_webhooks.verdict_of(reply)
    return Answer(webhook.pk, number, verdict, words, reply.retry_after, reply.status, reply.took)


def write(answers: Sequence[Answer]) -> None:
    """Log attempts, and what they mean for their posts. Of endpoints that were removed meanwhile nothing is kept."""
    now = timezone.now()
    with transaction.atomic():
        wanted = {answer.webhook_id for answer in answers}
        there = set(
            Webhook.objects.select_for_update(no_key=True)
            .filter(pk__in=wanted)
            .order_by("pk")
            .values_list("pk", flat=True)
        )
        known = [answer for answer in answers if answer.webhook_id in there]
        WebhookTry.objects.bulk_create(_line(answer, now) for answer in known)
        for answer in known:
            if answer.post is not None:
                mine = WebhookPost.objects.filter(pk=answer.post.pk)
                if answer.verdict is Verdict.TAKEN:
                    mine.update(state=PostState.TAKEN, claimed_until=None)
                else:
                    mine.filter(state=PostState.DUE).update(claimed_until=None, **_next(answer, answer.post, now))


def _waiting(now: datetime) -> WebhookQuerySet:
    """The endpoints that may be served now and have something due."""
    due = WebhookPost.objects.filter(_is_due(now), webhook=OuterRef("pk"))
    return Webhook.objects.filter(Q(again_at=None) | Q(again_at__lte=now), Exists(due), is_on=True)


def _is_due(now: datetime) -> Q:
    return Q(state=PostState.DUE, due_at__lte=now) & (Q(claimed_until=None) | Q(claimed_until__lte=now))


@transaction.atomic
def _claim() -> list[Turn]:
    """The next turn of those that waited longest."""
    now = timezone.now()
    rows = _waiting(now).select_for_update(of=("self",), no_key=True, skip_locked=True)
    turns = []
    for webhook in rows.order_by("touched_at")[:ENDPOINTS]:
        try:
            secret = registering.opened(webhook)
        except Unreadable:
            registering.stop(webhook, UNREADABLE)
            continue
        if posts := _claim_posts(webhook, now):
            webhook.touched_at, webhook.again_at = now, now + CLAIM  # nobody else serves it meanwhile
            webhook.save(update_fields=["touched_at", "again_at"])
            turns.append(Turn(webhook, secret, posts))
    return turns


def _claim_posts(webhook: Webhook, now: datetime) -> list[WebhookPost]:
    """What has waited longest; a single one while nothing gets through."""
    due = WebhookPost.objects.filter(_is_due(now), webhook=webhook).order_by("due_at", "pk")
    posts = list(due[: 1 if webhook.failing_since is not None else IN_A_TURN])
    mine = WebhookPost.objects.filter(pk__in=[one.pk for one in posts])
    mine.update(claimed_until=now + CLAIM, attempts=F("attempts") + 1)
    for one in posts:
        one.attempts += 1
    return posts


async def _begin(webhook: Webhook, secret: dict[str, str], one: WebhookPost, answers: "SimpleQueue[Answer]") -> None:
    answers.put(await post(webhook, secret, id_of(one), one.body, one))


def id_of(one: WebhookPost) -> str:
    """The same at every attempt."""
    return f"rec_{one.pk}"


def _taken(answers: "SimpleQueue[Answer]") -> list[Answer]:
    """Those that are there; waits for the first, though never for longer than the claim holds."""
    known: list[Answer] = []
    try:
        known.append(answers.get(timeout=CLAIM.total_seconds()))
        while True:
            known.append(answers.get_nowait())
    except Empty:
        return known


def _settle(webhook_id: int, answers: Sequence[Answer]) -> None:
    """What a whole turn says of its endpoint: it works, it rests for a while, or it is turned off."""
    now = timezone.now()
    with transaction.atomic():
        webhook = Webhook.objects.select_for_update(no_key=True).filter(pk=webhook_id, is_on=True).first()
        if webhook is None:
            return
        if any(answer.verdict is Verdict.GONE for answer in answers):
            registering.stop(webhook, CLOSED)
            return
        if any(answer.verdict is Verdict.TAKEN for answer in answers):
            webhook.last_success_at = now
            webhook.failing_since, webhook.failures, webhook.again_at = None, 0, None
        else:
            webhook.failing_since = webhook.failing_since or now
            webhook.failures += 1
            webhook.again_at = now + timedelta(seconds=_rest(webhook.failures, answers))
        webhook.save(update_fields=["last_success_at", "failing_since", "failures", "again_at"])
        if webhook.failing_since is not None and now - webhook.failing_since >= GIVEN_UP:
            registering.stop(webhook, FAILED_FOR_LONG)


def _rest(failures: int, answers: Sequence[Answer]) -> float:
    asked = max(_asked(answer) for answer in answers)
    return max(min(BACK_OFF[min(failures, len(BACK_OFF)) - 1], LONGEST_REST), asked)


def _next(answer: Answer, one: WebhookPost, now: datetime) -> dict[str, object]:
    """When a post that was not taken is due again; after the last attempt, or where nobody is any more, never."""
    if answer.verdict is Verdict.GONE or one.attempts > len(BACK_OFF):
        return {"state": PostState.FAILED}
    return {"due_at": now + timedelta(seconds=max(BACK_OFF[max(one.attempts, 1) - 1], _asked(answer)))}


def _asked(answer: Answer) -> float:
    """How long the other side asked us to wait, in seconds."""
    return min(answer.retry_after or 0, LONGEST_WAIT)


def _line(answer: Answer, now: datetime) -> WebhookTry:
    return WebhookTry(
        webhook_id=answer.webhook_id,
        post=answer.post,
        number=answer.post.attempts if answer.post else 1,
        is_taken=answer.verdict is Verdict.TAKEN,
        status=answer.status,
        words=answer.words.replace("\x00", "").encode(errors="replace").decode()[:WORDS_KEPT],
        milliseconds=None if answer.took is None else round(answer.took * 1000),
        at=now,
    )
