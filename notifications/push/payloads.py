"""What is in a push: small enough for every service, the body shortened before the title."""

from collections.abc import Callable

import orjson

MOST = 3993  # bytes of plaintext; encrypted that makes 4,096, which every service takes
SMALL = 1500  # bytes, for a service that refuses even that
VERSION = 1


def packed(
    *,
    event_id: int,
    hub_id: int,
    title: str,
    body: str,
    url: str,
    page: str,
    topic: str,
    language: str,
    unread: int | None = None,
    most: int = MOST,
) -> bytes:
    """The JSON that the service worker reads. Whatever the title and body, at most `most` bytes."""
    facts: dict[str, str | int] = {
        "v": VERSION,
        "id": event_id,
        "hub": hub_id,
        "title": title,
        "body": body,
        "url": url,
        "page": page,
        "topic": topic,
        "lang": language,
    }
    if unread is not None:
        facts["unread"] = unread
    return fitted(lambda said, more: orjson.dumps({**facts, "title": said, "body": more}), title, body, most=most)


def fitted(made: Callable[[str, str], bytes], title: str, body: str, *, most: int) -> bytes:
    """What is made of title and body, both shortened as far as it takes to have at most so many bytes."""
    whole = made(title, body)
    if len(whole) > most:
        body = _shortened(body, _cost(body) - (len(whole) - most))
        whole = made(title, body)
    if len(whole) > most:
        title = _shortened(title, _cost(title) - (len(whole) - most))
        whole = made(title, body)
    return whole


def _cost(text: str) -> int:
    """Bytes in JSON, without the quotes."""
    return len(orjson.dumps(text)) - 2


def _shortened(text: str, room: int) -> str:
    """The beginning of a text that takes no more than so many bytes in JSON, with an ellipsis."""
    room -= len("…".encode())
    low, high = 0, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if _cost(text[:middle]) <= room else (low, middle - 1)
    return f"{text[:low].rstrip()}…" if low else ""
