"""The bell and the page of all notifications.

Every POST answers twice: to htmx with a sentence and the new state as the event `bell:state`, which live.js hands
on to everything on the page; without scripts with a message and the page again.
"""

from collections.abc import Callable, Sequence

from django import forms
from django.http import Http404, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import redirect, render
from django.urls import Resolver404, resolve, reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from accounts.access import MemberRequest, member_required
from accounts.errors import DomainError
from accounts.models import Membership
from notifications import bell, lines, muting, preferences, sounds
from notifications.channels import CHANNELS
from notifications.lines import Filters
from notifications.live import Marks
from notifications.models import BELL
from notifications.views import answering
from notifications.views.answering import SURFACES
from notifications.views.quiet import choices

IN_PANEL = 20
ON_PAGE = 25
MOST_AT_ONCE = 200
BIGGEST_ID = 2**63 - 1


@member_required
@require_safe
@never_cache
def panel(request: MemberRequest) -> HttpResponse:
    """What opens under the bell (N-020)."""
    page = lines.page(request.member, size=IN_PANEL)
    return render(request, "notifications/_panel.html", {"page": page, "surface": "bell", "moments": choices(request)})


@member_required
@require_safe
@never_cache
def state(request: MemberRequest) -> HttpResponse:
    """The state that the socket would tell, for browsers that cannot keep one open; see docs/SOCKET.md.

    `shown`: events that a page shows, by their ids; the answer's `marks` say how they stand.
    """
    answer = answering.state(request.member)
    if shown := request.GET.get("shown", ""):
        ids = [_id(int(one)) for one in shown.split(",")[:MOST_AT_ONCE] if one.isdecimal()]
        answer["marks"] = lines.standing(request.member, ids).as_json()
    return JsonResponse(answer)


class FilterForm(forms.Form):
    """What the page of all notifications shows. Whatever makes no sense is ignored, not refused."""

    topic = forms.CharField(required=False, max_length=80)
    unread = forms.BooleanField(required=False)
    archived = forms.BooleanField(required=False)
    q = forms.CharField(required=False, max_length=lines.LONGEST_SEARCH)
    before = forms.IntegerField(required=False, min_value=1, max_value=BIGGEST_ID)
    day = forms.DateField(required=False)


@member_required
@require_safe
@never_cache
def listing(request: MemberRequest) -> HttpResponse:
    """All notifications: by topic, unread, archived, by words; a page at a time."""
    form = FilterForm(request.GET)
    form.is_valid()
    given = form.cleaned_data
    topics = {kind.topic.key: kind.topic for kind in preferences.kinds_for(request.member)}
    filters = Filters(
        topic=given.get("topic", "") if given.get("topic") in topics else "",
        only_unread=given.get("unread", False),
        archived=given.get("archived", False),
        search=given.get("q", ""),
    )
    before = given.get("before")
    page = lines.page(request.member, filters, before=before, size=ON_PAGE)
    context = {
        "page": page,
        "surface": "list",
        "filters": filters,
        "topics": topics.values(),
        "is_first_page": before is None,
        "shown_day": given.get("day"),
        "next_url": _url_with(request, before=page.next_before, day=page.days[-1].on) if page.next_before else "",
        "newest_url": _url_with(request, before=None, day=None),
    }
    is_more = (
        before is not None and "HX-Request" in request.headers and "HX-History-Restore-Request" not in request.headers
    )
    return render(request, "notifications/_days.html" if is_more else "notifications/list.html", context)


def _url_with(request: MemberRequest, **given: object) -> str:
    """This page's address with some of its query changed; None takes a part out."""
    query = request.GET.copy()
    for name, value in given.items():
        query.pop(name, None)
        if value is not None:
            query[name] = str(value)
    return f"{request.path}?{query.urlencode()}" if query else request.path


