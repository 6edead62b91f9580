"""API keys: made, shown once, revoked. The digest is nowhere to be seen."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from accounts import api_keys
from accounts.admin.fields import Ticks
from accounts.admin.scope import AccountForm, ScopedAdmin
from accounts.admin_site import actor_in
from accounts.models import ApiKey


class KeyForm(AccountForm):
    """A name to know it by, and what it may do."""

    scopes = Ticks(label=_("scopes"), choices=lambda: list(api_keys.SCOPES.items()), required=True)

    class Meta:
        model = ApiKey
        fields = ("name", "scopes")
        widgets = {"name": forms.TextInput(attrs={"class": "vTextField", "autocomplete": "off"})}


class StateFilter(admin.SimpleListFilter):
    """In use or revoked."""

    title = _("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("live", _("in use")), ("revoked", _("revoked"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[ApiKey]) -> QuerySet[ApiKey]:
        wanted = {"live": True, "revoked": False}.get(self.value() or "")
        return queryset if wanted is None else queryset.filter(revoked_at__isnull=wanted)


@admin.register(ApiKey)
class ApiKeyAdmin(ScopedAdmin):
    """The keys of an account's programs."""

    may_add = True
    form = KeyForm
    list_display = ("name", "beginning", "scope_words", "created_at", "last_used_at", "state", "account_name")
    list_select_related = ("account",)
    list_filter = (StateFilter,)
    search_fields = ("name", "prefix")
    ordering = ("-pk",)
    actions = ("revoke",)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        seen = ("name", "beginning", "scope_words", "created_by_name", "created_at", "last_used_at", "revoked_at")
        return seen if obj else ("name", "scopes")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return self.get_fields(request, obj) if obj else ()

    def save_form(self, request: HttpRequest, form: Any, change: bool) -> Any:
        return form.instance

    def save_model(self, request: HttpRequest, obj: ApiKey, form: Any, change: bool) -> None:
        given = form.cleaned_data
        row, key = api_keys.make(
            obj.account, name=given["name"], scopes=given["scopes"], by=actor_in(request, obj.account)
        )
        obj.__dict__.update(row.__dict__)
        request._made_key = key  # type: ignore[attr-defined]  # for the answer to this request, and nowhere else

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Nothing hangs on a key."""

    def response_add(self, request: HttpRequest, obj: ApiKey, post_url_continue: str | None = None) -> HttpResponse:
        """The page with the key on it. It is in no address, no session and no log, so it cannot be seen again."""
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": _("The key, this once"),
            "key": request._made_key,  # type: ignore[attr-defined]
            "row": obj,
        }
        return TemplateResponse(request, "admin/accounts/apikey/shown_once.html", context)

    @admin.display(description=_("begins with"))
    def beginning(self, obj: ApiKey) -> str:
        return format_html("<code>{}…</code>", obj.prefix)

    @admin.display(description=_("made by"))
    def created_by_name(self, obj: ApiKey) -> str:
        return obj.created_by.name if obj.created_by else "–"

    @admin.display(description=_("scopes"))
    def scope_words(self, obj: ApiKey) -> str:
        return ", ".join(obj.scopes)

    @admin.display(description=_("state"))
    def state(self, obj: ApiKey) -> str:
        is_live = obj.revoked_at is None
        words = _("in use") if is_live else _("revoked")
        return format_html('<span class="badge badge--{}">{}</span>', "on" if is_live else "off", words)

    @admin.action(description=_("Revoke: programs that use it are refused at once"))
    def revoke(self, request: HttpRequest, queryset: QuerySet[ApiKey]) -> None:
        chosen = list(queryset)
        for row in chosen:
            api_keys.revoke(row)
            self.log_change(request, row, str(_("Revoked.")))
        words = ngettext("%s key was revoked.", "%s keys were revoked.", len(chosen)) % len(chosen)
        self.message_user(request, words, messages.SUCCESS)
