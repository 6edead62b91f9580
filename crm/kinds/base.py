"""What a kind of record and a property are. Plain values: no database."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from django_stubs_ext import StrPromise

    from crm.models import Record
    from notifications.types.base import NotificationType


class Type(StrEnum):
    """What a property holds. `crm.properties` reads each of them from what people and programs write."""

    TEXT = "text"
    LONG_TEXT = "long_text"
    NUMBER = "number"
    DATE = "date"
    DATETIME = "datetime"
    EMAIL = "email"
    PHONE = "phone"
    URL = "url"
    CHOICE = "choice"
    USER = "user"
    STAGE = "stage"
    BOOLEAN = "boolean"


@dataclass(frozen=True)
class Property:
    """One thing that is known of a record. `column`: stored in that field of Record instead of in `values`."""

    key: str
    label: StrPromise | str
    type: Type = Type.TEXT
    column: str = field(default="", kw_only=True)
    choices: tuple[tuple[str, StrPromise | str], ...] = field(default=(), kw_only=True)
    is_required: bool = field(default=False, kw_only=True)
    is_custom: bool = field(default=False, kw_only=True)
    is_unique: bool = field(default=False, kw_only=True)
    has_meaning_empty: bool = field(default=False, kw_only=True)
    """Empty says something as well ("not completed"), so a merge does not fill it from the other record."""

    def __str__(self) -> str:
        return str(self.label)


@dataclass(frozen=True)
class Told:
    """The notification types that tell of a kind, and the name that each gives the record in its data."""

    word: str
    assigned: NotificationType
    mentioned: NotificationType
    moved: NotificationType | None = None
    stage_word: str = "stage"


@dataclass(frozen=True, kw_only=True)
class Kind:
    """One kind of record: its words, its properties, and what is told of it."""

    key: str
    label: StrPromise | str
    plural: StrPromise | str
    count: Callable[[int], str]
    """The words for so many of them: "2 contacts"."""
    properties: tuple[Property, ...]
    title: tuple[str, ...]
    """The properties that name a record, joined by a blank; all empty: the first of `title_else` that is not."""
    title_else: tuple[str, ...] = ()
    told: Told
    facts: Callable[[Record], Mapping[str, str | int]] = lambda record: {}
    """What the type that tells of an assignment says besides the record's name."""
    stages: tuple[tuple[StrPromise, tuple[tuple[StrPromise, str], ...]], ...] = ()
    """The pipelines an account begins with: name, then stages as (name, outcome)."""
    stage_label: StrPromise | str = ""
    is_custom: bool = False

    def __str__(self) -> str:
        return str(self.label)

    @property
    def has_stages(self) -> bool:
        return bool(self.stages)

    @property
    def path(self) -> str:
        """Where its pages stand below the account: "contacts", "objects/berths"."""
        return f"objects/{self.key}" if self.is_custom else self.key

    def find(self, key: str) -> Property | None:
        return next((one for one in self.properties if one.key == key), None)

    @property
    def people(self) -> tuple[Property, ...]:
        """The owner and the custom user properties: being named in one of them is being assigned (N-070, N-146)."""
        return tuple(one for one in self.properties if one.type is Type.USER)

    def with_properties(self, more: tuple[Property, ...]) -> Kind:
        return replace(self, properties=(*self.properties, *more))
