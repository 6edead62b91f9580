"""An event's words: one neutral message in the reader's language, which each channel then lays out."""

from collections.abc import Mapping
from dataclasses import dataclass

from django.conf import settings
from django.utils import translation

from notifications import types


@dataclass(frozen=True)
class Message:
    """What a notification says, whatever carries it. `url` is absolute."""

    title: str
    body: str
    url: str
    topic: str
    label: str


def render(type_key: str, data: Mapping[str, object], *, language: str) -> Message:
    """The message of an event. A type that no longer exists, or data it no longer fits, still gets words."""
    with translation.override(language):
        kind = types.TYPES.get(type_key)
        url = absolute(str(data.get("url", "/")))
        if kind is None:
            return Message(title=type_key, body="", url=url, topic="", label=type_key)
        known = Gaps(data)
        return Message(
            title=" ".join(str(kind.title).format_map(known).split()),  # one line, whatever the data holds
            body=str(kind.body).format_map(known),
            url=url,
            topic=str(kind.topic.label),
            label=str(kind.label),
        )


class Gaps(dict[str, object]):
    """Event data in which a key that was never given reads as “…”: old events outlive a change of their type."""

    def __missing__(self, key: str) -> str:
        return "…"


def absolute(url: str) -> str:
    """A path of ours with our address in front; any other URL as it is."""
    return f"{settings.BASE_URL}{url}" if url.startswith("/") else url
