"""Profiles of roles and teams: made, renamed, put in order, copied, removed, and what each says."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import path, reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts import plans
from accounts.admin.scope import AccountForm
from accounts.admin_site import actor_in
from accounts.models import Account, Role, Team
from accounts.plans import Feature
from notifications import presets, profiles
from notifications.admin.layers import GridAdmin, Sheet
from notifications.models import Profile
from notifications.resolution import Layer


class ProfileChoice(forms.ModelChoiceField):  # type: ignore[type-arg]
    """Profiles by name."""

    def label_from_instance(self, obj: Any) -> str:
        return str(obj.name)


class NewProfileForm(AccountForm):
    """A name, for whom, and whether it begins as a copy."""

    whom = forms.ChoiceField(label=gettext_lazy("for"))
    copy_of = ProfileChoice(
        Profile.objects.none(),
        label=gettext_lazy("begin as a copy of"),
        required=False,
        empty_label=gettext_lazy("nothing: empty"),
    )
    preset = forms.ChoiceField(
        label=gettext_lazy("or begin with a preset"),
        required=False,
        help_text=gettext_lazy("You see what it says and whom it changes before anything is saved."),
    )

    class Meta:
        model = Profile
        fields = ("name",)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        teams = Team.objects.filter(account=self.account_here).order_by("name")
        roles = [(f"role:{key}", _("Role: %(role)s") % {"role": label}) for key, label in Role.choices]
        whom, copy_of = self.fields["whom"], self.fields["copy_of"]
        assert isinstance(whom, forms.ChoiceField)
        assert isinstance(copy_of, forms.ModelChoiceField)
        whom.choices = [*roles, *((f"team:{team.pk}", _("Team: %(team)s") % {"team": team.name}) for team in teams)]
        copy_of.queryset = Profile.objects.filter(account=self.account_here)
        preset = self.fields["preset"]
        assert isinstance(preset, forms.ChoiceField)
        preset.choices = [("", _("none")), *((each.key, each.label) for each in presets.PRESETS.values())]
        _shut_without_plan(self, self.account_here)

    def clean(self) -> Any:
        """A role may be for one profile of the account or several: order decides. Only names are unique."""
        given = super().clean() or self.cleaned_data
        if given.get("copy_of") and given.get("preset"):
            self.add_error("preset", _("Begin as a copy or with a preset, one of the two."))
        kind, _colon, which = str(given.get("whom", "")).partition(":")
        self.instance.role = which if kind == "role" else ""
        self.instance.team = Team.objects.get(account=self.account_here, pk=which) if kind == "team" else None
        return given


class ProfileForm(AccountForm):
    """Its name, and its place: where several profiles apply to a member, the first one answers."""

    place = forms.IntegerField(
        label=gettext_lazy("place"),
        min_value=1,
        max_value=profiles.MOST,
        help_text=gettext_lazy("Where several profiles apply to a member, the one with the lowest place answers."),
    )

    class Meta:
        model = Profile
        fields = ("name",)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        order = list(Profile.objects.filter(account=self.instance.account).values_list("pk", flat=True))
        self.initial["place"] = order.index(self.instance.pk) + 1
        _shut_without_plan(self, self.instance.account)


def _is_shut(account: Account | None) -> bool:
    """Whether the account's plan has no profiles: what belongs to them is shown, and cannot be used."""
    return account is not None and not plans.has(account.plan, Feature.DEFAULT_PREFERENCES)


def _shut_without_plan(form: AccountForm, account: Account | None) -> None:
    """In the page only: what is sent all the same is refused by the domain, in its words."""
    if _is_shut(account):
        for field in form.fields.values():
            field.widget.attrs["disabled"] = True


