"""What a member was assigned, and whether they were told of it."""

from typing import Any

from rest_framework import serializers
from rest_framework.response import Response

from accounts.api.doors import ApiRequest, Door
from accounts.api.fields import AskedFlag, AskedWhole, Moment
from accounts.api.paging import PageQuery, page
from accounts.api.schema import operation, page_of
from crm import assigned
from crm.models import Assignment, AssignmentOutcome
from notifications.api.naming import AboutQuery, subject_of


class AssignmentQuery(AboutQuery, PageQuery):
    record = AskedWhole(required=False, help_text="Of one record only.")
    since = Moment(required=False, help_text="Only what was assigned at this moment or later.")
    untold = AskedFlag(required=False, help_text="Only those that were not told, and why.")


class AssignmentOut(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    record = serializers.IntegerField()
    title = serializers.CharField(help_text="Empty where the member may not see the record.")
    property = serializers.CharField(help_text="The property in which the member was named.")
    by = serializers.IntegerField(allow_null=True, help_text="The member who did it; null: a program or a rule.")
    at = serializers.DateTimeField()
    outcome = serializers.ChoiceField(choices=AssignmentOutcome.values)
    sentence = serializers.CharField()
    event = serializers.IntegerField(allow_null=True, help_text="The event that told it: `/notifications/…/why/`.")


class Assignments(Door):
    required_scope = "notifications.read"

    @operation(
        out=page_of(AssignmentOut),
        query=AssignmentQuery,
        answer={
            "results": [
                {
                    "id": 91,
                    "record": 311,
                    "title": "Mia Lind",
                    "property": "owner",
                    "by": 7,
                    "at": "2027-03-09T08:30:00Z",
                    "outcome": "opened",
                    "sentence": "Not told: you opened the record after it was assigned.",
                    "event": None,
                }
            ],
            "next": None,
        },
    )
    def get(self, request: ApiRequest) -> Response:
        """List what a member was assigned, newest first, and whether they were told or why not.

        Assignments are told together five minutes after the first, if they still hold.
        """
        asked = self.query(AssignmentQuery)
        member = subject_of(request, asked)
        rows = assigned.of(
            member, record=asked.get("record"), since=asked.get("since"), untold=asked.get("untold", False)
        )
        answer = page(request, rows, asked, word=lambda row: row)
        answer.data["results"] = [word(line) for line in assigned.lines(member, _rows(answer))]
        return answer


def _rows(answer: Response) -> list[Assignment]:
    rows: list[Assignment] = answer.data["results"]
    return rows


def word(line: assigned.Line) -> dict[str, Any]:
    row = line.row
    return {
        "id": row.pk,
        "record": row.record_id,
        "title": line.title,
        "property": row.property,
        "by": row.by_id,
        "at": row.at,
        "outcome": row.outcome,
        "sentence": line.sentence,
        "event": line.event_id,
    }
