"""What the settings pages send. Forms check the shape only; whether a cell may change is decided further in."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from notifications import channels, sounds

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
