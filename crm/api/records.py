"""Records: list, search, make, show, change, delete, restore; many at once; their history."""

import zoneinfo
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from django.db import transaction
from django.http import Http404
from django.utils.translation import gettext as _
from rest_framework.response import Response

from accounts.api.doors import ApiRequest, Door
from accounts.api.paging import USUAL, PageQuery, page
from accounts.api.schema import operation, page_of
from accounts.errors import DomainError
from crm import filtering, listing, mail_addresses, merging, records, schema
from crm.api import reaching
from crm.api.shapes import (
    CHANGE,
    DEAL,
    RECORDS,
    HistoryLine,
    MergeIn,
    RecordBatchIn,
    RecordBatchOut,
    RecordChange,
    RecordIn,
    RecordOut,
    RecordQuery,
    SearchIn,
    word,
    word_change,
)
from crm.filtering import Condition
from crm.kinds import Kind
from crm.models import Record, Source
from crm.models.records import RecordQuerySet
from crm.searching import Words

PROPERTIES = {"name": "Nordic Oak 2027", "amount": 18400, "owner": 7}


class Records(Door):
    required_scope = {"GET": "records.read", "POST": "records.write"}

    @operation(out=RECORDS, query=RecordQuery, answer={"results": [DEAL], "next": None})
    def get(self, request: ApiRequest) -> Response:
        """List records of one kind.

        For conditions on any property there is `POST /api/v1/crm/records/search/`.
        """
        asked = self.query(RecordQuery)
        kind = schema.kind_of(request.account, asked["kind"])
        rows = _asked(reaching.visible(request), request, kind, asked)
        found = listing.page(
            rows,
            sort=asked.get("sort", listing.USUAL),
            after=asked.get("cursor"),
            limit=asked.get("limit") or USUAL,
            words=Words(request.account, asked.get("search", "")),
        )
        following = f"{request.path}?{urlencode({**request.query_params.dict(), 'cursor': found.next})}"
        return Response(
            {"results": [word(row, kind) for row in found.records], "next": following if found.next else None}
        )

    @operation(
        out=RecordOut,
        status=201,
        body=RecordIn,
        also=(409,),
        example={"kind": "deals", "properties": PROPERTIES},
        answer=DEAL,
    )
    def post(self, request: ApiRequest) -> Response:
        """Make a record.

        Which properties a kind has is at `/api/v1/crm/kinds/`. A contact's address that another one has is refused
        (409). Whoever is named as owner or in a custom user property hears after five minutes; of tasks only when
        `tells` is true.
        """
        given = self.body(RecordIn)
        kind = schema.kind_of(request.account, given["kind"])
        record = _create(request, kind, given)
        return Response(word(record, kind), status=201)


class Search(Door):
    required_scope = "records.read"

    @operation(
        out=RECORDS,
        body=SearchIn,
        example={
            "kind": "deals",
            "where": [{"property": "amount", "operator": "at_least", "value": 10000}],
            "sort": "-updated_at",
        },
        answer={"results": [DEAL], "next": None},
    )
    def post(self, request: ApiRequest) -> Response:
        """Search records of one kind.

        All conditions of `where` hold, and the record holds all words of `search`. `next` is the cursor to send
        with the same request for the following page.
        """
        asked = self.body(SearchIn)
        kind = schema.kind_of(request.account, asked["kind"])
        rows = _asked(reaching.visible(request), request, kind, asked)
        conditions = [Condition(one["property"], one["operator"], one.get("value")) for one in asked.get("where", ())]
        rows = filtering.narrowed(rows, kind, conditions, zone=_zone(request))
        found = listing.page(
            rows,
            sort=asked.get("sort", listing.USUAL),
            after=asked.get("cursor"),
            limit=asked.get("limit") or USUAL,
            words=Words(request.account, asked.get("search", "")),
        )
        return Response({"results": [word(row, kind) for row in found.records], "next": found.next})


class Batch(Door):
    required_scope = "records.write"
    throttle_scope = "batch"
    largest_body = 10 * 1024 * 1024

    @operation(
        out=RecordBatchOut,
        body=RecordBatchIn,
        example={"records": [{"kind": "deals", "properties": PROPERTIES}, {"id": 7, "properties": {"amount": 20000}}]},
        answer={"outcomes": [{"index": 0, "status": 201, "record": DEAL, "code": None, "detail": None, "errors": []}]},
    )
    def post(self, request: ApiRequest) -> Response:
        """Make or change up to 500 records, each on its own.

        Every one has its outcome, in the order sent; one that is refused does not keep the others from being saved.
        """
        kinds = schema.of(request.account)
        items = self.body(RecordBatchIn)["records"]
        return Response({"outcomes": [_outcome(request, kinds, index, item) for index, item in enumerate(items)]})


