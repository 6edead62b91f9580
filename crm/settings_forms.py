"""The forms in which super admins define kinds, properties, pipelines and stages. The domain judges what is written."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from crm.defining import Choices
from crm.forms import Refusable
from crm.models import Outcome
from crm.models.defined import TYPES

KEY_HELP = _(
    "For addresses and programs: small Latin letters, digits and _. It stays for ever. Empty: made from the name."
)


def _line(label: Any, *, proposes: bool = False, is_plain: bool = False, help_text: Any = "") -> forms.CharField:
    attrs = {"dir": "ltr" if is_plain else "auto", "autocomplete": "off"}
    if is_plain:
        attrs |= {"spellcheck": "false", "autocapitalize": "none"}
    if proposes:
        attrs["data-proposes"] = "id_key"
    return forms.CharField(
        label=label, required=False, strip=False, help_text=help_text, widget=forms.TextInput(attrs=attrs)
    )


class KindForm(Refusable):
    label = _line(_("Name of one"), help_text=_("Such as “Berth”."))
    plural = _line(_("Name of several"), proposes=True, help_text=_("Such as “Berths”."))


class NewKindForm(KindForm):
    key = _line(_("Key"), is_plain=True, help_text=KEY_HELP)


class NewPropertyForm(Refusable):
    label = _line(_("Name"), proposes=True)
    type = forms.CharField(
        label=_("Type"),
        required=False,
        widget=forms.Select(choices=TYPES),
        help_text=_(
            "It stays. “Member of the account” assigns: whoever is named in it hears of it like an owner, and the"
            " record is one of their own."
        ),
    )
    choices = forms.CharField(
        label=_("Choices"),
        required=False,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 4, "dir": "auto"}),
        help_text=_("One a line. They can be changed later."),
    )
    key = _line(_("Key"), is_plain=True, help_text=KEY_HELP)

    def given(self) -> dict[str, Any]:
        """What was written, for the domain."""
        choices: Choices = [("", line) for line in self.data.get("choices", "").splitlines() if line.strip()]
        return {name: self.data.get(name, "") for name in ("label", "type")} | {
            "choices": choices,
            "key": self.data.get("key", "").strip(),
        }


class PropertyForm(Refusable):
    label = _line(_("Name"))


class PipelineForm(Refusable):
    name = _line(_("Name"))


class StageForm(Refusable):
    name = _line(_("Name"))
    outcome = forms.CharField(
        label=_("What it means to stand in it"), required=False, widget=forms.Select(choices=Outcome.choices)
    )

    def given(self) -> dict[str, Any]:
        return {"name": self.data.get("name", ""), "outcome": self.data.get("outcome", Outcome.OPEN)}
