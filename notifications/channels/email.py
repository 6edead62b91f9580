"""E-mail over SMTP, through connections kept open. Mails are written before a connection is used."""

import logging
import os
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import islice

from django.conf import settings
from django.core.mail import get_connection
from django.utils.translation import gettext_lazy, gettext_noop

from notifications.channels.base import DailyCap, Outcome, Parcel, Sent, TryLater, Unreachable
from notifications.mail.connections import SMTP, Answer, Connections, Verdict
from notifications.mail.headers import Undeliverable
from notifications.mail.writing import Letter, write

TOGETHER = 50  # mails that a backend other than SMTP gets at once

log = logging.getLogger(__name__)


class Email:
    key = "email"
    bit = 4
    label = gettext_lazy("E-mail")

    @property
    def daily_cap(self) -> DailyCap:
        """N-016, N-017."""
        words = gettext_noop("the daily limit of %(limit)s e-mails of this kind was reached")
        return DailyCap(settings.NOTIFICATION_DAILY_CAP, words)

    def send_many(self, parcels: Iterable[Parcel]) -> Iterator[Outcome | None]:
        """Write and send mails. Yields Sent, Unreachable or TryLater per parcel, in any order, as it is known."""
        unwritten: list[Outcome] = []  # what became of parcels that never turned into a letter
        letters = _written(parcels, unwritten)
        answers: Iterator[Answer | None] = _by_smtp(letters) if settings.EMAIL_BACKEND == SMTP else _by_backend(letters)
        for answer in answers:
            while unwritten:
                yield unwritten.pop()
            yield _outcome(answer) if answer else None
        yield from unwritten


def _written(parcels: Iterable[Parcel], unwritten: list[Outcome]) -> Iterator[Letter]:
    for parcel in parcels:
        try:
            yield write(parcel)
        except Undeliverable as refusal:
            unwritten.append(Unreachable(parcel, str(refusal)))
        except Exception:
            log.exception("The mail of delivery %s could not be written", parcel.delivery_id)
            unwritten.append(TryLater(parcel, "the mail could not be written; the log says more"))


def _outcome(answer: Answer) -> Outcome:
    match answer.verdict:
        case Verdict.SENT:
            return Sent(answer.letter.parcel, answer.letter.to)
        case Verdict.NEVER:
            return Unreachable(answer.letter.parcel, answer.words)
        case Verdict.LATER | Verdict.PERHAPS:
            is_open = answer.verdict is Verdict.PERHAPS
            return TryLater(answer.letter.parcel, answer.words, may_have_arrived=is_open)


def _by_smtp(letters: Iterable[Letter]) -> Iterator[Answer | None]:
    server = (settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_HOST_USER)
    yield from _connections(os.getpid(), server, settings.EMAIL_CONNECTIONS).carry(letters)


@lru_cache(maxsize=4)
def _connections(_process: int, _server: tuple[str, int, str], most: int) -> Connections:
    """This process's connections; a process that was forked off starts with none."""
    return Connections(most)


def _by_backend(letters: Iterator[Letter]) -> Iterator[Answer]:
    """Through one of Django's other backends: the sandbox, or the outbox of the tests."""
    backend = get_connection()
    while together := list(islice(letters, TOGETHER)):
        try:
            backend.send_messages([letter.as_message() for letter in together])
        except Exception as problem:
            log.exception("The mails could not be stored")
            yield from (Answer(letter, Verdict.LATER, f"not stored: {type(problem).__name__}") for letter in together)
        else:
            yield from (Answer(letter, Verdict.SENT) for letter in together)
