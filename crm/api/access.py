"""Which records of a kind a member sees and edits, for super admins."""

from typing import Any

from django.shortcuts import get_object_or_404
from rest_framework import serializers
from rest_framework.response import Response

from accounts.api.doors import ApiRequest, Door
from accounts.api.fields import AskedWhole, Strict
from accounts.api.paging import PageQuery, page
from accounts.api.schema import operation, page_of
from accounts.models import Membership
from crm import permissions
from crm.api.shapes import kind_field
from crm.models import Reach, RecordPermission

HELP = "`all`, `team` (their team's) or `own`."


class AccessQuery(PageQuery):
    kind = kind_field(required=False)
    member = AskedWhole(required=False)


class AccessIn(Strict):
    kind = kind_field()
    sees = serializers.ChoiceField(choices=Reach.values, help_text=HELP)
    edits = serializers.ChoiceField(choices=Reach.values, help_text="No more than they see.")


class AccessOut(serializers.Serializer[Any]):
    member = serializers.IntegerField()
    kind = serializers.CharField()
    sees = serializers.CharField(help_text=HELP)
    edits = serializers.CharField(help_text=HELP)


BOB = {"member": 8, "kind": "deals", "sees": "team", "edits": "own"}


class AllAccess(Door):
    required_scope = "records.read"
    admins_only = True

    @operation(out=page_of(AccessOut), query=AccessQuery, answer={"results": [BOB], "next": None})
    def get(self, request: ApiRequest) -> Response:
        """List what was said about what members see and edit; who is not in it sees and edits all."""
        asked = self.query(AccessQuery)
        rows = RecordPermission.objects.filter(member__account=request.account)
        rows = rows.filter(kind=asked["kind"]) if "kind" in asked else rows
        rows = rows.filter(member=asked["member"]) if "member" in asked else rows
        return page(request, rows, asked, word=_word, newest_first=False)


class OneAccess(Door):
    required_scope = "records.write"
    admins_only = True

    @operation(out=AccessOut, body=AccessIn, example={"kind": "deals", "sees": "team", "edits": "own"}, answer=BOB)
    def put(self, request: ApiRequest, member_id: int) -> Response:
        """Say which records of a kind a member sees and edits. Super admins always see and edit all."""
        member = get_object_or_404(Membership.objects.of(request.account).select_related("account"), pk=member_id)
        given = self.body(AccessIn)
        row = permissions.set_reach(member, given.pop("kind"), **given, by=request.member)
        return Response(_word(row))


def _word(row: RecordPermission) -> dict[str, Any]:
    return {"member": row.member_id, "kind": row.kind, "sees": row.sees, "edits": row.edits}
