"""Members: inviting, changing, deactivating. Every write goes through `accounts.members`."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from accounts import invitations, members
from accounts.admin.fields import EMPTY_ZONE, LanguageField, Ticks, ZoneField
from accounts.admin.scope import AccountForm, ScopedAdmin
from accounts.admin_site import actor_in
from accounts.models import Membership, Permission, Role

WORK = ("role", "permissions", "seat", "primary_team", "extra_teams")
HOW = ("time_zone", "language", "availability")


class MemberForm(AccountForm):
    """What a member may do and how they work."""

    permissions = Ticks(label=_("permissions"), choices=Permission.choices, help_text=_("Super admins have them all."))
    time_zone = ZoneField(label=_("time zone"), empty=EMPTY_ZONE)
    language = LanguageField(label=_("language"), empty=EMPTY_ZONE)

    class Meta:
        model = Membership
        fields = (*WORK, *HOW)
        widgets = {"extra_teams": forms.CheckboxSelectMultiple}

    def clean(self) -> dict[str, Any]:
        given = super().clean() or self.cleaned_data
        if self.instance.pk and given.get("role") == Role.MEMBER and members.is_last_super_admin(self._stored()):
            self.add_error("role", _("This is the last super admin. Make somebody else a super admin first."))
        return dict(given)

    def _stored(self) -> Membership:
        return Membership.objects.get(pk=self.instance.pk)


class InvitationForm(MemberForm):
    """A new member: their address, and the rest."""

    email = forms.EmailField(label=_("e-mail address"), max_length=254)
    name = forms.CharField(
        label=_("name"),
        max_length=150,
        required=False,
        help_text=_("Whoever has a sign-in already keeps the name they chose."),
    )

    def clean_email(self) -> str:
        email = str(self.cleaned_data["email"]).strip().lower()
        if Membership.objects.filter(account=self.account_here, user__email=email).exists():
            raise forms.ValidationError(
                _("This person is a member already. If deactivated, activate them in the list.")
            )
        return email


@admin.register(Membership)
class MembershipAdmin(ScopedAdmin):
    """The people of an account."""

    may_add = may_change = True
    form = MemberForm
    list_display = ("person", "email", "role", "seat", "team", "state", "account_name")
    list_select_related = ("account", "user", "primary_team")
    list_filter = ("is_active", "role", "seat")
    search_fields = ("user__name", "user__email")
    ordering = ("account", "user__name", "pk")
    actions = ("deactivate", "activate", "mail_again")
    readonly_fields = ("person", "email", "state", "since")

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        if obj is None:
            kwargs["form"] = InvitationForm
        return super().get_form(request, obj, change=change, **kwargs)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        who = ("person", "email", "state", "since") if obj else ("email", "name")
        return [(None, {"fields": who}), (_("Role"), {"fields": WORK}), (_("Work"), {"fields": HOW})]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return self.readonly_fields if obj else ()

    def save_form(self, request: HttpRequest, form: Any, change: bool) -> Any:
        """The domain writes, not the form: the row is taken as it is stored."""
        return form.save(commit=False) if change else form.instance

    def save_model(self, request: HttpRequest, obj: Membership, form: Any, change: bool) -> None:
        by = actor_in(request, obj.account)
        given = {name: form.cleaned_data[name] for name in (*WORK, *HOW)}
        if change:
            members.change(obj, by=by, **given)
            return
        how = {name: given.pop(name) for name in HOW}
        made = members.invite(
            obj.account, email=form.cleaned_data["email"], name=form.cleaned_data["name"], by=by, **given
        )
        members.change(made, by=by, **how)
        obj.__dict__.update(made.__dict__)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """The teams were written with the rest."""

    @admin.display(description=_("name"), ordering="user__name")
    def person(self, obj: Membership) -> str:
        return obj.name

    @admin.display(description=_("e-mail address"), ordering="user__email")
    def email(self, obj: Membership) -> str:
        return obj.email

    @admin.display(description=_("primary team"), ordering="primary_team__name", empty_value="–")
    def team(self, obj: Membership) -> str | None:
        return obj.primary_team.name if obj.primary_team else None

    @admin.display(description=_("member since"))
    def since(self, obj: Membership) -> Any:
        return obj.created_at

    @admin.display(description=_("state"), ordering="is_active")
    def state(self, obj: Membership) -> str:
        if not obj.is_active:
            return format_html('<span class="badge badge--off">{}</span>', _("deactivated"))
        if not obj.user.is_active:
            return format_html('<span class="badge badge--danger">{}</span>', _("may not sign in"))
        if not obj.user.has_usable_password():
            return format_html('<span class="badge badge--warning">{}</span>', _("invited"))
        return format_html('<span class="badge badge--on">{}</span>', _("active"))

    @admin.action(description=_("Deactivate: takes their access at once"))
    def deactivate(self, request: HttpRequest, queryset: QuerySet[Membership]) -> None:
        chosen = list(queryset)
        for member in chosen:
            members.deactivate(member, by=actor_in(request, member.account))
            self.log_change(request, member, str(_("Deactivated.")))
        self._say(request, ngettext("%s member was deactivated.", "%s members were deactivated.", len(chosen)), chosen)

    @admin.action(description=_("Activate again"))
    def activate(self, request: HttpRequest, queryset: QuerySet[Membership]) -> None:
        chosen = list(queryset)
        for member in chosen:
            members.activate(member, by=actor_in(request, member.account))
            self.log_change(request, member, str(_("Activated.")))
        self._say(request, ngettext("%s member is active again.", "%s members are active again.", len(chosen)), chosen)

    @admin.action(description=_("Send the invitation again"))
    def mail_again(self, request: HttpRequest, queryset: QuerySet[Membership]) -> None:
        sent = [member for member in queryset.filter(is_active=True) if invitations.send(member)]
        self._say(request, ngettext("%s mail was sent.", "%s mails were sent.", len(sent)), sent)

    def _say(self, request: HttpRequest, words: str, chosen: list[Membership]) -> None:
        self.message_user(request, words % len(chosen), messages.SUCCESS if chosen else messages.WARNING)
