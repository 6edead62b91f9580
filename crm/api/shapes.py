"""What requests about records may hold, and what answers look like."""

from collections.abc import Mapping
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from accounts.api.fields import AskedFlag, AskedWhole, Flag, Moment, Strict, Text, Whole
from accounts.api.paging import MOST, USUAL
from accounts.api.schema import ProblemField, page_of
from crm import filtering, listing, paths, records
from crm.kinds import Kind
from crm.models import Activity, ActivityKind, Change, Pipeline, Record

MOST_AT_ONCE = 500
KIND_HELP = "`contacts`, `companies`, `deals`, `tickets`, `leads`, `tasks`, or the key of a custom object."


@extend_schema_field({"type": "object", "additionalProperties": True})
class Properties(serializers.Field[Any, Any, Any, Any]):
    """Values by property key; null empties one. What each property takes is at /crm/kinds/."""

    default_error_messages = {"invalid": "Send an object: property keys and their values."}

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        if not isinstance(data, Mapping):
            self.fail("invalid")
        return dict(data)


@extend_schema_field({})
class Anything(serializers.Field[Any, Any, Any, Any]):
    """A value of whatever type the property has."""

    def to_internal_value(self, data: Any) -> Any:
        return data


def kind_field(**more: Any) -> Text:
    return Text(max_length=60, help_text=KIND_HELP, **more)


def place_field() -> Whole:
    return Whole(min_value=0, max_value=1000, required=False, help_text="The place among the others, from 0.")


class ConditionIn(Strict):
    property = Text(max_length=60)
    operator = serializers.ChoiceField(choices=list(filtering.OPERATORS))
    value = Anything(required=False, allow_null=True)


class RecordQuery(Strict):
    kind = kind_field()
    search = serializers.CharField(required=False, max_length=200, help_text="Words that the record holds, all.")
    owner = AskedWhole(required=False, help_text="The member who owns it.")
    stage = AskedWhole(required=False)
    address = serializers.CharField(required=False, max_length=320, help_text="The contact with this e-mail address.")
    open = AskedFlag(required=False, help_text="Tasks that are not completed; false: those that are.")
    deleted = AskedFlag(required=False, help_text="What is in the bin instead.")
    sort = serializers.ChoiceField(choices=list(listing.SORTS), required=False, help_text="-updated_at unless said.")
    cursor = serializers.CharField(required=False, max_length=1000, help_text="From `next`.")
    limit = AskedWhole(min_value=1, max_value=MOST, required=False, help_text=f"At most so many; {USUAL} unless said.")


class SearchIn(Strict):
    kind = kind_field()
    search = Text(required=False, max_length=200)
    where = serializers.ListField(child=ConditionIn(), required=False, max_length=filtering.MOST)
    sort = serializers.ChoiceField(choices=list(listing.SORTS), required=False)
    cursor = Text(required=False, max_length=1000, allow_null=True)
    limit = Whole(max_value=MOST, required=False)


class RecordIn(Strict):
    kind = kind_field()
    properties = Properties()
    tells = Flag(
        required=False,
        help_text="Whether who is named in it hears of it. Unless said: everybody but the assignees of tasks.",
    )


class RecordChange(Strict):
    version = Whole(required=False, help_text="The version you read: refused with 409 if somebody saved in between.")
    properties = Properties()


class BatchItem(Strict):
    id = Whole(required=False, help_text="Without an id the record is made, with one it is changed.")
    kind = kind_field(required=False)
    version = Whole(required=False)
    properties = Properties()
    tells = Flag(required=False)


class RecordBatchIn(Strict):
    records = serializers.ListField(child=BatchItem(), min_length=1, max_length=MOST_AT_ONCE)


class AssociationIn(Strict):
    record = Whole(help_text="The other record's id.")


class MergeIn(Strict):
    other = Whole(help_text="The record that goes into this one.")


class ActivityIn(Strict):
    kind = serializers.ChoiceField(choices=[kind.value for kind in ActivityKind if kind != ActivityKind.COMMENT])
    text = Text(max_length=65_536, allow_blank=True)
    subject = Text(max_length=200, required=False, allow_blank=True)
    occurred_at = Moment(required=False)


class TextIn(Strict):
    text = Text(max_length=65_536)


