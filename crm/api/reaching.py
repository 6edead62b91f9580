"""Which records a caller reaches: a member's as permissions say, a program's all of the account. Else 404 or 403."""

from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _

from accounts.api.doors import ApiRequest
from accounts.errors import DomainError
from crm.models import Activity, Record
from crm.models.records import RecordQuerySet


class MayNotEdit(DomainError):
    code = "may_not_edit"
    status = 403


def visible(request: ApiRequest) -> RecordQuerySet:
    """All records that the caller may see, bin included."""
    rows = Record.objects.of(request.account).select_related("account")
    return rows.visible_to(request.member) if request.member else rows


def one(request: ApiRequest, pk: int) -> Record:
    """A record the caller may see."""
    return get_object_or_404(visible(request), pk=pk)


def one_to_change(request: ApiRequest, pk: int) -> Record:
    """A record the caller may change. One they only see is refused in words."""
    record = one(request, pk)
    if request.member and not Record.objects.editable_by(request.member).filter(pk=pk).exists():
        raise MayNotEdit(_("You may see this record but not change it."))
    return record


def activity(request: ApiRequest, pk: int) -> Activity:
    """An activity on a live record that the caller may see."""
    rows = Activity.objects.live().filter(record__in=visible(request).live())
    return get_object_or_404(rows.select_related("record__account", "parent"), pk=pk)
