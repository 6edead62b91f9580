"""What a declaration must look like. A wrong one fails when its file is imported, with a sentence that
names the topic or type and what is wrong with it.
"""

from __future__ import annotations

import re
from string import Formatter
from typing import TYPE_CHECKING, Final, cast

from django.utils.functional import Promise

from notifications.types import values

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from django_stubs_ext import StrPromise

    from notifications.types.base import NotificationType, Topic

APPS: Final = frozenset({"slack", "teams", "google_chat", "discord", "telegram", "webhook", "apprise"})
"""The channels that lead to another app."""

CHANNELS: Final = frozenset({"bell", "popup", "email", "browser", "mobile"}) | APPS
"""The channels a type may name. A test holds this equal to what `notifications.channels` offers."""

KEY: Final = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
LONGEST_KEY: Final = 80


class DeclarationError(Exception):
    """A topic or type is declared wrongly. Raised at import, for the developer who wrote it."""


def check_topic(topic: Topic) -> None:
    """Refuses a topic whose key or channels could not be stored or offered."""
    if not KEY.fullmatch(topic.key):
        raise DeclarationError(f"The topic key “{topic.key}” must be lower-case words joined by _.")
    _refuse_unknown_channels(f"The topic {topic.key}", "only", topic.only or ())


def check_type(made: NotificationType, name: str) -> None:
    """Refuses a type that could not be stored, offered, told or previewed as it is declared."""
    _refuse_bad_key(made, name)
    _refuse_bad_channels(made)
    _refuse_bad_example(made)
    _refuse_bad_text(made)


def source_text(text: StrPromise | str) -> str:
    """The text as it stands in the code, before any translation.

    Declarations are read before Django can translate, so a lazy text is opened through what it hands
    to pickle: the function, and its arguments, of which the text is the last.
    """
    if isinstance(text, Promise):
        reduced = cast("tuple[object, tuple[object, tuple[str, ...]]]", text.__reduce__())
        return reduced[1][1][-1]
    return str(text)


def placeholders(text: str) -> list[str]:
    """The names between braces. Raises ValueError for all but a bare name: "{a.b}", "{a[0]}", "{a!r}"."""
    names = []
    for _literal, name, spec, conversion in Formatter().parse(text):
        if name is None:
            continue
        if not name.isidentifier() or spec or conversion:
            raise ValueError(f"“{{{name}}}” may hold nothing but the name of a field")
        names.append(name)
    return names


def _refuse_bad_key(made: NotificationType, name: str) -> None:
    if not KEY.fullmatch(name):
        raise DeclarationError(f"The type {made.key}: “{name}” must be lower-case words joined by _.")
    if len(made.key) > LONGEST_KEY:
        raise DeclarationError(f"The type {made.key}: a key has at most {LONGEST_KEY} characters.")
    if made.key in made.topic.types:
        raise DeclarationError(f"The type {made.key} is declared twice.")
    if made.group not in (tuple(made.topic.groups) or ("",)):
        known = ", ".join(made.topic.groups) or "none"
        raise DeclarationError(f"The type {made.key}: no group “{made.group}” in its topic, which has {known}.")


def _refuse_bad_channels(made: NotificationType) -> None:
    where = f"The type {made.key}"
    for name, channels in (
        ("only", made.only or ()),
        ("required", made.required),
        ("defaults", made.defaults),
    ):
        _refuse_unknown_channels(where, name, channels)
    allowed = CHANNELS if made.topic.only is None else made.topic.only
    if made.only is not None and (not made.only or not made.only <= allowed):
        raise DeclarationError(f"{where}: `only` must name some of {_listed(allowed)}.")
    if made.merges is not None and made.merges.channel not in made.offered:
        raise DeclarationError(f"{where}: `merges` has {made.merges.channel}, on which it is not offered.")
    for name, channels in (("required", made.required), ("defaults", made.defaults)):
        if surplus := _listed(channels - made.offered):
            offered = _listed(made.offered)
            raise DeclarationError(f"{where}: `{name}` has {surplus}, but it is offered only on {offered}.")


def _refuse_unknown_channels(where: str, name: str, channels: Collection[str]) -> None:
    unknown = frozenset(channels) - CHANNELS
    if unknown:
        raise DeclarationError(
            f"{where}: `{name}` has {_listed(unknown)}, which is no channel; there are {_listed(CHANNELS)}."
        )


def _refuse_bad_example(made: NotificationType) -> None:
    where = f"The type {made.key}"
    if "url" not in made.example:
        raise DeclarationError(f"{where}: its example needs a “url”, the page that a click opens.")
    for name, value in made.example.items():
        if not name.isidentifier():
            raise DeclarationError(f"{where}: “{name}” in its example cannot be a placeholder.")
        if not values.is_text_or_number(value):
            raise DeclarationError(f"{where}: “{name}” in its example must be text or a whole number.")
    if not values.is_link(made.example["url"]):
        raise DeclarationError(f"{where}: the “url” of its example must begin with / or with https://.")


def _texts(made: NotificationType) -> Iterator[tuple[str, StrPromise | str, Collection[str]]]:
    """Each of a type's texts: what it is called, its words, and the placeholders that it may have."""
    yield "label", made.label, ()
    yield "title", made.title, made.example
    yield "body", made.body, made.example
    if made.merges is not None:
        yield "merged title", made.merges.title, {**made.example, "count": 0}
        yield "merged heading", made.merges.heading, ()
        yield "merged line", made.merges.line, made.example


def _refuse_bad_text(made: NotificationType) -> None:
    for part, text, known in _texts(made):
        source = source_text(text)
        if part != "body" and not source.strip():
            raise DeclarationError(f"The type {made.key} needs a {part}.")
        try:
            unknown = [name for name in placeholders(source) if name not in known]
        except ValueError as error:
            raise DeclarationError(f"The type {made.key}: its {part} is not usable: {error}.") from error
        if unknown:
            raise DeclarationError(
                f"The type {made.key}: its {part} has {{{unknown[0]}}}, which is not in its example."
            )


def _listed(channels: Collection[str]) -> str:
    return ", ".join(sorted(channels))
