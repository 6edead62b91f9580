"""What every channel is: a key, a bit and a label; those that leave the building also carry parcels."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from notifications.rendering import Message

if TYPE_CHECKING:
    from django_stubs_ext import StrPromise


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
    """A channel that leaves the building, so that each notification on it has a delivery."""

    def send_many(self, parcels: Sequence[Parcel]) -> Iterator[Outcome]:
        """Carry parcels. Yields exactly one outcome per parcel, in any order, as each is known. Never raises."""
        ...
