"""What a topic and a notification type are. Plain values: no database, no templates, no settings."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from django.utils.translation import gettext as _

from notifications.types import declaring, values
from notifications.types.declaring import CHANNELS, DeclarationError

if TYPE_CHECKING:
    from django_stubs_ext import StrPromise

ASSIGNMENT_WINDOW: Final = timedelta(minutes=5)
"""How long assignments of records and tasks are gathered before they are told (N-082)."""


@dataclass(frozen=True)
class FieldProblem:
    """One thing wrong with an event's data: where, and what would be right, in the reader's language."""

    field: str
    message: str


@dataclass(frozen=True, kw_only=True)
class Merging:
    """What comes to one member in one thread within a short time is one mail; elsewhere each stays its own (N-064)."""

    within: timedelta
    """So long after the first, counted from when it happened."""
    most: int
    """So many are one mail; the next one opens another."""
    title: StrPromise
    """The subject, with {count} and the placeholders of the type; these are filled from the first of them."""
    heading: StrPromise
    line: StrPromise
    """One of them, in the list below the heading."""
    channel: str = "email"


@dataclass(frozen=True, kw_only=True, eq=False)
class NotificationType:
    """One toggle: something that can happen, how it is told, and who may be told where.

    Made by `Topic.type`; there is one object per key, compared by identity.
    """

    key: str
    """The stable name, "deals.stage_changed": stored with every event and preference, never renamed."""
    topic: Topic = field(repr=False)
    label: StrPromise
    """The toggle's words, as a member reads them in the settings."""
    title: StrPromise
    """One line of text with {placeholders} that are keys of `example`."""
    body: StrPromise | str = ""
    example: Mapping[str, str | int]
    """Exactly the data that an event of this type carries. Always has "url"."""
    defaults: frozenset[str]
    """The channels that are on unless somebody chose otherwise. Contains what is required."""
    required: frozenset[str] = frozenset()
    """The channels that nobody can turn off (N-005)."""
    only: frozenset[str] | None = None
    """The only channels this type may use; None: all of them."""
    for_role: str = ""
    """Exists only for members with this role (N-119)."""
    for_seat: str = ""
    """Exists only for members with this seat (clicks in tracked mail need a paid one)."""
    needs_permission: str = ""
    """Exists only for members with this permission (N-093)."""
    for_one: bool = False
    """Told to one member, named in person: whoever emits it knows whose it is (N-129)."""
    window: timedelta | None = None
    """Told this long after the first occurrence, merged with the others of that time (N-082, N-083)."""
    merges: Merging | None = None
    """Told together in one mail when several come in one thread (N-064): see notifications.merging."""
    group: str = ""
    """The heading inside its topic, a key of `topic.groups`."""
    each: str = ""
    """The function, by its dotted name, that knows what each recipient is told; see notifications.personal."""
    requirements: tuple[str, ...] = ()

    def __str__(self) -> str:
        return self.key

    @property
    def offered(self) -> frozenset[str]:
        """The channels this type may use: all of them, or only those it names."""
        return CHANNELS if self.only is None else self.only

    @property
    def optional(self) -> frozenset[str]:
        """The channels a member may turn on and off."""
        return self.offered - self.required

    @property
    def group_label(self) -> StrPromise | str:
        """The words of its heading inside the topic, empty where the topic has none."""
        return self.topic.groups[self.group] if self.group else ""

    def is_for(self, role: str, permissions: Collection[str], seat: str) -> bool:
        """Whether this type exists for a member with this role, these permissions and this seat."""
        return (
            self.for_role in ("", role)
            and self.for_seat in ("", seat)
            and (not self.needs_permission or self.needs_permission in permissions)
        )

    def check_data(self, data: object) -> list[FieldProblem]:
        """Everything wrong with the data of an event of this type; empty when it may be stored.

        Never raises, whatever it is given. Fields are named as the caller wrote them: "data.deal".
        """
        if not isinstance(data, Mapping):
            return [FieldProblem("data", _("This must be an object with the fields %s.") % self._fields())]
        problems = [
            FieldProblem(f"data.{name}", values.problem_when_missing(name, example))
            for name, example in self.example.items()
            if name not in data
        ]
        for name, value in data.items():
            message = self._problem_with(name, value)
            if message:
                problems.append(FieldProblem(f"data.{values.printable(name)}", message))
        return problems

    def _problem_with(self, name: object, value: object) -> str:
        if name not in self.example:
            return _("%(type)s has no such field. Its fields are %(fields)s.") % {
                "type": self.key,
                "fields": self._fields(),
            }
        return values.problem_with_link(value) if name == "url" else values.problem_with_value(value)

    def _fields(self) -> str:
        return ", ".join(self.example)


