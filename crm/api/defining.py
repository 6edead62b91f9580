"""What an account defines itself, for its super admins: kinds and properties."""

from typing import Any

from django.shortcuts import get_object_or_404
from rest_framework import serializers
from rest_framework.response import Response

from accounts.api.doors import ApiRequest, Door
from accounts.api.fields import AskedFlag, Strict, Text
from accounts.api.paging import PageQuery, page
from accounts.api.schema import operation, page_of
from crm import defining, schema
from crm.api.shapes import DEALS, KindOut, PropertyOut, kind_field, place_field, word_kind
from crm.kinds import Type
from crm.models import CustomKind, CustomProperty


class KindIn(Strict):
    key = Text(max_length=60, help_text="Lower-case words joined by _: part of addresses, never changed.")
    label = Text(max_length=80)  # type: ignore[assignment]
    plural = Text(max_length=80)


class KindChange(Strict):
    label = Text(max_length=80, required=False)  # type: ignore[assignment]
    plural = Text(max_length=80, required=False)


class ChoiceIn(Strict):
    key = Text(max_length=60)
    label = Text(max_length=80)  # type: ignore[assignment]


class ChoiceOut(serializers.Serializer[Any]):
    key = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]


class PropertyIn(Strict):
    kind = kind_field()
    key = Text(max_length=60)
    label = Text(max_length=80)  # type: ignore[assignment]
    type = serializers.ChoiceField(choices=[one.value for one in Type if one is not Type.STAGE])
    choices = serializers.ListField(child=ChoiceIn(), required=False, max_length=defining.MOST_CHOICES)


class PropertyChange(Strict):
    label = Text(max_length=80, required=False)  # type: ignore[assignment]
    choices = serializers.ListField(
        child=ChoiceIn(),
        required=False,
        max_length=defining.MOST_CHOICES,
        help_text="All of them. One that records hold cannot be left out.",
    )
    position = place_field()


class PropertyQuery(PageQuery):
    kind = kind_field(required=False)
    archived = AskedFlag(required=False, help_text="Those that are archived instead.")


class OwnProperty(PropertyOut):
    id = serializers.IntegerField()
    kind = serializers.CharField()
    options = ChoiceOut(many=True, help_text="The choices with their names.")


ADVISOR = {
    "id": 4,
    "kind": "deals",
    "key": "advisor",
    "label": "Advisor",
    "type": "user",
    "choices": [],
    "is_required": False,
    "is_custom": True,
    "options": [],
}
BERTHS = {**DEALS, "key": "berths", "label": "Berth", "plural": "Berths", "is_custom": True}


class Kinds(Door):
    required_scope = {"GET": "records.read", "POST": "records.write"}

    @operation(out=KindOut(many=True), answer=[DEALS])
    def get(self, request: ApiRequest) -> Response:
        """List the kinds of records and their properties."""
        return Response([word_kind(kind) for kind in schema.of(request.account).values()])

    @operation(
        out=KindOut,
        status=201,
        body=KindIn,
        example={"key": "berths", "label": "Berth", "plural": "Berths"},
        answer=BERTHS,
    )
    def post(self, request: ApiRequest) -> Response:
        """Define a kind of record of the account's own. With a session: super admins only."""
        row = defining.define_kind(request.account, **self.body(KindIn), by=request.member)
        return Response(word_kind(schema.kind_of(request.account, row.key)), status=201)


class OneKind(Door):
    required_scope = "records.write"

    @operation(out=KindOut, body=KindChange, example={"plural": "Moorings"}, answer={**BERTHS, "plural": "Moorings"})
    def patch(self, request: ApiRequest, kind_id: str) -> Response:
        """Call a kind of the account's own something else. With a session: super admins only."""
        row = get_object_or_404(CustomKind, account=request.account, key=kind_id)
        defining.rename_kind(row, **self.body(KindChange), by=request.member)
        return Response(word_kind(schema.kind_of(request.account, row.key)))


class OwnProperties(Door):
    required_scope = {"GET": "records.read", "POST": "records.write"}

    @operation(out=page_of(OwnProperty), query=PropertyQuery, answer={"results": [ADVISOR], "next": None})
    def get(self, request: ApiRequest) -> Response:
        """List the properties that the account added to kinds."""
        asked = self.query(PropertyQuery)
        rows = CustomProperty.objects.filter(account=request.account, archived_at__isnull=not asked.get("archived"))
        rows = rows.filter(kind=asked["kind"]) if "kind" in asked else rows
        return page(request, rows, asked, word=_word, newest_first=False)

    @operation(
        out=OwnProperty,
        status=201,
        body=PropertyIn,
        also=(404,),
        example={"kind": "deals", "key": "advisor", "label": "Advisor", "type": "user"},
        answer=ADVISOR,
    )
    def post(self, request: ApiRequest) -> Response:
        """Add a property to a kind. With a session: super admins only.

        Whoever is named in a property of the type `user` counts as assigned.
        """
        given = self.body(PropertyIn)
        choices = [(choice["key"], choice["label"]) for choice in given.pop("choices", ())]
        row = defining.define_property(request.account, given.pop("kind"), **given, choices=choices, by=request.member)
        return Response(_word(row), status=201)


class OneProperty(Door):
    required_scope = "records.write"

    @operation(
        out=OwnProperty,
        body=PropertyChange,
        also=(409,),
        example={"label": "First advisor", "position": 0},
        answer={**ADVISOR, "label": "First advisor"},
    )
    def patch(self, request: ApiRequest, property_id: int) -> Response:
        """Change a property's name, choices or place. With a session: super admins only.

        Its key and type stay. Choices are replaced by those that are sent; one that records hold cannot go.
        """
        row = get_object_or_404(CustomProperty, account=request.account, pk=property_id)
        given = self.body(PropertyChange)
        if "choices" in given:
            given["choices"] = [(choice["key"], choice["label"]) for choice in given["choices"]]
        return Response(_word(defining.change_property(row, **given, by=request.member)))

    @operation(status=204)
    def delete(self, request: ApiRequest, property_id: int) -> Response:
        """Hide a property everywhere; its values stay. With a session: super admins only. Twice is once."""
        row = get_object_or_404(CustomProperty, account=request.account, pk=property_id)
        defining.archive_property(row, by=request.member)
        return Response(status=204)


class RestoreProperty(Door):
    required_scope = "records.write"

    @operation(out=OwnProperty, answer=ADVISOR)
    def post(self, request: ApiRequest, property_id: int) -> Response:
        """Show an archived property again, with its values. With a session: super admins only. Twice is once."""
        row = get_object_or_404(CustomProperty, account=request.account, pk=property_id)
        defining.bring_back_property(row, by=request.member)
        return Response(_word(row))


def _word(row: CustomProperty) -> dict[str, Any]:
    return {
        "id": row.pk,
        "kind": row.kind,
        "key": row.key,
        "label": row.label,
        "type": row.type,
        "choices": [key for key, _label in row.choices],
        "is_required": False,
        "is_custom": True,
        "options": [{"key": key, "label": label} for key, label in row.choices],
    }
