"""What every channel is: a key, a bit and a label; those that leave the building also carry parcels."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from accounts.models import Membership
from notifications.rendering import Message

if TYPE_CHECKING:
    from django_stubs_ext import StrPromise


@dataclass(frozen=True)
class DailyCap:
    """The most of one type that one address gets over a channel on one of the account's days."""

    limit: int
    words: str  # why one more was held back, untranslated; takes %(limit)s


@dataclass(frozen=True)
class Missed:
    """What was held back on an earlier day, named by the next parcel of the same type to the same address."""

    count: int
    limit: int
    day: date
    is_yesterday: bool


@dataclass(frozen=True)
class Parcel:
    """One notification ready to be carried to one person."""

    delivery_id: int
    event_id: int
    member_id: int
    type_key: str
    name: str
    email: str
    hub_id: int
    account_name: str
    language: str
    message: Message
    attempt: int = 1
    may_turn_off: bool = True  # whether the member may turn this type off on this channel
    missed: Missed | None = None  # only on a channel with a `daily_cap`
    occurred_at: datetime | None = None
    data: Mapping[str, Any] = field(default_factory=dict)  # what the event holds


@dataclass(frozen=True)
class Sent:
    """Handed over. `to` is where."""

    parcel: Parcel
    to: str


@dataclass(frozen=True)
class Unreachable:
    """It will never arrive there: stop."""

    parcel: Parcel
    why: str


@dataclass(frozen=True)
class TryLater:
    """Not now: try again, after `seconds` where the other side named a time."""

    parcel: Parcel
    why: str
    seconds: float | None = None
    may_have_arrived: bool = False  # it was all handed over, and then no answer came


Outcome = Sent | Unreachable | TryLater


class Channel(Protocol):
    """A way to reach a member inside the application."""

    @property
    def key(self) -> str: ...
    @property
    def bit(self) -> int: ...
    @property
    def label(self) -> "StrPromise": ...


class Carrier(Channel, Protocol):
    """A channel that leaves the building, so that each notification on it has a delivery.

    One that may carry only so much a day to one address also has a `daily_cap: DailyCap` (see caps). One that lights
    up or rings where the member is also has `interrupts = True`: it waits in quiet hours, as the pop-up does. One whose
    reader is a program has `takes_each = True`: what was held goes one by one, never as a summary (see holding). One
    that has hundreds under way has `at_once`: so many are marked as being handed over together.
    """

    def send_many(self, parcels: Iterable[Parcel]) -> Iterator[Outcome | None]:
        """Carry parcels. Yields exactly one outcome per parcel, in any order, as each is known. Never raises.

        While it waits it may yield None, so that what is known is written down and the claim is kept.

        Parcels are taken one by one, in the caller's thread, only shortly before they leave: taking one marks it
        as being handed over.
        """
        ...


@dataclass(frozen=True)
class Drop:
    """A delivery that must not leave any more. `why` is stored, and translated when it is read."""

    why: str


@dataclass(frozen=True)
class Wait:
    """A delivery that must not leave yet. This counts as no attempt."""

    seconds: float
    why: str


@dataclass(frozen=True)
class Hold:
    """A delivery that waits until a moment because its member wants to be left alone. This counts as no attempt."""

    until: datetime
    why: str


Verdict = Drop | Wait | None


@runtime_checkable
class Judge(Protocol):
    """What a carrier can be besides: it says of each delivery, just before it leaves, whether it should."""

    def judge(self, delivery_ids: Sequence[int]) -> Mapping[int, Verdict]:
        """None: go. One that is not named goes."""
        ...


@runtime_checkable
class Reaching(Protocol):
    """What a carrier can be besides: it knows members whom it cannot reach at all, whatever they prefer."""

    @property
    def reached_sql(self) -> str:
        """SQL that holds where `decided.member_id` or `decided.user_id` can be reached: the fan-out asks it."""
        ...

    def reaches(self, member: Membership) -> bool: ...
