"""The delivery board of an account, and sending a range of failures again: counted first, then done."""

from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts.admin_site import actor_in
from accounts.errors import DomainError
from accounts.models import Account
from notifications import board, channels, redriving, types
from notifications.admin.oversight import OversightAdmin
from notifications.admin.unreached import unreached_page
from notifications.models import Redrive
from notifications.redriving import Range

SHOWN = 10  # re-drives that are listed
MOMENT = forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")


class RangeForm(forms.Form):
    """Which failures go again. Moments are on the account's clock."""

    channel = forms.ChoiceField(label=gettext_lazy("Channel"))
    begins_at = forms.DateTimeField(label=gettext_lazy("From"), widget=MOMENT)
    ends_at = forms.DateTimeField(label=gettext_lazy("To"), widget=MOMENT)
    type = forms.ChoiceField(label=gettext_lazy("Notification"), required=False)
    may_repeat = forms.BooleanField(required=False)  # asked where their number is shown: in the draft

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        channel, kind = self.fields["channel"], self.fields["type"]
        assert isinstance(channel, forms.ChoiceField)
        assert isinstance(kind, forms.ChoiceField)
        channel.choices = [(carrier.key, carrier.label) for carrier in channels.CARRIERS]
        kind.choices = [("", _("All kinds"))] + [
            (str(topic.label), [(each.key, each.label) for each in topic.types.values()]) for topic in types.TOPICS
        ]

    @property
    def range(self) -> Range:
        return Range(**self.cleaned_data)


@admin.register(Redrive)
class BoardAdmin(OversightAdmin):
    """The board stands where the list of re-drives would."""

    list_select_related = ("account", "made_by__user")

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view
        return [
            path("", view(self.changelist_view), name="notifications_redrive_changelist"),
            path("unreached/", view(self.unreached_view), name="notifications_redrive_unreached"),
        ]

    def unreached_view(self, request: HttpRequest) -> HttpResponse:
        """Required notices that could reach nobody."""
        return unreached_page(self, request)

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> Any:
        account = self.shown_account(request)
        if not isinstance(account, Account):
            return account
        with timezone.override(ZoneInfo(account.time_zone)):
            form = RangeForm(request.POST or None, initial=_initial(account))
            if request.method == "POST" and form.is_valid():
                try:
                    if (answer := self._posted(request, account, form)) is not None:
                        return answer
                except DomainError as refusal:
                    _point_out(form, refusal)
            elif request.method == "POST":
                self.message_user(request, _("This cannot be sent again: see below."), messages.ERROR)
            span = board.SPANS.get(request.GET.get("span", ""), board.SPANS["day"])
            context = self.oversight(request, account, "board") | {
                "title": _("Delivery board of %(account)s") % {"account": account.name},
                "board": board.look(account, span),
                "spans": [(each, self._link(request, span=each.key)) for each in board.SPANS.values()],
                "form": form,
                "redrives": self._newest(request, account),
            }
            return TemplateResponse(request, "admin/notifications/board.html", context).render()

    def _posted(self, request: HttpRequest, account: Account, form: RangeForm) -> HttpResponse | None:
        """The draft, or after it the deed. None: back to the board with what was filled in."""
        if "_back" in request.POST:
            return None
        if "_apply" not in request.POST:
            context = self.oversight(request, account, "board") | {
                "title": _("Send again what failed?"),
                "draft": redriving.draft(account, form.range),
                "form": form,
                "channel": channels.CHANNELS[form.range.channel],
                "kind": types.TYPES.get(form.range.type),
            }
            return TemplateResponse(request, "admin/notifications/redrive.html", context).render()
        made = redriving.start(account, form.range, by=actor_in(request, account))
        words = ngettext(
            "%s failed delivery is being sent again. The list below follows it.",
            "%s failed deliveries are being sent again. The list below follows them.",
            made.failed,
        )
        self.message_user(request, words % made.failed, messages.SUCCESS)
        return HttpResponseRedirect(request.get_full_path())

    def _newest(self, request: HttpRequest, account: Account) -> QuerySet[Redrive]:
        rows = self.get_queryset(request).filter(account=account).select_related("made_by__user")
        return rows.order_by("-pk")[:SHOWN]

    def _link(self, request: HttpRequest, **changed: str) -> str:
        asked = request.GET.copy()
        asked.update(changed)
        return f"?{asked.urlencode()}"


def _initial(account: Account) -> dict[str, Any]:
    """The last 24 hours."""
    now = timezone.now().replace(second=0, microsecond=0) + board.MINUTE
    return {"begins_at": now - board.EARLIER, "ends_at": now}


def _point_out(form: RangeForm, refusal: DomainError) -> None:
    """Each wrong part beside its field, or the sentence above all of them."""
    for name, lines in refusal.fields.items():
        for line in lines:
            form.add_error(name if name in form.fields else None, line)
    if not refusal.fields:
        form.add_error(None, str(refusal))
