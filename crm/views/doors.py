"""What every page of the records begins with: the kind, the record if the member may see it, the words of refusals."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import wraps
from typing import Any, Concatenate, ParamSpec

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache

from accounts.access import MemberRequest, member_required
from accounts.errors import DomainError
from crm import permissions, schema, stages
from crm.kinds import Kind
from crm.models import Pipeline, Record
from crm.models.records import RecordQuerySet

P = ParamSpec("P")
READ, WRITE, BOTH = ("GET", "HEAD"), ("POST",), ("GET", "HEAD", "POST")


@dataclass(frozen=True)
class Place:
    """Where a page stands: the kind it is about, and all kinds of the account for the tabs."""

    request: MemberRequest
    kind: Kind
    kinds: Mapping[str, Kind]

    def url(self, name: str, **more: Any) -> str:
        """The address of another page of this kind."""
        return reverse(f"crm:{name}", kwargs={"hub_id": self.request.account.hub_id, "kind": self.kind.key} | more)

    def tabs(self) -> list[dict[str, Any]]:
        hub = self.request.account.hub_id
        return [
            {
                "url": reverse("crm:index", kwargs={"hub_id": hub, "kind": one.key}),
                "label": one.plural,
                "is_current": one.key == self.kind.key,
            }
            for one in self.kinds.values()
        ]

    def render(self, template: str, context: Mapping[str, Any], *, status: int = 200) -> HttpResponse:
        shared = {"place": self, "kind": self.kind, "index_url": self.url("index")}
        return render(self.request, template, shared | dict(context), status=status)

    def records(self, what: str = "sees") -> RecordQuerySet:
        """The records of the kind that the member may see or edit, bin included."""
        return Record.objects.filter(permissions.within_kind(self.request.member, self.kind.key, what))

    def record(self, pk: int, *, in_bin: bool = False) -> Record:
        """A record that the member may see, or 404."""
        rows = self.records().select_related("account", "owner__user", "owner__account", "stage")
        found = (rows.in_bin() if in_bin else rows.live()).filter(pk=pk).first()
        if found is None:
            raise Http404
        return found

    def record_to_change(self, pk: int, *, in_bin: bool = False) -> Record:
        """A record that the member may change: 404 if they may not see it, 403 in words if they only may look."""
        found = self.record(pk, in_bin=in_bin)
        if not self.may_change(found):
            raise PermissionDenied(_("You may look at this record, but not change it."))
        return found

    def may_change(self, record: Record) -> bool:
        return self.records("edits").filter(pk=record.pk).exists()


def of_kind(*methods: str) -> Callable[[Callable[Concatenate[Place, P], HttpResponse]], Callable[..., HttpResponse]]:
    """Open a page `/<hub_id>/<kind>/…` to members of the account; a kind that it does not have is 404.

    Who may not come in learns nothing about methods. What members see is for them alone: never cached.
    """

    def door(view: Callable[Concatenate[Place, P], HttpResponse]) -> Callable[..., HttpResponse]:
        @wraps(view)
        def guarded(request: MemberRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
            kinds = schema.of(request.account)
            key = kwargs.pop("kind")
            if not isinstance(key, str) or key not in kinds:
                raise Http404
            if request.method not in methods:
                return HttpResponseNotAllowed(methods)
            place = Place(request, kinds[key], kinds)
            try:
                return view(place, *args, **kwargs)
            except PermissionDenied as refusal:
                return place.render("crm/refused.html", {"words": str(refusal)}, status=403)

        return never_cache(member_required(guarded))

    return door


def of_setting(*methods: str) -> Callable[[Callable[Concatenate[Place, P], HttpResponse]], Callable[..., HttpResponse]]:
    """Open a settings page of a kind: every member may look, super admins change; others are refused in words.

    Who reloads the address of a form that was refused comes to the kind's page.
    """

    def door(view: Callable[Concatenate[Place, P], HttpResponse]) -> Callable[..., HttpResponse]:
        @wraps(view)
        def asked(place: Place, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
            if place.request.method not in methods:
                return HttpResponseRedirect(place.url("settings-kind"))
            if place.request.method == "POST" and not place.request.member.is_super_admin:
                return not_super_admin(place.request)
            return view(place, *args, **kwargs)

        return of_kind(*BOTH)(asked)

    return door


def not_super_admin(request: MemberRequest) -> HttpResponse:
    """Refuse in words what only super admins change."""
    return render(request, "crm/settings/refused.html", status=403)


def pipelines_in(place: Place) -> list[Pipeline]:
    """The pipelines of the kind, with their stages."""
    return stages.pipelines_of(place.request.account, place.kind)


def is_htmx(request: HttpRequest) -> bool:
    """Whether only a piece of the page is asked for."""
    return request.headers.get("HX-Request") == "true" and "HX-History-Restore-Request" not in request.headers


def is_looking_ahead(request: HttpRequest) -> bool:
    """A browser that fetches a page before anybody opens it."""
    return "prefetch" in request.headers.get("Sec-Purpose", request.headers.get("Purpose", ""))


def refused(request: HttpRequest, error: DomainError) -> None:
    """Say why on the next page."""
    lines = [line for several in error.fields.values() for line in several]
    messages.error(request, " ".join([str(error), *lines]))


def back(request: HttpRequest, default: str) -> HttpResponseRedirect:
    """To where the form says it came from, if that is a page of ours."""
    target = request.POST.get("next", "")
    is_ours = target.startswith("/") and url_has_allowed_host_and_scheme(target, allowed_hosts=None)
    return HttpResponseRedirect(target if is_ours else default)
