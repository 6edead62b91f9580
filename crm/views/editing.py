"""Making records and changing their properties, in place or on a page of its own."""

from collections.abc import Mapping
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.utils.text import get_text_list
from django.utils.translation import gettext as _

from accounts.errors import DomainError
from crm import paths, reconciling, records, showing
from crm.errors import AddressTaken
from crm.forms import RecordForm
from crm.models import Change, Record
from crm.reconciling import Conflicting, Saved
from crm.views.doors import BOTH, Place, is_htmx, of_kind, pipelines_in

LONGEST = 60  # of a value in a message


@of_kind(*BOTH)
def new(place: Place) -> HttpResponse:
    """A new record. What was written stays in the form until it can be saved."""
    request, kind = place.request, place.kind
    pipelines = pipelines_in(place)
    data = request.POST if request.method == "POST" else None
    given = {"owner": str(request.member.pk)} | request.GET.dict()
    form = RecordForm(data, kind=kind, member=request.member, pipelines=pipelines, given=given)
    holder_url = ""
    if data is not None:
        try:
            record = records.create(request.account, kind, form.given(), by=request.member)
        except DomainError as error:
            form.refuse(str(error), error.fields)
            holder_url = _holder(place, error)
        else:
            if out_of_sight := _out_of_sight(place, record):
                return out_of_sight
            messages.success(request, _("“%(title)s” is saved.") % {"title": record.title})
            return HttpResponseRedirect(paths.record(record))
    context = {"form": form, "holder_url": holder_url}
    return place.render("crm/new.html", context, status=422 if data is not None else 200)


@of_kind(*BOTH)
def edit(place: Place, pk: int) -> HttpResponse:
    """Change properties of a record: all, or those named by `property`.

    Carries the version that was read, whatever is asked in between; what was asked about was seen at a later one.
    """
    request, kind = place.request, place.kind
    record = place.record_to_change(pk)
    given = request.POST if request.method == "POST" else request.GET
    only = [key for key in given.getlist("property") if kind.find(key)]
    if given.getlist("property") and not only:
        raise Http404
    pipelines = pipelines_in(place)
    shared: dict[str, Any] = {"kind": kind, "member": request.member, "pipelines": pipelines, "only": only}
    page: dict[str, Any] = {"record": record, "only": only}
    if request.method != "POST":
        form = RecordForm(record=record, **shared)
        return _form(place, page | {"form": form, "version": record.version})
    keys = only or [one.key for one in kind.properties]
    kept = [key for key in keys if request.POST.get(f"keep.{key}") == "theirs"]
    version = _version(place, "version")
    seen = {key: at for key in keys if (at := _version(place, f"seen.{key}"))} | dict.fromkeys(kept, record.version)
    read = reconciling.as_read(record, kind, version=version, seen=seen)
    form = RecordForm(request.POST, record=record, read=read, **shared)
    form.let_go(kept)
    page |= {"form": form, "version": version, "seen": seen}
    try:
        saved = reconciling.save(record, form.given(), by=request.member, version=version, kind=kind, seen=seen)
    except Conflicting as error:
        words = _words(place, record, error.changes, pipelines)
        page |= {"seen": seen | {one.property.key: error.version for one in error.conflicts}}
        page |= {"conflicts": _both(error, words, form), "said": str(error)}
        return _form(place, page, status=409)
    except DomainError as error:
        form.refuse(str(error), error.fields)
        return _form(place, page | {"holder_url": _holder(place, error)}, status=422)
    return _saved(place, saved, only, kept)


def _form(place: Place, page: Mapping[str, Any], *, status: int = 200) -> HttpResponse:
    """The form on its own page, or in place of the one property it is about."""
    if is_htmx(place.request) and len(page["only"]) == 1:
        return place.render("crm/_property_form.html", page)  # 200: refusals are swapped in, too
    return place.render("crm/edit.html", page, status=status)


