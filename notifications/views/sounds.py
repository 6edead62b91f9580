"""Settings › Notifications › Desktop: the sound of all pop-ups (N-033) and of single types (N-035).

Like the doors of views/settings.py these answer twice: to the page's script with pieces, and without it as pages.
"""

from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from accounts.access import MemberRequest, member_required
from accounts.errors import DomainError
from notifications import grid, hearing, preferences, types
from notifications.forms import SoundForm
from notifications.types.base import NotificationType
from notifications.views import settings as page


@member_required
@require_POST
def default(request: MemberRequest) -> HttpResponse:
    """Set the sound of all pop-ups that have none of their own."""
    form = SoundForm(request.POST)
    if not form.is_valid():
        return page._refused(request, grid.DESKTOP, page._first_error(form), status=422)
    hearing.set_default(request.member, form.cleaned_data["sound"] or None)
    return page._saved(request, grid.DESKTOP, _("Saved"), only=[])


@member_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def of_type(request: MemberRequest, type_key: str) -> HttpResponse:
    """Show and set the sound of one type. The grid unfolds this under the type's row."""
    kind = types.get(type_key)
    if kind is None or not preferences.is_for(kind, request.member) or not hearing.has_sound(kind):
        raise Http404
    if request.method == "POST":
        return _set(request, kind)
    heard = hearing.of(request.member)
    context = page.frame(request, grid.DESKTOP) | {
        "kind": kind,
        "picker": grid.sound_of(heard, kind),
        "picker_url": reverse("notifications:settings-sound-of", args=[request.account.hub_id, kind.key]),
        "is_silent": not heard.plays,
        "anchor": grid.anchor(kind.key),
    }
    name = "_sound_of" if page._wants_pieces(request) else "sound_of"
    return render(request, f"notifications/settings/{name}.html", context)


def _set(request: MemberRequest, kind: NotificationType) -> HttpResponse:
    form = SoundForm(request.POST)
    if not form.is_valid():
        return page._refused(request, grid.DESKTOP, page._first_error(form), status=422)
    try:
        hearing.choose(request.member, {kind.key: form.cleaned_data["sound"] or None})
    except DomainError as error:
        return page._refused(request, grid.DESKTOP, str(error), status=error.status)
    answer = page._saved(request, grid.DESKTOP, _("Saved"), only=[kind.key])
    return answer if page._wants_pieces(request) else redirect(f"{answer['Location']}#{grid.anchor(kind.key)}")
