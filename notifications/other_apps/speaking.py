"""What every other app is to us: something a member connects, to which jobs are handed and which answers each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from queue import SimpleQueue
from typing import TYPE_CHECKING, Protocol

from accounts.errors import DomainError
from notifications.channels.base import Parcel
from notifications.posting import Verdict

if TYPE_CHECKING:
    from django_stubs_ext import StrPromise

Secret = Mapping[str, str]


class BadOffer(DomainError):
    """What a member gave does not connect anything; the fields say what is wrong."""

    code = "cannot_connect"
    status = 422


@dataclass(frozen=True)
class Blank:
    """One thing that a member fills in to connect an app."""

    name: str
    label: "StrPromise"
    help: "StrPromise | str" = ""
    placeholder: str = ""


@dataclass(frozen=True)
class Offer:
    """What a member gave, understood: where it leads in a few words without a secret, and what is kept sealed."""

    label: str
    secret: Secret
    shown_once: str = ""  # a secret of our own making that the member must copy now


@dataclass(frozen=True)
class Job:
    """One parcel for one connection."""

    ref: int  # what the caller knows it by
    connection_id: int
    sealed: str  # the secret as it was stored when the job was made
    secret: Secret
    parcel: Parcel
    is_test: bool = False


@dataclass(frozen=True)
class Answer:
    """What became of a job. GONE says that the whole connection leads nowhere any more."""

    job: Job
    verdict: Verdict
    words: str = ""
    retry_after: float | None = None  # seconds
    status: int | None = None
    took: float | None = None  # seconds


class App(Protocol):
    """How one app is connected and spoken to."""

    @property
    def blanks(self) -> Sequence[Blank]:
        """What a member fills in. None: it is connected in another way."""
        ...

    @property
    def steps(self) -> "Sequence[StrPromise]":
        """How to come by what is filled in, step by step."""
        ...

    def missing(self) -> str:
        """Why nobody can connect it on this installation, or nothing."""
        ...

    def understand(self, given: Mapping[str, str], before: Secret | None) -> Offer:
        """What was filled in. `before` is what is kept of an earlier connection. Refuses with BadOffer."""
        ...

    def begin(self, jobs: Sequence[Job], answers: "SimpleQueue[Answer]") -> None:
        """Begin to send; exactly one answer to each job comes into the queue. Never raises."""
        ...

    def learn(self, answers: Sequence[Answer]) -> None:
        """Keep what is worth keeping of answers beside what every connection keeps."""
        ...
