"""What every page of the admin stands on: an account's super admins see that account's rows and nothing else.

List, search, filters, choices, history, deletion and every address go through `get_queryset`, so another account's
row and one that never was get the same 404. What may be done is decided by the role, not by Django's permissions.
"""

from contextlib import AbstractContextManager
from datetime import UTC
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from django.contrib import admin, messages
from django.contrib.admin.widgets import RelatedFieldWidgetWrapper
from django.core.paginator import Paginator
from django.db import connection
from django.db.models import Field, ForeignKey, ManyToManyField, Model, QuerySet
from django.forms import ModelForm
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import SimpleTemplateResponse, TemplateResponse
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.admin_site import accounts_of, scope_of
from accounts.errors import DomainError
from accounts.models import Account

if TYPE_CHECKING:
    Admin = admin.ModelAdmin[Any]
    Form = ModelForm[Any]
else:
    Admin = admin.ModelAdmin
    Form = ModelForm

COUNTED = 10_000  # rows; beyond that a list says no number
CHOICES = 50  # accounts offered at once


class BoundedPaginator(Paginator):  # type: ignore[type-arg]
    """Counts no further than a few thousand rows: nobody turns to page 900, and a table may be huge."""

    @cached_property
    def count(self) -> int:
        rows = self.object_list
        if not isinstance(rows, QuerySet):
            return len(rows)
        sql, values = rows.order_by().values_list("pk").query.sql_with_params()
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT count(*) FROM ({sql} LIMIT {COUNTED}) AS few", values)  # noqa: S608
            return int(cursor.fetchone()[0])


class AccountFilter(admin.SimpleListFilter):
    """Which account: shown to those who see more than one."""

    title = gettext_lazy("account")
    parameter_name = "account"
    path = "account"

    @classmethod
    def along(cls, path: str) -> type["AccountFilter"]:
        """The filter for a model that reaches its account along `path`."""
        return type("AccountFilterAlong", (cls,), {"path": path})

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(str(pk), f"{name} ({hub})") for pk, name, hub in _offered(request)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(**{self.path: self.value()}) if (self.value() or "").isdecimal() else queryset


def _offered(request: HttpRequest) -> list[tuple[int, str, int]]:
    return list(accounts_of(request).order_by("name", "pk").values_list("pk", "name", "hub_id")[:CHOICES])


def _by_name(field: Any) -> Any:
    """Choices as people know them: by their name, without the number that logs have."""
    if field is not None:
        field.label_from_instance = lambda row: getattr(row, "name", str(row))
    return field


def _rendered(answer: Any) -> Any:
    """The page as it is to be sent: what is rendered later would not know the account's clock any more."""
    return answer.render() if isinstance(answer, SimpleTemplateResponse) else answer


class AccountForm(Form):
    """A form whose row belongs to one account, known before the form is shown."""

    account_here: Account | None = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance._state.adding and hasattr(self.instance, "account_id") and self.account_here:
            self.instance.account = self.account_here

    def _get_validation_exclusions(self) -> set[str]:
        """Uniqueness within the account is checked although the account is not a field of the form."""
        excluded: set[str] = super()._get_validation_exclusions()  # type: ignore[misc]
        return excluded - {"account"}


