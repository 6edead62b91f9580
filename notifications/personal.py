"""What an event says to one recipient, where that differs between them: read when it is told, not stored with it.

A type names the function that knows (`each`), because whoever emits it stands above this app. It is asked for a whole
batch of recipients; one it knows nothing of is told what the event itself says.
"""

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from django.utils.module_loading import import_string

from accounts.models import Membership
from notifications import rendering, types
from notifications.models import Event
from notifications.rendering import Message, Section

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Recipient:
    """One who is told an event, and the language they read."""

    event_id: int
    member_id: int
    language: str


@dataclass(frozen=True)
class Personal:
    """What one recipient is told: values that take the place of the event's, and lists to lay out below."""

    data: Mapping[str, object] = field(default_factory=dict)
    sections: tuple[Section, ...] = ()


class Each(Protocol):
    """What `NotificationType.each` names."""

    def __call__(self, recipients: Sequence[Recipient]) -> Mapping[Recipient, Personal]: ...


def read(type_key: str, recipients: Iterable[Recipient]) -> Mapping[Recipient, Personal]:
    """What these recipients of one type are told. Never raises: a mail with less in it is better than none."""
    kind = types.TYPES.get(type_key)
    if kind is None or not kind.each:
        return {}
    try:
        each: Each = import_string(kind.each)
        return each(list(recipients))
    except Exception:
        log.exception("%s could not say what each recipient of %s is told", kind.each, type_key)
        return {}


def message(event: Event, member: Membership, *, language: str) -> Message:
    """The message of an event as one member gets it."""
    recipient = Recipient(event.pk, member.pk, language)
    own = read(event.type, [recipient]).get(recipient, Personal())
    return rendering.render(event.type, {**event.data, **own.data}, language=language, sections=own.sections)
