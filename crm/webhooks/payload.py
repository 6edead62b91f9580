"""What is posted of a happening."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import orjson
from django.conf import settings

from accounts.models import Account
from crm import paths
from crm.models import Happening, Record, What

OWN = set(What.values)  # lines with these names tell what happened, all others which property changed
EXAMPLE = {
    "id": 311,
    "kind": "contacts",
    "title": "Mia Lind",
    "url": "https://bellhop.example.com/1001/contacts/311/",
    "version": 4,
    "changes": {"lifecycle": {"from": "lead", "to": "customer"}},
    "by": {"id": 12, "email": "bob@example.com"},
    "source": "page",
    "account": {"hub_id": 1001, "name": "Nordic Oak"},
}


def of(happening: Happening, record: Record, account: Account) -> str:
    """As text, so that every attempt posts the same bytes."""
    data: dict[str, Any] = {
        "id": record.pk,
        "kind": record.kind,
        "title": record.title,
        "url": f"{settings.BASE_URL}{paths.record(record)}",
        "version": happening.version,
        "changes": {} if happening.what in (What.JOINED, What.SUBMITTED) else _changes(happening.lines),
        "by": {"id": happening.by_id, "email": happening.by.user.email} if happening.by else None,
        "source": happening.source,
        "account": {"hub_id": account.hub_id, "name": account.name},
    }
    if facts := _facts(happening):
        data[facts[0]] = facts[1]
    return _packed(f"record.{happening.what}", happening.at, data)


def of_test(account: Account, at: datetime) -> str:
    """A message that is told apart from all others by its type."""
    return _packed("webhook.test", at, {**EXAMPLE, "account": {"hub_id": account.hub_id, "name": account.name}})


def _packed(type_: str, at: datetime, data: Mapping[str, Any]) -> str:
    content = {"type": type_, "timestamp": at.astimezone(UTC), "data": data}
    return orjson.dumps(content, option=orjson.OPT_UTC_Z).decode()


def _changes(lines: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The properties that changed, from what to what; of a new record all that it has."""
    changes = {key: {"from": before, "to": after} for key, (before, after) in lines.items() if key not in OWN}
    made = lines.get(What.CREATED, (None, None))[1] or {}
    return changes | {key: {"from": None, "to": value} for key, value in made.items()}


def _facts(happening: Happening) -> tuple[str, Any] | None:
    """What belongs to a happening besides: the other record, the list, the form."""
    before, after = happening.lines.get(happening.what, (None, None))
    found = after or before
    if happening.what in (What.MERGED, What.ASSOCIATED, What.SEPARATED):
        return "other", found
    if happening.what == What.JOINED:
        return "list", happening.lines.get("list", (None, None))[1]
    if happening.what == What.SUBMITTED:
        return "form", happening.lines.get("form", (None, None))[1]
    return None
