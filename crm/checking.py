"""Whether what was given can be saved: every bad property is named, not only the first."""

import zoneinfo
from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

from accounts.models import Account, Membership
from crm import properties, stages
from crm.errors import InvalidRecord
from crm.kinds import Kind, Type
from notifications.types.values import printable


def cleaned(
    kind: Kind, given: Mapping[str, object], *, account: Account, zone: zoneinfo.ZoneInfo, is_new: bool
) -> dict[str, Any]:
    """The values to keep, by property. Refuses with `InvalidRecord`. Members and stages are looked up, if any."""
    problems: dict[str, list[str]] = {}
    found: dict[str, Any] = {}
    for key, raw in given.items():
        one = kind.find(key)
        if one is None:
            problems[printable(key)] = [_("%(kind)s has no such property.") % {"kind": kind.label}]
            continue
        try:
            found[key] = properties.parsed(one, raw, zone=zone)
        except ValueError as error:
            problems[key] = [str(error)]
    for one in kind.properties:
        if one.is_required and one.key not in problems and found.get(one.key) is None and (is_new or one.key in found):
            problems[one.key] = [_("Write something here.")]
    problems |= _strangers(kind, found, account)
    if problems:
        raise InvalidRecord(_("Nothing was saved: some fields need another value."), fields=problems)
    return found


def _strangers(kind: Kind, found: Mapping[str, Any], account: Account) -> dict[str, list[str]]:
    """Members and stages that the account does not have. The stages named are held against being removed."""
    problems: dict[str, list[str]] = {}
    of_type = {one.key: one.type for one in kind.properties}
    named = {key: value for key, value in found.items() if value is not None}
    people = {key: value for key, value in named.items() if of_type[key] is Type.USER}
    if people:
        known = set(Membership.objects.active().of(account).filter(pk__in=people.values()).values_list("pk", flat=True))
        for key, value in people.items():
            if value not in known:
                problems[key] = [_("There is no such active member in the account.")]
    for key, value in named.items():
        if of_type[key] is Type.STAGE and not stages.hold(account, kind.key, value):
            problems[key] = [_("There is no such stage. It may have been removed a moment ago.")]
    return problems