@admin.register(Profile)
class ProfileAdmin(GridAdmin):
    """The profiles of an account."""

    may_add = may_change = may_delete = True
    list_display = ("name", "whom", "says", "account_name")
    list_select_related = ("account", "team")
    search_fields = ("name",)
    ordering = ("account", "position", "pk")
    delete_confirmation_template = "admin/notifications/profile/delete_confirmation.html"
    change_form_template = "admin/notifications/profile/change_form.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows = super().get_queryset(request)
        name = request.resolver_match.url_name if request.resolver_match else ""
        return rows.annotate(said=Count("cells")) if name == "notifications_profile_changelist" else rows

    def get_urls(self) -> list[Any]:
        page = self.admin_site.admin_view(self.answers_view)
        return [path("<path:object_id>/answers/", page, name="notifications_profile_answers"), *super().get_urls()]

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Only by itself: removing a team must not take a profile along untold."""
        page = request.resolver_match.url_name if request.resolver_match else ""
        return super().has_delete_permission(request, obj) and str(page).startswith("notifications_profile_")

    def answers_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """What a profile says: the grid."""
        profile = self.get_object_or_404(request, object_id)
        title = _("Profile “%(name)s” (%(whom)s)") % {"name": profile.name, "whom": self.whom(profile)}
        return self.grid_page(request, Sheet(profile.account, Layer.PROFILE, profile), title=title, original=profile)

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        kwargs["form"] = ProfileForm if obj else NewProfileForm
        return super().get_form(request, obj, change=change, **kwargs)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        fields = ("name", "whom", "place") if obj else ("name", "whom", "copy_of", "preset")
        note = plans.sentence(Feature.DEFAULT_PREFERENCES) if _is_shut(self.account_for(request, obj)) else ""
        return [(None, {"fields": fields, "description": note})]

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> Any:
        context["is_shut"] = _is_shut(self.account_for(request, kwargs.get("obj")))
        return super().render_change_form(request, context, *args, **kwargs)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ("whom",) if obj else ()

    def save_form(self, request: HttpRequest, form: Any, change: bool) -> Any:
        return form.instance

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """What a profile says is changed on its own page."""

    def save_model(self, request: HttpRequest, obj: Profile, form: Any, change: bool) -> None:
        by, given = actor_in(request, obj.account), form.cleaned_data
        if not change:
            facts: dict[str, Any] = {"name": given["name"], "role": obj.role, "team": obj.team, "by": by}
            source = given.get("copy_of")
            made = profiles.copy(source, **facts) if source else profiles.create(obj.account, **facts)
            assert made.profile is not None
            obj.pk = made.profile.pk
            obj._state.adding = False
            return
        stored = Profile.objects.select_related("account", "team").get(pk=obj.pk)
        if "name" in form.changed_data:
            profiles.rename(stored, name=given["name"], by=by)
        if "place" in form.changed_data:
            profiles.move(stored, to=given["place"] - 1, by=by)

    def response_add(self, request: HttpRequest, obj: Profile, post_url_continue: str | None = None) -> HttpResponse:
        link, preset = reverse("admin:notifications_profile_answers", args=[obj.pk]), request.POST.get("preset", "")
        if preset in presets.PRESETS:
            self.message_user(request, _("The profile is made. Look at what the preset says, then save it."))
            return HttpResponseRedirect(f"{link}?preset={preset}")
        self.message_user(request, _("The profile is made. Set what it says."), messages.SUCCESS)
        return HttpResponseRedirect(link)

    def delete_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> Any:
        profile = self.get_object_or_404(request, object_id)
        return super().delete_view(
            request, object_id, {**(extra_context or {}), "reach": profiles.preview_removal(profile)}
        )

    def delete_model(self, request: HttpRequest, obj: Profile) -> None:
        profiles.delete(obj, by=actor_in(request, obj.account))

    @admin.display(description=gettext_lazy("for"))
    def whom(self, obj: Profile) -> str:
        if obj.team_id:
            return _("team %(team)s") % {"team": obj.team.name if obj.team else "?"}
        return _("role %(role)s") % {"role": obj.get_role_display()}

    @admin.display(description=gettext_lazy("what it says"))
    def says(self, obj: Any) -> str:
        words = ngettext("%s notification", "%s notifications", obj.said) % obj.said
        link = reverse("admin:notifications_profile_answers", args=[obj.pk])
        return format_html('<a href="{}">{}</a>', link, words)