@member_required
@require_safe
@never_cache
def open_one(request: MemberRequest, event_id: int) -> HttpResponse:
    """Go where a notification leads, and mark it read. A browser that only looks ahead changes nothing."""
    row = lines.one(request.member, _id(event_id))
    if row is None:
        raise Http404
    if "prefetch" not in request.headers.get("Sec-Purpose", request.headers.get("Purpose", "")):
        bell.mark_read(request.member, [row.event_id])
    url = str(row.event.data.get("url", ""))
    if _leads_somewhere(url):
        return HttpResponseRedirect(url)
    return redirect("notifications:why", hub_id=request.account.hub_id, event_id=row.event_id)


def _leads_somewhere(url: str) -> bool:
    """Whether there is a page: another site's, or one of ours. The why page stands in for what is gone."""
    if not url.startswith("/"):
        return url.startswith(("https://", "http://"))
    try:
        resolve(url.partition("?")[0].partition("#")[0])
    except Resolver404:
        return False
    return not url.startswith("//")


@member_required
@require_safe
@never_cache
def menu(request: MemberRequest, event_id: int) -> HttpResponse:
    """What one can do about a notification and its kind (N-011), for the surface it was met on."""
    surface = request.GET.get("at", "bell")
    notification = lines.one(request.member, _id(event_id))
    if notification is None or surface not in SURFACES:
        raise Http404
    channel = CHANNELS[SURFACES[surface]]
    cell = muting.cell_of(request.member, notification.event.type, channel.key)
    settings = reverse("notifications:settings-desktop", kwargs={"hub_id": request.account.hub_id})
    context = {
        "notification": notification,
        "may_snooze": bool(notification.channels & BELL),
        "moments": choices(request),
        "surface": surface,
        "channel": channel,
        "cell": cell,
        "audible": muting.audible(request.member, notification.event.type),
        "settings_url": f"{settings}#type-{notification.event.type.replace('.', '-')}",
    }
    return render(request, "notifications/_menu.html", context)


class MuteForm(forms.Form):
    """One cell, and what it should become."""

    type = forms.CharField(max_length=80)
    at = forms.ChoiceField(choices=[(key, key) for key in SURFACES])
    to = forms.ChoiceField(choices=[(key, key) for key in muting.CHOICES])


@member_required
@require_POST
def mute(request: MemberRequest) -> HttpResponse:
    """Turn a type off where it was met (N-012), say so, and offer the way back."""
    form = MuteForm(request.POST)
    if not form.is_valid():
        return answering.refused(request, _("Say which kind of notification, and where."), status=422)
    surface = form.cleaned_data["at"]
    try:
        muted = muting.set_one(request.member, form.cleaned_data["type"], SURFACES[surface], form.cleaned_data["to"])
    except DomainError as error:
        return answering.refused(request, str(error), status=error.status)
    words = {"label": muted.kind.label}
    if surface == "popup":
        said = _("Pop-ups for “%(label)s” are on.") if muted.is_on else _("No more pop-ups for “%(label)s”.")
    else:
        said = (
            _("“%(label)s” shows under the bell.")
            if muted.is_on
            else _("“%(label)s” will not show under the bell anymore.")
        )
    undo = {"url": reverse("notifications:mute", kwargs={"hub_id": request.account.hub_id})}
    fields = {"type": muted.kind.key, "at": surface, "to": muted.undo}
    return answering.done(request, said % words, undo=undo | {"fields": list(fields.items())} if muted.undo else None)


class SoundForm(forms.Form):
    """One type, and what it should sound like."""

    type = forms.CharField(max_length=80)
    at = forms.ChoiceField(choices=[(key, key) for key in SURFACES])
    to = forms.ChoiceField(choices=[(key, key) for key in (*sounds.KEYS, "default", "on")])


