"""Lists of records: made, changed, deleted; who is in them; putting records in and taking them out."""

from collections.abc import Sequence
from typing import Any

from django.shortcuts import get_object_or_404
from rest_framework import serializers
from rest_framework.response import Response

from accounts.api.doors import ApiRequest, Door
from accounts.api.fields import Strict, Text, Whole
from accounts.api.paging import PageQuery, page
from accounts.api.schema import operation, page_of
from crm import filtering, paths, schema
from crm.api import reaching
from crm.api.shapes import DEAL, MOST_AT_ONCE, RECORDS, ConditionIn, kind_field, word
from crm.filtering import Condition
from crm.lists import adding, making, seeing
from crm.lists.seeing import Count
from crm.models import RecordList, Source

WHERE = [{"property": "amount", "operator": "at_least", "value": 10000}]


class ListsQuery(PageQuery):
    kind = serializers.CharField(required=False, max_length=60, help_text="Only lists of this kind of record.")


def where_field() -> serializers.ListField:
    return serializers.ListField(
        child=ConditionIn(),
        required=False,
        max_length=filtering.MOST,
        help_text="Of a filtered list: all of these hold. A moment without an offset is meant on the caller's clock.",
    )


class ListIn(Strict):
    name = Text(max_length=making.LONGEST_NAME)
    kind = kind_field()
    type = serializers.ChoiceField(
        choices=["static", "filtered"], help_text="Filtered: who is in it follows from `where`. Static: put in by hand."
    )
    where = where_field()


class ListChange(Strict):
    name = Text(max_length=making.LONGEST_NAME, required=False)
    where = where_field()


class MembersIn(Strict):
    records = serializers.ListField(child=Whole(), min_length=1, max_length=MOST_AT_ONCE)


class MembersOut(serializers.Serializer[Any]):
    added = serializers.IntegerField(help_text="How many were not in the list before.")


class ConditionOut(serializers.Serializer[Any]):
    property = serializers.CharField()
    operator = serializers.CharField()
    value = serializers.JSONField(required=False)


