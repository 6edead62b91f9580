"""What people write on records: notes, calls, mails, meetings, and comments below them."""

from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _

from accounts.errors import DomainError
from crm import activities, following, history, paths
from crm.models import Activity, Record
from crm.views.doors import BOTH, WRITE, Place, of_kind
from crm.views.record import context_of


@of_kind(*WRITE)
def log(place: Place, pk: int) -> HttpResponse:
    """Write a note, or log a call, mail or meeting."""
    record = place.record(pk)
    given = place.request.POST
    try:
        activities.log(
            record,
            kind=given.get("kind", "note"),
            text=given.get("text", ""),
            subject=given.get("subject", ""),
            by=place.request.member,
        )
    except DomainError as error:
        shown = history.page(record)
        written = {"kind": given.get("kind"), "text": given.get("text"), "subject": given.get("subject")}
        return _again(place, record, shown.entries, {"log_errors": error, "written": written})
    messages.success(place.request, _("Saved."))
    return HttpResponseRedirect(f"{paths.record(record)}#timeline")


@of_kind(*BOTH)
def one(place: Place, pk: int, activity_id: int) -> HttpResponse:
    """An activity with all its comments, on its record's page. POST writes its text anew."""
    record = place.record(pk)
    entry = history.one_activity(record, activity_id)
    if entry is None:
        raise Http404
    if place.request.method == "POST":
        return _edit(place, record, get_object_or_404(Activity.objects.live(), pk=activity_id))
    following.mark_opened(record, place.request.member)
    context = context_of(place, record, [entry]) | {"only_activity": activity_id}
    return place.render("crm/record.html", context)


@of_kind(*WRITE)
def comment(place: Place, pk: int, activity_id: int) -> HttpResponse:
    """Comment on an activity."""
    record, parent = _fetch(place, pk, activity_id)
    text = place.request.POST.get("text", "")
    try:
        made = activities.comment(parent, text=text, by=place.request.member)
    except DomainError as error:
        entry = history.one_activity(record, parent.parent_id or parent.pk)
        shown = [entry] if entry else []
        more = {"only_activity": activity_id, "comment_errors": error, "written_comment": text}
        return _again(place, record, shown, more)
    return HttpResponseRedirect(paths.activity(made))


@of_kind(*WRITE)
def delete(place: Place, pk: int, activity_id: int) -> HttpResponse:
    """Take an activity or a comment away: its author's, or a super admin's to do."""
    record, activity = _fetch(place, pk, activity_id)
    try:
        activities.delete(activity, by=place.request.member)
    except DomainError as error:
        messages.error(place.request, str(error))
    else:
        messages.success(place.request, _("Deleted."))
    return HttpResponseRedirect(f"{paths.record(record)}#timeline")


def _edit(place: Place, record: Record, activity: Activity) -> HttpResponse:
    given = place.request.POST
    try:
        activities.edit(activity, text=given.get("text", ""), subject=given.get("subject"), by=place.request.member)
    except DomainError as error:
        entry = history.one_activity(record, activity.pk)
        more = {"only_activity": activity.pk, "edit_errors": error, "written_edit": given.get("text", "")}
        return _again(place, record, [entry] if entry else [], more)
    messages.success(place.request, _("Saved."))
    return HttpResponseRedirect(paths.activity(activity))


def _fetch(place: Place, pk: int, activity_id: int) -> tuple[Record, Activity]:
    record = place.record(pk)
    rows = Activity.objects.live().filter(record=record).select_related("parent", "record__account")
    return record, get_object_or_404(rows, pk=activity_id)


def _again(place: Place, record: Record, entries: list[history.Entry], more: dict[str, object]) -> HttpResponse:
    """The page once more, with what was written and why it was not saved."""
    return place.render("crm/record.html", context_of(place, record, entries) | more, status=422)
