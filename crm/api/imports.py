"""Imports: a file is sent and tried out, looked at row by row, begun, stopped, taken back."""

from typing import Any

from django.conf import settings
from django.db.models import Q, QuerySet
from django.shortcuts import get_object_or_404
from rest_framework import serializers
from rest_framework.response import Response

from accounts.api.doors import ApiRequest, Door
from accounts.api.fields import Flag, Strict, Text
from accounts.api.paging import PageQuery, page
from accounts.api.schema import operation, page_of
from crm import paths, schema
from crm.api.shapes import kind_field
from crm.importing import deciding, outcomes, plans, sniffing
from crm.models import ImportJob, ImportRow, ImportState, RowOutcome, Undone

STATES = ", ".join(f"`{state}`" for state in ImportState.values)
OUTCOMES = ", ".join(f"`{outcome}`" for outcome in RowOutcome.values)


class ImportIn(Strict):
    """A file, and how it is meant; what is left out is proposed from the file itself."""

    kind = kind_field()
    file = Text(help_text="The text of the CSV file.")
    name = Text(max_length=200, required=False, help_text="What the file is called.")
    delimiter = serializers.ChoiceField(choices=list(sniffing.DELIMITERS), required=False)
    header = Flag(required=False, help_text="Whether the first row holds the names of the columns.")
    columns = serializers.ListField(
        child=Text(max_length=60, allow_blank=True),
        max_length=plans.MOST_COLUMNS,
        required=False,
        help_text="A property's key for each column, `id` for record ids, empty for what is not imported.",
    )
    match = Text(
        max_length=60,
        required=False,
        allow_blank=True,
        help_text="What finds records that are there already: a unique or own property, `id`, or empty for nothing.",
    )
    existing = serializers.ChoiceField(choices=list(plans.EXISTING), required=False)
    dates = serializers.ChoiceField(choices=list(plans.DATES), required=False)
    numbers = serializers.ChoiceField(choices=list(plans.NUMBERS), required=False)


class RowsQuery(PageQuery):
    outcome = serializers.ChoiceField(
        choices=RowOutcome.values,
        required=False,
        help_text="As tried out; once something is imported, as it went.",
    )


class ImportColumnOut(serializers.Serializer[Any]):
    name = serializers.CharField()
    property = serializers.CharField(help_text="Empty: it is not imported.")


