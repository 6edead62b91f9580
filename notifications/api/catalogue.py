"""The notification types there are, and the data that an event of each takes."""

from typing import Any

from django.http import Http404
from rest_framework import serializers
from rest_framework.response import Response

from accounts.api.doors import ApiRequest, Door
from accounts.api.fields import Strict
from accounts.api.schema import operation
from notifications import types
from notifications.types import values
from notifications.types.base import NotificationType


class TypeOut(serializers.Serializer[Any]):
    type = serializers.CharField()
    topic = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]
    channels = serializers.ListField(child=serializers.CharField(), help_text="Those it may use.")
    defaults = serializers.ListField(child=serializers.CharField(), help_text="On unless somebody chose otherwise.")
    required = serializers.ListField(child=serializers.CharField(), help_text="Always on.")  # type: ignore[assignment]
    for_role = serializers.CharField(help_text="Only for members with this role; empty: for all.")
    for_seat = serializers.CharField()
    needs_permission = serializers.CharField()
    for_one = serializers.BooleanField(help_text="The audience must be one member, named in person.")
    example = serializers.DictField(help_text="Data that an event of this type may carry.")


class TypeWithSchema(TypeOut):
    data_schema = serializers.DictField(help_text="JSON Schema of the data.")


class TypesOut(serializers.Serializer[Any]):
    results = TypeOut(many=True)


class TypeQuery(Strict):
    topic = serializers.CharField(required=False, max_length=80, help_text="A topic, such as `deals`.")


class Types(Door):
    required_scope = ""

    @operation(out=TypesOut, query=TypeQuery)
    def get(self, request: ApiRequest) -> Response:
        """List the notification types, in the order of the settings page."""
        topic = self.query(TypeQuery).get("topic")
        return Response(
            {"results": [word(kind) for kind in types.TYPES.values() if topic is None or kind.topic.key == topic]}
        )


class OneType(Door):
    required_scope = ""

    @operation(out=TypeWithSchema)
    def get(self, request: ApiRequest, key: str) -> Response:
        """Show a notification type, with a JSON Schema of its data."""
        kind = types.get(key)
        if kind is None:
            raise Http404
        return Response({**word(kind), "data_schema": schema_of(kind)})


def word(kind: NotificationType) -> dict[str, Any]:
    return {
        "type": kind.key,
        "topic": kind.topic.key,
        "label": str(kind.label),
        "channels": sorted(kind.offered),
        "defaults": sorted(kind.defaults),
        "required": sorted(kind.required),
        "for_role": kind.for_role,
        "for_seat": kind.for_seat,
        "needs_permission": kind.needs_permission,
        "for_one": kind.for_one,
        "example": dict(kind.example),
    }


def schema_of(kind: NotificationType) -> dict[str, Any]:
    """JSON Schema of a type's data: all fields required, no others."""
    most = values.LARGEST_NUMBER
    value = {"type": ["string", "integer"], "minimum": -most, "maximum": most}
    link = {"type": "string", "maxLength": values.LONGEST_LINK, "pattern": "^(/|https?://)"}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "properties": {
            name: {**(link if name == "url" else value), "examples": [example]}
            for name, example in kind.example.items()
        },
        "required": list(kind.example),
        "additionalProperties": False,
    }