class ListOut(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    name = serializers.CharField()
    kind = serializers.CharField()
    type = serializers.CharField(help_text="`static` or `filtered`.")
    where = ConditionOut(many=True)
    state = serializers.CharField(help_text="`processing`, `ready` or `failed`.")
    problem = serializers.CharField(help_text="Why processing failed; empty unless it did.")
    looked_at = serializers.IntegerField(help_text="While it is processed: records looked at so far.")
    to_look_at = serializers.IntegerField(allow_null=True, help_text="And how many there are to look at.")
    members = serializers.IntegerField(help_text="The records in it that the caller may see.")
    more = serializers.BooleanField(help_text="Whether there are more than were counted.")
    url = serializers.CharField(help_text="Its page.")
    created_by = serializers.IntegerField(allow_null=True)
    created_at = serializers.DateTimeField()


BIG_DEALS = {
    "id": 29,
    "name": "Big deals",
    "kind": "deals",
    "type": "filtered",
    "where": WHERE,
    "state": "ready",
    "problem": "",
    "looked_at": 5120,
    "to_look_at": 5120,
    "members": 418,
    "more": False,
    "url": "/1001/lists/29/",
    "created_by": 7,
    "created_at": "2027-03-09T08:30:00Z",
}


class Lists(Door):
    required_scope = {"GET": "records.read", "POST": "records.write"}

    @operation(out=page_of(ListOut), query=ListsQuery, answer={"results": [BIG_DEALS], "next": None})
    def get(self, request: ApiRequest) -> Response:
        """List the lists, newest first."""
        asked = self.query(ListsQuery)
        rows = RecordList.objects.of(request.account, asked.get("kind", "")).select_related("account")
        count = seeing.counter(request.member)
        return page(request, rows, asked, word=lambda one: _word(one, count(one)))

    @operation(
        out=ListOut,
        status=201,
        body=ListIn,
        example={"name": "Big deals", "kind": "deals", "type": "filtered", "where": WHERE},
        answer={**BIG_DEALS, "state": "processing", "looked_at": 0, "to_look_at": None, "members": 0},
    )
    def post(self, request: ApiRequest) -> Response:
        """Make a list.

        A filtered one is filled in the background: its `state` is `processing` until it is `ready`.
        """
        given = self.body(ListIn)
        one = making.create(
            request.account,
            schema.kind_of(request.account, given["kind"]),
            name=given["name"],
            is_filtered=given["type"] == "filtered",
            conditions=_conditions(given.get("where", ())),
            by=request.member,
        )
        return Response(word_list(one, request), status=201)


class OneList(Door):
    required_scope = {"GET": "records.read", "PATCH": "records.write", "DELETE": "records.write"}

    @operation(out=ListOut, answer=BIG_DEALS)
    def get(self, request: ApiRequest, list_id: int) -> Response:
        """Show a list: how it is, and how many records it has."""
        return Response(word_list(_one(request, list_id), request))

    @operation(out=ListOut, body=ListChange, example={"where": WHERE}, answer=BIG_DEALS, also=(409,))
    def patch(self, request: ApiRequest, list_id: int) -> Response:
        """Change a list's name or conditions.

        With other conditions all records are looked at again in the background; what the list holds stays in it
        meanwhile. Who made a list and super admins may change it, and keys of the account.
        """
        one, given = _one(request, list_id), self.body(ListChange)
        where = _conditions(given["where"]) if "where" in given else None
        kind = schema.kind_of(request.account, one.kind)
        one = making.change(one, kind, name=given.get("name"), conditions=where, by=request.member)
        return Response(word_list(one, request))

    @operation(status=204, also=(409,))
    def delete(self, request: ApiRequest, list_id: int) -> Response:
        """Delete a list. Its records stay."""
        making.delete(_one(request, list_id), by=request.member)
        return Response(status=204)


class Members(Door):
    required_scope = {"GET": "records.read", "POST": "records.write"}

    @operation(out=RECORDS, query=PageQuery, answer={"results": [DEAL], "next": None})
    def get(self, request: ApiRequest, list_id: int) -> Response:
        """List the records of a list, those made last first."""
        one = _one(request, list_id)
        kind = schema.kind_of(request.account, one.kind)
        rows = reaching.visible(request).filter(pk__in=seeing.within(one).values("pk"))
        return page(request, rows, self.query(PageQuery), word=lambda row: word(row, kind))

    @operation(out=MembersOut, body=MembersIn, example={"records": [311, 312]}, answer={"added": 2}, also=(409,))
    def post(self, request: ApiRequest, list_id: int) -> Response:
        """Put records into a static list.

        Records of another kind, in the bin or out of the caller's sight are left out. Twice is once.
        """
        one = _one(request, list_id)
        ids = self.body(MembersIn)["records"]
        return Response({"added": adding.add(one, ids, by=request.member, source=Source.API)})


class OneMember(Door):
    required_scope = "records.write"

    @operation(status=204, also=(409, 422))
    def delete(self, request: ApiRequest, list_id: int, record_id: int) -> Response:
        """Take a record out of a static list. Twice is once."""
        adding.remove(_one(request, list_id), [record_id], by=request.member)
        return Response(status=204)


def word_list(one: RecordList, request: ApiRequest) -> dict[str, Any]:
    return _word(one, seeing.counter(request.member)(one))


def _word(one: RecordList, count: Count) -> dict[str, Any]:
    return {
        "id": one.pk,
        "name": one.name,
        "kind": one.kind,
        "type": "filtered" if one.is_filtered else "static",
        "where": one.conditions,
        "state": one.state,
        "problem": one.problem,
        "looked_at": one.looked_at,
        "to_look_at": one.to_look_at,
        "members": count.number,
        "more": count.is_more,
        "url": paths.list_(one),
        "created_by": one.created_by_id,
        "created_at": one.created_at,
    }


def _one(request: ApiRequest, pk: int) -> RecordList:
    return get_object_or_404(RecordList.objects.of(request.account).select_related("account"), pk=pk)


def _conditions(given: Sequence[dict[str, Any]]) -> list[Condition]:
    return [Condition(one["property"], one["operator"], one.get("value")) for one in given]