class OneRecord(Door):
    required_scope = {"GET": "records.read", "PATCH": "records.write", "DELETE": "records.write"}

    @operation(out=RecordOut, answer=DEAL)
    def get(self, request: ApiRequest, record_id: int) -> Response:
        """Show a record, from the bin too."""
        record = reaching.one(request, record_id)
        return Response(word(record, schema.kind_of(request.account, record.kind)))

    @operation(
        out=RecordOut,
        body=RecordChange,
        also=(409,),
        example={"version": 3, "properties": {"amount": 20000, "currency": None}},
        answer=DEAL,
    )
    def patch(self, request: ApiRequest, record_id: int) -> Response:
        """Change some properties of a record.

        Send the `version` you read: if somebody saved in between it is refused (409), and `errors` says what changed.
        """
        record = reaching.one_to_change(request, record_id)
        given = self.body(RecordChange)
        kind = schema.kind_of(request.account, record.kind)
        record = records.change(
            record,
            given["properties"],
            by=request.member,
            version=given.get("version"),
            source=Source.API,
            kind=kind,
        )
        return Response(word(record, kind))

    @operation(out=RecordOut, answer={**DEAL, "deleted_at": "2027-03-09T10:00:00Z"})
    def delete(self, request: ApiRequest, record_id: int) -> Response:
        """Put a record into the bin, for 90 days."""
        record = records.delete(reaching.one_to_change(request, record_id), by=request.member, source=Source.API)
        return Response(word(record, schema.kind_of(request.account, record.kind)))


class Restore(Door):
    required_scope = "records.write"

    @operation(out=RecordOut, also=(409, 422), answer=DEAL)
    def post(self, request: ApiRequest, record_id: int) -> Response:
        """Take a record out of the bin."""
        record = records.restore(reaching.one_to_change(request, record_id), by=request.member, source=Source.API)
        return Response(word(record, schema.kind_of(request.account, record.kind)))


class Merge(Door):
    required_scope = "records.write"

    @operation(out=RecordOut, body=MergeIn, also=(409,), example={"other": 8}, answer=DEAL)
    def post(self, request: ApiRequest, record_id: int) -> Response:
        """Merge another record of the same kind into this one.

        What this one lacks is taken over from the other, with its activities, associations and followers; an open
        task stays open. The other one is gone for good.
        """
        record = reaching.one_to_change(request, record_id)
        other = reaching.one_to_change(request, self.body(MergeIn)["other"])
        record = merging.merge(record, other, by=request.member, source=Source.API)
        return Response(word(record, schema.kind_of(request.account, record.kind)))


class History(Door):
    required_scope = "records.read"

    @operation(out=page_of(HistoryLine), query=PageQuery, answer={"results": [CHANGE], "next": None})
    def get(self, request: ApiRequest, record_id: int) -> Response:
        """List what changed on a record, newest first."""
        record = reaching.one(request, record_id)
        return page(request, record.changes.all(), self.query(PageQuery), word=word_change)


def _asked(rows: RecordQuerySet, request: ApiRequest, kind: Kind, asked: dict[str, Any]) -> RecordQuerySet:
    """Those that the fields of a query name."""
    rows = rows.filter(kind=kind.key)
    rows = rows.in_bin() if asked.get("deleted") else rows.live()
    if "owner" in asked:
        rows = rows.filter(owner=asked["owner"])
    if "stage" in asked:
        rows = rows.filter(stage=asked["stage"])
    if "open" in asked:
        rows = rows.filter(completed_at__isnull=asked["open"])
    if "address" in asked:
        rows = rows.filter(address=_address(asked["address"]))
    return rows


def _address(text: str) -> str:
    """An address that cannot be one finds nothing, like any other unknown one."""
    try:
        return mail_addresses.normalised(text)
    except ValueError:
        return "-"


def _create(request: ApiRequest, kind: Kind, given: dict[str, Any]) -> Record:
    return records.create(
        request.account, kind, given["properties"], by=request.member, source=Source.API, tells=given.get("tells")
    )


def _outcome(request: ApiRequest, kinds: Mapping[str, Kind], index: int, item: dict[str, Any]) -> dict[str, Any]:
    """Make or change one of a batch, in a transaction of its own."""
    said: dict[str, Any] = {"index": index, "record": None, "code": None, "detail": None, "errors": []}
    try:
        with transaction.atomic():
            status, record = _change(request, kinds, item) if "id" in item else _make(request, kinds, item)
    except Http404:
        return {**said, "status": 404, "code": "not_found", "detail": _("There is no such record.")}
    except DomainError as refused:
        errors = [{"field": name, "message": line} for name, lines in refused.fields.items() for line in lines]
        return {**said, "status": refused.status, "code": refused.code, "detail": str(refused), "errors": errors}
    return {**said, "status": status, "record": word(record, kinds[record.kind])}


def _make(request: ApiRequest, kinds: Mapping[str, Kind], item: dict[str, Any]) -> tuple[int, Record]:
    kind = kinds.get(item.get("kind", ""))
    if kind is None:
        sentence = _("Name a kind of record that the account has.")
        raise schema.UnknownKind(sentence, fields={"kind": [sentence]})
    return 201, _create(request, kind, item)


def _change(request: ApiRequest, kinds: Mapping[str, Kind], item: dict[str, Any]) -> tuple[int, Record]:
    record = reaching.one_to_change(request, item["id"])
    return 200, records.change(
        record,
        item["properties"],
        by=request.member,
        version=item.get("version"),
        source=Source.API,
        kind=kinds[record.kind],
    )


def _zone(request: ApiRequest) -> zoneinfo.ZoneInfo:
    return request.member.zone if request.member else zoneinfo.ZoneInfo(request.account.time_zone)
