"""The reference of all types: each with its constraints, and its example as every channel tells it."""

import json
import shlex
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import Permission, Role, Seat
from notifications import channels, grid, rendering, types
from notifications.channels.base import Channel, Parcel
from notifications.other_apps import webhooks
from notifications.rendering import Message
from notifications.types.base import NotificationType, Topic


@dataclass(frozen=True)
class Dress:
    """The example on one channel. Laid out by notifications/reference_<channel>.html where there is one; another app
    that has none looks like a chat."""

    channel: Channel
    message: Message
    is_default: bool
    is_required: bool

    @property
    def templates(self) -> list[str]:
        found = [f"notifications/reference_{self.channel.key}.html"]
        if self.is_app:
            found.append("notifications/reference_chat.html")
        return [*found, "notifications/reference_plain.html"]

    @property
    def is_app(self) -> bool:
        return self.channel.key in channels.APP


@dataclass(frozen=True)
class Entry:
    """One type as a developer needs it."""

    kind: NotificationType
    message: Message
    dresses: list[Dress]

    @property
    def anchor(self) -> str:
        return grid.anchor(self.kind.key)

    @property
    def data(self) -> list[tuple[str, str | int, str]]:
        """The keys of its data, each with the example and the kind of value in a word."""
        return [
            (name, value, _("whole number") if isinstance(value, int) else _("link") if name == "url" else _("text"))
            for name, value in self.kind.example.items()
        ]

    @property
    def here(self) -> list[Dress]:
        """Bellhop's own channels."""
        return [dress for dress in self.dresses if not dress.is_app]

    @property
    def apps(self) -> list[Dress]:
        """The other apps."""
        return [dress for dress in self.dresses if dress.is_app]

    @property
    def webhook(self) -> str:
        """The body that is posted to an endpoint."""
        return webhooks.shown(parcel(self.kind, name="Bob", address="bob@example.com", language="en"))

    @property
    def curl(self) -> str:
        """A command that emits the example, ready to be pasted."""
        facts = json.dumps(dict(self.kind.example), ensure_ascii=False, indent=2).replace("\n", "\n  ")
        lines = [f'"type": "{self.kind.key}"', f'"data": {facts}', '"audience": {"members": ["bob@example.com"]}']
        event = "{\n  " + ",\n  ".join(lines) + "\n}"
        return (
            f"curl {settings.BASE_URL}/api/v1/events/ \\\n"
            '  -H "Authorization: Bearer $KEY" -H "Content-Type: application/json" \\\n'
            f"  -d {shlex.quote(event)}"
        )

    @property
    def constraints(self) -> list[str]:
        """What limits this type, in sentences."""
        kind = self.kind
        found = []
        if kind.required:
            found.append(_("Cannot be turned off: %(channels)s.") % {"channels": _names(kind.required)})
        if kind.only is not None:
            found.append(_("Only by: %(channels)s.") % {"channels": _names(kind.only)})
        if kind.for_role:
            found.append(_("Only for the role “%(role)s”.") % {"role": Role(kind.for_role).label})
        if kind.for_seat:
            found.append(_("Only with the seat “%(seat)s”.") % {"seat": Seat(kind.for_seat).label})
        if kind.needs_permission:
            found.append(_("Only with the permission “%(name)s”.") % {"name": Permission(kind.needs_permission).label})
        if kind.for_one:
            found.append(_("Told to one member only, who is named in person."))
        if kind.window:
            minutes = kind.window // timedelta(minutes=1)
            words = ngettext(
                "Gathered for %(minutes)s minute, then told as one.",
                "Gathered for %(minutes)s minutes, then told as one.",
                minutes,
            )
            found.append(words % {"minutes": minutes})
        if kind.merges:
            words = _("Up to %(most)s within %(seconds)s seconds in one thread are one e-mail.")
            seconds = kind.merges.within // timedelta(seconds=1)
            found.append(words % {"most": kind.merges.most, "seconds": seconds})
        return found


def entry(kind: NotificationType, *, language: str) -> Entry:
    """A type with its example in every channel that it may use."""
    message = rendering.render(kind.key, kind.example, language=language)
    dresses = [
        Dress(channel, message, channel.key in kind.defaults, channel.key in kind.required)
        for channel in channels.ALL
        if channel.key in kind.offered
    ]
    return Entry(kind, message, dresses)


def catalogue(*, language: str) -> list[tuple[Topic, list[Entry]]]:
    """All topics with their types, in the order of the settings page."""
    return [(topic, [entry(kind, language=language) for kind in topic.types.values()]) for topic in types.TOPICS]


def parcel(kind: NotificationType, *, name: str, address: str, language: str) -> Parcel:
    """The example as it would be carried to somebody. Its ids lead nowhere."""
    return Parcel(
        delivery_id=0,
        event_id=0,
        member_id=0,
        type_key=kind.key,
        name=name,
        email=address,
        hub_id=1001,
        account_name="Nordic Oak",
        language=language,
        message=rendering.render(kind.key, kind.example, language=language),
        occurred_at=datetime(2026, 11, 2, 9, 30, tzinfo=UTC),
        data=dict(kind.example),
    )


def _names(keys: frozenset[str]) -> str:
    names = [str(channel.label) for channel in channels.ALL if channel.key in keys]
    return capfirst(", ".join(names))
