"""Making lists, changing what belongs to them, deleting them. Their rows follow in the background."""

from collections.abc import Sequence
from datetime import timedelta

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.errors import DomainError
from accounts.models import Account, Membership
from crm import conditions as conditions_
from crm.filtering import Condition, InvalidFilter
from crm.kinds import Kind
from crm.models import ListState, RecordList

MOST = 500  # of an account
LONGEST_NAME = 120
SETTLED = timedelta(minutes=1)  # by then a transaction that did not know a new list has ended


class InvalidList(DomainError):
    code = "invalid_list"
    status = 422


class MayNotEditList(DomainError):
    code = "may_not_edit"
    status = 403

    def __init__(self) -> None:
        super().__init__(_("Only who made a list, or a super admin, can change it."))


class ListGone(DomainError):
    code = "list_gone"

    def __init__(self) -> None:
        super().__init__(_("The list was deleted meanwhile."))


def may_edit(one: RecordList, member: Membership | None) -> bool:
    """Who made a list, and super admins; a program of the account too."""
    return member is None or member.is_super_admin or one.created_by_id == member.pk


@transaction.atomic
def create(
    account: Account,
    kind: Kind,
    *,
    name: str,
    is_filtered: bool,
    conditions: Sequence[Condition] = (),
    by: Membership | None,
) -> RecordList:
    """A new list: a static one is empty, a filtered one is filled in the background.

    Refuses a name that is taken, and conditions that make no sense: `fields` names each as `where[2]`.
    """
    if RecordList.objects.of(account).count() >= MOST:
        raise InvalidList(_("An account has at most %(most)d lists. Delete one first.") % {"most": MOST})
    one = RecordList(account=account, kind=kind.key, is_filtered=is_filtered, created_by=by)
    _take(one, kind, name, conditions if is_filtered else None, by)
    if is_filtered:
        one.look_again_at = timezone.now() + SETTLED
        _process(one, by)
    _save(one)
    return one


@transaction.atomic
def change(
    one: RecordList,
    kind: Kind,
    *,
    name: str | None = None,
    conditions: Sequence[Condition] | None = None,
    by: Membership | None,
) -> RecordList:
    """Give a list another name, or a filtered one other conditions; then it is processed again.

    The same conditions again change nothing, unless processing had failed: then it is tried again.
    """
    one = locked(one, by=by)
    if conditions is not None and not one.is_filtered:
        raise InvalidList(_("A static list has no conditions."), fields={"where": [_("Leave the conditions out.")]})
    before = one.conditions
    _take(one, kind, name, conditions, by)
    if one.conditions != before or (conditions is not None and one.state == ListState.FAILED):
        _process(one, by)
    one.changed_at = timezone.now()
    _save(one)
    return one


@transaction.atomic
def delete(one: RecordList, *, by: Membership | None) -> None:
    """Delete a list; its records stay. Its rows are erased in the background. Twice is once."""
    try:
        one = locked(one, by=by)
    except ListGone:
        return
    one.deleted_at = timezone.now()
    one.save(update_fields=["deleted_at"])
    transaction.on_commit(_wake, robust=True)


def locked(one: RecordList, *, by: Membership | None) -> RecordList:
    """The list as it is now, held until the transaction ends. Refuses who may not change it."""
    rows = RecordList.objects.live().select_for_update(of=("self",), no_key=True).select_related("account")
    row = rows.filter(pk=one.pk).first()
    if row is None:
        raise ListGone
    if not may_edit(row, by):
        raise MayNotEditList
    return row


@transaction.atomic
def process_again(one: RecordList, *, by: Membership | None) -> RecordList:
    """Look at all records once more, after processing failed. A list that is being processed goes on."""
    one = locked(one, by=by)
    if one.is_filtered and one.state == ListState.FAILED:
        _process(one, by)
        one.save()
    return one


def _process(one: RecordList, by: Membership | None) -> None:
    """Begin a round: the records are looked at from the beginning. Who is in the list stays in it until then."""
    one.state, one.problem, one.asked_by = ListState.PROCESSING, "", by
    one.round += 1
    one.cursor_at, one.cursor_id, one.looked_at, one.to_look_at, one.attempts = None, 0, 0, None, 0
    transaction.on_commit(_wake, robust=True)


def _take(
    one: RecordList, kind: Kind, name: str | None, given: Sequence[Condition] | None, by: Membership | None
) -> None:
    """Put name and conditions on the object, or say of all that is wrong what would be right."""
    problems: dict[str, list[str]] = {}
    try:
        one.name = _usable(name) if name is not None else one.name
    except ValueError as error:
        problems["name"] = [str(error)]
    try:
        if given is not None:
            one.conditions = conditions_.as_json(conditions_.checked(kind, given, member=by, account=one.account))
        if given is not None and not given:
            problems["where"] = [_("Add at least one condition.")]
    except InvalidFilter as error:
        problems |= error.fields or {"where": [str(error)]}
    if problems:
        raise InvalidList(_("The list was not saved."), fields=problems)


def _usable(name: str) -> str:
    name = " ".join(name.replace("\0", "").split())
    if not 0 < len(name) <= LONGEST_NAME:
        raise ValueError(_("Write a name of at most %(most)d characters.") % {"most": LONGEST_NAME})
    return name


def _save(one: RecordList) -> None:
    """Save; the database says whether the name is free, whatever happens at once."""
    try:
        with transaction.atomic():
            one.save()
    except IntegrityError as error:
        if "one_list_per_name" not in str(error):
            raise
        sentence = _("There is a list with this name. Choose another one.")
        raise InvalidList(_("The list was not saved."), fields={"name": [sentence]}) from error


def _wake() -> None:
    from crm.tasks import process_lists  # domain modules know no Celery
    from notifications.tasks import wake

    wake(process_lists)