class ScopedAdmin(Admin):
    """A model whose rows belong to an account, along `account_path`."""

    account_path = "account"
    is_for_operators_only = False
    may_add = may_change = may_delete = False
    form = AccountForm
    paginator = BoundedPaginator
    show_full_result_count = False
    list_per_page = 50
    list_max_show_all = 50
    show_facets = admin.ShowFacets.NEVER

    # --- What is there at all

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows = super().get_queryset(request)
        scope = scope_of(request)
        if scope is None:
            return rows
        return rows.none() if self.is_for_operators_only else rows.filter(**{f"{self.account_path}__in": scope})

    def _get_obj_does_not_exist_redirect(self, request: HttpRequest, opts: Any, object_id: str) -> HttpResponse:
        raise Http404

    def get_list_filter(self, request: HttpRequest) -> Any:
        filters = [*super().get_list_filter(request)]
        if self.account_path == "pk" or len(scope_of(request) or (1, 2)) < 2:
            return filters
        return [*filters, AccountFilter.along(self.account_path)]

    def get_list_display(self, request: HttpRequest) -> Any:
        """The account is a column only for those who see several."""
        scope = scope_of(request)
        columns = super().get_list_display(request)
        is_one = scope is not None and len(scope) == 1
        return [name for name in columns if name != "account_name" or not is_one]

    @admin.display(description=gettext_lazy("account"), ordering="account")
    def account_name(self, obj: Any) -> str:
        return str(obj.account.name)

    def get_object_or_404(self, request: HttpRequest, object_id: str) -> Any:
        """The row, among those that the request may see."""
        found = self.get_object(request, object_id)
        if found is None:
            raise Http404
        return found

    # --- Who may do what

    def _is_allowed(self, request: HttpRequest) -> bool:
        scope = scope_of(request)
        return scope is None or (bool(scope) and not self.is_for_operators_only)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self._is_allowed(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._is_allowed(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self.may_add and self._is_allowed(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.may_change and self._is_allowed(request)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.may_delete and self._is_allowed(request)

    def get_actions(self, request: HttpRequest) -> Any:
        actions = super().get_actions(request)
        actions.pop("delete_selected", None)  # it would pass by the domain
        return actions

    # --- Which account

    def account_for(self, request: HttpRequest, obj: Any = None) -> Account | None:
        """The account that a page is about: the row's, the one asked for, or the only one there is."""
        if obj is not None:
            return obj if isinstance(obj, Account) else obj.account
        asked = request.GET.get("account", "")
        mine = accounts_of(request)
        if asked.isdecimal() and len(asked) < 19:
            return mine.filter(pk=asked).first()  # type: ignore[no-any-return]
        few = list(mine[:2])
        return few[0] if len(few) == 1 else None

    def choose_account(self, request: HttpRequest) -> HttpResponse:
        """The page that asks which account, where there are several."""
        wanted = request.GET.get("q", "").replace("\0", "").strip()
        found = accounts_of(request).order_by("name", "pk")
        if wanted:
            found = (
                found.filter(hub_id=wanted)
                if wanted.isdecimal() and len(wanted) < 19
                else found.filter(name__icontains=wanted)
            )
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": _("In which account?"),
            "found": found[:CHOICES],
            "wanted": wanted,
        }
        return TemplateResponse(request, "admin/choose_account.html", context)

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        needs_account = self.account_path == "account" and self.has_add_permission(request)
        if needs_account and self.account_for(request) is None:
            if request.GET.get("account"):
                raise Http404
            return self.choose_account(request)
        return super().add_view(request, form_url, extra_context)

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        request._admin_account = self.account_for(request, obj)  # type: ignore[attr-defined]
        form = super().get_form(request, obj, change=change, **kwargs)
        form.account_here = request._admin_account  # type: ignore[attr-defined]
        return form

    def formfield_for_foreignkey(self, db_field: "ForeignKey[Any, Any]", request: HttpRequest, **kwargs: Any) -> Any:
        kwargs["queryset"] = self._choices(db_field, request)
        return _by_name(super().formfield_for_foreignkey(db_field, request, **kwargs))

    def formfield_for_manytomany(
        self, db_field: "ManyToManyField[Any, Any]", request: HttpRequest, **kwargs: Any
    ) -> Any:
        kwargs["queryset"] = self._choices(db_field, request)
        return _by_name(super().formfield_for_manytomany(db_field, request, **kwargs))

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Choices without the buttons that open other windows: a related row has a page of its own."""
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if field is not None and isinstance(field.widget, RelatedFieldWidgetWrapper):
            field.widget = field.widget.widget
        return field

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *given: Any, **named: Any) -> Any:
        """One button that saves."""
        context |= {"show_save_and_add_another": False, "show_save_and_continue": False}
        return super().render_change_form(request, context, *given, **named)

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> Any:
        title = capfirst(str(self.opts.verbose_name_plural))
        with self.on_the_clock(request):
            return _rendered(super().changelist_view(request, {"title": title, **(extra_context or {})}))

    def history_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> Any:
        with self.on_the_clock(request, object_id):
            return _rendered(super().history_view(request, object_id, extra_context))

    # --- Whose clock

    def on_the_clock(self, request: HttpRequest, object_id: str | None = None) -> AbstractContextManager[None]:
        """Times are shown and read on the clock of the account that a page is about; without one, in UTC."""
        account = self.account_for(request, self.get_object(request, object_id) if object_id else None)
        return timezone.override(ZoneInfo(account.time_zone) if account else UTC)

    def _choices(self, db_field: "Field[Any, Any]", request: HttpRequest) -> QuerySet[Any]:
        """What a choice offers: rows of the same account that the request may see."""
        model: type[Model] = db_field.remote_field.model  # type: ignore[union-attr]
        there = self.admin_site._registry.get(model)
        rows = there.get_queryset(request) if there is not None else model._default_manager.none()
        account = getattr(request, "_admin_account", None)
        path = getattr(there, "account_path", "pk")
        return rows.filter(**{path: account}) if account is not None and path != "pk" else rows

    # --- Refusals of the domain become sentences on the page

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, form_url: str = "", extra_context: Any = None
    ) -> Any:
        try:
            with self.on_the_clock(request, object_id):
                return _rendered(super().changeform_view(request, object_id, form_url, extra_context))
        except DomainError as refusal:
            return self.refused(request, refusal)

    def delete_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> Any:
        try:
            return super().delete_view(request, object_id, extra_context)
        except DomainError as refusal:
            return self.refused(request, refusal)

    def response_action(self, request: HttpRequest, queryset: QuerySet[Any], *given: Any) -> HttpResponse | None:
        try:
            return super().response_action(request, queryset, *given)
        except DomainError as refusal:
            return self.refused(request, refusal)

    def refused(self, request: HttpRequest, refusal: DomainError) -> HttpResponseRedirect:
        """Say why not, on the page where it was asked."""
        lines = [line for lines in refusal.fields.values() for line in lines if line != str(refusal)]
        self.message_user(request, " ".join([str(refusal), *dict.fromkeys(lines)]), messages.ERROR)
        return HttpResponseRedirect(request.get_full_path())
