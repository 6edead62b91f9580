"""The settings page as values: which tab shows which topics, types and cells, and how many of them are on."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import groupby
from types import MappingProxyType
from typing import TYPE_CHECKING

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import Membership
from notifications import channels, hearing, sounds, types
from notifications.channels.base import Channel
from notifications.hearing import Hearing
from notifications.preferences import CellState, Standing
from notifications.resolution import Layer
from notifications.types.base import NotificationType, Topic

if TYPE_CHECKING:
    from django_stubs_ext import StrPromise


@dataclass(frozen=True)
class Tab:
    """One tab of Settings › Notifications and the channels whose cells it holds."""

    key: str
    label: "StrPromise"
    channel_keys: tuple[str, ...] = ()

    @property
    def channels(self) -> list[Channel]:
        return [channels.CHANNELS[key] for key in self.channel_keys]


EMAIL = Tab("email", gettext_lazy("E-mail"), ("email",))
DESKTOP = Tab("desktop", gettext_lazy("Desktop"), ("bell", "popup", "browser"))
OTHER_APPS = Tab("other-apps", gettext_lazy("Other apps"), tuple(app.key for app in channels.APPS))
MOBILE = Tab("mobile", gettext_lazy("Mobile app"))
TABS = {tab.key: tab for tab in (EMAIL, DESKTOP, OTHER_APPS, MOBILE)}  # N-007
PHONE = Tab("phone", gettext_lazy("Mobile app"), ("mobile",))  # the installed app's own settings (N-038), under MOBILE
PAGES = {**TABS, PHONE.key: PHONE}

BRIEFLY = {
    Layer.NOT_OFFERED: gettext_lazy("not available"),
    Layer.REQUIRED: gettext_lazy("required"),
    Layer.LOCK: gettext_lazy("locked"),
    Layer.SWITCH: gettext_lazy("channel is off"),
    Layer.OWN: gettext_lazy("your choice"),
    Layer.PROFILE: gettext_lazy("from a profile"),
    Layer.DEFAULT: gettext_lazy("account default"),
    Layer.BUILT_IN: gettext_lazy("built-in default"),
}


def tab_of(channel_key: str) -> Tab:
    """The page that holds a channel's cells."""
    return next(tab for tab in PAGES.values() if channel_key in tab.channel_keys)


def for_member(tab: Tab, member: Membership) -> Tab:
    """The tab as one member has it: of the other apps only those that they connected are columns."""
    if tab.key != OTHER_APPS.key:
        return tab
    connected = set(member.connections.values_list("channel", flat=True))
    return replace(tab, channel_keys=tuple(key for key in tab.channel_keys if key in connected))


def anchor(type_key: str) -> str:
    """The id of a type's row, the target of links from elsewhere."""
    return f"type-{type_key.replace('.', '-')}"


@dataclass(frozen=True)
class Cell:
    """A cell as it is drawn: its state, who says so in two lengths, and for a pop-up that comes its sound."""

    state: CellState
    sound: str = ""

    @property
    def key(self) -> str:
        return f"{self.state.type.key}/{self.state.channel.key}"

    @property
    def id(self) -> str:
        return f"{self.state.type.key.replace('.', '-')}-{self.state.channel.key}"

    @property
    def anchor(self) -> str:
        """The id of the row it stands in."""
        return anchor(self.state.type.key)

    @property
    def is_own(self) -> bool:
        """Whether the member's own choice stands behind it, so that it can be given back."""
        return self.state.kept_layer is Layer.OWN

    @property
    def is_switched_off(self) -> bool:
        return self.state.layer is Layer.SWITCH

    @property
    def brief(self) -> str:
        """Who says so, in a word or two: what stands beside every tick."""
        if self.state.layer is Layer.PROFILE and self.state.profile_name:
            return _("profile “%(name)s”") % {"name": self.state.profile_name}
        return str(BRIEFLY[self.state.layer])

    @property
    def sentence(self) -> str:
        """The whole answer: “On — from the account default”."""
        words = _("On — %(why)s") if self.state.is_on else _("Off — %(why)s")
        return words % {"why": self.state.origin}


@dataclass(frozen=True)
class SoundOption:
    """One line of a list of sounds: what is sent, its words, and what its preview plays (nothing for silence)."""

    value: str
    label: str
    plays: str


@dataclass(frozen=True)
class SoundPicker:
    """A list of sounds to choose from, for all pop-ups or for one type, and the choice as it stands."""

    id: str
    label: str
    options: list[SoundOption]
    chosen: str

    @property
    def plays(self) -> str:
        return next(option.plays for option in self.options if option.value == self.chosen)


def _sound_options() -> list[SoundOption]:
    return [SoundOption(key, sounds.label(key), "" if key == sounds.NONE else key) for key in sounds.KEYS]


