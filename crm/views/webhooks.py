"""Webhooks on change: super admins register endpoints and look after them; everybody else sees that there are some."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import wraps
from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache

from accounts.access import MemberRequest, member_required
from accounts.errors import DomainError
from accounts.models import Account
from accounts.sealing import Unreadable
from crm import schema
from crm.models import Webhook, What
from crm.views.doors import BOTH, READ, WRITE, refused
from crm.webhooks import looking_back, registering
from notifications import standard_webhooks

FIELDS = {"kinds": "kinds", "happenings": "whats", "url": "url"}  # what refusals name, and the field of the form


class WebhookForm(forms.Form):
    """Where to post, and what. Whether the address leads anywhere is decided further in."""

    url = forms.CharField(
        label=gettext_lazy("Address of the endpoint"),
        help_text=gettext_lazy("An https address on the public internet, port 443 or 8443."),
        max_length=2000,
        widget=forms.TextInput(
            attrs={
                "placeholder": "https://example.com/hooks/bellhop",
                "autocomplete": "off",
                "spellcheck": "false",
                "inputmode": "url",
            }
        ),
    )
    kinds = forms.MultipleChoiceField(
        label=gettext_lazy("Kinds of records"),
        help_text=gettext_lazy("Tick none for all, also those that come later."),
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    whats = forms.MultipleChoiceField(
        label=gettext_lazy("What happens to them"),
        help_text=gettext_lazy("Tick none for everything."),
        choices=What.choices,
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )

    def __init__(self, *given: Any, account: Account, **named: Any) -> None:
        super().__init__(*given, **named)
        field = self.fields["kinds"]
        assert isinstance(field, forms.MultipleChoiceField)
        field.choices = [(key, str(kind.plural)) for key, kind in schema.of(account).items()]


@dataclass(frozen=True)
class Shown:
    """An endpoint as the list shows it."""

    webhook: Webhook
    kinds: list[str]  # none: all
    whats: list[str]

    @property
    def where(self) -> str:
        return standard_webhooks.where(self.webhook.url)


def _door(*methods: str, is_open: bool = False) -> Callable[[Callable[..., HttpResponse]], Callable[..., HttpResponse]]:
    """Open a page to super admins of the account. Other members are led to the list, which is `is_open` to them."""

    def door(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
        @wraps(view)
        def guarded(request: MemberRequest, /, **kwargs: Any) -> HttpResponse:
            if "webhook_id" in kwargs:
                found = _rows(request).filter(pk=kwargs.pop("webhook_id")).first()
                if found is None:
                    raise Http404
                kwargs["webhook"] = found
            if request.method not in methods:
                return HttpResponseNotAllowed(methods)
            if not is_open and not request.member.is_super_admin:
                messages.error(request, _("Only super admins look after webhooks."))
                return redirect("crm:webhooks", hub_id=request.account.hub_id)
            return view(request, **kwargs)

        return never_cache(member_required(guarded))

    return door


@_door(*READ, is_open=True)
def every(request: MemberRequest) -> HttpResponse:
    """The endpoints of the account. Who is no super admin sees no whole addresses."""
    kinds = schema.of(request.account)
    labels = dict(What.choices)
    shown = [
        Shown(
            one,
            [str(kinds[key].plural) if key in kinds else key for key in one.kinds],
            [str(labels[What(key)]) for key in one.whats],
        )
        for one in _rows(request).order_by("pk")
    ]
    context = {"shown": shown, "may_change": request.member.is_super_admin}
    return render(request, "crm/webhooks.html", context)


@_door(*BOTH)
def new(request: MemberRequest) -> HttpResponse:
    """Register an endpoint; its secret is shown this once."""
    form = WebhookForm(request.POST or None, account=request.account)
    if request.method == "POST" and form.is_valid():
        try:
            webhook, key = registering.register(request.account, by=request.member, **form.cleaned_data)
        except DomainError as refusal:
            _point_out(form, refusal)
        else:
            return _page(request, webhook, shown_once=key)
    return render(request, "crm/webhook_new.html", {"form": form}, status=422 if form.errors else 200)


@_door(*BOTH)
def one(request: MemberRequest, webhook: Webhook) -> HttpResponse:
    """How an endpoint does, its log, and what can be changed."""
    if request.method != "POST":
        return _page(request, webhook)
    form = WebhookForm(request.POST, account=request.account)
    if form.is_valid():
        try:
            registering.change(webhook, by=request.member, **form.cleaned_data)
        except DomainError as refusal:
            _point_out(form, refusal)
        else:
            messages.success(request, _("Saved."))
            return _back(webhook)
    return _page(request, webhook, form=form)


@_door(*WRITE)
def test(request: MemberRequest, webhook: Webhook) -> HttpResponse:
    """Send a test and say what became of it."""
    return _done(request, webhook, lambda: looking_back.send_test(webhook, by=request.member), _("The test was taken."))


@_door(*WRITE)
def rotate(request: MemberRequest, webhook: Webhook) -> HttpResponse:
    """A new signing secret, shown this once."""
    try:
        key = registering.rotate(webhook, by=request.member)
    except DomainError as refusal:
        refused(request, refusal)
        return _back(webhook)
    webhook.refresh_from_db()
    return _page(request, webhook, shown_once=key)


@_door(*WRITE)
def turn(request: MemberRequest, webhook: Webhook) -> HttpResponse:
    """Turn it on or off."""
    is_on = request.POST.get("to") == "on"
    said = _("It is on.") if is_on else _("It is off: what happens meanwhile is not posted, now or later.")
    return _done(request, webhook, lambda: registering.change(webhook, by=request.member, is_on=is_on), said)


@_door(*WRITE)
def again(request: MemberRequest, webhook: Webhook) -> HttpResponse:
    """Send one message that failed again, or all of them."""
    if request.POST.get("all"):
        said = _("They go out again in a moment.")
        return _done(request, webhook, lambda: looking_back.send_all_again(webhook, by=request.member), said)
    post = _number(request.POST.get("post", ""))
    said = _("It goes out again in a moment.")
    return _done(request, webhook, lambda: looking_back.send_again(webhook, post, by=request.member), said)


@_door(*WRITE)
def remove(request: MemberRequest, webhook: Webhook) -> HttpResponse:
    registering.remove(webhook, by=request.member)
    messages.success(request, _("The webhook to %(where)s is gone.") % {"where": looking_back.where(webhook)})
    return redirect("crm:webhooks", hub_id=request.account.hub_id)


def _page(
    request: MemberRequest, webhook: Webhook, *, form: WebhookForm | None = None, shown_once: str = ""
) -> HttpResponse:
    before = _number(request.GET.get("before", "")) or None
    initial = {"url": webhook.url, "kinds": webhook.kinds, "whats": webhook.whats}
    context = {
        "webhook": webhook,
        "where": looking_back.where(webhook),
        "form": form or WebhookForm(initial=initial, account=request.account),
        "is_open": form is not None,
        "shown_once": shown_once,
        "old_until": _old_until(webhook),
        "waiting": looking_back.waiting(webhook),
        "failed": looking_back.failed(webhook),
        "log": looking_back.log_of(webhook, before=before),
        "is_first_page": before is None,
    }
    return render(request, "crm/webhook.html", context, status=422 if form is not None else 200)


def _rows(request: MemberRequest) -> Any:
    return Webhook.objects.filter(account=request.account).select_related("account")


def _done(request: MemberRequest, webhook: Webhook, work: Callable[[], object], said: str) -> HttpResponse:
    """Carry something out, tell in a message what came of it, and show the page again."""
    try:
        work()
    except DomainError as refusal:
        refused(request, refusal)
    else:
        messages.success(request, said)
    return _back(webhook)


def _back(webhook: Webhook) -> HttpResponse:
    return redirect("crm:webhook", hub_id=webhook.account.hub_id, webhook_id=webhook.pk)


def _point_out(form: WebhookForm, refusal: DomainError) -> None:
    for name, lines in refusal.fields.items():
        for line in lines:
            form.add_error(FIELDS.get(name), line)
    if not refusal.fields:
        form.add_error(None, str(refusal))


def _old_until(webhook: Webhook) -> datetime | None:
    try:
        return standard_webhooks.old_until(registering.opened(webhook))
    except Unreadable:
        return None


def _number(given: str) -> int:
    return int(given) if given.isascii() and given.isdecimal() and len(given) < 19 else 0
