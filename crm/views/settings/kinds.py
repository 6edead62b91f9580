"""The kinds of records that an account has, and the page of each."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from accounts.access import MemberRequest, member_required
from accounts.errors import DomainError
from crm import access, defining, schema
from crm.kinds import Kind, Type
from crm.models import CustomKind, CustomProperty
from crm.models.defined import TYPES
from crm.settings_forms import KindForm, NewKindForm
from crm.views.doors import BOTH, Place, not_super_admin, of_setting, pipelines_in

TYPE_NAMES = dict(TYPES) | {"stage": gettext_lazy("Stage")}


@never_cache
@member_required
@require_http_methods(BOTH)
def index(request: MemberRequest) -> HttpResponse:
    """All kinds, and a new one. What was written stays in the form until it can be saved."""
    is_admin = request.member.is_super_admin
    if request.method == "POST" and not is_admin:
        return not_super_admin(request)
    form = NewKindForm(request.POST if request.method == "POST" else None)
    if form.is_bound:
        given = {name: request.POST.get(name, "") for name in form.fields}
        given["key"] = given["key"].strip()
        try:
            row = defining.define_kind(request.account, **given, by=request.member)
        except DomainError as error:
            form.refuse(str(error), error.fields)
        else:
            messages.success(request, _("“%(name)s” is there now. Add its properties.") % {"name": row.plural})
            return redirect("crm:settings-kind", hub_id=request.account.hub_id, kind=row.key)
    kinds = schema.of(request.account).values()
    context = {
        "built_in": [_line(request, kind) for kind in kinds if not kind.is_custom],
        "own": [_line(request, kind) for kind in kinds if kind.is_custom],
        "form": form,
        "is_admin": is_admin,
    }
    return render(request, "crm/settings/index.html", context, status=422 if form.is_bound else 200)


@of_setting(*BOTH)
def kind(place: Place) -> HttpResponse:
    """A kind: its properties, its pipelines, who sees it. A kind of the account's own can be renamed."""
    request = place.request
    row = CustomKind.objects.filter(account=request.account, key=place.kind.key).select_related("account").first()
    names = {"label": row.label, "plural": row.plural} if row else {}
    form = KindForm(request.POST if request.method == "POST" else None, initial=names)
    if form.is_bound and row:
        try:
            given = {name: request.POST.get(name, "") for name in form.fields}
            defining.rename_kind(row, **given, by=request.member)
        except DomainError as error:
            form.refuse(str(error), error.fields)
        else:
            messages.success(request, _("Saved."))
            return HttpResponseRedirect(place.url("settings-kind"))
    own = list(CustomProperty.objects.filter(account=request.account, kind=place.kind.key))
    context = {
        "is_admin": request.member.is_super_admin,
        "row": row,
        "form": form,
        "built_in": [(one, TYPE_NAMES[one.type]) for one in place.kind.properties if not one.is_custom],
        "own": [one for one in own if one.archived_at is None],
        "archived": [one for one in own if one.archived_at],
        "assigns": any(one.type == Type.USER for one in own),
        "pipelines": pipelines_in(place),
        "limited": access.number_limited(request.account, place.kind.key),
        "most_counted": access.MOST_COUNTED,
        "moved": request.GET.get("moved", ""),
    }
    return place.render("crm/settings/kind.html", context, status=422 if form.is_bound else 200)


def _line(request: MemberRequest, kind: Kind) -> dict[str, Any]:
    return {
        "kind": kind,
        "url": reverse("crm:settings-kind", kwargs={"hub_id": request.account.hub_id, "kind": kind.key}),
        "number": len(kind.properties),
        "own": sum(one.is_custom for one in kind.properties),
    }