class ImportOut(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    kind = serializers.CharField()
    name = serializers.CharField()
    state = serializers.CharField(help_text=f"{STATES}.")
    problem = serializers.CharField(help_text="Why it failed; empty where it did not.")
    columns = ImportColumnOut(many=True)
    match = serializers.CharField()
    existing = serializers.CharField()
    rows = serializers.IntegerField(help_text="Read so far.")
    done = serializers.IntegerField(help_text="How far the present state has come.")
    forecast = serializers.DictField(child=serializers.IntegerField(), help_text=f"Rows by {OUTCOMES}, as tried out.")
    outcomes = serializers.DictField(child=serializers.IntegerField(), help_text="Rows by the same, as they went.")
    undone = serializers.DictField(
        child=serializers.IntegerField(),
        help_text=f"Rows by {', '.join(f'`{one}`' for one in Undone.values)}, as they were rolled back.",
    )
    by = serializers.IntegerField(allow_null=True)
    url = serializers.CharField(help_text="Its page.")
    created_at = serializers.DateTimeField()
    finished_at = serializers.DateTimeField(allow_null=True)


class ImportReasonOut(serializers.Serializer[Any]):
    column = serializers.CharField(help_text="Empty: the row as a whole.")
    message = serializers.CharField()


class ImportRowOut(serializers.Serializer[Any]):
    number = serializers.IntegerField(help_text="1 is the first below the header.")
    line = serializers.IntegerField(help_text="Of the file, where the row begins.")
    forecast = serializers.CharField()
    outcome = serializers.CharField()
    undone = serializers.CharField()
    record = serializers.IntegerField(allow_null=True)
    reasons = ImportReasonOut(many=True)
    cells = serializers.ListField(child=serializers.CharField())


IMPORT = {
    "id": 31,
    "kind": "contacts",
    "name": "trade-fair-2026.csv",
    "state": "checked",
    "problem": "",
    "columns": [{"name": "E-mail", "property": "email"}, {"name": "City", "property": "city"}],
    "match": "email",
    "existing": "update",
    "rows": 1294,
    "done": 1294,
    "forecast": {"created": 1204, "updated": 87, "refused": 3},
    "outcomes": {},
    "undone": {},
    "by": 7,
    "url": "/1001/imports/31/",
    "created_at": "2027-03-09T08:30:00Z",
    "finished_at": None,
}
ROW = {
    "number": 12,
    "line": 13,
    "forecast": "refused",
    "outcome": "waiting",
    "undone": "",
    "record": None,
    "reasons": [{"column": "E-mail", "message": "“mia” is not an e-mail address such as ann@example.com."}],
    "cells": ["mia", "Bergen"],
}


class Imports(Door):
    required_scope = "records.write"
    throttle_scope = "batch"
    largest_body = settings.IMPORT_LARGEST_BYTES + 2**20

    @operation(out=page_of(ImportOut), query=PageQuery, answer={"results": [IMPORT], "next": None})
    def get(self, request: ApiRequest) -> Response:
        """List imports, newest first.

        With a session: one's own; super admins see those of the account.
        """
        return page(request, _visible(request).select_related("account"), self.query(PageQuery), word=word)

    @operation(
        out=ImportOut,
        status=201,
        body=ImportIn,
        also=(409,),
        example={"kind": "contacts", "name": "fair.csv", "file": "E-mail,City\nmia@example.com,Bergen\n"},
        answer={**IMPORT, "state": "reading", "rows": 0, "done": 0, "forecast": {}},
    )
    def post(self, request: ApiRequest) -> Response:
        """Send a file and have it tried out.

        No record is touched until `start/`. Ask for the import until its `state` is `checked`, look at `forecast` and
        at the rows that would be refused, then start it.
        """
        given = self.body(ImportIn)
        kind = schema.kind_of(request.account, given.pop("kind"))
        content, name = given.pop("file").encode(), given.pop("name", "")
        if "columns" in given:
            given["columns"] = tuple(given["columns"])
        job = deciding.begin(request.account, kind, file=name, content=content, by=request.member, choices=given)
        return Response(word(job), status=201)


class OneImport(Door):
    required_scope = "records.write"

    @operation(out=ImportOut, answer=IMPORT)
    def get(self, request: ApiRequest, import_id: int) -> Response:
        """Show how far an import is."""
        return Response(word(_one(request, import_id)))


class Rows(Door):
    required_scope = "records.write"

    @operation(out=page_of(ImportRowOut), query=RowsQuery, answer={"results": [ROW], "next": None})
    def get(self, request: ApiRequest, import_id: int) -> Response:
        """List the rows of an import in the order of the file, each with its outcome and reasons."""
        job = _one(request, import_id)
        asked = self.query(RowsQuery)
        rows = ImportRow.objects.filter(job=job)
        if "outcome" in asked:
            stage = "forecast" if outcomes.stage_of(job) == "forecast" else "outcome"
            rows = rows.filter(**{stage: asked["outcome"]})
        return page(request, rows, asked, word=word_row, by="number", newest_first=False)


class Start(Door):
    required_scope = "records.write"

    @operation(out=ImportOut, also=(409,), answer={**IMPORT, "state": "importing", "done": 0})
    def post(self, request: ApiRequest, import_id: int) -> Response:
        """Import for good what was tried out. It is done in the name of who sent the file, and by nobody else."""
        own = Q(by=request.member) if request.member else Q(is_program=True)
        return Response(word(deciding.start(_one(request, import_id, own))))


class Cancel(Door):
    required_scope = "records.write"

    @operation(out=ImportOut, also=(409,), answer={**IMPORT, "state": "cancelled"})
    def post(self, request: ApiRequest, import_id: int) -> Response:
        """Stop an import. What is done stays done; what is under way stops before the next batch. Twice is once."""
        job = _one(request, import_id)
        deciding.cancel(job)
        job.refresh_from_db()
        return Response(word(job))


class RollBack(Door):
    required_scope = "records.write"

    @operation(out=ImportOut, also=(409,), answer={**IMPORT, "state": "rolling_back", "done": 0})
    def post(self, request: ApiRequest, import_id: int) -> Response:
        """Take an import back.

        What it made goes to the bin, what it changed gets its old values, unless somebody changed it since: that is
        left as it is, with the reason on its row.
        """
        return Response(word(deciding.roll_back(_one(request, import_id), by=request.member)))


def word(job: ImportJob) -> dict[str, Any]:
    """An import as the API says it."""
    plan = plans.Plan.read(job.plan)
    return {
        "id": job.pk,
        "kind": job.kind,
        "name": job.file,
        "state": job.state,
        "problem": job.problem,
        "columns": [{"name": name, "property": key} for name, key in zip(job.columns, plan.columns, strict=False)],
        "match": plan.match,
        "existing": plan.existing,
        "rows": job.rows,
        "done": sum(job.undone.values()) if outcomes.stage_of(job) == "undone" else min(job.position, job.rows),
        "forecast": job.forecast,
        "outcomes": job.outcomes,
        "undone": job.undone,
        "by": job.by_id,
        "url": paths.import_(job),
        "created_at": job.created_at,
        "finished_at": job.finished_at,
    }


def word_row(row: ImportRow) -> dict[str, Any]:
    """A row as the API says it."""
    return {
        "number": row.number,
        "line": row.line,
        "forecast": row.forecast,
        "outcome": row.outcome,
        "undone": row.undone,
        "record": row.record_id,
        "reasons": [{"column": column, "message": sentence} for column, sentence in row.reasons],
        "cells": row.cells,
    }


def _visible(request: ApiRequest) -> QuerySet[ImportJob]:
    """The imports that a caller may see: a member as on the pages, a program all of its account."""
    if request.member:
        return ImportJob.objects.visible_to(request.member)
    return ImportJob.objects.filter(account=request.account)


def _one(request: ApiRequest, import_id: int, narrowed: Q | None = None) -> ImportJob:
    return get_object_or_404(_visible(request).filter(narrowed or Q()).select_related("account"), pk=import_id)
