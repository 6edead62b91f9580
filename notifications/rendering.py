"""An event's words: one neutral message in the reader's language, which each channel then lays out."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from django.conf import settings
from django.utils import translation

from notifications import types
from notifications.types.base import NotificationType


class Line(NamedTuple):
    """One line of a list: what it is, a few words on it, and where it leads (absolute)."""

    text: str
    note: str
    url: str


@dataclass(frozen=True)
class Section:
    """A list under a heading. `more`: the words for what is left out, empty for nothing."""

    heading: str
    lines: tuple[Line, ...]
    more: str = ""


@dataclass(frozen=True)
class Message:
    """What a notification says, whatever carries it. `url` is absolute."""

    title: str
    body: str
    url: str
    topic: str
    label: str
    sections: tuple[Section, ...] = ()  # lists to lay out in place of the body, where a channel has the room


def render(type_key: str, data: Mapping[str, object], *, language: str, sections: tuple[Section, ...] = ()) -> Message:
    """The message of an event. A type that no longer exists, or data it no longer fits, still gets words."""
    url = absolute(str(data.get("url", "/")))
    kind = types.TYPES.get(type_key)
    if kind is None:
        return Message(title=type_key, body="", url=url, topic="", label=type_key)
    words, known = _words(kind, language), Gaps(data)
    return Message(
        title=" ".join(words.title.format_map(known).split()),  # one line, whatever the data holds
        body=words.body.format_map(known),
        url=url,
        topic=words.topic,
        label=words.label,
        sections=sections or _listed(data, heading=words.body.format_map(known)),
    )


def _listed(data: Mapping[str, object], *, heading: str) -> tuple[Section, ...]:
    """The list that an event's own data holds: a line each, the title and where it leads with a tab between."""
    pairs = (line.partition("\t") for line in str(data.get("listed", "")).splitlines())
    lines = tuple(Line(" ".join(title.split()), "", absolute(url)) for title, _tab, url in pairs if title and url)
    return (Section(heading, lines),) if lines else ()


@dataclass(frozen=True)
class Words:
    """A type's own words in one language, with their {placeholders}."""

    title: str
    body: str
    topic: str
    label: str


@lru_cache(maxsize=2048)
def _words(kind: NotificationType, language: str) -> Words:
    """Translated once: a mail to thousands, or thousands of mails, look nothing up again."""
    with translation.override(language):
        return Words(str(kind.title), str(kind.body), str(kind.topic.label), str(kind.label))


class Gaps(dict[str, object]):
    """Event data in which a key that was never given reads as “…”: old events outlive a change of their type."""

    def __missing__(self, key: str) -> str:
        return "…"


def absolute(url: str) -> str:
    """A path of ours with our address in front; any other URL as it is."""
    return f"{settings.BASE_URL}{url}" if url.startswith("/") else url
