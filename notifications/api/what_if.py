"""What if a member had chosen otherwise: the last 14 days, counted again."""

from typing import Any

from rest_framework import serializers
from rest_framework.response import Response

from accounts.api.doors import ApiRequest, Door
from accounts.api.fields import Flag, Strict, Text
from accounts.api.schema import operation
from notifications import what_if
from notifications.api import cells
from notifications.api.cells import MOST
from notifications.api.naming import AboutQuery, subject_of


class TriedCell(Strict):
    type = Text(max_length=80)
    channel = Text(max_length=20)
    on = Flag()


class TriedSwitch(Strict):
    channel = Text(max_length=20)
    on = Flag()


class TriedIn(Strict):
    cells = serializers.ListField(child=TriedCell(), max_length=MOST, required=False)
    switches = serializers.ListField(child=TriedSwitch(), max_length=20, required=False, help_text="Whole channels.")


class Counted(serializers.Serializer[Any]):
    channel = serializers.CharField()
    before = serializers.IntegerField(help_text="What came.")
    after = serializers.IntegerField(help_text="What would have come.")


class CountedType(serializers.Serializer[Any]):
    type = serializers.CharField()
    happened = serializers.IntegerField()
    channels = Counted(many=True)


class WhatIfOut(serializers.Serializer[Any]):
    member = serializers.IntegerField()
    days = serializers.IntegerField()
    is_cut = serializers.BooleanField(help_text=f"Only the newest {what_if.MOST:,} were looked at.")
    totals = Counted(many=True)
    types = CountedType(many=True)


ONE = {"channel": "email", "before": 41, "after": 3}


class WhatIf(Door):
    required_scope = "preferences.read"

    @operation(
        out=WhatIfOut,
        body=TriedIn,
        query=AboutQuery,
        example=cells.EXAMPLE,
        answer={
            "member": 12,
            "days": 14,
            "is_cut": False,
            "totals": [ONE],
            "types": [{"type": "deals.stage_changed", "happened": 41, "channels": [ONE]}],
        },
    )
    def post(self, request: ApiRequest) -> Response:
        """Count the last 14 days again with other choices. Nothing is saved.

        Replays the recorded decisions; cells that are fixed, and those that there are not, change nothing.
        """
        given = self.body(TriedIn)
        member = subject_of(request, self.query(AboutQuery))
        wanted = {cell: bool(is_on) for cell, is_on in cells.chosen(given.get("cells", [])).items()}
        tried = what_if.replay(member, wanted, {one["channel"]: one["on"] for one in given.get("switches", [])})
        return Response(
            {
                "member": member.pk,
                "days": tried.days,
                "is_cut": tried.is_cut,
                "totals": [
                    {"channel": one.channel.key, "before": one.before, "after": one.after} for one in tried.totals
                ],
                "types": [
                    {
                        "type": row.kind.key,
                        "happened": row.count,
                        "channels": [
                            {"channel": cell.state.channel.key, "before": cell.before, "after": cell.after}
                            for cell in row.cells
                        ],
                    }
                    for row in tried.rows
                ],
            }
        )
