"""What kinds of records an account has and which properties each: the built-in ones and what it defined itself."""

from collections import defaultdict
from collections.abc import Mapping

from django.utils.translation import gettext as _

from accounts.errors import DomainError
from accounts.models import Account
from crm.kinds import BUILT_IN, Kind, Property, Type, custom
from crm.models import CustomKind, CustomProperty


class UnknownKind(DomainError):
    code = "unknown_kind"
    status = 404


def of(account: Account) -> Mapping[str, Kind]:
    """All kinds of an account by key, with their custom properties. Two queries."""
    more = defaultdict[str, list[Property]](list)
    for row in CustomProperty.objects.filter(account=account, archived_at=None):
        more[row.kind].append(_property(row))
    own = {row.key: custom.kind(row) for row in CustomKind.objects.filter(account=account).order_by("label")}
    return {key: kind.with_properties(tuple(more[key])) for key, kind in {**BUILT_IN, **own}.items()}


def kind_of(account: Account, key: str) -> Kind:
    """One kind of an account. Refuses a key that the account does not have (`UnknownKind`)."""
    kind = BUILT_IN.get(key)
    if kind is None:
        row = CustomKind.objects.filter(account=account, key=key).first()
        if row is None:
            raise UnknownKind(_("There is no such kind of record in this account."))
        kind = custom.kind(row)
    rows = CustomProperty.objects.filter(account=account, kind=key, archived_at=None)
    return kind.with_properties(tuple(_property(row) for row in rows))


def _property(row: CustomProperty) -> Property:
    choices = tuple((key, label) for key, label in row.choices)
    return Property(row.key, row.label, Type(row.type), choices=choices, is_custom=True)
