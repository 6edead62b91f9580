"""What the other apps have in common (N-039): they reach whoever connected them, through what the member gave."""

from collections.abc import Iterable, Iterator
from importlib import import_module
from typing import TYPE_CHECKING, ClassVar

from accounts.models import Membership
from notifications.channels.base import Outcome, Parcel

if TYPE_CHECKING:
    from django_stubs_ext import StrPromise

    from notifications.other_apps.speaking import App


class Connected:
    """A channel of another app. A subclass says what it is called; how it speaks is in notifications.other_apps."""

    key: ClassVar[str]
    bit: ClassVar[int]
    label: ClassVar["StrPromise"]
    icon: ClassVar[str]
    interrupts = True  # a chat lights up and rings
    spoken_in: ClassVar[str]  # the module of notifications.other_apps that has its `app`

    @property
    def app(self) -> "App":
        """How it is connected and spoken to. Loaded late: beneath it lies the list of channels."""
        app: App = import_module(f"notifications.other_apps.{self.spoken_in}").APPS[self.key]
        return app

    @property
    def reached_sql(self) -> str:
        """See `reaching`, which asks for all apps at once instead."""
        return f"""EXISTS (SELECT 1 FROM notifications_connection c
            WHERE c.member_id = decided.member_id AND c.channel = '{self.key}' AND c.broken_at IS NULL)"""

    def reaches(self, member: Membership) -> bool:
        """Whether the member has connected it, and the connection works."""
        return member.connections.filter(channel=self.key, broken_at=None).exists()

    def send_many(self, parcels: Iterable[Parcel]) -> Iterator[Outcome | None]:
        """Send each parcel through its member's connection, many at once."""
        from notifications.other_apps import carrying

        yield from carrying.carry(self, parcels)
