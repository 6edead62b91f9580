"""Being left alone: quiet hours, pausing everything, and snoozing one notification."""

import re
from datetime import time
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.response import Response

from accounts.api.doors import ApiRequest, Door
from accounts.api.fields import Moment, Strict, Text, Whole
from accounts.api.schema import operation
from accounts.models import Membership
from notifications import quiet, rendering, snoozing
from notifications.api.naming import AboutQuery, subject_of
from notifications.models import Snooze
from notifications.moments import Hours

CLOCK = r"([01][0-9]|2[0-3]):[0-5][0-9]"


@extend_schema_field({"type": "string", "pattern": f"^{CLOCK}$", "example": "22:00"})
class Clock(Text):
    """A time of day."""

    def to_internal_value(self, data: Any) -> Any:
        text = super().to_internal_value(data)
        if not re.fullmatch(CLOCK, text, re.ASCII):
            self.fail("invalid")
        return time.fromisoformat(text)

    def to_representation(self, value: Any) -> str:
        return f"{value:%H:%M}"


class DayIn(Strict):
    weekday = Whole(min_value=0, max_value=6, help_text="0 is Monday.")
    starts = Clock()
    ends = Clock(help_text="Not later than the start: on the next day. 00:00 to 00:00 is the whole day.")


class HoursIn(Strict):
    hours = serializers.ListField(child=DayIn(), max_length=7, help_text="One per weekday; none: no quiet hours.")


class DayOut(serializers.Serializer[Any]):
    weekday = serializers.IntegerField()
    starts = serializers.CharField()
    ends = serializers.CharField()


class WindowOut(serializers.Serializer[Any]):
    starts_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField()


class QuietOut(serializers.Serializer[Any]):
    member = serializers.IntegerField()
    time_zone = serializers.CharField(help_text="On whose clocks the hours are.")
    hours = DayOut(many=True)
    is_quiet = serializers.BooleanField(help_text="Whether it is quiet now.")
    window = WindowOut(allow_null=True, help_text="The quiet time that lasts now, or the next one.")
    paused_until = serializers.DateTimeField(allow_null=True)


class UntilIn(Strict):
    until = Moment(help_text="Still to come, and within a year.")


class SnoozeIn(UntilIn):
    id = Whole(help_text="The notification.")


class SnoozeOut(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    notification = serializers.IntegerField()
    title = serializers.CharField()
    until = serializers.DateTimeField()


class SnoozesOut(serializers.Serializer[Any]):
    results = SnoozeOut(many=True)


HOURS = {"hours": [{"weekday": 0, "starts": "22:00", "ends": "07:00"}]}
SHOWN = {
    "member": 12,
    "time_zone": "Europe/Stockholm",
    **HOURS,
    "is_quiet": False,
    "window": {"starts_at": "2027-01-18T21:00:00Z", "ends_at": "2027-01-19T06:00:00Z"},
    "paused_until": None,
}
UNTIL = {"until": "2099-01-19T07:00:00Z"}
SNOOZED = {"id": 3, "notification": 4711, "title": "Ann mentioned you on “Nordic Oak 2027”", **UNTIL}


class QuietHours(Door):
    required_scope = {"GET": "preferences.read", "PUT": "preferences.write"}

    @operation(out=QuietOut, query=AboutQuery, answer=SHOWN)
    def get(self, request: ApiRequest) -> Response:
        """Show a member's quiet hours, and how they are left alone now."""
        return Response(word(subject_of(request, self.query(AboutQuery))))

    @operation(out=QuietOut, body=HoursIn, query=AboutQuery, example=HOURS, answer=SHOWN)
    def put(self, request: ApiRequest) -> Response:
        """Replace a member's quiet hours."""
        given = self.body(HoursIn)
        member = subject_of(request, self.query(AboutQuery))
        quiet.set_hours(member, [Hours(one["weekday"], one["starts"], one["ends"]) for one in given["hours"]])
        return Response(word(member))


class Pause(Door):
    required_scope = {"PUT": "preferences.write", "DELETE": "preferences.write"}

    @operation(out=QuietOut, body=UntilIn, query=AboutQuery, example=UNTIL, answer=SHOWN)
    def put(self, request: ApiRequest) -> Response:
        """Hold everything but the bell until a moment. What is required is never held."""
        until = self.body(UntilIn)["until"]
        member = subject_of(request, self.query(AboutQuery))
        quiet.pause(member, until=until)
        return Response(word(member))

    @operation(out=QuietOut, query=AboutQuery, answer=SHOWN)
    def delete(self, request: ApiRequest) -> Response:
        """End the pause: what it held is told. Without one nothing changes."""
        member = subject_of(request, self.query(AboutQuery))
        quiet.resume(member)
        return Response(word(member))


class Snoozes(Door):
    required_scope = {"GET": "notifications.read", "POST": "notifications.write"}

    @operation(out=SnoozesOut, query=AboutQuery, answer={"results": [SNOOZED]})
    def get(self, request: ApiRequest) -> Response:
        """List what a member snoozed, the next to come back first. There are at most 500."""
        member = subject_of(request, self.query(AboutQuery))
        return Response({"results": [word_snooze(row, member) for row in snoozing.of(member)]})

    @operation(
        out=SnoozeOut, status=201, body=SnoozeIn, query=AboutQuery, example={"id": 4711, **UNTIL}, answer=SNOOZED,
        also=(409,),
    )  # fmt: skip
    def post(self, request: ApiRequest) -> Response:
        """Put a notification off: it leaves the bell and comes back at its time. Again: the new time counts."""
        given = self.body(SnoozeIn)
        member = subject_of(request, self.query(AboutQuery))
        row = snoozing.snooze(member, given["id"], until=given["until"])
        return Response(word_snooze(row, member), status=201)


class OneSnooze(Door):
    required_scope = "notifications.write"

    @operation(status=204, query=AboutQuery)
    def delete(self, request: ApiRequest, event_id: int) -> Response:
        """Take a snooze back: the notification is where it was."""
        snoozing.undo(subject_of(request, self.query(AboutQuery)), event_id)
        return Response(status=204)


class WakeSnooze(Door):
    required_scope = "notifications.write"

    @operation(status=204, query=AboutQuery)
    def post(self, request: ApiRequest, event_id: int) -> Response:
        """Bring a snoozed notification back at once, as a new line on top."""
        snoozing.wake_now(subject_of(request, self.query(AboutQuery)), event_id)
        return Response(status=204)


def word(member: Membership) -> dict[str, Any]:
    state = quiet.state_of(member)
    return {
        "member": member.pk,
        "time_zone": member.zone.key,
        "hours": [
            {"weekday": one.weekday, "starts": f"{one.starts:%H:%M}", "ends": f"{one.ends:%H:%M}"}
            for one in quiet.hours_of(member)
        ],
        "is_quiet": state.is_quiet,
        "window": state.window and {"starts_at": state.window.starts_at, "ends_at": state.window.ends_at},
        "paused_until": state.paused_until,
    }


def word_snooze(row: Snooze, member: Membership) -> dict[str, Any]:
    message = rendering.render(row.event.type, row.event.data, language=member.spoken_language)
    return {"id": row.pk, "notification": row.event_id, "title": message.title, "until": row.due_at}
