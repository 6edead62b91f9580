"""Settings › Notifications: four tabs, saved cell by cell.

Every door here answers twice: to the page's own script with the pieces that changed (see static/js/elements/
preference-grid.js), and without scripts with a message and the page again.
"""

import time
from collections.abc import Iterable
from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.templatetags.static import static
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from accounts import plans
from accounts.access import MemberRequest, member_required
from accounts.errors import DomainError
from accounts.pace import TooOften
from accounts.plans import Feature
from notifications import caps, channels, examples, grid, hearing, phones, preferences, types
from notifications.channels.base import Channel
from notifications.forms import CellForm, GridForm, OptionsForm, SwitchForm, TopicForm
from notifications.grid import Tab
from notifications.models import BrowserSubscription, MemberSettings
from notifications.other_apps import connecting
from notifications.push import keys
from notifications.types.base import NotificationType

CLEARED = "cleared_preferences"  # session key: when, and what stood before “Clear all”, by member
UNDO_FOR = 3600  # seconds for which the undo is offered


@member_required
@require_safe
def start(request: MemberRequest) -> HttpResponse:
    """The settings icon leads to the first tab."""
    return redirect(_url(request, grid.EMAIL))


@member_required
@never_cache
def email(request: MemberRequest) -> HttpResponse:
    """The E-mail tab (N-015)."""
    return _grid_page(request, grid.EMAIL)


@member_required
@never_cache
def desktop(request: MemberRequest) -> HttpResponse:
    """The Desktop tab: bell, pop-up and browser (N-018)."""
    return _grid_page(request, grid.DESKTOP)


@member_required
@never_cache
def other_apps(request: MemberRequest) -> HttpResponse:
    """The Other apps tab (N-039): a card per app, and a column for each that the member connected."""
    return _grid_page(request, grid.OTHER_APPS)


@member_required
@never_cache
def phone(request: MemberRequest) -> HttpResponse:
    """The installed application's own settings (N-038)."""
    return _grid_page(request, grid.PHONE)


def _grid_page(request: MemberRequest, tab: Tab) -> HttpResponse:
    """A tab with cells. A POST is the whole page sent without scripts."""
    if request.method == "POST":
        kept = preferences.choose_what_may_be(request.member, GridForm(request.POST).changes())
        if kept:
            messages.warning(request, _("Saved, except for what has been locked or taken away meanwhile."))
        else:
            messages.success(request, _("Your choices are saved."))
        return redirect(_url(request, tab))
    tab = grid.for_member(tab, request.member)
    standing = preferences.standing(request.member)
    heard = hearing.of(request.member, standing.settings) if tab is grid.DESKTOP else None
    context = frame(request, tab) | {
        "sections": grid.sections(standing, tab, used=caps.used_today(request.member, tab.channels), heard=heard),
        "daily_limit": _daily_limit(tab),
        "elsewhere": grid.elsewhere(standing, tab),
        "settings": standing.settings,
        "switches": _switches(tab, standing.settings),
        "browsers": _browsers(request) if tab is grid.DESKTOP else (),
        "phones": phones.of(request.user) if tab is grid.PHONE else (),
        "push_key": keys.public(),
        "apps": connecting.standings(request.member) if tab.key == grid.OTHER_APPS.key else (),
        "can_undo": _cleared(request) is not None,
        "has_admin_layers": plans.has(request.account.plan, Feature.DEFAULT_PREFERENCES),
        "plan_sentence": plans.sentence(Feature.DEFAULT_PREFERENCES),
    }
    if heard is not None:
        context["picker"] = grid.default_sound(heard)
    return render(request, f"notifications/settings/{tab.key.replace('-', '_')}.html", context)


@member_required
@require_POST
def cell(request: MemberRequest, tab: str) -> HttpResponse:
    """Turn one cell on or off, or give it back to the layer below (N-008, N-009)."""
    form = CellForm(request.POST)
    if not form.is_valid():
        return _refused(request, _tab(tab), _first_error(form), status=422)
    type_key, channel_key, is_on = form.cleaned_data["set"]
    try:
        preferences.choose(request.member, {(type_key, channel_key): is_on})
    except DomainError as error:
        return _refused(request, _tab(tab), str(error), status=error.status, only=[type_key])
    said = _("Saved. This follows its default again.") if is_on is None else _("Saved")
    return _saved(request, _tab(tab), said, only=[type_key])


