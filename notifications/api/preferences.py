"""What a member wants where: the grid with its origins, and changing many cells at once."""

from typing import Any

from rest_framework import serializers
from rest_framework.response import Response

from accounts.api.doors import ApiRequest, Door
from accounts.api.schema import operation
from accounts.models import Membership
from notifications import preferences
from notifications.api import cells
from notifications.api.cells import CellsIn
from notifications.api.naming import AboutQuery, subject_of
from notifications.preferences import CellState
from notifications.types.base import NotificationType


class PreferenceQuery(AboutQuery):
    topic = serializers.CharField(required=False, max_length=80, help_text="A topic, such as `deals`.")


class CellOut(serializers.Serializer[Any]):
    channel = serializers.CharField()
    on = serializers.BooleanField()
    layer = serializers.CharField(help_text="Who says so: own, profile, default, lock, …")
    origin = serializers.CharField(help_text="The same in words.")
    is_changeable = serializers.BooleanField()


class RowOut(serializers.Serializer[Any]):
    type = serializers.CharField()
    topic = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]
    cells = CellOut(many=True)


class Grid(serializers.Serializer[Any]):
    member = serializers.IntegerField()
    types = RowOut(many=True)


SHOWN = {
    "member": 12,
    "types": [
        {
            "type": "deals.stage_changed",
            "topic": "deals",
            "label": "A deal you own or follow moves to another stage",
            "cells": [
                {
                    "channel": "email",
                    "on": False,
                    "layer": "own",
                    "origin": "your own choice",
                    "is_changeable": True,
                }
            ],
        }
    ],
}


class Preferences(Door):
    required_scope = {"GET": "preferences.read", "PATCH": "preferences.write"}

    @operation(out=Grid, query=PreferenceQuery, answer=SHOWN)
    def get(self, request: ApiRequest) -> Response:
        """Show a member's preferences, each cell with the layer it comes from."""
        asked = self.query(PreferenceQuery)
        member = subject_of(request, asked)
        topic = asked.get("topic")
        kinds = [kind for kind in preferences.kinds_for(member) if topic is None or kind.topic.key == topic]
        return Response(grid(member, kinds))

    @operation(out=Grid, body=CellsIn, query=AboutQuery, example=cells.EXAMPLE, answer=SHOWN, also=(409,))
    def patch(self, request: ApiRequest) -> Response:
        """Change many of a member's own choices at once, all or none.

        `null` gives a cell back to the layer below. Answers with the rows of the types that were named.
        """
        given = self.body(CellsIn)["cells"]
        member = subject_of(request, self.query(AboutQuery))
        wanted = cells.chosen(given)
        with cells.pointed_out(given):
            preferences.choose(member, wanted)
        named = {type_key for type_key, _channel in wanted}
        return Response(grid(member, [kind for kind in preferences.kinds_for(member) if kind.key in named]))


def grid(member: Membership, kinds: list[NotificationType]) -> dict[str, Any]:
    now = preferences.standing(member, kinds)
    return {
        "member": member.pk,
        "types": [
            {
                "type": kind.key,
                "topic": kind.topic.key,
                "label": str(kind.label),
                "cells": [word(cell) for cell in now.cells(kind) if cell.is_offered],
            }
            for kind in kinds
        ],
    }


def word(cell: CellState) -> dict[str, Any]:
    return {
        "channel": cell.channel.key,
        "on": cell.is_on,
        "layer": cell.layer,
        "origin": cell.origin,
        "is_changeable": cell.is_changeable,
    }
