"""What a super admin defines: kinds of records of the account's own, and properties of any kind."""

import re
from collections.abc import Sequence

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.errors import DomainError
from accounts.members import require_super_admin
from accounts.models import Account, Membership
from crm import schema
from crm.kinds import BUILT_IN, Type
from crm.models import CustomKind, CustomProperty

MOST_KINDS = 50
MOST_PROPERTIES = 200
LONGEST = 80
_KEY = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")


class InvalidDefinition(DomainError):
    code = "invalid_definition"
    status = 422


@transaction.atomic
def define_kind(account: Account, *, key: str, label: str, plural: str, by: Membership | None) -> CustomKind:
    """A kind of record of the account's own. Its key is part of addresses and never changes."""
    require_super_admin(account, by)
    problems = _problems(key=key, label=label, plural=plural)
    if key in BUILT_IN:
        problems["key"] = [_("Every account has a kind of this name already.")]
    if problems:
        raise InvalidDefinition(_("Nothing was saved."), fields=problems)
    if CustomKind.objects.filter(account=account).count() >= MOST_KINDS:
        raise InvalidDefinition(_("An account has at most %(most)d kinds of its own.") % {"most": MOST_KINDS})
    try:
        with transaction.atomic():
            return CustomKind.objects.create(account=account, key=key, label=label.strip(), plural=plural.strip())
    except IntegrityError as error:
        raise _taken() from error


@transaction.atomic
def define_property(
    account: Account,
    kind: str,
    *,
    key: str,
    label: str,
    type: str,  # noqa: A002 (the field's standard word)
    by: Membership | None,
    choices: Sequence[tuple[str, str]] = (),
) -> CustomProperty:
    """A further property of a kind. Several of type "user" are fine: each of them assigns (N-070, N-146)."""
    require_super_admin(account, by)
    there = schema.kind_of(account, kind)
    problems = _problems(key=key, label=label)
    if type not in {one.value for one in Type} - {Type.STAGE}:
        problems["type"] = [_("There is no such type.")]
    if type == Type.CHOICE and not (choices and all(name and words for name, words in choices)):
        problems["choices"] = [_("Write at least one choice, each with a name.")]
    if there.find(key):
        problems["key"] = [_("This name is taken.")]
    if problems:
        raise InvalidDefinition(_("Nothing was saved."), fields=problems)
    number = CustomProperty.objects.filter(account=account, kind=kind).count()
    if number >= MOST_PROPERTIES:
        raise InvalidDefinition(_("A kind has at most %(most)d own properties.") % {"most": MOST_PROPERTIES})
    try:
        with transaction.atomic():
            return CustomProperty.objects.create(
                account=account,
                kind=kind,
                key=key,
                label=label.strip(),
                type=type,
                choices=[list(choice) for choice in choices],
                position=number,
            )
    except IntegrityError as error:
        raise _taken() from error


@transaction.atomic
def archive_property(row: CustomProperty, *, by: Membership | None) -> None:
    """Hide a property everywhere. Its values stay, and its key stays taken."""
    require_super_admin(row.account, by)
    row.archived_at = row.archived_at or timezone.now()
    row.save(update_fields=["archived_at"])


def _problems(*, key: str, **names: str) -> dict[str, list[str]]:
    problems: dict[str, list[str]] = {}
    if len(key) > LONGEST - 20 or not _KEY.fullmatch(key):
        problems["key"] = [_("Use lower-case letters and digits, words joined by _, at most 60.")]
    for field, name in names.items():
        if not 0 < len(name.strip()) <= LONGEST:
            problems[field] = [_("Write a name of at most %(most)d characters.") % {"most": LONGEST}]
    return problems


def _taken() -> InvalidDefinition:
    return InvalidDefinition(_("Nothing was saved."), fields={"key": [_("This name is taken.")]})
