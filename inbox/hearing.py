"""Who hears of a conversation, and why the others do not (N-054 to N-061, D9). Values in, values out.

Whoever keeps the conversations asks here first and emits to those who are left; what each of them wants, and where,
is decided afterwards like for any other notification.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from notifications.types import conversations
from notifications.types.base import NotificationType


class Hearing(StrEnum):
    """Whether somebody hears of a conversation, or the first reason why not."""

    TOLD = "told"
    NOT_CONCERNED = "not_concerned"
    SELF = "self"
    INACTIVE = "inactive"
    NEVER_OPENED = "never_opened"
    LOST_ACCESS = "lost_access"
    NOT_PRIMARY = "not_primary"


@dataclass(frozen=True)
class Person:
    """What has to be known of a member."""

    id: int
    is_active: bool = True
    has_opened: bool = True  # the conversations inbox, ever
    primary_team: int | None = None
    extra_teams: frozenset[int] = frozenset()

    @property
    def teams(self) -> frozenset[int]:
        return self.extra_teams | {self.primary_team} if self.primary_team is not None else self.extra_teams


@dataclass(frozen=True)
class Access:
    """Whom an inbox is open to: everyone, or some members and teams."""

    everyone: bool = False
    members: frozenset[int] = frozenset()
    teams: frozenset[int] = frozenset()

    def holds(self, person: Person) -> bool:
        """Whether the person may act in the inbox, through any of their teams too."""
        return self.in_person(person) or bool(self.teams & person.teams)

    def in_person(self, person: Person) -> bool:
        """Whether the person needs no team to be in it."""
        return self.everyone or person.id in self.members


@dataclass(frozen=True)
class News:
    """What happened in a conversation."""

    type: NotificationType
    access: Access
    by: int | None = None  # the member who did it; none: somebody outside, or a rule
    assignee: int | None = None  # as it stands now
    mentioned: frozenset[int] = field(default=frozenset())


Concerned = Callable[[News, Person], bool]


def _assignee(news: News, person: Person) -> bool:
    return person.id == news.assignee


def _assignee_or_all(news: News, person: Person) -> bool:
    """The one it is assigned to; while that is nobody, all who hear of unassigned ones."""
    return news.assignee is None or person.id == news.assignee


def _all_while_unassigned(news: News, person: Person) -> bool:
    return news.assignee is None


def _mentioned(news: News, person: Person) -> bool:
    return person.id in news.mentioned


CONCERNED: Mapping[NotificationType, Concerned] = {
    conversations.ASSIGNED: _assignee,
    conversations.REASSIGNED: _assignee,
    conversations.REPLIED: _assignee_or_all,
    conversations.UNASSIGNED_CREATED: _all_while_unassigned,
    conversations.MENTIONED: _mentioned,
}
"""Whom each of them is about. What keeps one of these from being told is the table in `judged`."""


def judged(news: News, person: Person) -> Hearing:
    """Whether one person hears of it. The whole rule is this table."""
    through_a_team = not news.access.in_person(person)
    for applies, hearing in (
        (not CONCERNED[news.type](news, person), Hearing.NOT_CONCERNED),
        (person.id == news.by, Hearing.SELF),
        (not person.is_active, Hearing.INACTIVE),
        (not news.access.holds(person), Hearing.LOST_ACCESS),
        (not person.has_opened, Hearing.NEVER_OPENED),
        (
            news.assignee is None
            and news.type is not conversations.MENTIONED
            and through_a_team
            and person.primary_team not in news.access.teams,
            Hearing.NOT_PRIMARY,
        ),
    ):
        if applies:
            return hearing
    return Hearing.TOLD


def decided(news: News, people: Iterable[Person]) -> dict[int, Hearing]:
    """What becomes of it for each of these people whom it concerns, by their id: to be kept, so that it can be read."""
    said = {person.id: judged(news, person) for person in people}
    return {pk: hearing for pk, hearing in said.items() if hearing is not Hearing.NOT_CONCERNED}


def hearers(news: News, people: Iterable[Person]) -> list[int]:
    """Who is told, in the order given: the audience of the event."""
    return [pk for pk, hearing in decided(news, people).items() if hearing is Hearing.TOLD]