def default_sound(heard: Hearing) -> SoundPicker:
    """The sound of all pop-ups that have none of their own (N-033)."""
    return SoundPicker("sound", _("Sound selection"), _sound_options(), heard.default)


def sound_of(heard: Hearing, kind: NotificationType) -> SoundPicker:
    """The sound of one type's pop-ups (N-035): the default or its own."""
    like_all = SoundOption(
        "",
        _("Default (%(sound)s)") % {"sound": sounds.label(heard.default)},
        "" if heard.default == sounds.NONE else heard.default,
    )
    options = [like_all, *_sound_options()]
    return SoundPicker(f"sound-of-{anchor(kind.key)}", _("Sound"), options, heard.own.get(kind.key, ""))


@dataclass(frozen=True)
class Row:
    """One type and its cells on the tab."""

    kind: NotificationType
    cells: list[Cell]
    used: int = 0  # how many of it the member's address had today, on a channel with a daily limit

    @property
    def anchor(self) -> str:
        return anchor(self.kind.key)

    @property
    def notes(self) -> list[str]:
        """Why a cell cannot be changed, in whole sentences. Channels with the same reason share one."""
        fixed = [cell.state for cell in self.cells if cell.state.layer in (Layer.REQUIRED, Layer.LOCK)]
        reasons: dict[tuple[bool, str], list[str]] = {}
        for state in fixed:
            reasons.setdefault((state.is_on, state.origin), []).append(str(state.channel.label))
        return [
            (_("%(channels)s: on, %(why)s.") if is_on else _("%(channels)s: off, %(why)s."))
            % {"channels": ", ".join(names), "why": why}
            for (is_on, why), names in reasons.items()
        ]


@dataclass(frozen=True)
class Count:
    """How many of a topic's cells are on, on one channel."""

    channel: Channel
    on: int
    total: int
    changeable: int


@dataclass(frozen=True)
class Section:
    """One topic with its types, under sub-headings where it has groups (General)."""

    topic: Topic
    rows: list[Row]
    counts: list[Count]
    elsewhere: list[tuple[NotificationType, Tab]]  # types of this topic that only another tab has

    @property
    def groups(self) -> list[tuple[str, list[Row]]]:
        return [(str(label), list(rows)) for label, rows in groupby(self.rows, key=lambda row: row.kind.group_label)]


def sections(
    standing: Standing,
    tab: Tab,
    *,
    topics: Iterable[Topic] = types.TOPICS,
    used: Mapping[str, int] = MappingProxyType({}),
    heard: Hearing | None = None,
) -> list[Section]:
    """The topics that have something for this member on this tab, each with its rows. `used`: today, by type."""
    found = []
    if heard is None and "popup" in tab.channel_keys:
        heard = hearing.of(standing.member, standing.settings)
    for topic in topics:
        kinds = [kind for kind in topic.types.values() if kind.key in standing.layers]
        rows = [
            row(standing, kind, tab, heard, used.get(kind.key, 0))
            for kind in kinds
            if kind.offered & set(tab.channel_keys)
        ]
        if rows:
            others = [(kind, tab_of(min(kind.offered))) for kind in kinds if not kind.offered & set(tab.channel_keys)]
            found.append(Section(topic, rows, [_count(channel, rows) for channel in tab.channels], others))
    return found


def row(standing: Standing, kind: NotificationType, tab: Tab, heard: Hearing | None = None, used: int = 0) -> Row:
    """One type's row on a tab. With what the member hears, its pop-up says which sound it makes."""
    states = standing.cells(kind, tab.channels)
    return Row(kind, [Cell(state, _sound(state, heard)) for state in states], used)


def _sound(state: CellState, heard: Hearing | None) -> str:
    if heard is None or state.channel.key != "popup" or not state.is_on:
        return ""
    own = heard.own.get(state.type.key)
    return sounds.label(own) if own else _("Default")


def elsewhere(standing: Standing, tab: Tab) -> list[Topic]:
    """The topics that exist for this member but have nothing on this tab (N-153)."""
    kinds = [types.TYPES[key] for key in standing.layers]
    here = {kind.topic for kind in kinds if kind.offered & set(tab.channel_keys)}
    return list(dict.fromkeys(kind.topic for kind in kinds if kind.topic not in here))


def _count(channel: Channel, rows: list[Row]) -> Count:
    states = [cell.state for row in rows for cell in row.cells if cell.state.channel.key == channel.key]
    offered = [state for state in states if state.is_offered]
    return Count(
        channel,
        on=sum(state.is_kept_on for state in offered),
        total=len(offered),
        changeable=sum(state.is_changeable for state in offered),
    )
