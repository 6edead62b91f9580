"""Deliveries: what left the building, what failed and why, and sending it again."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import path, reverse
from django.utils import formats, timezone
from django.utils.html import format_html
from django.utils.text import Truncator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_POST

from accounts.admin.scope import ScopedAdmin
from accounts.admin_site import accounts_of
from accounts.errors import DomainError
from accounts.models import Membership
from notifications import channels, delivering, types
from notifications.models import Delivery, DeliveryStatus

MOST_FOUND = 500  # members whose deliveries one search shows
BADGES = {
    DeliveryStatus.SENT: "on",
    DeliveryStatus.FAILED: "danger",
    DeliveryStatus.DUE: "warning",
    DeliveryStatus.CAPPED: "warning",
    DeliveryStatus.HELD: "info",
    DeliveryStatus.SUMMED: "on",
    DeliveryStatus.MERGED: "on",
}


class ChannelFilter(admin.SimpleListFilter):
    """By channel."""

    title = gettext_lazy("channel")
    parameter_name = "channel"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(carrier.key, str(carrier.label)) for carrier in channels.CARRIERS]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(channel=self.value()) if self.value() else queryset


class TypeFilter(admin.SimpleListFilter):
    """By notification type: a list to choose from, because there are so many."""

    title = gettext_lazy("notification")
    parameter_name = "type"
    template = "admin/notifications/filter_select.html"
    path = "event__type"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(kind.key, f"{kind.topic.label}: {kind.label}") for kind in types.TYPES.values()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(**{self.path: self.value()}) if self.value() else queryset

    def choices(self, changelist: Any) -> Any:
        """What the list offers; `kept` are the other filters, to send along."""
        self.kept = [
            (name, value) for name, value in changelist.params.items() if name not in (self.parameter_name, "p")
        ]
        yield {"selected": not self.value(), "value": "", "display": _("All")}
        for key, label in self.lookup_choices:
            yield {"selected": self.value() == key, "value": key, "display": label}


@admin.register(Delivery)
class DeliveryAdmin(ScopedAdmin):
    """What was carried where."""

    account_path = "event__account"
    list_display = ("made", "state", "what", "to", "problem", "channel_words", "attempts", "repeat")
    list_select_related = ("event", "event__account", "member__user")
    list_filter = ("status", ChannelFilter, TypeFilter)
    search_fields = ("sent_to",)
    search_help_text = gettext_lazy("An e-mail address, or the beginning of one")
    ordering = ("-pk",)
    actions = ("retry",)
    fields = (
        "what", "event_link", "to", "channel_words", "state", "attempts", "due_at", "sent_at", "sent_to", "repeat",
        "error",
    )  # fmt: skip
    readonly_fields = fields
    change_form_template = "admin/notifications/delivery/change_form.html"

    def account_for(self, request: HttpRequest, obj: Any = None) -> Any:
        return obj.event.account if obj else super().account_for(request)

    def get_urls(self) -> list[Any]:
        page = self.admin_site.admin_view(require_POST(self.retry_view))
        return [path("<path:object_id>/retry/", page, name="notifications_delivery_retry"), *super().get_urls()]

    def get_search_results(self, request: HttpRequest, queryset: QuerySet[Any], search_term: str) -> Any:
        """By the member's address, through their index; the whole address also finds what was sent to it before."""
        wanted = search_term.replace("\0", "").strip().lower()
        if not wanted:
            return queryset, False
        people = Membership.objects.filter(account__in=accounts_of(request), user__email__startswith=wanted)
        members = list(people.order_by("user__email", "pk").values_list("pk", flat=True)[:MOST_FOUND])
        return queryset.filter(Q(member_id__in=members) | Q(sent_to=wanted)), False

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        delivery = self.get_object_or_404(request, object_id)
        more = {"can_retry": delivery.status == DeliveryStatus.FAILED, "title": _("Delivery"), "subtitle": None}
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), **more})

    def retry_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Send one failed delivery again."""
        delivery = self.get_object_or_404(request, object_id)
        self._retry(request, [delivery])
        return HttpResponseRedirect(reverse("admin:notifications_delivery_change", args=[delivery.pk]))

    @admin.action(description=gettext_lazy("Send again (failed ones)"))
    def retry(self, request: HttpRequest, queryset: QuerySet[Delivery]) -> None:
        self._retry(request, list(queryset))

    def _retry(self, request: HttpRequest, deliveries: list[Delivery]) -> None:
        try:
            count = delivering.retry(deliveries)
        except DomainError as refusal:
            self.message_user(request, str(refusal), messages.ERROR)
            return
        words = ngettext("%s delivery goes out again now.", "%s deliveries go out again now.", count) % count
        self.message_user(request, words, messages.SUCCESS)

    @admin.display(description=gettext_lazy("made"), ordering="pk")
    def made(self, obj: Delivery) -> Any:
        return obj.created_at

    @admin.display(description=gettext_lazy("channel"))
    def channel_words(self, obj: Delivery) -> str:
        channel = channels.CHANNELS.get(obj.channel)
        return str(channel.label) if channel else obj.channel

    @admin.display(description=gettext_lazy("status"))
    def state(self, obj: Delivery) -> str:
        kind = BADGES.get(DeliveryStatus(obj.status), "off")
        return format_html('<span class="badge badge--{}">{}</span>', kind, obj.get_status_display())

    @admin.display(description=gettext_lazy("notification"))
    def what(self, obj: Delivery) -> str:
        kind = types.get(obj.event.type)
        return f"{kind.topic.label}: {kind.label}" if kind else obj.event.type

    @admin.display(description=gettext_lazy("event"))
    def event_link(self, obj: Delivery) -> str:
        link = reverse("admin:notifications_event_change", args=[obj.event_id])
        return format_html('<a href="{}">{}</a>', link, f"#{obj.event_id}")

    @admin.display(description=gettext_lazy("to"))
    def to(self, obj: Delivery) -> str:
        return obj.sent_to or obj.member.email

    @admin.display(description=gettext_lazy("may have gone twice"))
    def repeat(self, obj: Delivery) -> str:
        """A worker died while handing it over: it may have arrived, and went again."""
        return (
            format_html('<span class="badge badge--warning">{}</span>', _("yes")) if obj.is_repeat_possible else _("no")
        )

    @admin.display(description=gettext_lazy("what went wrong"))
    def problem(self, obj: Delivery) -> str:
        words = Truncator(obj.error).chars(80)
        if obj.status != DeliveryStatus.HELD:
            return words
        until = formats.date_format(timezone.localtime(obj.due_at), "SHORT_DATETIME_FORMAT")
        return _("%(why)s Until %(until)s") % {"why": _(obj.error), "until": until}
