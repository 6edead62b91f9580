"""The grids: account default and locks. A profile's grid is the same page."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.contrib import admin, messages
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import formats, timezone
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts import plans
from accounts.admin.scope import AccountForm, ScopedAdmin
from accounts.admin_site import actor_in
from accounts.errors import DomainError
from accounts.models import Account
from accounts.plans import Feature
from notifications import channels, defaults, moments, presets, reach, saying, telling_changes, types
from notifications.admin import answers
from notifications.defaults import CellChange, Change
from notifications.layers import standing_locks
from notifications.models import AccountDefault, Lock, PreferenceChange, Profile
from notifications.preferences import Cell
from notifications.resolution import Layer
from notifications.saying import Values

FEW = 20  # cells that a review lists without sorting them out
WIDE = 5  # channels beside each other; with more of them the grid scrolls sideways


@dataclass
class Sheet:
    """One grid page and what was posted to it: which layer, what is asked, and what is wrong with that."""

    account: Account
    layer: Layer
    profile: Profile | None = None
    asked: dict[Cell, bool | None] = field(default_factory=dict)
    reason: str = ""
    ends_at: str = ""
    preset: str = ""  # what the draft began with
    errors: dict[str, list[str]] = field(default_factory=dict)

    @property
    def is_editable(self) -> bool:
        return plans.has(self.account.plan, Feature.DEFAULT_PREFERENCES)

    @property
    def change(self) -> Change:
        locks = any(wanted is not None for wanted in self.asked.values())  # what is only lifted has no end
        return Change(
            layer=self.layer,
            cells=self.asked,
            profile=self.profile,
            reason=self.reason,
            ends_at=answers.moment(self.ends_at, ZoneInfo(self.account.time_zone)) if locks else None,
            preset=self.preset,
        )

    def take(self, request: HttpRequest) -> None:
        """What the page was posted with."""
        self.asked = answers.asked(request.POST)
        self.reason = request.POST.get("reason", "")
        self.ends_at = request.POST.get("ends_at", "")
        self.preset = request.POST.get("preset", "")

    def fill(self, preset: presets.Preset, stored: Values) -> None:
        """Ask for all that a preset says otherwise than it stands."""
        self.preset = preset.key
        self.asked = dict(presets.differing(preset, stored))


class GridAdmin(ScopedAdmin):
    """Pages that show a grid of types by channels: edit, review, apply."""

    def grid_page(self, request: HttpRequest, sheet: Sheet, **context: Any) -> HttpResponse:
        """Show the grid; on POST review what it would change, then apply it. Nothing is written before Apply."""
        if request.method == "POST":
            try:
                answer = self._posted(request, sheet, context)
            except DomainError as refusal:
                sheet.errors = refusal.fields
                self.message_user(request, str(refusal), messages.ERROR)
                answer = None
            if answer is not None:
                return answer
        stored = saying.stored(sheet.account, sheet.layer, sheet.profile)
        wanted = presets.PRESETS.get(request.GET.get("preset", ""))
        if wanted and request.method != "POST" and sheet.layer is not Layer.LOCK and sheet.is_editable:
            sheet.fill(wanted, stored)
        shown = answers.shown_channels(stored, sheet.asked, all_of_them="more" in request.GET)
        locks = [] if sheet.layer is Layer.LOCK else list(standing_locks(sheet.account))
        return TemplateResponse(
            request,
            "admin/notifications/grid.html",
            self._context(request, sheet)
            | {
                "sections": answers.sections(
                    sheet.layer, stored, reach.read(sheet.account), locks, sheet.asked, shown=shown
                ),
                "channels": shown,
                "is_wide": len(shown) > WIDE,
                "more": len(channels.ALL) - len(shown),
                "presets": presets.PRESETS.values() if sheet.layer is not Layer.LOCK else (),
                "preset": presets.PRESETS.get(sheet.preset),
                "beginning": presets.beginning(sheet.account, sheet.layer, stored, sheet.profile)
                if sheet.layer is not Layer.LOCK
                else None,
                "shown": answers.shown(stored),
                "gate": "" if sheet.is_editable else plans.sentence(Feature.DEFAULT_PREFERENCES),
                "count": len(stored),
            }
            | context,
        )

    def _posted(self, request: HttpRequest, sheet: Sheet, context: dict[str, Any]) -> HttpResponse | None:
        by = actor_in(request, sheet.account)
        defaults.require_right(sheet.account, by)
        sheet.take(request)
        if "_back" in request.POST:
            return None
        if not sheet.asked:
            self.message_user(request, _("You changed nothing, so there is nothing to apply."), messages.INFO)
            return None
        if "_apply" not in request.POST:
            return self._review(request, sheet, context)
        change = defaults.apply(sheet.account, sheet.change, by=by)
        self._say_done(request, change)
        return HttpResponseRedirect(_without_preset(request))

    def _review(self, request: HttpRequest, sheet: Sheet, context: dict[str, Any]) -> HttpResponse | None:
        seen = defaults.preview(sheet.account, sheet.change)
        if not seen.cells:
            self.message_user(request, _("All of this stands like that already."), messages.INFO)
            sheet.asked = {}
            return None
        telling, silent = _sorted_out(seen.cells)
        return TemplateResponse(
            request,
            "admin/notifications/review.html",
            self._context(request, sheet)
            | {
                "seen": seen,
                "preset": presets.PRESETS.get(sheet.preset),
                "by_topic": _by_topic(telling),
                "silent": _by_topic(silent),
                "silent_count": len(silent),
                "posted": [(f"{answers.PREFIX}{saying.name_of(c)}", answers.NAMES[w]) for c, w in sheet.asked.items()],
                "shown": request.POST.get("shown", ""),
                "told": seen.members_affected,
            }
            | context
            | {"title": _("Review the changes")},
        )

    def _context(self, request: HttpRequest, sheet: Sheet) -> dict[str, Any]:
        return {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "sheet": sheet,
            "account": sheet.account,
            "layer": str(sheet.layer),
            "is_lock": sheet.layer is Layer.LOCK,
            "start_over": _without_preset(request),
        }

    def _say_done(self, request: HttpRequest, change: PreferenceChange | None) -> None:
        if change is None:
            self.message_user(request, _("All of this stood like that already."), messages.INFO)
            return
        words = _("Applied: %(members)s members, %(cells)s settings changed, everybody affected is told once.")
        counts = {"members": change.members_affected, "cells": change.cells_affected}
        link = reverse("admin:notifications_preferencechange_change", args=[change.pk])
        self.message_user(
            request,
            format_html('{} <a href="{}">{}</a>', words % counts, link, _("See it in the log, or undo it")),
            messages.SUCCESS,
        )


def _without_preset(request: HttpRequest) -> str:
    """The grid as it stands, with nothing filled in."""
    asked = request.GET.copy()
    asked.pop("preset", None)
    return f"{request.path}?{asked.urlencode()}" if asked else request.path


def _sorted_out(cells: Sequence[CellChange]) -> tuple[list[CellChange], list[CellChange]]:
    """The cells that mean something to anybody, and those that do not; where they are few, all together."""
    by_meaning: dict[bool, list[CellChange]] = {True: [], False: []}
    for one in cells:
        by_meaning[bool(one.reach.turned_on or one.reach.turned_off or one.reach.keep_own)].append(one)
    return (list(cells), []) if len(cells) <= FEW else (by_meaning[True], by_meaning[False])


def _by_topic(cells: Sequence[CellChange]) -> list[tuple[str, list[CellChange]]]:
    found: dict[str, list[CellChange]] = {}
    for one in cells:
        found.setdefault(str(one.reach.type.topic.label), []).append(one)
    return list(found.items())


@admin.register(AccountDefault)
class AccountDefaultAdmin(GridAdmin):
    """One page per account: what everybody gets who has not chosen."""

    may_change = True

    def get_urls(self) -> list[Any]:
        page = self.admin_site.admin_view(self.changelist_view)
        return [path("", page, name="notifications_accountdefault_changelist")]

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> Any:
        if (account := self.account_for(request)) is None:
            if request.GET.get("account"):
                raise Http404
            return self.choose_account(request)
        title = _("Account default of %(account)s") % {"account": account.name}
        return self.grid_page(request, Sheet(account, Layer.DEFAULT), title=title)


class LockForm(AccountForm):
    """The reason and the end of a lock. The end is on the account's clock."""

    class Meta:
        model = Lock
        fields = ("reason", "ends_at")
        widgets = {"reason": forms.TextInput(attrs={"class": "vTextField"})}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        account, ends_at = self.instance.account, self.instance.ends_at
        zone = ZoneInfo(account.time_zone)
        self.fields["ends_at"].help_text = _("On the account’s clock (%(zone)s). Empty: until somebody lifts it.") % {
            "zone": zone
        }
        if ends_at is not None:
            self.initial["ends_at"] = moments.on_clocks(ends_at, zone).replace(tzinfo=None)

    def clean_ends_at(self) -> Any:
        """What the domain would refuse is said beside the field."""
        ends_at = self.cleaned_data["ends_at"]
        if why := defaults.why_not_until(ends_at):
            raise forms.ValidationError(why)
        return ends_at


