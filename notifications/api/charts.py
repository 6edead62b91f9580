"""What was sent, opened and turned off, week by week."""

from typing import Any

from rest_framework import serializers
from rest_framework.response import Response

from accounts.api.doors import ApiRequest
from accounts.api.fields import Strict
from accounts.api.schema import operation
from notifications import channels, charts, types
from notifications.api.board import OversightDoor


class ChartsQuery(Strict):
    topic = serializers.ChoiceField(choices=[topic.key for topic in types.TOPICS], required=False)
    type = serializers.ChoiceField(choices=list(types.TYPES), required=False)
    channel = serializers.ChoiceField(choices=list(channels.CHANNELS), required=False)


class ChartLine(serializers.Serializer[Any]):
    type = serializers.CharField()
    sent = serializers.ListField(child=serializers.IntegerField(), help_text="A number for each week.")
    opened = serializers.ListField(child=serializers.IntegerField())
    turned_off = serializers.ListField(child=serializers.IntegerField())


class ChartsOut(serializers.Serializer[Any]):
    weeks = serializers.ListField(child=serializers.DateTimeField(), help_text="When each begins.")
    types = ChartLine(many=True)
    switched_off = serializers.IntegerField(help_text="Times that a member switched a whole channel off.")
    sent_since = serializers.DateTimeField(
        allow_null=True, help_text="Where there was too much to count: nothing older was counted. Else null."
    )
    opened_since = serializers.DateTimeField(allow_null=True)
    turned_off_since = serializers.DateTimeField(allow_null=True)


EXAMPLE = {
    "weeks": ["2027-03-01T00:00:00+01:00", "2027-03-08T00:00:00+01:00"],
    "types": [{"type": "deals.stage_changed", "sent": [1204, 310], "opened": [980, 122], "turned_off": [3, 0]}],
    "switched_off": 1,
    "sent_since": None,
    "opened_since": None,
    "turned_off_since": None,
}


class ChartsDoor(OversightDoor):
    @operation(out=ChartsOut, query=ChartsQuery, answer=EXAMPLE)
    def get(self, request: ApiRequest) -> Response:
        """Show what was sent, opened and turned off in the last twelve weeks, by type and week.

        Only types of which there is something to tell are listed.
        """
        asked = self.query(ChartsQuery)
        about = charts.about(
            topic=asked.get("topic", ""), type_key=asked.get("type", ""), channel=asked.get("channel", "")
        )
        seen = charts.look(request.account, about)
        return Response(
            {
                "weeks": seen.weeks,
                "types": [
                    {"type": line.kind.key, "sent": line.sent, "opened": line.opened, "turned_off": line.off}
                    for line in seen.lines
                ],
                "switched_off": seen.switched_off,
                "sent_since": seen.sent_since,
                "opened_since": seen.opened_since,
                "turned_off_since": seen.off_since,
            }
        )
