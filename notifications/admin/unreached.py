"""The page of required notices that could reach nobody."""

from zoneinfo import ZoneInfo

from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import Account
from notifications import types, unreached
from notifications.admin.oversight import OversightAdmin


def unreached_page(door: OversightAdmin, request: HttpRequest) -> HttpResponse:
    """Who, what, when, why, and what to do about it."""
    account = door.shown_account(request)
    if not isinstance(account, Account):
        return account
    with timezone.override(ZoneInfo(account.time_zone)):
        context = door.oversight(request, account, "unreached") | {
            "title": _("Required notices of %(account)s that could reach nobody") % {"account": account.name},
            "findings": unreached.find(account),
            "days": unreached.DAYS,
            "most": unreached.MOST,
            "kinds": sorted({str(types.TYPES[key].label) for key, _channel in unreached.required_cells()}),
        }
        return TemplateResponse(request, "admin/notifications/unreached.html", context).render()
