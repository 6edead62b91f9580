"""Forms that visitors fill in elsewhere and a program hands in (N-092): the contact is found or made by its address.

A submission says nothing about consent, so none is touched. In one transaction it is kept as it was sent, stands on the
contact's timeline, is told to those who have the forms tool and may see the contact (N-093), and workflows hear of it.
"""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from accounts.errors import DomainError
from accounts.models import Account, Membership, Permission, Role
from crm import happenings, mail_addresses, paths, permissions, records
from crm.errors import AddressTaken, RecordInBin
from crm.models import Change, FormSubmission, Record, Source, What
from notifications import events
from notifications.events import KeyReused
from notifications.types import forms
from notifications.types.values import problem_with_value

LONGEST_FORM, LONGEST_PAGE = 100, 500
TRIES = 5  # at finding or making a contact that others make, change and delete at the same time


class InvalidSubmission(DomainError):
    """Nothing was taken. `fields` names each wrong part."""

    code = "invalid_submission"
    status = 422


def submit(
    account: Account,
    *,
    form: str,
    page: str,
    address: str,
    given: Mapping[str, object],
    key: str | None = None,
    by: Membership | None = None,
) -> FormSubmission:
    """Take a form: `given` are properties of the contact, which keeps its others.

    The same `key` with the same content returns the first submission (`is_replay`) and does nothing again; with other
    content it is refused (`KeyReused`). Refuses `InvalidSubmission`, and `InvalidRecord` for properties.
    """
    row = FormSubmission(account=account, form=" ".join(form.split()), page=page.strip(), key=key, given=dict(given))
    address = _checked(row, address)
    if key is not None:
        row.fingerprint = _fingerprint(row, address)
        if first := _first(row):
            return first
    try:
        with transaction.atomic():
            return _take(row, address, by)
    except IntegrityError:  # somebody else used the key in between: now it is there to be found
        if key is not None and (first := _first(row)):
            return first
        raise


def _take(row: FormSubmission, address: str, by: Membership | None) -> FormSubmission:
    contact, row.is_new_contact = _contact(row.account, address, row.given, by=by)
    row.record = contact
    row.save(force_insert=True)
    said = {"form": row.form, "page": row.page, "id": row.pk}
    Change.objects.create(
        record=contact, version=contact.version, what="submitted", after=said, by=by, source=Source.API
    )
    happenings.note(contact, {"form": (None, row.form)}, by=by, source=Source.API, what=What.SUBMITTED)
    _tell(row)
    return row


def _contact(
    account: Account, address: str, given: Mapping[str, object], *, by: Membership | None
) -> tuple[Record, bool]:
    """The contact with this address, with these properties; whether it is new. Whatever happens at once: one."""
    for _try in range(TRIES):
        contact = Record.objects.live().filter(account=account, kind="contacts", address=address).first()
        try:
            with transaction.atomic():
                if contact is not None:
                    return records.change(contact, given, by=by, source=Source.API), False
                return records.create(account, "contacts", {**given, "email": address}, by=by, source=Source.API), True
        except (AddressTaken, RecordInBin):
            continue
    raise InvalidSubmission(_("This contact is being changed by others at the moment. Send it again."))


def _tell(row: FormSubmission) -> None:
    holders = (
        Membership.objects.active()
        .of(row.account)
        .filter(Q(role=Role.SUPER_ADMIN) | Q(permissions__contains=[Permission.FORMS]))
    )
    audience = permissions.who_may_see(row.record, holders.select_related("user", "account"))
    if not audience:
        return
    events.emit(
        forms.SUBMITTED,
        audience=audience,
        account=row.account,
        data={"submitter": row.record.title, "form": row.form, "page": row.page, "url": paths.form_submission(row)},
        key=f"crm.submitted:{row.pk}",
    )


def _checked(row: FormSubmission, address: str) -> str:
    """The address in its one form. Every problem is named, not only the first."""
    problems: dict[str, list[str]] = {}
    for name, text, longest in (("form", row.form, LONGEST_FORM), ("page", row.page, LONGEST_PAGE)):
        if not text:
            problems[name] = [_("Write something here.")]
        elif len(text) > longest:
            problems[name] = [_("At most %(most)d characters fit.") % {"most": longest}]
        elif problem := problem_with_value(text):
            problems[name] = [problem]
    if "email" in row.given:
        problems["email"] = [_("The address stands in `address`, and only there.")]
    try:
        address = mail_addresses.normalised(address)
    except ValueError as error:
        problems["address"] = [str(error)]
    if problems:
        raise InvalidSubmission(_("The form was not taken."), fields=problems)
    return address


def _first(row: FormSubmission) -> FormSubmission | None:
    """What the key made before, or `KeyReused` when it now comes with other content."""
    first = FormSubmission.objects.select_related("record__account").filter(account=row.account, key=row.key).first()
    if first is None:
        return None
    if first.fingerprint != row.fingerprint:
        raise KeyReused(
            _("This idempotency key was used before, for another form."),
            fields={"key": [_("Send a new key, or the same content as the first time.")]},
        )
    first.is_replay = True
    return first


def _fingerprint(row: FormSubmission, address: str) -> str:
    content: dict[str, Any] = {"form": row.form, "page": row.page, "address": address, "given": row.given}
    text = json.dumps(content, sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()