@member_required
@require_POST
def sound(request: MemberRequest) -> HttpResponse:
    """Silence the pop-ups of a type or let them be heard again (N-013), say so, and offer the way back."""
    form = SoundForm(request.POST)
    if not form.is_valid():
        return answering.refused(
            request, _("Say which kind of notification, and what it should sound like."), status=422
        )
    try:
        done = muting.set_sound(request.member, form.cleaned_data["type"], form.cleaned_data["to"])
    except DomainError as error:
        return answering.refused(request, str(error), status=error.status)
    said = _("“%(label)s” makes a sound.") if done.is_on else _("“%(label)s” makes no sound anymore.")
    fields = {"type": done.kind.key, "at": form.cleaned_data["at"], "to": done.undo}
    undo = {"url": reverse("notifications:sound", kwargs={"hub_id": request.account.hub_id})}
    return answering.done(request, said % {"label": done.kind.label}, undo=undo | {"fields": list(fields.items())})


@member_required
@require_POST
def read(request: MemberRequest) -> HttpResponse:
    """Mark notifications read."""
    return _each(request, bell.mark_read, lambda ids: Marks(read=ids))


@member_required
@require_POST
def unread(request: MemberRequest) -> HttpResponse:
    """Mark notifications unread again."""
    return _each(request, bell.mark_unread, lambda ids: Marks(unread=ids))


@member_required
@require_POST
def archive(request: MemberRequest) -> HttpResponse:
    """Put notifications away, with a way back."""

    def words(count: int) -> str:
        return ngettext("%(count)d notification archived.", "%(count)d notifications archived.", count) % {
            "count": count
        }

    return _each(
        request, bell.archive, lambda ids: Marks(read=ids, archived=ids), words, undo="notifications:unarchive"
    )


@member_required
@require_POST
def unarchive(request: MemberRequest) -> HttpResponse:
    """Take notifications back out of the archive."""

    def words(count: int) -> str:
        return ngettext(
            "%(count)d notification is back under the bell.", "%(count)d notifications are back under the bell.", count
        ) % {"count": count}

    return _each(request, bell.unarchive, lambda ids: Marks(unarchived=ids), words)


@member_required
@require_POST
def read_all(request: MemberRequest) -> HttpResponse:
    """Mark everything read up to the newest one that the reader saw."""
    given = request.POST.get("up_to", "")
    if not given.isdecimal() or int(given) > BIGGEST_ID:
        return answering.refused(request, _("Say up to which notification."), status=422)
    count = bell.mark_all_read(request.member, up_to=int(given))
    said = ngettext("%(count)d notification marked as read.", "%(count)d notifications marked as read.", count)
    return answering.done(request, said % {"count": count}, marks=Marks(read_up_to=int(given)))


def _each(
    request: MemberRequest,
    act: Callable[[Membership, Sequence[int]], int],
    marks: Callable[[list[int]], Marks],
    words: Callable[[int], str] | None = None,
    *,
    undo: str = "",
) -> HttpResponse:
    """Do something with the notifications named by `ids`. Those of others are not there."""
    given = request.POST.getlist("ids")
    if not given:
        return answering.refused(request, _("Choose at least one notification first."), status=422)
    if len(given) > MOST_AT_ONCE:
        sentence = _("At most %(most)d notifications can be changed at once.") % {"most": MOST_AT_ONCE}
        return answering.refused(request, sentence, status=422)
    wanted = [_id(int(one)) for one in given if one.isdecimal()]
    ids = list(bell.of(request.member).filter(event_id__in=wanted).values_list("event_id", flat=True))
    if not ids:
        raise Http404
    act(request.member, ids)
    back = None
    if undo:
        url = reverse(undo, kwargs={"hub_id": request.account.hub_id})
        back = {"url": url, "fields": [("ids", one) for one in ids] + [("at", request.POST.get("at", ""))]}
    return answering.done(request, words(len(ids)) if words else "", marks=marks(ids), undo=back)


def _id(given: int) -> int:
    if given > BIGGEST_ID:
        raise Http404
    return given