@member_required
@require_POST
def topic(request: MemberRequest, tab: str) -> HttpResponse:
    """Turn a whole topic on or off, on one channel."""
    form = TopicForm(request.POST)
    if not form.is_valid():
        return _refused(request, _tab(tab), _first_error(form), status=422)
    topic_key, channel_key, is_on = form.cleaned_data["topic"]
    try:
        preferences.choose_topic(request.member, topic_key, channel_key, on=is_on)
    except DomainError as error:
        return _refused(request, _tab(tab), str(error), status=error.status)
    changed = [kind.key for kind in preferences.kinds_for(request.member) if kind.topic.key == topic_key]
    return _saved(request, _tab(tab), _("Saved"), only=changed)


@member_required
@require_POST
def switch(request: MemberRequest, tab: str) -> HttpResponse:
    """The master switch of a channel (N-015, N-018)."""
    form = SwitchForm(request.POST)
    if not form.is_valid():
        return _refused(request, _tab(tab), _first_error(form), status=422)
    channel_key, is_on = form.cleaned_data["channel"], form.cleaned_data["on"]
    preferences.switch(request.member, channel_key, on=is_on)
    label = channels.CHANNELS[channel_key].label
    said = _("Saved. %(channel)s is on.") if is_on else _("Saved. %(channel)s is off.")
    return _saved(request, _tab(tab), said % {"channel": label})


@member_required
@require_POST
def option(request: MemberRequest, tab: str) -> HttpResponse:
    """The red dot in the tab (N-021), the sound of pop-ups (N-024), one's own acts, pushes with no tab open (D4)."""
    form = OptionsForm(request.POST)
    if not form.is_valid():
        return _refused(request, _tab(tab), _first_error(form), status=422)
    preferences.set_options(request.member, **{form.cleaned_data["option"]: form.cleaned_data["on"]})
    return _saved(request, _tab(tab), _("Saved"), only=[])


@member_required
@require_POST
def clear(request: MemberRequest, tab: str) -> HttpResponse:
    """Turn everything off that may be off (N-010), and keep what stood before for an undo.

    Where all was off already, the earlier undo stays: from another tab it is one act to people.
    """
    before = preferences.clear(request.member)
    if before is None:
        messages.info(request, _("Everything was turned off already."))
        return redirect(_url(request, _tab(tab)))
    kept = {"at": time.time(), "before": before}
    request.session[CLEARED] = {**request.session.get(CLEARED, {}), str(request.member.pk): kept}
    return redirect(_url(request, _tab(tab)))


@member_required
@require_POST
def restore(request: MemberRequest, tab: str) -> HttpResponse:
    """Undo the last “Clear all”. Without one, or with `forget`, nothing changes but the offer is gone."""
    before = _cleared(request)
    others = {key: kept for key, kept in request.session.get(CLEARED, {}).items() if key != str(request.member.pk)}
    request.session[CLEARED] = others
    if before is not None and "forget" not in request.POST:
        preferences.restore(request.member, before)
        messages.success(request, _("Your choices are as they were before."))
    return redirect(_url(request, _tab(tab)))


@member_required
@require_POST
def example(request: MemberRequest, type_key: str) -> HttpResponse:
    """Send the member an example of a type and say where it will arrive."""
    kind = types.get(type_key)
    if kind is None:
        raise Http404
    try:
        sent = examples.send(kind, to=request.member)
    except TooOften as refusal:
        return _held_back(request, kind, refusal)
    except DomainError as error:
        raise Http404 from error
    why = reverse("notifications:why", kwargs={"hub_id": request.account.hub_id, "event_id": sent.event.pk})
    if _wants_pieces(request):
        context = {"sentence": sent.sentence, "row_anchor": grid.anchor(kind.key), "why": why}
        return render(request, "notifications/settings/_example.html", context)
    messages.info(request, sent.sentence)
    return redirect(why)


def _held_back(request: MemberRequest, kind: NotificationType, refusal: TooOften) -> HttpResponse:
    if _wants_pieces(request):
        context = {"sentence": str(refusal), "row_anchor": grid.anchor(kind.key)}
        return render(request, "notifications/settings/_example.html", context, status=refusal.status)
    messages.error(request, str(refusal))
    return redirect("notifications:settings", hub_id=request.account.hub_id)


