"""Exports: asked for, watched, fetched. A member's own; a program's key finds those that programs asked for."""

from typing import Any

from django.db.models import QuerySet
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from drf_spectacular.types import OpenApiTypes
from rest_framework import serializers
from rest_framework.response import Response

from accounts.api.doors import ApiRequest, Door
from accounts.api.fields import Flag, Strict, Text
from accounts.api.paging import PageQuery, page
from accounts.api.schema import operation, page_of
from crm import downloading, exporting, filtering, listing, paths, schema
from crm.api.shapes import ConditionIn, kind_field
from crm.browsing import LONGEST, Wanted
from crm.filtering import Condition
from crm.models import Export


class ExportIn(Strict):
    kind = kind_field()
    search = Text(required=False, max_length=LONGEST, help_text="Words that the records hold, all.")
    where = serializers.ListField(child=ConditionIn(), required=False, max_length=filtering.MOST)
    sort = serializers.ChoiceField(choices=list(listing.SORTS), required=False, help_text="-updated_at unless said.")
    properties = serializers.ListField(
        child=Text(max_length=60), required=False, help_text="The columns; all properties unless said."
    )
    bom = Flag(required=False, help_text="Whether the file begins with a byte order mark, as Excel wants it.")


class ExportOut(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    kind = serializers.CharField()
    file = serializers.CharField()
    state = serializers.CharField(help_text="`waiting`, `writing`, `ready`, `cancelled` or `expired`.")
    total = serializers.IntegerField(allow_null=True, help_text="Records that matched; null: not looked up yet.")
    seen = serializers.IntegerField(help_text="So many of them were gone through.")
    rows = serializers.IntegerField(help_text="Lines that the file has, without its head.")
    size = serializers.IntegerField(help_text="Bytes.")
    url = serializers.CharField(help_text="Its page.")
    download = serializers.CharField(allow_null=True, help_text="Where the file is; null: not ready, or erased.")
    created_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField(allow_null=True)


SHOWN = {
    "id": 52,
    "kind": "contacts",
    "file": "contacts-2026-11-22.csv",
    "state": "ready",
    "total": 18250,
    "seen": 18250,
    "rows": 18250,
    "size": 2411724,
    "url": "/1001/exports/52/",
    "download": "/api/v1/crm/exports/52/download/",
    "created_at": "2026-11-22T09:30:00Z",
    "expires_at": "2026-12-22T09:30:41Z",
}
ASKED = {**SHOWN, "state": "waiting", "total": None, "seen": 0, "rows": 0, "size": 0, "download": None}
EXAMPLE = {
    "kind": "contacts",
    "where": [{"property": "lifecycle", "operator": "is", "value": "customer"}],
    "properties": ["first_name", "last_name", "email"],
}


class Exports(Door):
    required_scope = "records.read"

    @operation(out=page_of(ExportOut), query=PageQuery, answer={"results": [SHOWN], "next": None})
    def get(self, request: ApiRequest) -> Response:
        """List exports, newest first."""
        return page(request, _mine(request), self.query(PageQuery), word=word)

    @operation(
        out=ExportOut, status=202, body=ExportIn, also=(409,), example=EXAMPLE, answer={**ASKED, "expires_at": None}
    )
    def post(self, request: ApiRequest) -> Response:
        """Ask for a file (CSV) of all records of one kind that match.

        It is written in the background: ask for it again until its `state` is `ready`. A member is told when it is.
        """
        given = self.body(ExportIn)
        kind = schema.kind_of(request.account, given["kind"])
        export = exporting.start(
            request.account,
            kind,
            by=request.member,
            wanted=Wanted(words=given.get("search", "").strip(), sort=given.get("sort", listing.USUAL)),
            conditions=[
                Condition(one["property"], one["operator"], one.get("value")) for one in given.get("where", ())
            ],
            columns=given.get("properties", ()),
            has_bom=given.get("bom", False),
        )
        return Response(word(export), status=202)


class OneExport(Door):
    required_scope = "records.read"

    @operation(out=ExportOut, answer=SHOWN)
    def get(self, request: ApiRequest, export_id: int) -> Response:
        """Show an export: how far it is, and where its file is."""
        return Response(word(_one(request, export_id)))

    @operation(status=204)
    def delete(self, request: ApiRequest, export_id: int) -> Response:
        """Erase an export and its file; one under way is stopped."""
        exporting.delete(_one(request, export_id))
        return Response(status=204)


class DownloadExport(Door):
    required_scope = "records.read"

    @operation(out=OpenApiTypes.STR, media="text/csv", also=(409, 410))
    def get(self, request: ApiRequest, export_id: int) -> HttpResponseBase:
        """Fetch the file.

        UTF-8, commas, lines after RFC 4180. Cells that a spreadsheet would run as a formula begin with an apostrophe.
        """
        export = _one(request, export_id)
        exporting.check_ready(export)
        return downloading.file(request, export)


def word(export: Export) -> dict[str, Any]:
    return {
        "id": export.pk,
        "kind": export.kind,
        "file": export.file,
        "state": export.state.value,
        "total": export.total,
        "seen": export.seen,
        "rows": export.rows,
        "size": export.size,
        "url": paths.export(export),
        "download": f"/api/v1/crm/exports/{export.pk}/download/" if export.is_ready else None,
        "created_at": export.created_at,
        "expires_at": export.expires_at,
    }


def _mine(request: ApiRequest) -> QuerySet[Export]:
    return Export.objects.asked_by(request.account, request.member).select_related("account")


def _one(request: ApiRequest, export_id: int) -> Export:
    return get_object_or_404(_mine(request), pk=export_id)
