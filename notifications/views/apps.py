"""Other apps (N-039): connecting one, a test, taking it away; Slack's way there and back; the webhook's own page."""

import secrets
import time
from hmac import compare_digest
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from accounts.access import MemberRequest, member_required, membership_of
from accounts.errors import DomainError
from accounts.models import User
from accounts.sealing import Unreadable
from notifications import channels, grid
from notifications.channels.connected import Connected
from notifications.models import Connection
from notifications.other_apps import connecting, slack, webhook_log, webhooks
from notifications.other_apps.connecting import NotConnected, Standing
from notifications.other_apps.speaking import App
from notifications.views import settings as pages

SLACK_STATE = "slack_state"  # session key: the state that Slack must bring back, the account it is for, and when
SLACK_TAKES = 600  # seconds that a member may take at Slack


class OfferForm(forms.Form):
    """What an app asks for. Whether it leads anywhere is decided further in."""

    def __init__(self, *given: Any, app: App, **named: Any) -> None:
        super().__init__(*given, **named)
        for blank in app.blanks:
            self.fields[blank.name] = forms.CharField(
                label=blank.label,
                help_text=blank.help,
                max_length=2000,
                widget=forms.TextInput(
                    attrs={"placeholder": blank.placeholder, "autocomplete": "off", "spellcheck": "false"}
                ),
            )


@member_required
@never_cache
def one(request: MemberRequest, app: str) -> HttpResponse:
    """One app: how to connect it, and once it is, how it stands."""
    channel = _channel(app)
    form = OfferForm(request.POST or None, app=channel.app)
    if request.method == "POST" and form.is_valid():
        try:
            made = connecting.connect(request.member, channel, form.cleaned_data)
        except DomainError as refusal:
            _point_out(form, refusal)
        else:
            if made.shown_once:
                return _page(request, channel, form=None, shown_once=made.shown_once)
            messages.success(request, _("%(app)s is connected. Send a test to see it work.") % {"app": channel.label})
            return redirect(_url(request, channel))
    return _page(request, channel, form=form)


@member_required
@require_POST
def test(request: MemberRequest, app: str) -> HttpResponse:
    """Send a test and say what became of it."""
    return _done(request, _channel(app), lambda channel: connecting.send_test(request.member, channel))


@member_required
@require_POST
def disconnect(request: MemberRequest, app: str) -> HttpResponse:
    """Take an app away again."""
    channel = _channel(app)
    try:
        connecting.disconnect(request.member, channel)
    except DomainError as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, _("%(app)s is disconnected and forgotten.") % {"app": channel.label})
    return redirect(_tab_url(request.account.hub_id))


@member_required
@require_POST
@never_cache
def rotate(request: MemberRequest) -> HttpResponse:
    """A new signing secret, shown this once."""
    channel = webhooks.webhook()
    try:
        new = webhooks.rotate(request.member)
    except DomainError as refusal:
        messages.error(request, str(refusal))
        return redirect(_url(request, channel))
    return _page(request, channel, form=None, shown_once=new)


@member_required
@require_POST
def again(request: MemberRequest) -> HttpResponse:
    """Send what failed again."""
    given = request.POST.get("attempt", "")
    number = int(given) if given.isascii() and given.isdecimal() and len(given) < 18 else 0

    def send(_channel: Connected) -> str:
        webhook_log.send_again(request.member, number)
        return _("It goes out again in a moment.")

    return _done(request, webhooks.webhook(), send)


@member_required
@require_safe
@never_cache
def slack_start(request: MemberRequest) -> HttpResponse:
    """Off to Slack, with a state that only this session brings back for this account."""
    channel = _channel("slack")
    if missing := channel.app.missing():
        messages.error(request, missing)
        return redirect(_tab_url(request.account.hub_id))
    state = secrets.token_urlsafe(32)
    request.session[SLACK_STATE] = {"state": state, "hub_id": request.account.hub_id, "at": time.time()}
    return HttpResponseRedirect(slack.authorize_url(state))


@login_required
@require_safe
@never_cache
def slack_callback(request: HttpRequest) -> HttpResponse:
    """Back from Slack. What does not carry the state of this session connects nothing."""
    assert isinstance(request.user, User)
    known = request.session.pop(SLACK_STATE, None) or {"state": "", "hub_id": 0, "at": 0}
    member = membership_of(request.user, known["hub_id"])
    is_ours = compare_digest(known["state"].encode(), request.GET.get("state", "").encode(errors="replace"))
    if member is None or not known["state"] or not is_ours or time.time() - known["at"] > SLACK_TAKES:
        messages.error(request, _("This answer of Slack does not belong to your session. Connect Slack once more."))
        return redirect(_tab_url(member.account.hub_id) if member else "/")
    channel = _channel("slack")
    try:
        made = connecting.keep(member, channel, slack.exchange(request.GET.get("code", "")))
    except DomainError as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, _("Slack is connected: %(team)s.") % {"team": made.connection.label})
    return redirect(_tab_url(member.account.hub_id))


# --- Pieces


def _page(request: MemberRequest, channel: Connected, *, form: OfferForm | None, shown_once: str = "") -> HttpResponse:
    connection = request.member.connections.filter(channel=channel.key).first()
    context = pages.frame(request, grid.OTHER_APPS) | {
        "app": Standing(channel, connection),
        "connection": connection,
        "form": form or OfferForm(app=channel.app),
        "is_open": form is not None and form.is_bound,
        "shown_once": shown_once,
        "back_url": _tab_url(request.account.hub_id),
    }
    if connection is not None and channel.key == webhook_log.KEY:
        context |= {"log": webhook_log.lines(connection), "old_until": _old_until(connection)}
    return render(request, "notifications/settings/app.html", context)


def _old_until(connection: Connection) -> object:
    try:
        return webhooks.old_until(connection)
    except Unreadable:
        return None


def _done(request: MemberRequest, channel: Connected, work: Any) -> HttpResponse:
    """Carry something out, tell in a message what came of it, and show the app's page again."""
    try:
        messages.success(request, work(channel))
    except NotConnected as refusal:
        messages.error(request, str(refusal))
        return redirect(_tab_url(request.account.hub_id))
    except DomainError as refusal:
        messages.error(request, str(refusal))
    return redirect(_url(request, channel))


def _point_out(form: OfferForm, refusal: DomainError) -> None:
    for name, lines in refusal.fields.items():
        for line in lines:
            form.add_error(name if name in form.fields else None, line)
    if not refusal.fields:
        form.add_error(None, str(refusal))


def _channel(key: str) -> Connected:
    if key not in channels.APP:
        raise Http404
    return channels.APP[key]


def _url(request: MemberRequest, channel: Connected) -> str:
    return reverse("notifications:app", kwargs={"hub_id": request.account.hub_id, "app": channel.key})


def _tab_url(hub_id: int) -> str:
    return reverse("notifications:settings-other-apps", kwargs={"hub_id": hub_id})
