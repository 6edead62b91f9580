"""Form fields that know what can be chosen."""

import zoneinfo
from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _


def zones() -> list[tuple[str, str]]:
    """The IANA time zones by region."""
    return [(name, name.replace("_", " ")) for name in sorted(zoneinfo.available_timezones()) if "/" in name]


class ZoneField(forms.ChoiceField):
    """A time zone; with `empty`, also none."""

    def __init__(self, *, empty: Any = None, **kwargs: Any) -> None:
        none = [("", empty)] if empty is not None else []
        super().__init__(choices=lambda: [*none, ("UTC", "UTC"), *zones()], required=empty is None, **kwargs)


class LanguageField(forms.ChoiceField):
    """One of the languages Bellhop speaks; with `empty`, also none."""

    def __init__(self, *, empty: Any = None, **kwargs: Any) -> None:
        none = [("", empty)] if empty is not None else []
        super().__init__(choices=lambda: [*none, *settings.LANGUAGES], required=empty is None, **kwargs)


class ColourInput(forms.TextInput):
    """The browser's colour picker."""

    input_type = "color"


class Ticks(forms.MultipleChoiceField):
    """Several of a few, as ticks."""

    widget = forms.CheckboxSelectMultiple

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(required=kwargs.pop("required", False), **kwargs)


EMPTY_ZONE = _("the account's")
