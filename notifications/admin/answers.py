"""A super admin's grid as values: every type and channel, what the layer answers, and what a posted page changes."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from zoneinfo import ZoneInfo

from django.http import QueryDict
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _

from notifications import channels, defaults, grid, saying, types
from notifications.channels.base import Channel
from notifications.models import Lock
from notifications.preferences import Cell
from notifications.reach import Said
from notifications.resolution import Choice, Layer
from notifications.saying import Values
from notifications.types.base import NotificationType, Topic

PREFIX = "cell:"
WORDS = {"": None, "on": True, "off": False}
FIRST = {"bell", "popup", "email", "browser"}  # everybody has these; others have to be connected first
NAMES = {wanted: word for word, wanted in WORDS.items()}


@dataclass(frozen=True)
class Answer:
    """One cell of the grid: what the layer says (or was asked to say), and what counts where it says nothing."""

    type: NotificationType
    channel: Channel
    was: str
    value: str
    below: bool
    fixed: str  # why it cannot be set, in words
    is_offered: bool
    lock: Lock | None

    @property
    def name(self) -> str:
        return f"{PREFIX}{saying.name_of((self.type.key, self.channel.key))}"

    @property
    def id(self) -> str:
        return f"{self.type.key.replace('.', '-')}-{self.channel.key}"


@dataclass(frozen=True)
class Row:
    kind: NotificationType
    answers: list[Answer]

    @property
    def anchor(self) -> str:
        """The same as on the members' page, so that links from elsewhere find the row."""
        return grid.anchor(self.kind.key)

    @property
    def who(self) -> str:
        """For whom the type exists, where that is not everybody."""
        if self.kind.for_role:
            return _("super admins only")
        if self.kind.for_seat:
            return _("paid seats only")
        return _("needs a permission") if self.kind.needs_permission else ""


@dataclass(frozen=True)
class Section:
    topic: Topic
    rows: list[Row]

    @property
    def answered(self) -> int:
        return sum(1 for row in self.rows for answer in row.answers if answer.was)

    @property
    def changed(self) -> int:
        return sum(1 for row in self.rows for answer in row.answers if answer.value != answer.was)

    @property
    def is_open(self) -> bool:
        """Unfolded at first where something was just asked for, so that it is seen."""
        return self.changed > 0

    @property
    def groups(self) -> list[tuple[str, list[Row]]]:
        return [(str(label), list(rows)) for label, rows in groupby(self.rows, key=lambda row: row.kind.group_label)]


def sections(
    layer: Layer,
    stored: Values,
    said: Said,
    locks: Iterable[Lock],
    asked: Mapping[Cell, bool | None],
    *,
    shown: Sequence[Channel],
) -> list[Section]:
    """The whole grid of a layer by topic, a column for each channel shown.

    `asked`: what a posted page wants otherwise than it is.
    """
    by_cell = {(lock.type, lock.channel): lock for lock in locks}

    def answer(kind: NotificationType, channel: Channel) -> Answer:
        cell = (kind.key, channel.key)
        was = NAMES[saying.is_on(stored.get(saying.name_of(cell)))]
        return Answer(
            type=kind,
            channel=channel,
            was=was,
            value=NAMES[asked[cell]] if cell in asked else was,
            below=_is_on_below(layer, said, kind, channel),
            fixed=defaults.why_not_settable(cell),
            is_offered=channel.key in kind.offered,
            lock=None if layer is Layer.LOCK else by_cell.get(cell),
        )

    return [
        Section(
            topic,
            [Row(kind, [answer(kind, channel) for channel in shown]) for kind in topic.types.values()],
        )
        for topic in types.TOPICS
    ]


def shown_channels(stored: Values, asked: Iterable[Cell], *, all_of_them: bool) -> list[Channel]:
    """The columns: the channels that everybody has, and the others when wanted or when anything is said of them."""
    spoken_of = {saying.cell_of(name)[1] for name in stored} | {channel for _type, channel in asked}
    return [channel for channel in channels.ALL if all_of_them or channel.key in FIRST | spoken_of]


def _is_on_below(layer: Layer, said: Said, kind: NotificationType, channel: Channel) -> bool:
    default = said.defaults.get(kind.key, Choice())
    if layer is Layer.PROFILE and default.chosen & channel.bit:
        return bool(default.on & channel.bit)
    return channel.key in kind.defaults


def shown(stored: Values) -> str:
    """What a page showed, to post back with it: only what differs from that is a change."""
    return " ".join(f"{name}={NAMES[saying.is_on(value)]}" for name, value in stored.items())


def asked(given: QueryDict) -> dict[Cell, bool | None]:
    """The cells that a posted page wants otherwise than it showed them. Cells it did not show stay as they are."""
    before = dict(pair.rpartition("=")[::2] for pair in given.get("shown", "").split())
    return {
        saying.cell_of(name.removeprefix(PREFIX)): WORDS[value]
        for name, value in given.items()
        if name.startswith(PREFIX) and value in WORDS and value != before.get(name.removeprefix(PREFIX), "")
    }


def moment(text: str, zone: ZoneInfo) -> datetime | None:
    """A date and time as browsers post them, on the account's clock. None when empty; refuses what is no time."""
    if not text.strip():
        return None
    try:
        found = parse_datetime(text.strip())
    except ValueError:
        found = None
    if found is None:
        raise defaults.InvalidChange(
            _("The end is not a date and time."), fields={"ends_at": [_("Write it like 2027-06-30T18:00.")]}
        )
    return found if found.tzinfo else found.replace(tzinfo=zone)
