"""Accounts and their teams."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db import transaction
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from accounts import members
from accounts.admin.fields import ColourInput, LanguageField, ZoneField
from accounts.admin.scope import AccountForm, ScopedAdmin
from accounts.admin_site import scope_of
from accounts.models import Account, Role, Team

THEIRS = ("name", "time_zone", "language", "brand_colour", "has_data_privacy", "needs_legal_basis")
OPERATORS = ("hub_id", "domain", "plan")


class AccountFacts(AccountForm):
    """An account. The operator may name its first super admin when making it."""

    time_zone = ZoneField(label=_("time zone"))
    language = LanguageField(label=_("language"))
    super_admin_email = forms.EmailField(
        label=_("first super admin"),
        required=False,
        help_text=_("Gets a mail with a link to choose a password, and can invite everybody else."),
    )

    class Meta:
        model = Account
        fields = "__all__"
        widgets = {"brand_colour": ColourInput}


@admin.register(Account)
class AccountAdmin(ScopedAdmin):
    """The operator makes accounts and sets their plan; a super admin edits what is theirs."""

    account_path = "pk"
    form = AccountFacts
    may_change = True
    list_display = ("name", "hub_id", "domain", "plan", "time_zone", "member_count")
    list_filter = ("plan",)
    search_fields = ("name", "domain", "=hub_id")
    ordering = ("name", "pk")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return scope_of(request) is None

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return () if scope_of(request) is None else OPERATORS

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """The first super admin is asked for once; later the members page has them."""
        first = () if obj else ("super_admin_email",)
        return [
            (None, {"fields": (*OPERATORS, *first)}),
            (_("How it works"), {"fields": THEIRS}),
        ]

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, change=change, **kwargs)
        if obj is not None:
            form.base_fields.pop("super_admin_email", None)
        return form

    @transaction.atomic
    def save_model(self, request: HttpRequest, obj: Account, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        if not change and (email := form.cleaned_data.get("super_admin_email")):
            members.invite(obj, email=email, role=Role.SUPER_ADMIN, by=None)

    def get_list_display(self, request: HttpRequest) -> Any:
        return self.list_display if scope_of(request) is not None else self.list_display[:-1]  # it counts row by row

    @admin.display(description=_("active members"))
    def member_count(self, obj: Account) -> int:
        return obj.members.filter(is_active=True).count()


@admin.register(Team)
class TeamAdmin(ScopedAdmin):
    """Teams of an account. Removing one leaves its members without it."""

    may_add = may_change = may_delete = True
    fields = ("name",)
    list_display = ("name", "account_name", "primary", "extra")
    list_select_related = ("account",)
    search_fields = ("name",)
    ordering = ("account", "name")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows = super().get_queryset(request)
        if request.resolver_match and request.resolver_match.url_name == "accounts_team_changelist":
            rows = rows.annotate(
                primary_count=Count("primary_members", distinct=True, filter=Q(primary_members__is_active=True)),
                extra_count=Count("extra_members", distinct=True, filter=Q(extra_members__is_active=True)),
            )
        return rows

    @admin.display(description=_("primary members"))
    def primary(self, obj: Any) -> int:
        return int(obj.primary_count)

    @admin.display(description=_("extra members"))
    def extra(self, obj: Any) -> int:
        return int(obj.extra_count)