@admin.register(Lock)
class LockAdmin(GridAdmin):
    """Cells that nobody can change. New ones are set in the grid; here they are listed, changed and lifted."""

    may_add = may_change = may_delete = True
    form = LockForm
    list_display = ("what", "is_on", "reason", "end", "by", "account_name")
    list_select_related = ("account", "locked_by__user")
    search_fields = ("reason", "type")
    ordering = ("account", "type", "channel")
    readonly_fields = ("what", "is_on", "by")
    fields = ("what", "is_on", "by", "reason", "ends_at")
    actions = ("lift",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """A lock that has ended is no lock any more."""
        return super().get_queryset(request).filter(Q(ends_at=None) | Q(ends_at__gt=timezone.now()))

    def get_search_results(self, request: HttpRequest, queryset: QuerySet[Any], search_term: str) -> Any:
        """Finds what the reason says, and types by their words."""
        words = search_term.casefold().split()
        if not words:
            return queryset, False
        keys = [
            kind.key
            for kind in types.TYPES.values()
            if all(word in f"{kind.topic.label} {kind.label} {kind.key}".casefold() for word in words)
        ]
        return queryset.filter(Q(type__in=keys) | Q(reason__icontains=search_term.replace("\0", ""))), False

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        if (account := self.account_for(request)) is None:
            if request.GET.get("account"):
                raise Http404
            return self.choose_account(request)
        title = _("Locks of %(account)s") % {"account": account.name}
        return self.grid_page(request, Sheet(account, Layer.LOCK), title=title)

    def save_model(self, request: HttpRequest, obj: Lock, form: Any, change: bool) -> None:
        given = form.cleaned_data
        self._apply(request, obj, obj.is_on, reason=given["reason"], ends_at=given["ends_at"])
        written = Lock.objects.filter(account=obj.account, type=obj.type, channel=obj.channel).first()
        obj.pk = written.pk if written else obj.pk

    def delete_model(self, request: HttpRequest, obj: Lock) -> None:
        self._apply(request, obj, None)

    @admin.action(description=gettext_lazy("Lift: members' own choices count again"))
    def lift(self, request: HttpRequest, queryset: QuerySet[Lock]) -> None:
        by_account: dict[Account, dict[Cell, bool | None]] = {}
        for lock in queryset:
            by_account.setdefault(lock.account, {})[lock.type, lock.channel] = None
        for account, cells in by_account.items():
            change = defaults.apply(account, Change(layer=Layer.LOCK, cells=cells), by=actor_in(request, account))
            self._say_done(request, change)

    def _apply(self, request: HttpRequest, obj: Lock, wanted: bool | None, **how: Any) -> None:
        cells: dict[Cell, bool | None] = {(obj.type, obj.channel): wanted}
        change = Change(layer=Layer.LOCK, cells=cells, **how)
        self._say_done(request, defaults.apply(obj.account, change, by=actor_in(request, obj.account)))

    @admin.display(description=gettext_lazy("setting"), ordering="type")
    def what(self, obj: Lock) -> str:
        return telling_changes.cell_words(saying.name_of((obj.type, obj.channel)))

    @admin.display(description=gettext_lazy("ends"), ordering="ends_at")
    def end(self, obj: Lock) -> Any:
        if obj.ends_at is None:
            return _("when lifted")
        return formats.localize(moments.on_clocks(obj.ends_at, timezone.get_current_timezone()))

    @admin.display(description=gettext_lazy("locked by"))
    def by(self, obj: Lock) -> str:
        return obj.locked_by.name if obj.locked_by else _("an operator")
