"""The log of what super admins changed, each change with its undo."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from accounts.admin.scope import ScopedAdmin
from accounts.admin_site import actor_in
from accounts.errors import DomainError
from notifications import defaults, profiles, saying, telling_changes, types
from notifications.models import PreferenceChange


class LayerFilter(admin.SimpleListFilter):
    """Which layer was changed."""

    title = gettext_lazy("layer")
    parameter_name = "layer"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        words = (_("account default"), _("profiles"), _("locks"))
        return [(str(layer), word) for layer, word in zip(defaults.LAYERS, words, strict=True)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(layer=self.value()) if self.value() else queryset


@admin.register(PreferenceChange)
class PreferenceChangeAdmin(ScopedAdmin):
    """Read, and undo."""

    list_display = ("made_at", "summary", "members_affected", "cells_affected", "by", "state", "account_name")
    list_display_links = ("made_at", "summary")
    list_select_related = ("account", "made_by__user", "undone_by")
    list_filter = (LayerFilter,)
    search_fields = ("summary",)
    ordering = ("-pk",)
    fields = ("made_at", "summary", "members_affected", "cells_affected", "by", "state")
    readonly_fields = fields
    change_form_template = "admin/notifications/preferencechange/change_form.html"

    def get_urls(self) -> list[Any]:
        page = self.admin_site.admin_view(require_POST(self.undo_view))
        return [path("<path:object_id>/undo/", page, name="notifications_preferencechange_undo"), *super().get_urls()]

    def undo_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Put back what stood before, and say for how many members."""
        change = self.get_object_or_404(request, object_id)
        try:
            made = defaults.undo(change, by=actor_in(request, change.account))
        except DomainError as refusal:
            self.message_user(request, str(refusal), messages.ERROR)
            made = change
        else:
            words = _("Undone: %(members)s members, %(cells)s settings changed back.")
            counts = {"members": made.members_affected, "cells": made.cells_affected}
            self.message_user(request, words % counts, messages.SUCCESS)
        return HttpResponseRedirect(reverse("admin:notifications_preferencechange_change", args=[made.pk]))

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        change = self.get_object_or_404(request, object_id)
        more = {
            "lines": [] if profiles.is_about_profiles(change) else lines(change),
            "can_undo": _undone_by(change) is None,
            "title": change.summary,
            "subtitle": None,
        }
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), **more})

    @admin.display(description=gettext_lazy("by"))
    def by(self, obj: PreferenceChange) -> str:
        return obj.made_by.name if obj.made_by else _("an operator or a program")

    @admin.display(description=gettext_lazy("state"))
    def state(self, obj: PreferenceChange) -> str:
        if _undone_by(obj) is not None:
            return _("undone")
        return _("undoes an earlier one") if obj.undoes_id else _("stands")


def _undone_by(change: PreferenceChange) -> PreferenceChange | None:
    return getattr(change, "undone_by", None)


def lines(change: PreferenceChange) -> list[tuple[str, str, str]]:
    """Each cell of a change in words: which, before, after."""
    order = {key: place for place, key in enumerate(types.TYPES)}
    names = sorted(change.after, key=lambda name: (order.get(saying.cell_of(name)[0], len(order)), name))
    return [
        (telling_changes.cell_words(name), words_of(change.before.get(name)), words_of(change.after[name]))
        for name in names
    ]


def words_of(value: Any) -> str:
    """What a layer said of a cell, in words; of a lock with its reason."""
    said = {None: _("no answer"), True: _("on"), False: _("off")}[saying.is_on(value)]
    return (
        _("%(said)s (locked: %(reason)s)") % {"said": said, "reason": value["reason"]}
        if isinstance(value, dict)
        else said
    )
