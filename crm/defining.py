"""What a super admin defines: kinds of records of the account's own, and properties of any kind.

Whoever defines holds the account: two super admins at once do so one after the other.
"""

from collections.abc import Collection, Sequence

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.errors import DomainError
from accounts.members import require_super_admin
from accounts.models import Account, Membership
from crm import naming, ordering, schema
from crm.kinds import BUILT_IN, Type
from crm.models import CustomKind, CustomProperty, Record
from crm.models.records import RecordQuerySet

MOST_KINDS = 50
MOST_PROPERTIES = 200
MOST_CHOICES = 500
USABLE = [one for one in Type if one is not Type.STAGE]
Choices = Sequence[tuple[str, str]]  # key and name; a new one without a key gets one


class InvalidDefinition(DomainError):
    code = "invalid_definition"
    status = 422


class ChoiceInUse(InvalidDefinition):
    """Records hold a choice that was to go. `choice` is its key; `is_in_bin`: only records in the bin hold it."""

    code = "choice_in_use"
    status = 409

    def __init__(self, choice: str, name: str, *, is_in_bin: bool) -> None:
        there = (
            _("Records in the bin hold the choice “%(name)s”. Restore them and choose something else there first.")
            if is_in_bin
            else _("Records hold the choice “%(name)s”. Choose something else there first.")
        ) % {"name": name}
        super().__init__(there, fields={"choices": [there]})
        self.choice, self.is_in_bin = choice, is_in_bin


@transaction.atomic
def define_kind(account: Account, *, key: str = "", label: str, plural: str, by: Membership | None) -> CustomKind:
    """A kind of record of the account's own. Its key is part of addresses and stays; without one it gets one."""
    hold(account, by)
    taken = {*BUILT_IN, *CustomKind.objects.filter(account=account).values_list("key", flat=True)}
    problems: dict[str, list[str]] = {}
    names = _names(problems, label=label, plural=plural)
    key = key or naming.key_for(names["plural"], taken=taken, otherwise="records")
    _check_key(key, taken, problems)
    if problems:
        raise InvalidDefinition(_("Nothing was saved."), fields=problems)
    if len(taken) - len(BUILT_IN) >= MOST_KINDS:
        raise InvalidDefinition(_("An account has at most %(most)d kinds of its own.") % {"most": MOST_KINDS})
    return CustomKind.objects.create(account=account, key=key, **names)


@transaction.atomic
def rename_kind(row: CustomKind, *, label: str | None = None, plural: str | None = None, by: Membership | None) -> None:
    """Call a kind of the account's own something else. Its key, and with it its address, stays."""
    hold(row.account, by)
    problems: dict[str, list[str]] = {}
    given = {name: words for name, words in {"label": label, "plural": plural}.items() if words is not None}
    names = _names(problems, **given)
    if problems:
        raise InvalidDefinition(_("Nothing was saved."), fields=problems)
    for field, name in names.items():
        setattr(row, field, name)
    row.save(update_fields=list(names))


@transaction.atomic
def define_property(
    account: Account,
    kind: str,
    *,
    key: str = "",
    label: str,
    type: str,  # noqa: A002 (the field's standard word)
    by: Membership | None,
    choices: Choices = (),
) -> CustomProperty:
    """A further property of a kind. Several of type "user" are fine: each of them assigns (N-070, N-146)."""
    hold(account, by)
    rows = CustomProperty.objects.filter(account=account, kind=kind)
    taken = {*(one.key for one in schema.kind_of(account, kind).properties), *rows.values_list("key", flat=True)}
    problems: dict[str, list[str]] = {}
    names = _names(problems, label=label)
    key = key or naming.key_for(names["label"], taken=taken, otherwise="property")
    _check_key(key, taken, problems)
    if type not in USABLE:
        problems["type"] = [_("There is no such type.")]
    kept = _choices(choices, problems) if type == Type.CHOICE else []
    if problems:
        raise InvalidDefinition(_("Nothing was saved."), fields=problems)
    number = rows.count()
    if number >= MOST_PROPERTIES:
        raise InvalidDefinition(_("A kind has at most %(most)d own properties.") % {"most": MOST_PROPERTIES})
    return CustomProperty.objects.create(
        account=account, kind=kind, key=key, type=type, choices=kept, position=number, **names
    )


