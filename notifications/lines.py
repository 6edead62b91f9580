"""Reading what is under a member's bell: a page at a time, newest first, in the member's words and time zone."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from string import Formatter

from django.db import models
from django.db.models.functions import Cast
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from accounts.models import Membership
from notifications import bell, quiet, rendering, types
from notifications.live import Marks
from notifications.models import Hushed, Notification, Snooze
from notifications.rendering import Message

HELD = (Hushed.QUIET, Hushed.PAUSED)
MOST_SEARCHED = 10_000  # a search looks at so many of the newest
MOST_WORDS = 6
LONGEST_SEARCH = 100


@dataclass(frozen=True)
class Filters:
    """What of the bell is wanted. Archived ones are a list of their own."""

    topic: str = ""
    only_unread: bool = False
    archived: bool = False
    search: str = ""

    @property
    def is_narrow(self) -> bool:
        """Whether there may be more than what these let through."""
        return bool(self.topic or self.only_unread or self.search)


@dataclass(frozen=True)
class Line:
    """One notification as it is read."""

    event_id: int
    type_key: str
    message: Message
    told_at: datetime  # in the member's zone
    is_unread: bool
    is_archived: bool
    held: str = ""  # what keeps it from popping up, and until when

    @property
    def day(self) -> date:
        return self.told_at.date()

    @property
    def time_words(self) -> str:
        # Translators: format of a time of day, see Django's date format characters.
        return date_format(self.told_at, _("H:i"))

    @property
    def told_at_words(self) -> str:
        return f"{date_format(self.told_at, 'DATE_FORMAT')}, {self.time_words}"


@dataclass(frozen=True)
class Day:
    """The lines of one day, under its name."""

    on: date
    label: str
    lines: Sequence[Line]


@dataclass(frozen=True)
class Page:
    """Some lines, and the event before which the next page begins (None: there is none)."""

    days: Sequence[Day]
    next_before: int | None = None
    is_search_cut: bool = False

    @property
    def most_searched(self) -> int:
        return MOST_SEARCHED

    @property
    def newest(self) -> int:
        """The newest event that this page shows."""
        return self.days[0].lines[0].event_id if self.days else 0

    @property
    def has_unread(self) -> bool:
        return any(line.is_unread for day in self.days for line in day.lines)


def page(member: Membership, filters: Filters = Filters(), *, before: int | None = None, size: int) -> Page:
    """The next `size` lines before an event. One query, two with a search, one more while something is held; whatever
    the number of lines. What is snoozed has a list of its own."""
    rows = bell.of(member).filter(archived_at__isnull=not filters.archived)
    if filters.archived:
        rows = rows.exclude(event_id__in=Snooze.objects.filter(member=member, woken_at=None).values("event_id"))
    if filters.only_unread:
        rows = rows.filter(read_at=None)
    if filters.topic:
        rows = rows.filter(
            event__type__in=[key for key, kind in types.TYPES.items() if kind.topic.key == filters.topic]
        )
    oldest = None
    if filters.search:
        oldest = bell.of(member).values_list("event_id", flat=True)[MOST_SEARCHED : MOST_SEARCHED + 1].first()
        rows = _matching(rows.filter(event_id__gt=oldest or 0), filters.search)
    if before is not None:
        rows = rows.filter(event_id__lt=before)
    found = list(rows.select_related("event")[: size + 1])
    held = held_words(member) if any(row.hushed in HELD for row in found[:size]) else ""
    lines = [_line(row, member, held) for row in found[:size]]
    more = len(found) > size
    return Page(
        days=_days(lines, today=timezone.now().astimezone(member.zone).date()),
        next_before=lines[-1].event_id if more else None,
        is_search_cut=oldest is not None and not more,
    )


def one(member: Membership, event_id: int) -> Notification | None:
    """One of a member's own notifications that reached them on any channel, under the bell or not."""
    return Notification.objects.filter(member=member, event_id=event_id, channels__gt=0).select_related("event").first()


def standing(member: Membership, event_ids: Sequence[int]) -> Marks:
    """How these stand in the member's bell now, for a page that may have missed what became of them."""
    rows = bell.of(member).filter(event_id__in=event_ids).values_list("event_id", "read_at", "archived_at")
    found = list(rows)
    return Marks(
        read=[id_ for id_, read_at, _archived_at in found if read_at],
        unread=[id_ for id_, read_at, _archived_at in found if not read_at],
        archived=[id_ for id_, _read_at, archived_at in found if archived_at],
        unarchived=[id_ for id_, _read_at, archived_at in found if not archived_at],
    )


def held_words(member: Membership) -> str:
    """What holds a member's notifications now, and until when; nothing where they are not left alone."""
    state = quiet.state_of(member)
    if state.until is None:
        return ""
    words = _("Paused until %(until)s") if state.paused_until else _("Quiet until %(until)s")
    return words % {"until": quiet.until_words(state.until, member.zone)}


def _line(row: Notification, member: Membership, held: str = "") -> Line:
    return Line(
        event_id=row.event_id,
        type_key=row.event.type,
        message=rendering.render(row.event.type, row.event.data, language=member.spoken_language),
        told_at=row.event.created_at.astimezone(member.zone),
        is_unread=row.read_at is None,
        is_archived=row.archived_at is not None,
        held=held if row.hushed in HELD else "",
    )


def _days(lines: Sequence[Line], *, today: date) -> list[Day]:
    by_day: dict[date, list[Line]] = {}
    for line in lines:
        by_day.setdefault(line.day, []).append(line)
    return [Day(on, day_label(on, today=today), some) for on, some in by_day.items()]


def day_label(on: date, *, today: date) -> str:
    """Today, Yesterday, or the date in the reader's language; the year only where it is another one."""
    if on == today:
        return _("Today")
    if on == today - timedelta(days=1):
        return _("Yesterday")
    # Translators: formats of a day above a list, see Django's date format characters.
    return date_format(on, _("l, j F") if on.year == today.year else _("l, j F Y"))


def _matching(rows: models.QuerySet[Notification], search: str) -> models.QuerySet[Notification]:
    """Those in which every word stands: in the event's own data, or in the words of its type."""
    values = models.Func(models.F("event__data"), template="jsonb_path_query_array(%(expressions)s - 'url', '$.*')")
    rows = rows.annotate(values_text=Cast(values, models.TextField()))
    for word in search.replace("\0", "")[:LONGEST_SEARCH].split()[:MOST_WORDS]:
        as_stored = json.dumps(word, ensure_ascii=False)[1:-1]  # quotes and backslashes as JSON writes them
        rows = rows.filter(models.Q(values_text__icontains=as_stored) | models.Q(event__type__in=_kinds_saying(word)))
    return rows


def _kinds_saying(word: str) -> list[str]:
    """The types whose own words, in the language of the moment, hold a word."""
    wanted = word.casefold()
    return [
        key
        for key, kind in types.TYPES.items()
        if wanted in f"{kind.topic.label} {_fixed(str(kind.title))} {_fixed(str(kind.body))}".casefold()
    ]


def _fixed(text: str) -> str:
    """A text without its placeholders."""
    return " ".join(literal for literal, *_rest in Formatter().parse(text))