def _saved(place: Place, saved: Saved, only: list[str], kept: list[str]) -> HttpResponse:
    record = saved.record
    if out_of_sight := _out_of_sight(place, record):
        return out_of_sight
    pipelines = pipelines_in(place)
    words = _words(place, record, saved.others, pipelines)
    left = "" if saved.is_changed else _left(saved.others, kept)
    meanwhile = _meanwhile([change for change in saved.others if not left or change.what not in kept], words)
    one = place.kind.find(only[0]) if len(only) == 1 else None
    is_in_place = one is not None and is_htmx(place.request)
    if one and is_in_place and place.may_change(record):
        page = {"record": record, "cell": words.cell(record, one), "may_change": True, "was_saved": left or _("Saved")}
        answer = place.render("crm/_property.html", page | {"meanwhile": meanwhile})
        answer["HX-Trigger"] = "record:changed"
        return answer
    messages.success(place.request, " ".join(filter(None, [left or _("Saved."), meanwhile])))
    if is_in_place:
        return HttpResponse(headers={"HX-Refresh": "true"})  # nothing on the page may be changed by them any more
    return HttpResponseRedirect(paths.record(record) + (f"#property-{one.key}" if one else ""))


def _out_of_sight(place: Place, record: Record) -> HttpResponse | None:
    """Where to go from a record that was saved and that the member does not see any more: its page is not there."""
    if place.records().live().filter(pk=record.pk).exists():
        return None
    said = _("“%(title)s” is saved. You do not see it any more.")
    if record.owner and record.owner != place.request.member:
        said = _("“%(title)s” is saved. It belongs to %(name)s now; you do not see it any more.")
    messages.success(place.request, said % {"title": record.title, "name": record.owner.name if record.owner else ""})
    index = place.url("index")
    return HttpResponse(headers={"HX-Redirect": index}) if is_htmx(place.request) else HttpResponseRedirect(index)


def _version(place: Place, name: str) -> int:
    """A version that was read; without one nobody knows what was read, so the first."""
    given = place.request.POST.get(name, "")
    return int(given) if given.isascii() and given.isdigit() and len(given) < 10 else 0


def _words(place: Place, record: Record, changes: list[Change], pipelines: Any) -> showing.Words:
    people = [value for change in changes for value in (change.before, change.after) if isinstance(value, int)]
    return showing.words_for(place.request.account, place.kind, [record], pipelines, also=people)


def _both(error: Conflicting, words: showing.Words, form: RecordForm) -> list[dict[str, Any]]:
    """Each property that both changed: what they saved, what was written here."""
    found = []
    for one in error.conflicts:
        mine = form.data.get(one.property.key, "")
        try:
            shown = words.of(one.property, int(mine) if one.property.key in ("owner", "stage") else mine)
        except ValueError:
            shown = mine
        choices = dict(getattr(form.fields[one.property.key].widget, "choices", []))
        found.append(
            {
                "property": one.property,
                "field": form[one.property.key],
                "theirs": words.of(one.property, one.theirs) or _("nothing"),
                "mine": choices.get(mine, shown) or _("nothing"),
                "raw": mine,
                "by": one.by.name if one.by else "Bellhop",
            }
        )
    return found


def _meanwhile(changes: list[Change], words: showing.Words) -> str:
    """ "Meanwhile Ann Berg changed City to “Oslo”." """
    lines = []
    for change in changes:
        if one := words.kind.find(change.what):
            after = words.of(one, change.after)[:LONGEST] or _("nothing")
            facts = {"name": change.by.name if change.by else "Bellhop", "property": one.label, "value": after}
            lines.append(_("%(name)s changed %(property)s to “%(value)s”") % facts)
    return _("Meanwhile %(changes)s.") % {"changes": get_text_list(lines, _("and"))} if lines else ""


def _left(changes: list[Change], kept: list[str]) -> str:
    """ "Kept what Ann Berg saved." Nothing if nothing was kept."""
    last = {change.what: change.by.name if change.by else "Bellhop" for change in changes if change.what in kept}
    names = list(dict.fromkeys(last.values()))
    return _("Kept what %(names)s saved.") % {"names": get_text_list(names, _("and"))} if names else ""


def _holder(place: Place, error: DomainError) -> str:
    """The page of the contact that has the address already, if the member may see it."""
    if not isinstance(error, AddressTaken):
        return ""
    other = place.records().live().filter(pk=error.holder).select_related("account").first()
    return paths.record(other) if other else ""
