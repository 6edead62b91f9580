"""A record's life: made, changed, deleted to the bin, restored, purged. Every door and every verb comes through here.

`given` is what somebody wrote, by property key: text, numbers, ids of members and stages. What follows from a change
(history, assignment windows, stage news, due notices, the check for duplicates) is written in the same transaction.
"""

import zoneinfo
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import Account, Membership
from crm import (
    assigning,
    checking,
    duplicates,
    mail_addresses,
    permissions,
    schema,
    searching,
    stages,
    tasks_due,
    timeline,
)
from crm.errors import AddressTaken, InvalidRecord, RecordInBin, StaleRecord
from crm.kinds import Kind, Type
from crm.models import Reach, Record, Source

KEPT_IN_BIN = timedelta(days=90)
MOST_PURGED = 500
FOREIGN = {"owner": "owner_id", "stage": "stage_id"}  # columns that are kept as ids


@transaction.atomic
def create(
    account: Account,
    kind: Kind | str,
    given: Mapping[str, object],
    *,
    by: Membership | None,
    source: Source = Source.PAGE,
    tells: bool | None = None,
) -> Record:
    """A new record. Refuses with `InvalidRecord` naming each bad property; a taken address with `AddressTaken`.

    `tells`: whether who is named in it hears of it; unless said, tasks made through the API tell nobody (N-142).
    """
    kind = schema.kind_of(account, kind) if isinstance(kind, str) else kind
    found = checking.cleaned(
        kind, given, account=account, zone=_zone(account, kind, given, owner=None, by=by), is_new=True
    )
    record = Record(account=account, kind=kind.key, source=source, created_by=by)
    if found.get("owner") is None and by is not None and permissions.reach_of(by, kind.key)[1] != Reach.ALL:
        found["owner"] = by.pk  # else who made it could not see it
    if kind.has_stages and found.get("stage") is None:
        first = stages.first_stage(account, kind)
        found["stage"] = first.pk if first else None
        if first is None or not stages.hold(account, kind.key, first.pk):
            raise InvalidRecord(_("The pipeline has no stage."), fields={"stage": [_("Add a stage first.")]})
    for key, value in found.items():
        put(record, kind, key, value)
    settle(record, kind)
    record.stage_changed_at = record.created_at if record.stage_id else None
    _save(record)
    shown = {key: value for key, value in found.items() if value is not None}
    timeline.write(record, {"created": (None, shown)}, by=by, source=source)
    silent = (kind.key == "tasks" and source == Source.API) if tells is None else not tells
    assigning.note(record, kind, {}, by=by, source=source, through_api=silent)
    tasks_due.plan(record)
    return record


@transaction.atomic
def change(
    record: Record,
    given: Mapping[str, object],
    *,
    by: Membership | None,
    version: int | None = None,
    source: Source = Source.PAGE,
    kind: Kind | None = None,
) -> Record:
    """Give some properties other values; None empties one. The same values again change nothing and tell nobody.

    With `version` it is refused when somebody saved in between (`StaleRecord` says what changed). Refuses with
    `InvalidRecord` naming each bad property, and for a record in the bin.
    """
    record = _locked(record)
    if version is not None and version != record.version:
        raise StaleRecord(version=record.version, changes=timeline.since(record, version))
    kind = kind or schema.kind_of(record.account, record.kind)
    zone = _zone(record.account, kind, given, owner=record.owner, by=by)
    found = checking.cleaned(kind, given, account=record.account, zone=zone, is_new=False)
    before = {key: current(record, kind, key) for key in found}
    lines = {key: (before[key], value) for key, value in found.items() if before[key] != value}
    if not lines:
        return record
    if kind.has_stages and "stage" in lines and lines["stage"][1] is None:
        raise InvalidRecord(_("Nothing was saved."), fields={"stage": [_("Choose a stage.")]})
    people = assigning.named(record, kind)
    for key, (_before, value) in lines.items():
        put(record, kind, key, value)
    settle(record, kind)
    now = timezone.now()
    record.version += 1
    record.updated_at = now
    if "stage" in lines:
        record.stage_changed_at = now
    _save(record)
    timeline.write(record, lines, by=by, source=source)
    assigning.note(record, kind, people, by=by, source=source)
    tasks_due.plan(record)
    if "stage" in lines:
        stages.tell_moved(record, kind, by=by)
    return record


def assign(record: Record, *, to: Membership | None, by: Membership | None, source: Source = Source.PAGE) -> Record:
    """Make a member the owner, or nobody. They hear at the end of their five minutes (N-082)."""
    return change(record, {"owner": to.pk if to else None}, by=by, source=source)


def move(record: Record, *, to: int, by: Membership | None, version: int | None = None) -> Record:
    """Put a record into another stage, by the stage's id. Refuses one that was removed a moment ago."""
    return change(record, {"stage": to}, by=by, version=version)


@transaction.atomic
def complete(task: Record, *, by: Membership | None, source: Source = Source.PAGE) -> Record:
    """Tick a task off. Twice is once."""
    task = _locked(task)
    if task.completed_at is not None:
        return task
    return change(task, {"completed_at": timezone.now()}, by=by, source=source)


def reopen(task: Record, *, by: Membership | None, source: Source = Source.PAGE) -> Record:
    return change(task, {"completed_at": None}, by=by, source=source)


