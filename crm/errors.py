"""Refusals that several modules of the records share."""

from collections.abc import Sequence

from django.utils.translation import gettext as _

from accounts.errors import DomainError
from crm.models import Change


class InvalidRecord(DomainError):
    """Nothing was saved. `fields` names each bad property and says what would be right."""

    code = "invalid_record"
    status = 422


class AddressTaken(InvalidRecord):
    """Another contact of the account has the address; `holder` is its id."""

    code = "address_taken"
    status = 409

    def __init__(self, address: str, holder: int) -> None:
        super().__init__(
            _("Another contact has the address %(address)s.") % {"address": address},
            fields={"email": [_("An address has at most one contact. Another contact has this one.")]},
        )
        self.holder = holder


class StaleRecord(DomainError):
    """Somebody saved the record in between. `changes` are theirs, oldest first; `version` is the present one."""

    code = "stale_record"

    def __init__(self, *, version: int, changes: Sequence[Change]) -> None:
        names = list(dict.fromkeys(change.what for change in changes))
        super().__init__(
            _("Somebody else changed this record in the meantime: %(names)s. Look at it and save again.")
            % {"names": ", ".join(names) or "…"},
            fields={change.what: [_in_between(change)] for change in changes},
        )
        self.version, self.changes = version, list(changes)


def _in_between(change: Change) -> str:
    who = change.by.name if change.by else _("Somebody")
    return _("%(who)s changed this from %(before)s to %(after)s.") % {
        "who": who,
        "before": _shown(change.before),
        "after": _shown(change.after),
    }


def _shown(value: object) -> str:
    if isinstance(value, dict):  # the other record of a merge or an association; a form that was sent in
        value = value.get("title") or value.get("form") or "…"
    return f"“{str(value)[:200]}”" if value is not None else _("nothing")


class RecordInBin(DomainError):
    code = "record_in_bin"

    def __init__(self) -> None:
        super().__init__(_("This record is in the bin. Restore it first."))