def _cleared(request: MemberRequest) -> dict[str, tuple[int, int]] | None:
    """What the member had chosen before they cleared it all within the last hour."""
    kept = request.session.get(CLEARED, {}).get(str(request.member.pk))
    if kept is None or time.time() - kept["at"] > UNDO_FOR:
        return None
    return {key: (chosen, on) for key, (chosen, on) in kept["before"].items()}


def _tab(key: str) -> Tab:
    if key not in (grid.EMAIL.key, grid.DESKTOP.key, grid.OTHER_APPS.key, grid.PHONE.key):
        raise Http404
    return grid.PAGES[key]


def _url(request: MemberRequest, tab: Tab) -> str:
    return reverse(f"notifications:settings-{tab.key}", kwargs={"hub_id": request.account.hub_id})


def frame(request: MemberRequest, tab: Tab | None) -> dict[str, Any]:
    """What every tab's page has; None for a page beside the tabs."""
    shown = "" if tab is None else grid.MOBILE.key if tab is grid.PHONE else tab.key
    tabs = [
        {"url": _url(request, each), "label": each.label, "is_current": each.key == shown}
        for each in grid.TABS.values()
    ]
    grid_urls = {
        f"{name}_url": reverse(f"notifications:settings-{name}", args=[request.account.hub_id, tab.key])
        for name in ("cell", "topic")
        if tab is not None
    }
    return {
        "tab": tab,
        "tabs": tabs,
        "account": request.account,
        "member": request.member,
        "settings_url": reverse("notifications:settings", args=[request.account.hub_id]),
        "icons": static("img/icons.svg"),
        **grid_urls,
    }


def _browsers(request: MemberRequest) -> QuerySet[BrowserSubscription]:
    return request.user.browser_subscriptions.filter(is_phone=False).order_by("-seen_at")


def _switches(tab: Tab, settings: MemberSettings) -> list[tuple[Channel, bool]]:
    return [(channel, not settings.switched_off & channel.bit) for channel in tab.channels]


def _daily_limit(tab: Tab) -> str:
    """The most of one kind that a day brings over the tab's channels; nothing where none is limited."""
    limits = [cap.limit for cap in map(caps.of, tab.channels) if cap]
    return caps.grouped(min(limits)) if limits else ""


def _wants_pieces(request: MemberRequest) -> bool:
    return request.headers.get("X-Requested-With") == "preference-grid"


def _saved(request: MemberRequest, tab: Tab, said: str, *, only: Iterable[str] | None = None) -> HttpResponse:
    """The pieces of the page that a change touched: the cells of `only` these types, or all, and their counts."""
    if not _wants_pieces(request):
        messages.success(request, said)
        return redirect(_url(request, tab))
    return _pieces(request, tab, said, only, status=200)


def _refused(request: MemberRequest, tab: Tab, sentence: str, *, status: int, only: Iterable[str] = ()) -> HttpResponse:
    """The refusal in words, and the cells as they really stand."""
    if not _wants_pieces(request):
        messages.error(request, sentence)
        return redirect(_url(request, tab))
    return _pieces(request, tab, sentence, only, status=status)


def _pieces(request: MemberRequest, tab: Tab, said: str, only: Iterable[str] | None, *, status: int) -> HttpResponse:
    tab, wanted = grid.for_member(tab, request.member), None if only is None else set(only)
    touched = [topic for topic in types.TOPICS if wanted is None or any(key in wanted for key in topic.types)]
    kinds = [kind for kind in preferences.kinds_for(request.member) if kind.topic in touched]
    standing = preferences.standing(request.member, kinds)
    found = grid.sections(standing, tab, topics=touched)
    context = frame(request, tab) | {
        "said": said,
        "sections": found,
        "rows": [row for section in found for row in section.rows if wanted is None or row.kind.key in wanted],
        "switches": _switches(tab, standing.settings),
    }
    return render(request, "notifications/settings/_pieces.html", context, status=status)


def _first_error(form: Any) -> str:
    return str(next(iter(form.errors.values()))[0])