@transaction.atomic
def delete(record: Record, *, by: Membership | None, source: Source = Source.PAGE) -> Record:
    """Put a record into the bin, for 90 days. Twice is once."""
    record = Record.objects.select_for_update(of=("self",)).select_related("account").get(pk=record.pk)
    if record.is_deleted:
        return record
    record.deleted_at = timezone.now()
    record.version += 1
    record.save(update_fields=["deleted_at", "version"])
    timeline.write(record, {"deleted": (None, None)}, by=by, source=source)
    return record


@transaction.atomic
def restore(record: Record, *, by: Membership | None, source: Source = Source.PAGE) -> Record:
    """Take a record out of the bin. Refuses when its address has another contact now, or when it was merged."""
    record = Record.objects.select_for_update(of=("self",)).select_related("account").get(pk=record.pk)
    if not record.is_deleted:
        return record
    if record.merged_into_id:
        raise InvalidRecord(_("This record was merged into another one; it cannot be restored."))
    record.deleted_at = None
    record.version += 1
    record.updated_at = timezone.now()
    _save(record)
    timeline.write(record, {"restored": (None, None)}, by=by, source=source)
    tasks_due.plan(record)
    return record


def purge() -> int:
    """Erase what has been in the bin for 90 days, with all that hangs on it, some hundreds at a time."""
    old = Record.objects.filter(deleted_at__lt=timezone.now() - KEPT_IN_BIN).values_list("pk", flat=True)[:MOST_PURGED]
    ids = list(old)
    Record.objects.filter(pk__in=ids, deleted_at__lt=timezone.now() - KEPT_IN_BIN).delete()
    return len(ids)


def current(record: Record, kind: Kind, key: str) -> Any:
    """A property's present value, as it is kept: None for nothing."""
    one = kind.find(key)
    if one is None or not one.column:
        return record.values.get(key)
    value = getattr(record, FOREIGN.get(one.column, one.column))
    return None if value == "" else value


def values_of(record: Record, kind: Kind) -> dict[str, Any]:
    """All properties of a record that hold something, as they are kept."""
    found = {one.key: current(record, kind, one.key) for one in kind.properties}
    return {key: value for key, value in found.items() if value is not None}


def put(record: Record, kind: Kind, key: str, value: Any) -> None:
    """Set a property on the object, without saving."""
    one = kind.find(key)
    if one is None or not one.column:
        if value is None:
            record.values.pop(key, None)
        else:
            record.values[key] = value
        return
    is_text = one.type in (Type.TEXT, Type.EMAIL)
    setattr(record, FOREIGN.get(one.column, one.column), "" if value is None and is_text else value)


def settle(record: Record, kind: Kind) -> None:
    """Set what follows from the properties: title, domain, people, search text. Refuses a record without a name."""
    if kind.title != ("name",):
        parts = [record.values.get(key) for key in kind.title]
        spare = [current(record, kind, key) for key in kind.title_else]
        record.title = " ".join(filter(None, parts)) or next(filter(None, spare), "")
    if not record.title:
        raise InvalidRecord(
            _("Nothing was saved: give it a name, an e-mail address or a phone number."),
            fields={kind.title[0]: [_("Write a name, or fill in another of these fields.")]},
        )
    if record.address:
        record.domain = mail_addresses.domain_of(record.address)
    elif kind.key == "contacts":
        record.domain = ""
    record.people = sorted(set(assigning.named(record, kind).values()))
    shown = {Type.TEXT, Type.PHONE, Type.EMAIL, Type.URL}
    texts = [value for one in kind.properties if one.type in shown and (value := current(record, kind, one.key))]
    record.search = searching.text_of([record.title, *texts])
    record.sort_title = searching.folded(record.title)[:100]
    keys = duplicates.keys_of(record)
    record.to_check = record.to_check or keys != record.match_keys
    record.match_keys = keys


def _locked(record: Record) -> Record:
    """The record as it is now, held until the transaction ends. Refuses one in the bin."""
    row = (
        Record.objects.select_for_update(of=("self",))
        .select_related("account", "owner__user", "owner__account")
        .get(pk=record.pk)
    )
    if row.is_deleted:
        raise RecordInBin
    return row


def _save(record: Record) -> None:
    """Save; the database says whether the address is free, whatever happens at once."""
    try:
        with transaction.atomic():
            record.save()
    except IntegrityError as error:
        holder = Record.objects.live().filter(account=record.account, kind="contacts", address=record.address)
        there = holder.exclude(pk=record.pk).values_list("pk", flat=True).first()
        if "one_contact_per_address" not in str(error):
            raise
        raise AddressTaken(record.address, there or 0) from error


def _zone(
    account: Account, kind: Kind, given: Mapping[str, object], *, owner: Membership | None, by: Membership | None
) -> zoneinfo.ZoneInfo:
    """Where a time without a zone is meant: where the owner is, else where it was written, else the account's."""
    if not any((one := kind.find(key)) and one.type is Type.DATETIME for key in given):
        return zoneinfo.ZoneInfo(account.time_zone)  # nothing asks
    wanted = str(getattr(given.get("owner"), "pk", given.get("owner")))
    if wanted.isascii() and wanted.isdecimal() and len(wanted) < len(str(2**63)):
        owner = Membership.objects.select_related("account").filter(account=account, pk=int(wanted)).first()
    who = owner or by
    return who.zone if who else zoneinfo.ZoneInfo(account.time_zone)
