"""The pipelines of a kind and their stages."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _

from accounts.errors import DomainError
from crm import pipelines
from crm.models import Pipeline, Record, Stage
from crm.models.records import LIVE
from crm.settings_forms import PipelineForm, StageForm
from crm.views.doors import BOTH, WRITE, Place, of_setting
from crm.views.settings import moving


@of_setting(*BOTH)
def new(place: Place) -> HttpResponse:
    """A further pipeline."""
    if not place.kind.has_stages:
        raise Http404
    request = place.request
    form = PipelineForm(request.POST if request.method == "POST" else None)
    if form.is_bound:
        try:
            name = request.POST.get("name", "")
            row = pipelines.add_pipeline(request.account, place.kind, name=name, by=request.member)
        except DomainError as error:
            form.refuse(str(error), error.fields)
        else:
            messages.success(request, _("“%(name)s” is there, with one stage.") % {"name": row.name})
            return HttpResponseRedirect(place.url("settings-pipeline", pipeline_id=row.pk))
    context = {"form": form, "is_admin": request.member.is_super_admin}
    return place.render("crm/settings/new_pipeline.html", context, status=422 if form.is_bound else 200)


@of_setting(*BOTH)
def one(place: Place, pipeline_id: int) -> HttpResponse:
    """A pipeline: its name, its stages in their order."""
    request, row = place.request, _pipeline(place, pipeline_id)
    if request.method != "POST":
        return _page(place, row, {})
    form = PipelineForm(request.POST)
    try:
        pipelines.change_pipeline(row, name=request.POST.get("name", ""), by=request.member)
    except DomainError as error:
        form.refuse(str(error), error.fields)
        return _page(place, row, {"form": form}, status=422)
    messages.success(request, _("Saved."))
    return HttpResponseRedirect(place.url("settings-pipeline", pipeline_id=row.pk))


@of_setting(*WRITE)
def move(place: Place, pipeline_id: int) -> HttpResponse:
    """Put a pipeline at another place among those of its kind."""
    row = _pipeline(place, pipeline_id)
    put = partial(pipelines.change_pipeline, row, by=place.request.member)
    return moving.move(place, row.pk, lambda to: put(position=to), back=place.url("settings-kind"))


@of_setting(*WRITE)
def remove(place: Place, pipeline_id: int) -> HttpResponse:
    """Take a pipeline away, unless records stand in it."""
    row = _pipeline(place, pipeline_id)
    try:
        pipelines.remove_pipeline(row, by=place.request.member)
    except DomainError as error:
        return _page(place, row, _held(place, error, row.stages.all()), status=error.status)
    messages.success(place.request, _("“%(name)s” is gone.") % {"name": row.name})
    return HttpResponseRedirect(place.url("settings-kind"))


@of_setting(*WRITE)
def add_stage(place: Place, pipeline_id: int) -> HttpResponse:
    """A further stage at the end of a pipeline."""
    request, row = place.request, _pipeline(place, pipeline_id)
    form = StageForm(request.POST, auto_id="stage_%s")
    try:
        made = pipelines.add_stage(row, **form.given(), by=request.member)
    except DomainError as error:
        form.refuse(str(error), error.fields)
        return _page(place, row, {"stage_form": form}, status=422)
    messages.success(request, _("“%(name)s” is the last stage now.") % {"name": made.name})
    return HttpResponseRedirect(place.url("settings-pipeline", pipeline_id=row.pk))


@of_setting(*BOTH)
def stage(place: Place, stage_id: int) -> HttpResponse:
    """A stage: its name, and what it means to stand in it."""
    request, row = place.request, _stage(place, stage_id)
    if request.method != "POST":
        return _stage_page(place, row, {})
    form = StageForm(request.POST)
    try:
        pipelines.change_stage(row, **form.given(), by=request.member)
    except DomainError as error:
        form.refuse(str(error), error.fields)
        return _stage_page(place, row, {"form": form}, status=422)
    messages.success(request, _("Saved."))
    return HttpResponseRedirect(place.url("settings-pipeline", pipeline_id=row.pipeline_id))


@of_setting(*WRITE)
def move_stage(place: Place, stage_id: int) -> HttpResponse:
    """Put a stage at another place in its pipeline."""
    row = _stage(place, stage_id)
    put = partial(pipelines.change_stage, row, by=place.request.member)
    back = place.url("settings-pipeline", pipeline_id=row.pipeline_id)
    return moving.move(place, row.pk, lambda to: put(position=to), back=back)


@of_setting(*WRITE)
def remove_stage(place: Place, stage_id: int) -> HttpResponse:
    """Take a stage away. While records stand in it that is refused, with a link to them."""
    row = _stage(place, stage_id)
    try:
        pipelines.remove_stage(row, by=place.request.member)
    except DomainError as error:
        return _stage_page(place, row, _held(place, error, [row]), status=error.status)
    messages.success(place.request, _("“%(name)s” is gone.") % {"name": row.name})
    return HttpResponseRedirect(place.url("settings-pipeline", pipeline_id=row.pipeline_id))


def _page(place: Place, row: Pipeline, more: Mapping[str, Any], *, status: int = 200) -> HttpResponse:
    context = {
        "row": row,
        "stages": list(row.stages.all()),
        "form": PipelineForm(initial={"name": row.name}),
        "stage_form": StageForm(auto_id="stage_%s"),
        "is_admin": place.request.member.is_super_admin,
        "moved": place.request.GET.get("moved", ""),
    }
    return place.render("crm/settings/pipeline.html", context | dict(more), status=status)


def _stage_page(place: Place, row: Stage, more: Mapping[str, Any], *, status: int = 200) -> HttpResponse:
    form = StageForm(initial={"name": row.name, "outcome": row.outcome})
    context = {"row": row, "form": form, "is_admin": place.request.member.is_super_admin}
    return place.render("crm/settings/stage.html", context | dict(more), status=status)


def _held(place: Place, error: DomainError, stages: Any) -> dict[str, Any]:
    """Why it cannot go, and where what stands in it is found."""
    found: dict[str, Any] = {"refusal": str(error)}
    held = Record.objects.filter(stage__in=stages)
    first = held.live().values_list("stage", flat=True).first()
    if first:
        found |= {"held_url": f"{place.url('index')}?stage={first}", "held_words": _("Show these records")}
    elif held.exclude(LIVE).exists():
        found |= {"held_url": place.url("bin"), "held_words": _("Open the bin")}
    return found


def _pipeline(place: Place, pk: int) -> Pipeline:
    mine = Pipeline.objects.filter(account=place.request.account, kind=place.kind.key)
    return get_object_or_404(mine.select_related("account"), pk=pk)


def _stage(place: Place, pk: int) -> Stage:
    mine = Stage.objects.filter(pipeline__account=place.request.account, pipeline__kind=place.kind.key)
    return get_object_or_404(mine.select_related("pipeline__account"), pk=pk)
