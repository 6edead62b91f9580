"""Assigning, deleting and listing many records at once: asked for here, done in the background, watched here."""

from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404

from accounts.errors import DomainError
from accounts.models import Membership
from crm import browsing, bulk
from crm.browsing import Wanted
from crm.models import BulkItem, BulkJob, BulkOutcome, RecordList
from crm.views.doors import READ, WRITE, Place, back, is_htmx, of_kind, refused

MOST_REFUSED = 50
KEPT = ("ids", "all", "verb", "to", "into")
ASKED = ("assign", "delete", "list")


@of_kind(*WRITE)
def start(place: Place) -> HttpResponse:
    """Ask once more, then begin. `all`: everything that the list's words and filters match."""
    request, given = place.request, place.request.POST
    wanted = Wanted.read(place.kind, given.dict()) if given.get("all") else None
    ids = [int(one) for one in given.getlist("ids") if one.isascii() and one.isdigit() and len(one) < 19]
    to = _member(place, given.get("to", ""))
    verb = given.get("verb", "")
    into = _list(place, given.get("into", "")) if verb == "list" else None
    if not given.get("sure") and (wanted is not None or ids) and verb in ASKED:
        return _ask(place, wanted, ids, to, into)
    try:
        job = bulk.start(place.kind, verb=verb, by=request.member, ids=ids, wanted=wanted, to=to, into=into)
    except DomainError as error:
        refused(request, error)
        return back(request, place.url("index"))
    return HttpResponseRedirect(place.url("bulk-job", job_id=job.pk))


@of_kind(*READ)
def job(place: Place, job_id: int) -> HttpResponse:
    """How far it is, and what became of the records. One's own jobs only."""
    one = _mine(place, job_id)
    progress = bulk.progress(one)
    labels = dict(BulkOutcome.choices)
    context = {
        "job": one,
        "progress": progress,
        "outcomes": [(labels[key], number) for key, number in sorted(progress.by_outcome.items())],
        "refused": BulkItem.objects.filter(job=one, outcome=BulkOutcome.REFUSED).order_by("pk")[:MOST_REFUSED],
    }
    return place.render("crm/_bulk_job.html" if is_htmx(place.request) else "crm/bulk_job.html", context)


@of_kind(*WRITE)
def cancel(place: Place, job_id: int) -> HttpResponse:
    """Stop before the next batch."""
    one = _mine(place, job_id)
    bulk.cancel(one)
    return HttpResponseRedirect(place.url("bulk-job", job_id=one.pk))


def _ask(
    place: Place, wanted: Wanted | None, ids: list[int], to: Membership | None, into: RecordList | None
) -> HttpResponse:
    number: int | None = len(set(ids))
    if wanted is not None:
        try:
            page = browsing.page(place.request.member, place.kind, wanted, size=1)
            number = None if page.is_more else page.count
        except DomainError:
            number = None
    given = [(name, value) for name in KEPT for value in place.request.POST.getlist(name)]
    given += list(wanted.as_query().items()) if wanted else []
    context = {
        "verb": place.request.POST["verb"],
        "to": to,
        "into": into,
        "number": number,
        "is_all": wanted is not None,
        "given": given,
    }
    return place.render("crm/bulk_sure.html", context)


def _member(place: Place, given: str) -> Membership | None:
    """The member named; nobody for nothing. One who is not there is 404: nothing of theirs may be guessed."""
    if not given:
        return None
    return get_object_or_404(Membership.objects.active().of(place.request.account), pk=_id(given))


def _list(place: Place, given: str) -> RecordList:
    """The list named, of this account and kind; else 404."""
    return get_object_or_404(RecordList.objects.of(place.request.account, place.kind.key), pk=_id(given))


def _id(given: str) -> int:
    return int(given) if given.isascii() and given.isdigit() and len(given) < 19 else 0


def _mine(place: Place, job_id: int) -> BulkJob:
    return get_object_or_404(BulkJob.objects.filter(by=place.request.member, kind=place.kind.key), pk=job_id)
