"""Charts of what was sent, opened and turned off."""

from typing import Any
from zoneinfo import ZoneInfo

from django.contrib import admin
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.urls import path
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import Account
from notifications import channels, charts, types
from notifications.admin.oversight import OversightAdmin
from notifications.models import ChoiceRecord

TOPIC = "topic:"  # before the key of a topic, in the list that offers topics and types


@admin.register(ChoiceRecord)
class ChartsAdmin(OversightAdmin):
    """The charts stand where the list of members' acts would."""

    def get_urls(self) -> list[Any]:
        page = self.admin_site.admin_view(self.changelist_view)
        return [path("", page, name="notifications_choicerecord_changelist")]

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> Any:
        account = self.shown_account(request)
        if not isinstance(account, Account):
            return account
        what, channel = request.GET.get("what", ""), request.GET.get("channel", "")
        topic = what.removeprefix(TOPIC) if what.startswith(TOPIC) else ""
        with timezone.override(ZoneInfo(account.time_zone)):
            context = self.oversight(request, account, "charts") | {
                "title": _("Charts of %(account)s") % {"account": account.name},
                "charts": charts.look(
                    account, charts.about(topic=topic, type_key="" if topic else what, channel=channel)
                ),
                "weeks": charts.WEEKS,
                "what": what,
                "channel": channel,
                "topics": types.TOPICS,
                "channels": channels.ALL,
            }
            return TemplateResponse(request, "admin/notifications/charts.html", context).render()
