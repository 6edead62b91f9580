"""What the three pages of oversight have in common: the account they are about, and the way between them."""

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.admin.scope import ScopedAdmin
from accounts.admin_site import scope_of
from accounts.models import Account

PAGES = (
    ("board", "admin:notifications_redrive_changelist"),
    ("unreached", "admin:notifications_redrive_unreached"),
    ("charts", "admin:notifications_choicerecord_changelist"),
)


class OversightAdmin(ScopedAdmin):
    """A page that shows one account's numbers instead of a list of rows."""

    def shown_account(self, request: HttpRequest) -> Account | HttpResponse:
        """The account the page is about, or the page that asks for it."""
        account = self.account_for(request)
        if account is None:
            if request.GET.get("account"):
                raise Http404
            return self.choose_account(request)
        return account

    def oversight(self, request: HttpRequest, account: Account, here: str) -> dict[str, Any]:
        """What every such page needs."""
        words = {"board": _("Delivery board"), "unreached": _("Required notices"), "charts": _("Charts")}
        scope = scope_of(request)
        suffix = "" if scope is not None and len(scope) == 1 else f"?account={account.pk}"
        return {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "account": account,
            "is_one_of_many": bool(suffix),
            "pages": [
                {"url": reverse(name) + suffix, "label": words[key], "is_current": key == here} for key, name in PAGES
            ],
        }
