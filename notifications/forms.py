"""What the settings pages send. Forms check the shape only; whether a cell may change is decided further in."""

from collections.abc import Mapping, Sequence
from datetime import datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.utils import timezone
from django.utils.dates import WEEKDAYS
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.errors import DomainError
from notifications import channels, moments, quiet, sounds
from notifications.moments import Hours

CHOICES: Mapping[str, bool | None] = {"on": True, "off": False, "default": None}


class CellForm(forms.Form):
    """One cell: `set` is "<type>/<channel>/<on|off|default>"."""

    set = forms.CharField(max_length=140)

    def clean_set(self) -> tuple[str, str, bool | None]:
        type_key, channel_key, word = [*str(self.cleaned_data["set"]).split("/"), "", ""][:3]
        if word not in CHOICES:
            raise forms.ValidationError(_("Say which cell should be on, off or back to its default."))
        return type_key, channel_key, CHOICES[word]


class TopicForm(forms.Form):
    """All of a topic on one channel: `topic` is "<topic>/<channel>/<on|off>"."""

    topic = forms.CharField(max_length=140)

    def clean_topic(self) -> tuple[str, str, bool]:
        topic_key, channel_key, word = [*str(self.cleaned_data["topic"]).split("/"), "", ""][:3]
        if word not in ("on", "off"):
            raise forms.ValidationError(_("Say whether the topic should be on or off."))
        return topic_key, channel_key, word == "on"


class SwitchForm(forms.Form):
    """A channel's master switch."""

    channel = forms.ChoiceField(choices=[(key, key) for key in channels.CHANNELS])
    on = forms.BooleanField(required=False)


class OptionsForm(forms.Form):
    """One of the options for everything at once; what is not ticked is not sent, so it is named."""

    option = forms.ChoiceField(
        choices=[(name, name) for name in ("has_tab_dot", "hears_own_acts", "plays_sound", "pushes_when_closed")]
    )
    on = forms.BooleanField(required=False)


class SoundForm(forms.Form):
    """One of the sounds, none, or empty for the default."""

    sound = forms.ChoiceField(
        choices=[("", ""), *((key, key) for key in sounds.KEYS)],
        required=False,
        error_messages={"invalid_choice": _("There is no such sound. Choose one of the list.")},
    )


class GridForm:
    """The whole page, sent without scripts: `shown` names each cell the page held and its state then, `on` the
    ticked ones. Only what was shown can change, and only what differs from what was shown is a choice."""

    def __init__(self, data: Any) -> None:
        self._shown = [str(value) for value in data.getlist("shown")]
        self._on = set(data.getlist("on"))

    def changes(self) -> dict[tuple[str, str], bool | None]:
        """The cells that the person changed on the page."""
        found: dict[tuple[str, str], bool | None] = {}
        for value in self._shown:
            type_key, channel_key, word = [*value.split("/"), "", ""][:3]
            is_on = f"{type_key}/{channel_key}" in self._on
            if word in ("on", "off") and is_on != (word == "on"):
                found[type_key, channel_key] = is_on
        return found


class WhoseForm(forms.Form):
    """For a super admin: whose notifications, by id or e-mail address."""

    member = forms.CharField(required=False, max_length=320, strip=True)


class ClockField(forms.TimeField):
    """A time of day as the browser's own field has it."""

    def __init__(self) -> None:
        super().__init__(
            required=False,
            input_formats=["%H:%M", "%H:%M:%S"],
            widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"),
            error_messages={"invalid": _("Write the time as 22:00.")},
        )


class QuietHoursForm(forms.Form):
    """The quiet hours of a week: for each day whether there are any, and from when to when."""

    def __init__(self, data: Any = None, *, hours: Sequence[Hours] = ()) -> None:
        super().__init__(data)
        stands = quiet.by_weekday(hours)
        for day, name in WEEKDAYS.items():
            one = stands.get(day)
            self.fields[f"on{day}"] = forms.BooleanField(required=False, initial=one is not None, label=name)
            for end, words, usual in (("starts", _("From"), time(22)), ("ends", _("To"), time(7))):
                field = ClockField()
                field.label = words
                field.initial = getattr(one, end) if one else usual
                self.fields[f"{end}{day}"] = field

    @property
    def days(self) -> list[dict[str, Any]]:
        """The rows of the page."""
        return [
            {
                "name": str(name),
                "on": self[f"on{day}"],
                "starts": self[f"starts{day}"],
                "ends": self[f"ends{day}"],
            }
            for day, name in WEEKDAYS.items()
        ]

    def clean(self) -> dict[str, Any]:
        given = super().clean() or self.cleaned_data
        for day in WEEKDAYS:
            if given.get(f"on{day}"):
                for end in ("starts", "ends"):
                    if f"{end}{day}" in given and given[f"{end}{day}"] is None:
                        self.add_error(f"{end}{day}", gettext("Write a time, or untick the day."))
        return given

    def hours(self) -> list[Hours]:
        """What was chosen."""
        given = self.cleaned_data
        return [Hours(day, given[f"starts{day}"], given[f"ends{day}"]) for day in WEEKDAYS if given[f"on{day}"]]

    def take(self, refusal: DomainError) -> None:
        """Put what the domain refused beside the day it is about."""
        for day, lines in refusal.fields.items():
            self.add_error(f"ends{day}", [str(line) for line in lines])
        if not refusal.fields:
            self.add_error(None, str(refusal))


class UntilForm(forms.Form):
    """A moment to come: `for` names one (hour, evening, tomorrow, monday), or `until` is a date and time."""

    until = forms.CharField(
        required=False,
        max_length=40,
        label=_("Date and time"),
        widget=forms.TextInput(attrs={"type": "datetime-local"}),
    )

    def moment(self, zone: ZoneInfo) -> datetime:
        """The moment that was chosen, on the clocks of a zone. Refuses one that is not to come."""
        now = timezone.now()
        self.is_valid()
        name = str(self.data.get("for", ""))
        chosen = moments.named(name, now, zone) if name else moments.typed(str(self.data.get("until", "")), zone)
        return quiet.check_moment(chosen, now)
