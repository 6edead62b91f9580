"""“In the last 14 days this would have been 3 mails instead of 41”: trying other choices before keeping them."""

from collections.abc import Mapping

from django.contrib import messages
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache

from accounts.access import MemberRequest, member_required
from notifications import what_if
from notifications.forms import GridForm
from notifications.views.settings import frame
from notifications.what_if import Replay


@member_required
@never_cache
def page(request: MemberRequest) -> HttpResponse:
    """Tick and untick on trial. A POST keeps what was tried; with `count` it only counts, and nothing is saved.

    Trying is a POST too because its many cells would be too long for an address.
    """
    wanted = {cell: bool(is_on) for cell, is_on in GridForm(request.POST).changes().items()}
    switched = _switched(request.POST)
    if request.method == "POST" and "count" not in request.POST:
        kept = what_if.save(request.member, wanted, switched)
        if kept:
            messages.warning(request, _("Saved, except for what has been locked or taken away meanwhile."))
        else:
            messages.success(request, _("Your choices are saved."))
        return redirect("notifications:what-if", hub_id=request.account.hub_id)
    tried = what_if.replay(request.member, wanted, switched)
    context = frame(request, None) | {"tried": tried, "sentence": _sentence(tried)}
    return render(request, "notifications/settings/what_if.html", context)


def _switched(given: QueryDict) -> Mapping[str, bool]:
    """The channels whose switch was moved: `switches` names each with its state, `channels` those that are ticked."""
    on = set(given.getlist("channels"))
    shown = (value.partition("/") for value in given.getlist("switches"))
    return {key: key in on for key, _slash, state in shown if (key in on) != (state == "on")}


def _sentence(tried: Replay) -> str:
    """The answer in one line: of mails where there were any, else of the channel that changed most."""
    changed = sorted((one for one in tried.totals if one.before != one.after), key=lambda one: one.after - one.before)
    mail = next((one for one in changed if one.channel.key == "email"), None)
    if mail is not None:
        return ngettext(
            "In the last %(days)d days this would have been %(after)d mail instead of %(before)d.",
            "In the last %(days)d days this would have been %(after)d mails instead of %(before)d.",
            mail.after,
        ) % {"days": tried.days, "after": mail.after, "before": mail.before}
    if changed:
        return _("In the last %(days)d days this would have been %(after)d instead of %(before)d: %(channel)s.") % {
            "days": tried.days,
            "after": changed[0].after,
            "before": changed[0].before,
            "channel": changed[0].channel.label,
        }
    return _("With these choices the last %(days)d days would have been the same.") % {"days": tried.days}
