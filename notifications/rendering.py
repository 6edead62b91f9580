"""An event's words: one neutral message in the reader's language, which each channel then lays out."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from django.conf import settings
from django.utils import translation

from notifications import types
from notifications.types.base import NotificationType


@dataclass(frozen=True)
class Message:
    """What a notification says, whatever carries it. `url` is absolute."""

    title: str
    body: str
    url: str
    topic: str
    label: str
    links: tuple[tuple[str, str], ...] = ()  # what a summary is about: titles and absolute addresses


def render(type_key: str, data: Mapping[str, object], *, language: str) -> Message:
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
        links=_links(str(data.get("listed", ""))) if "listed" in kind.example else (),
    )


def _links(listed: str) -> tuple[tuple[str, str], ...]:
    """A list in an event's data: a line each, the title and where it leads with a tab between."""
    pairs = (line.partition("\t") for line in listed.splitlines())
    return tuple((" ".join(title.split()), absolute(url)) for title, _tab, url in pairs if title and url)


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
