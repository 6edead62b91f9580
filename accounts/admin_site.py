"""The admin at /admin/: for the operator, and for super admins of an account, who see only that account.

Signing in happens on the page everybody uses, so that the second factor and the rate limits hold here too.
Whoever is signed in and may not enter gets the 404 of a page that is not there.
"""

from typing import Any

from django.conf import settings
from django.contrib import admin
from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from accounts.models import Account, Membership, Role

OTHERS = {"account", "auth", "mfa", "usersessions"}  # apps of packages whose rows nobody edits by hand here
LEFT_OUT = {"view_on_site", "password_change", "password_change_done"}  # allauth's pages, and one that looks anywhere


def scope_of(request: HttpRequest) -> frozenset[int] | None:
    """The ids of the accounts whose data a request may see; None for the operator, who sees all."""
    if not hasattr(request, "_admin_scope"):
        user = request.user
        if not user.is_authenticated or not user.is_active:
            scope: frozenset[int] | None = frozenset()
        elif user.is_superuser:
            scope = None
        else:
            scope = frozenset(user.super_admin_of.values_list("account_id", flat=True))
        request._admin_scope = scope  # type: ignore[attr-defined]  # read once per request
    found: frozenset[int] | None = request._admin_scope  # type: ignore[attr-defined]
    return found


def accounts_of(request: HttpRequest) -> Any:
    """The accounts a request may see."""
    scope = scope_of(request)
    return Account.objects.all() if scope is None else Account.objects.filter(pk__in=scope)


def actor_in(request: HttpRequest, account: Account) -> Membership | None:
    """Who acts in an account: the super admin's membership, or None for an operator who has none."""
    return (
        Membership.objects.active()
        .select_related("account", "user")
        .filter(account=account, user_id=request.user.pk or 0, role=Role.SUPER_ADMIN)
        .first()
    )


def label_of(model: Any) -> str:
    """The app that a model belongs to."""
    return str(model._meta.app_label)


def _holds_nul(request: HttpRequest) -> bool:
    """Whether a filter or search asks for what no row can hold: the database refuses NUL, loudly."""
    return any("\0" in text for name, values in request.GET.lists() for text in (name, *values))


class AdminSite(admin.AdminSite):
    """Django admin with our sign-in, open to super admins."""

    site_header = _("Bellhop administration")
    site_title = _("Bellhop")
    index_title = _("Administration")
    site_url = "/"

    def register(self, model_or_iterable: Any, admin_class: Any = None, **options: Any) -> None:
        models = [model_or_iterable] if isinstance(model_or_iterable, type) else list(model_or_iterable)
        super().register([one for one in models if label_of(one) not in OTHERS], admin_class, **options)

    def has_permission(self, request: HttpRequest) -> bool:
        scope = scope_of(request)
        return scope is None or bool(scope)

    def admin_view(self, view: Any, cacheable: bool = False) -> Any:
        guarded = super().admin_view(view, cacheable)

        def inner(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if request.user.is_authenticated and not self.has_permission(request):
                raise Http404
            if _holds_nul(request):
                raise Http404
            answer: HttpResponseBase = guarded(request, *args, **kwargs)
            return answer

        for name in ("csrf_exempt", "should_append_slash"):
            if hasattr(guarded, name):
                setattr(inner, name, getattr(guarded, name))
        return inner

    def get_urls(self) -> list[Any]:
        return [url for url in super().get_urls() if getattr(url, "name", None) not in LEFT_OUT]

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Signing in is elsewhere: go there, and come back."""
        if not request.user.is_authenticated:
            return redirect_to_login(request.GET.get("next") or reverse("admin:index"), settings.LOGIN_URL)
        if not self.has_permission(request):
            raise Http404
        return redirect("admin:index")

    def logout(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """Signing out is elsewhere too."""
        return redirect("account_logout")