@transaction.atomic
def change_property(
    row: CustomProperty,
    *,
    label: str | None = None,
    choices: Choices | None = None,
    instead_of: Collection[str] | None = None,
    position: int | None = None,
    by: Membership | None,
) -> CustomProperty:
    """Another name, other choices, another place among the account's own properties. Key and type stay.

    `instead_of`: the keys of the choices that the author had before their eyes; what somebody else added or took
    away since then is added, or gone. A choice that records hold cannot go (`ChoiceInUse`). A record that is saved
    with it at this very moment may keep it: it is shown by its key.
    """
    hold(row.account, by)
    row = CustomProperty.objects.select_related("account").get(pk=row.pk)
    problems: dict[str, list[str]] = {}
    if label is not None:
        row.label = _names(problems, label=label)["label"]
    if choices is not None and row.type != Type.CHOICE:
        problems["choices"] = [_("Only a property of the type “Choice” has choices.")]
    elif choices is not None:
        kept = _choices(_merged(row, choices, instead_of), problems)
        gone = [] if problems else [(key, name) for key, name in row.choices if key not in {one for one, _name in kept}]
        for key, name in gone:
            _refuse_if_held(row, key, name)
        row.choices = kept
    if problems:
        raise InvalidDefinition(_("Nothing was saved."), fields=problems)
    row.save(update_fields=["label", "choices"])
    if position is not None:
        among = CustomProperty.objects.filter(account=row.account, kind=row.kind, archived_at=None)
        ordering.place(row, among, position)
    return row


@transaction.atomic
def archive_property(row: CustomProperty, *, by: Membership | None) -> None:
    """Hide a property everywhere. Its values stay, and its key stays taken. Twice is once.

    Whom it named owns nothing by it any more: `crm.settling` works that out in the background.
    """
    hold(row.account, by)
    there = CustomProperty.objects.filter(pk=row.pk, archived_at=None)
    if there.update(archived_at=timezone.now(), settled_to=_from_the_start(row)):
        transaction.on_commit(_wake, robust=True)


@transaction.atomic
def bring_back_property(row: CustomProperty, *, by: Membership | None) -> None:
    """Show an archived property again, with the values it had. Twice is once."""
    hold(row.account, by)
    archived = CustomProperty.objects.filter(pk=row.pk, archived_at__isnull=False)
    if archived.update(archived_at=None, settled_to=_from_the_start(row)):
        transaction.on_commit(_wake, robust=True)


def holders(row: CustomProperty, choice: str) -> RecordQuerySet:
    """The records that hold a choice, those in the bin too."""
    return Record.objects.of(row.account, row.kind).filter(values__contains={row.key: choice})


def hold(account: Account, by: Membership | None) -> None:
    """Refuse who may not define, and let nobody else define in this account until the transaction ends."""
    require_super_admin(account, by)
    Account.objects.select_for_update(of=("self",), no_key=True).get(pk=account.pk)


def _from_the_start(row: CustomProperty) -> int | None:
    """Where `crm.settling` begins: only what names members changes whose own a record is."""
    return 0 if row.type == Type.USER else None


def _wake() -> None:
    from crm.tasks import settle  # domain modules know no Celery
    from notifications.tasks import wake

    wake(settle)


def _names(problems: dict[str, list[str]], **given: str) -> dict[str, str]:
    """The names as they are kept; what cannot be one is noted, and kept as it is."""
    found = dict(given)
    for field, name in given.items():
        try:
            found[field] = naming.cleaned(name)
        except ValueError as error:
            problems[field] = [str(error)]
    return found


def _check_key(key: str, taken: Collection[str], problems: dict[str, list[str]]) -> None:
    if not naming.is_key(key):
        problems["key"] = [_("Use lower-case letters and digits, words joined by _, at most 60.")]
    elif key in taken:
        problems["key"] = [_("This name is taken.")]


def _choices(given: Choices, problems: dict[str, list[str]]) -> list[list[str]]:
    """The choices as they are kept, each with a key. Whatever is wrong with them is noted."""
    kept: list[list[str]] = []
    keys = {key for key, _name in given if key}
    said: list[str] = []
    for key, raw in given:
        try:
            name = naming.cleaned(raw)
        except ValueError as error:
            said.append(str(error))
            continue
        key = key or naming.key_for(name, taken=keys, otherwise="choice")
        keys.add(key)
        kept.append([key, name])
    if not given:
        said.append(_("Write at least one choice, each with a name."))
    if len(given) > MOST_CHOICES:
        said.append(_("At most %(most)d choices fit.") % {"most": MOST_CHOICES})
    if len({name.casefold() for _key, name in kept}) < len(kept) or len({key for key, _name in kept}) < len(kept):
        said.append(_("Two choices have the same name."))
    if said:
        problems["choices"] = list(dict.fromkeys(said))
    return kept


def _merged(row: CustomProperty, given: Choices, read: Collection[str] | None) -> Choices:
    """These choices, without those that somebody else took away since they were read, and with those they added."""
    if read is None:
        return given
    there = {key for key, _name in row.choices}
    kept = [(key, name) for key, name in given if not key or key in there]
    return [*kept, *((key, name) for key, name in row.choices if key not in read)]


def _refuse_if_held(row: CustomProperty, key: str, name: str) -> None:
    """Two questions, for each of which there is an index."""
    rows = holders(row, key)
    if rows.live().exists():
        raise ChoiceInUse(key, name, is_in_bin=False)
    if rows.in_bin().exists():
        raise ChoiceInUse(key, name, is_in_bin=True)