class RecordOut(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    kind = serializers.CharField()
    title = serializers.CharField()
    url = serializers.CharField(help_text="Its page.")
    version = serializers.IntegerField(help_text="Grows with every change.")
    properties = serializers.DictField(help_text="Those that hold something.")
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()
    deleted_at = serializers.DateTimeField(allow_null=True)


class RecordOutcome(serializers.Serializer[Any]):
    index = serializers.IntegerField(help_text="The place in what was sent.")
    status = serializers.IntegerField(help_text="As one request would have been answered: 200, 201, 404, 409, 422.")
    record = RecordOut(allow_null=True)
    code = serializers.CharField(allow_null=True)
    detail = serializers.CharField(allow_null=True)
    errors = ProblemField(many=True)  # type: ignore[assignment]


class RecordBatchOut(serializers.Serializer[Any]):
    outcomes = RecordOutcome(many=True)


class HistoryLine(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    version = serializers.IntegerField()
    what = serializers.CharField()
    before = Anything()
    after = Anything()
    by = serializers.IntegerField(allow_null=True)
    source = serializers.CharField()  # type: ignore[assignment]
    at = serializers.DateTimeField()


class ActivityOut(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    record = serializers.IntegerField()
    kind = serializers.CharField()
    subject = serializers.CharField()
    text = serializers.CharField()
    author = serializers.IntegerField(allow_null=True)
    parent = serializers.IntegerField(allow_null=True, help_text="What a comment is about.")  # type: ignore[assignment]
    source = serializers.CharField()  # type: ignore[assignment]
    occurred_at = serializers.DateTimeField()
    edited_at = serializers.DateTimeField(allow_null=True)


class FollowerOut(serializers.Serializer[Any]):
    member = serializers.IntegerField()
    created_at = serializers.DateTimeField()


class PropertyOut(serializers.Serializer[Any]):
    key = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]
    type = serializers.CharField()
    choices = serializers.ListField(child=serializers.CharField())
    is_required = serializers.BooleanField()
    is_custom = serializers.BooleanField()


class KindOut(serializers.Serializer[Any]):
    key = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]
    plural = serializers.CharField()
    is_custom = serializers.BooleanField()
    properties = PropertyOut(many=True)


class StageOut(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    name = serializers.CharField()
    outcome = serializers.CharField(help_text="`open`, `won` or `lost`.")


class PipelineOut(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    kind = serializers.CharField()
    name = serializers.CharField()
    stages = StageOut(many=True)


RECORDS = page_of(RecordOut)

DEAL = {
    "id": 7,
    "kind": "deals",
    "title": "Nordic Oak 2027",
    "url": "/1001/deals/7/",
    "version": 3,
    "properties": {"name": "Nordic Oak 2027", "amount": 18400, "currency": "EUR", "stage": 12, "owner": 7},
    "created_at": "2027-03-09T08:30:00Z",
    "updated_at": "2027-03-09T09:10:00Z",
    "deleted_at": None,
}
CHANGE = {
    "id": 91,
    "version": 3,
    "what": "amount",
    "before": 16000,
    "after": 18400,
    "by": 7,
    "source": "api",
    "at": "2027-03-09T09:10:00Z",
}
NOTE = {
    "id": 914,
    "record": 7,
    "kind": "note",
    "subject": "",
    "text": "Legal wants one more week.",
    "author": None,
    "parent": None,
    "source": "api",
    "occurred_at": "2027-03-09T08:30:00Z",
    "edited_at": None,
}


DEALS = {
    "key": "deals",
    "label": "Deal",
    "plural": "Deals",
    "is_custom": False,
    "properties": [
        {
            "key": "amount",
            "label": "Amount",
            "type": "number",
            "choices": [],
            "is_required": False,
            "is_custom": False,
        }
    ],
}
SALES = {
    "id": 3,
    "kind": "deals",
    "name": "Sales",
    "stages": [{"id": 12, "name": "Qualified", "outcome": "open"}],
}


def word(record: Record, kind: Kind) -> dict[str, Any]:
    return {
        "id": record.pk,
        "kind": record.kind,
        "title": record.title,
        "url": paths.record(record),
        "version": record.version,
        "properties": records.values_of(record, kind),
        "created_at": record.created_at,
        "updated_at": record.updated_at,
        "deleted_at": record.deleted_at,
    }


def word_kind(kind: Kind) -> dict[str, Any]:
    return {
        "key": kind.key,
        "label": str(kind.label),
        "plural": str(kind.plural),
        "is_custom": kind.is_custom,
        "properties": [
            {
                "key": one.key,
                "label": str(one.label),
                "type": one.type.value,
                "choices": [key for key, _label in one.choices],
                "is_required": one.is_required,
                "is_custom": one.is_custom,
            }
            for one in kind.properties
        ],
    }


def word_pipeline(pipeline: Pipeline) -> dict[str, Any]:
    return {
        "id": pipeline.pk,
        "kind": pipeline.kind,
        "name": pipeline.name,
        "stages": [{"id": stage.pk, "name": stage.name, "outcome": stage.outcome} for stage in pipeline.stages.all()],
    }


def word_change(line: Change) -> dict[str, Any]:
    return {
        "id": line.pk,
        "version": line.version,
        "what": line.what,
        "before": line.before,
        "after": line.after,
        "by": line.by_id,
        "source": line.source,
        "at": line.at,
    }


def word_activity(one: Activity) -> dict[str, Any]:
    return {
        "id": one.pk,
        "record": one.record_id,
        "kind": one.kind,
        "subject": one.subject,
        "text": one.text,
        "author": one.author_id,
        "parent": one.parent_id,
        "source": one.source,
        "occurred_at": one.occurred_at,
        "edited_at": one.edited_at,
    }
