"""From a body of POST /events/ to drafts of events: shape first, then people by name."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from drf_spectacular.utils import OpenApiParameter, extend_schema_field
from rest_framework import serializers
from rest_framework.exceptions import ValidationError

from accounts.api.fields import Flag, MemberRef, Moment, Strict, Text, Whole
from accounts.models import Account, Membership, Permission
from notifications import emitting
from notifications.api import naming
from notifications.api.naming import Ref
from notifications.emitting import Draft
from notifications.events import Audience

LONGEST_KEY = 200
MOST_MEMBERS = 10_000


@extend_schema_field(
    {
        "type": "object",
        "additionalProperties": {"oneOf": [{"type": "string"}, {"type": "integer"}]},
        "description": "Exactly the fields of the type, see /api/v1/types/. At most 16 KiB.",
    }
)
class Facts(serializers.Field[Any, Any, Any, Any]):
    """The data of an event: an object. Its type says which fields it has."""

    default_error_messages = {"invalid": gettext_lazy("This must be an object with the fields of the type.")}

    def to_internal_value(self, data: Any) -> Mapping[str, Any]:
        if not isinstance(data, Mapping):
            self.fail("invalid")
        return data


class AudienceIn(Strict):
    members = serializers.ListField(child=MemberRef(), required=False, max_length=MOST_MEMBERS)
    teams = serializers.ListField(child=Whole(), required=False, max_length=1000)
    primary_teams = serializers.ListField(child=Whole(), required=False, max_length=1000)
    permissions = serializers.ListField(child=Text(max_length=40), required=False, max_length=len(Permission))
    everyone = Flag(required=False)


class EventIn(Strict):
    type = Text(max_length=80)
    data = Facts()  # type: ignore[assignment]
    audience = AudienceIn()
    actor = MemberRef(required=False, allow_null=True)
    occurred_at = Moment(required=False)


class BatchedEventIn(EventIn):
    key = Text(required=False, max_length=LONGEST_KEY)


class BatchIn(Strict):
    events = serializers.ListField(child=BatchedEventIn(), min_length=1, max_length=emitting.MOST)


def idempotency(status: int) -> tuple[OpenApiParameter, ...]:
    """How a description names the key of what may be sent again, and the answer's word that it was."""
    return (
        OpenApiParameter(
            "Idempotency-Key",
            {"type": "string", "minLength": 1, "maxLength": LONGEST_KEY, "pattern": "^[!-~]([ -~]*[!-~])?$"},
            OpenApiParameter.HEADER,
            description="Sent again with the same content, it tells nobody twice; with other content: 422.",
        ),
        OpenApiParameter(
            "Idempotency-Replayed",
            str,
            OpenApiParameter.HEADER,
            response=[status],
            description="`true` when the key had done this before.",
        ),
    )


def check_key(key: str | None, *, field: str) -> str | None:
    """An idempotency key: 1 to 200 printable ASCII characters, or none at all."""
    if key is None:
        return None
    if not 1 <= len(key) <= LONGEST_KEY or not key.isascii() or not key.isprintable():
        raise ValidationError({field: [_("Send 1 to %d printable ASCII characters.") % LONGEST_KEY]})
    return key


def drafts(account: Account, items: list[dict[str, Any]], *, prefix: str = "") -> list[Draft]:
    """What was sent, with members by id. People whom the account does not know are refused, all of them.

    Members that were named by id are left to the domain, which looks at every id in any case.
    """
    people = naming.members_of(
        account,
        {ref for item in items for ref in item["audience"].get("members", ()) if isinstance(ref, str)}
        | {item["actor"] for item in items if item.get("actor") is not None},
    )
    problems: dict[str, list[str]] = {}
    made = []
    for index, item in enumerate(items):
        where = prefix.format(index)
        named = item["audience"].get("members", ())
        if unknown := [ref for ref in named if isinstance(ref, str) and ref not in people]:
            some = ", ".join(unknown[:5]) + (", …" if len(unknown) > 5 else "")
            problems[f"{where}audience.members"] = [_("Unknown member: %(ids)s.") % {"ids": some}]
        if item.get("actor") is not None and item["actor"] not in people:
            problems[f"{where}actor"] = [_("This member does not exist in the account.")]
        if not problems:
            made.append(_draft(item, people))
    if problems:
        raise ValidationError(problems)
    return made


def _draft(item: Mapping[str, Any], people: Mapping[Ref, Membership]) -> Draft:
    audience = item["audience"]
    members = (ref if isinstance(ref, int) else people[ref].pk for ref in audience.get("members", ()))
    return Draft(
        type=item["type"],
        audience=Audience(
            members=tuple(dict.fromkeys(members)),
            teams=tuple(dict.fromkeys(audience.get("teams", ()))),
            primary_teams=tuple(dict.fromkeys(audience.get("primary_teams", ()))),
            permissions=tuple(dict.fromkeys(audience.get("permissions", ()))),
            everyone=audience.get("everyone", False),
        ),
        data=item["data"],
        by=None if item.get("actor") is None else people[item["actor"]],
        key=item.get("key"),
        occurred_at=item.get("occurred_at"),
    )
