"""People who sign in. The operator's page: a person may work in several accounts."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from accounts import invitations, people
from accounts.admin.scope import ScopedAdmin
from accounts.models import User


@admin.register(User)
class PersonAdmin(ScopedAdmin):
    """Names, sign-ins, passwords by mail. Super admins invite people on the page of members instead."""

    account_path = "memberships__account"
    is_for_operators_only = True
    may_change = True
    fields = ("email", "name", "is_active", "is_superuser", "accounts", "created_at", "last_login")
    readonly_fields = ("email", "is_active", "is_superuser", "accounts", "created_at", "last_login")
    list_display = ("email", "name", "is_active", "is_superuser", "last_login")
    list_filter = ("is_active", "is_superuser")
    search_fields = ("email", "name")
    ordering = ("email",)
    actions = ("send_password_link", "end_sessions", "bar", "admit")

    def account_for(self, request: HttpRequest, obj: Any = None) -> None:
        """None: a person belongs to no single account."""

    @admin.display(description=_("accounts"))
    def accounts(self, obj: User) -> str:
        return ", ".join(
            f"{one.account.name} ({one.get_role_display()})" for one in obj.memberships.select_related("account")
        )

    @admin.action(description=_("Mail a link to choose a password"))
    def send_password_link(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        asked = list(queryset)
        sent = [person for person in asked if invitations.send_password_link(person)]
        words = ngettext("%s mail was sent.", "%s mails were sent.", len(sent)) % len(sent)
        if len(sent) < len(asked):
            words += " " + str(_("The mail server did not take the others: try again later."))
        self.message_user(request, words, messages.SUCCESS if len(sent) == len(asked) else messages.WARNING)

    @admin.action(description=_("Sign out everywhere"))
    def end_sessions(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        count = sum(people.end_sessions(person) for person in queryset)
        self.message_user(request, ngettext("%s sign-in was ended.", "%s sign-ins were ended.", count) % count)

    @admin.action(description=_("Take the sign-in, in all accounts"))
    def bar(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        for person in queryset:
            people.bar(person)
            self.log_change(request, person, str(_("May not sign in any more.")))

    @admin.action(description=_("Let sign in again"))
    def admit(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        for person in queryset:
            people.admit(person)
            self.log_change(request, person, str(_("May sign in again.")))
