"""What visitors filled in, for those who have the forms tool (N-093) and may see the contacts."""

from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts.access import MemberRequest, member_required
from accounts.models import Permission
from crm import paths, schema, showing
from crm.models import FormSubmission, Record

SIZE = 50


@member_required
@require_safe
@never_cache
def listed(request: MemberRequest) -> HttpResponse:
    """The forms that were filled in, newest first."""
    rows = _visible(request)
    before = request.GET.get("before", "")
    if before.isascii() and before.isdigit() and len(before) < 19:
        rows = rows.filter(pk__lt=int(before))
    found = list(rows.order_by("-pk")[: SIZE + 1])
    shown = [{"row": row, "url": paths.form_submission(row)} for row in found[:SIZE]]
    next_url = f"?before={found[SIZE - 1].pk}" if len(found) > SIZE else ""
    return render(request, "crm/form_submissions.html", {"submissions": shown, "next_url": next_url})


@member_required
@require_safe
@never_cache
def one(request: MemberRequest, submission_id: int) -> HttpResponse:
    """One form as it was sent, with the contact it became or changed."""
    row = get_object_or_404(_visible(request), pk=submission_id)
    kind = schema.kind_of(request.account, "contacts")
    words = showing.words_for(request.account, kind, [row.record], [])
    values = []
    for key, value in row.given.items():
        known = kind.find(key)
        values.append((known.label, words.of(known, value)) if known else (key, str(value)))
    context = {"row": row, "values": values, "contact_url": "" if row.record.is_deleted else paths.record(row.record)}
    return render(request, "crm/form_submission.html", context)


def _visible(request: MemberRequest) -> QuerySet[FormSubmission]:
    if not request.member.has(Permission.FORMS):
        raise PermissionDenied(_("You need access to the forms tool for this. A super admin can give it to you."))
    seen = Record.objects.of(request.account, "contacts").visible_to(request.member)
    rows = FormSubmission.objects.filter(account=request.account, record__in=seen)
    return rows.select_related("account", "record__account")
