"""Keeping how one looks at a list: views by name, one's own or shared, and the columns one wants."""

from collections.abc import Sequence

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.errors import DomainError
from accounts.models import Membership
from crm.browsing import Wanted
from crm.kinds import Kind
from crm.models import SavedView

MOST = 100  # of one member and kind
MOST_COLUMNS = 12


class InvalidView(DomainError):
    code = "invalid_view"
    status = 422


@transaction.atomic
def save(
    kind: Kind, *, name: str, wanted: Wanted, columns: Sequence[str], is_shared: bool, by: Membership
) -> SavedView:
    """Keep a list under a name. One's own view of the same name takes the new content."""
    name = " ".join(name.replace("\0", "").split())
    if not 0 < len(name) <= 80:
        raise InvalidView(_("The view was not saved."), fields={"name": [_("Write a name of at most 80 characters.")]})
    there = SavedView.objects.filter(member=by, kind=kind.key)
    if not there.filter(name=name).exists() and there.count() > MOST:
        raise InvalidView(_("You have %(most)d views here. Delete one first.") % {"most": MOST})
    view, _made = SavedView.objects.update_or_create(
        member=by,
        kind=kind.key,
        name=name,
        defaults={
            "account": by.account,
            "query": wanted.as_query(),
            "columns": known(kind, columns),
            "is_shared": is_shared,
        },
    )
    return view


def choose_columns(kind: Kind, columns: Sequence[str], *, by: Membership) -> list[str]:
    """The columns a member sees from now on when no view is chosen. None at all: the usual ones again."""
    chosen = known(kind, columns)
    SavedView.objects.update_or_create(
        member=by, kind=kind.key, name="", defaults={"account": by.account, "columns": chosen}
    )
    return chosen


def delete(view: SavedView, *, by: Membership) -> None:
    """Forget a view: one's own, or a shared one as a super admin."""
    if view.member_id != by.pk and not by.is_super_admin:
        raise InvalidView(_("Only who made a view, or a super admin, can delete it."))
    view.delete()


def known(kind: Kind, columns: Sequence[str]) -> list[str]:
    """Those that the kind has, once each, in the order given."""
    there = {one.key for one in kind.properties} | {"created_at", "updated_at"}
    return [key for key in dict.fromkeys(columns) if key in there][:MOST_COLUMNS]
