"""The properties that an account adds to a kind."""

from functools import partial
from itertools import pairwise
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _

from accounts.errors import DomainError
from crm import defining
from crm.defining import ChoiceInUse, Choices
from crm.kinds import Type
from crm.models import CustomProperty
from crm.settings_forms import NewPropertyForm, PropertyForm
from crm.views.doors import BOTH, WRITE, Place, of_setting, refused
from crm.views.settings import moving


@of_setting(*BOTH)
def new(place: Place) -> HttpResponse:
    """A further property of the kind."""
    request = place.request
    form = NewPropertyForm(request.POST if request.method == "POST" else None)
    if form.is_bound:
        try:
            row = defining.define_property(request.account, place.kind.key, **form.given(), by=request.member)
        except DomainError as error:
            form.refuse(str(error), error.fields)
        else:
            messages.success(request, _("“%(name)s” is a property now.") % {"name": row.label})
            return HttpResponseRedirect(place.url("settings-kind"))
    context = {"form": form, "is_admin": request.member.is_super_admin}
    return place.render("crm/settings/new_property.html", context, status=422 if form.is_bound else 200)


@of_setting(*BOTH)
def one(place: Place, property_id: int) -> HttpResponse:
    """A property of the account's own: its name, its choices, archiving. `verb` moves or takes away a choice."""
    request = place.request
    row = _row(place, property_id)
    form = PropertyForm(request.POST if request.method == "POST" else None, initial={"label": row.label})
    page: dict[str, Any] = {"row": row, "is_admin": request.member.is_super_admin}
    page["choices"] = [(key, name) for key, name in row.choices]
    if request.method != "POST":
        return place.render("crm/settings/property.html", page | {"form": form, "moved": request.GET.get("moved", "")})
    written, verb, about = _written(place)
    choices = _after(written, verb, about)
    added = request.POST.get("add", "")
    given: dict[str, Any] = {"label": request.POST.get("label", "")}
    if row.type == Type.CHOICE:
        given |= {"choices": [*choices, ("", added)] if added.strip() else choices}
        given |= {"instead_of": [key for key, _name in written]}
    try:
        defining.change_property(row, **given, by=request.member)
    except DomainError as error:
        form.refuse(str(error), {name: lines for name, lines in error.fields.items() if name != "choices"})
        if "choices" in error.fields:
            form.errors.pop("__all__", None)
        page |= {"choices": written, "added": added, "problems": error.fields.get("choices", [])}
        page |= {"held_url": _holders(place, row, error)}
        return place.render("crm/settings/property.html", page | {"form": form}, status=422)
    messages.success(request, _("Saved."))
    query = f"?{urlencode({'moved': f'{about}.{verb}'})}" if verb in ("up", "down") else ""
    return HttpResponseRedirect(place.url("settings-property", property_id=row.pk) + query)


@of_setting(*WRITE)
def move(place: Place, property_id: int) -> HttpResponse:
    """Put a property at another place among the account's own."""
    row = _row(place, property_id)
    put = partial(defining.change_property, row, by=place.request.member)
    return moving.move(place, row.pk, lambda to: put(position=to), back=place.url("settings-kind"))


@of_setting(*WRITE)
def archive(place: Place, property_id: int) -> HttpResponse:
    """Archive a property, or bring it back."""
    request, row = place.request, _row(place, property_id)
    try:
        if request.POST.get("verb") == "back":
            defining.bring_back_property(row, by=request.member)
            messages.success(request, _("“%(name)s” is back, with its values.") % {"name": row.label})
        else:
            defining.archive_property(row, by=request.member)
            messages.success(request, _("“%(name)s” is archived. Its values are kept.") % {"name": row.label})
    except DomainError as error:
        refused(request, error)
    return HttpResponseRedirect(place.url("settings-kind"))


def _row(place: Place, pk: int) -> CustomProperty:
    mine = CustomProperty.objects.filter(account=place.request.account, kind=place.kind.key)
    return get_object_or_404(mine.select_related("account"), pk=pk)


def _written(place: Place) -> tuple[list[tuple[str, str]], str, str]:
    """The choices as the form had them, and what was pressed: ("up", "gold")."""
    given = place.request.POST
    written = list(zip(given.getlist("choice"), given.getlist("name"), strict=False))
    verb, _colon, about = given.get("verb", "").partition(":")
    return written, verb, about


def _after(written: list[tuple[str, str]], verb: str, about: str) -> Choices:
    """The choices with one of them a place further up or down, or gone."""
    choices = [one for one in written if not (verb == "remove" and one[0] == about)]
    for at, (above, below) in enumerate(pairwise(choices)):
        if (verb, about) in (("down", above[0]), ("up", below[0])):
            choices[at : at + 2] = [below, above]
            break
    return choices


def _holders(place: Place, row: CustomProperty, error: DomainError) -> str:
    """The records that hold the choice which was to go."""
    if not isinstance(error, ChoiceInUse):
        return ""
    if error.is_in_bin:
        return place.url("bin")
    return f"{place.url('index')}?{urlencode({f'is.{row.key}': error.choice})}"