@dataclass(frozen=True, eq=False)
class Topic:
    """A heading in the settings with the notification types below it."""

    key: str
    label: StrPromise
    note: StrPromise | str = field(default="", kw_only=True)
    """A sentence of help to show under the heading."""
    note_page: str = field(default="", kw_only=True)
    """The name of the page that the sentence leads to, one below the account."""
    groups: Mapping[str, StrPromise] = field(default_factory=dict, kw_only=True)
    """Headings inside the topic, in their order. Where there are any, every type stands under one."""
    only: frozenset[str] | None = field(default=None, kw_only=True)
    """The only channels that types of this topic may use."""
    for_role: str = field(default="", kw_only=True)
    """The whole topic exists only for members with this role."""
    for_one: bool = field(default=False, kw_only=True)
    """All that happens in this topic concerns one member."""
    types: dict[str, NotificationType] = field(default_factory=dict, init=False, repr=False)
    """The types declared so far, by their whole key, in their order."""

    def __post_init__(self) -> None:
        declaring.check_topic(self)

    def __str__(self) -> str:
        return self.key

    def type(
        self,
        name: str,
        *,
        label: StrPromise,
        title: StrPromise,
        body: StrPromise | str = "",
        example: Mapping[str, str | int],
        defaults: Iterable[str] = (),
        required: Iterable[str] = (),
        only: Iterable[str] | None = None,
        for_role: str = "",
        for_seat: str = "",
        needs_permission: str = "",
        window: timedelta | None = None,
        merges: Merging | None = None,
        group: str = "",
        each: str = "",
        requirements: tuple[str, ...] = (),
    ) -> NotificationType:
        """Declare a type of this topic. What is required counts as a default too.

        Raises DeclarationError when the type could not be told as declared.
        """
        may_use = self.only if only is None else frozenset(only)
        made = NotificationType(
            key=f"{self.key}.{name}",
            topic=self,
            label=label,
            title=title,
            body=body,
            example=MappingProxyType(dict(example)),
            defaults=_with_company(defaults, only=may_use) | frozenset(required),
            required=frozenset(required),
            only=may_use,
            for_role=for_role or self.for_role,
            for_seat=for_seat,
            needs_permission=needs_permission,
            for_one=self.for_one,
            window=window,
            merges=merges,
            group=group,
            each=each,
            requirements=requirements,
        )
        declaring.check_type(made, name)
        self.types[made.key] = made
        return made


def _with_company(defaults: Iterable[str], *, only: frozenset[str] | None) -> frozenset[str]:
    """What pops up by default is on elsewhere too: browser and phone stand in for a pop-up that nobody is there to see,
    and who connects another app hears the same there."""
    given = frozenset(defaults)
    company = {"browser", "mobile"} | declaring.APPS if "popup" in given else frozenset[str]()
    return given | (company if only is None else company & only)


def catalogue(topics: Iterable[Topic]) -> dict[str, NotificationType]:
    """All types of these topics by their key, in the order of the topics. Refuses a topic listed twice."""
    types: dict[str, NotificationType] = {}
    seen: set[str] = set()
    for topic in topics:
        if topic.key in seen:
            raise DeclarationError(f"The topic {topic.key} is listed twice.")
        seen.add(topic.key)
        types.update(topic.types)
    return types
