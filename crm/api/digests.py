"""A member's task digest: how often and when it comes, the next and the last one, one right now."""

from typing import Any

from django.utils import timezone, translation
from django.utils.translation import gettext as _
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.response import Response

from accounts.api.doors import ApiRequest, Door
from accounts.api.fields import Flag, Strict, Text, Whole
from accounts.api.schema import operation
from accounts.models import Membership
from crm.digests import schedules, sending_now, standing
from notifications.api.naming import AboutQuery, subject_of

CHOICES = "`off`, `weekdays` or `weekly` (Mondays)"


class DigestIn(Strict):
    """Any of these; at least one."""

    frequency = Text(max_length=20, required=False, help_text=f"{CHOICES}.")
    hour = Whole(min_value=0, max_value=23, required=False, help_text="On the member's clocks, 0 to 23.")
    skips_next = Flag(required=False, help_text="Whether the next one is left out.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if not attrs:
            raise ValidationError({"frequency": [_("Say what should change: frequency, hour or skips_next.")]})
        return attrs


class LastOut(serializers.Serializer[Any]):
    on = serializers.DateField(help_text="The day on the member's clocks.")
    due_at = serializers.DateTimeField()
    state = serializers.CharField(help_text="sent, on_its_way, not_sent, failed, capped, empty, skipped or late.")
    sentence = serializers.CharField(help_text="The same for people.")
    overdue = serializers.IntegerField()
    due_today = serializers.IntegerField()
    upcoming = serializers.IntegerField()


class DigestOut(serializers.Serializer[Any]):
    member = serializers.IntegerField()
    frequency = serializers.CharField(help_text=f"What was chosen: {CHOICES}.")
    hour = serializers.IntegerField()
    time_zone = serializers.CharField()
    is_on = serializers.BooleanField(help_text="Whether one will come: false while all e-mail is switched off.")
    origin = serializers.CharField(help_text="Who says so, in words.")
    is_changeable = serializers.BooleanField(help_text="Whether the member may turn it on and off.")
    next_at = serializers.DateTimeField(help_text="When the next one is due, or would be.")
    skips_next = serializers.BooleanField()
    tasks_so_far = serializers.IntegerField(help_text="Tasks that will be overdue or due that day, as things stand.")
    last = LastOut(allow_null=True)


LAST = {
    "on": "2027-03-05",
    "due_at": "2027-03-05T07:00:00Z",
    "state": "sent",
    "sentence": "Friday, March 5, 2027, 8 a.m.: 4 tasks, sent to bob@example.com.",
    "overdue": 1,
    "due_today": 3,
    "upcoming": 6,
}
SHOWN = {
    "member": 12,
    "frequency": "weekdays",
    "hour": 8,
    "time_zone": "Europe/Stockholm",
    "is_on": True,
    "origin": "your own choice",
    "is_changeable": True,
    "next_at": "2027-03-08T07:00:00Z",
    "skips_next": False,
    "tasks_so_far": 7,
    "last": LAST,
}


class Digest(Door):
    required_scope = {"GET": "preferences.read", "PATCH": "preferences.write"}

    @operation(out=DigestOut, query=AboutQuery, answer=SHOWN)
    def get(self, request: ApiRequest) -> Response:
        """Show a member's task digest: when the next one comes, and what became of the last."""
        return Response(word(subject_of(request, self.query(AboutQuery))))

    @operation(
        out=DigestOut,
        body=DigestIn,
        query=AboutQuery,
        example={"frequency": "weekdays", "hour": 8},
        answer=SHOWN,
        also=(409,),
    )
    def patch(self, request: ApiRequest) -> Response:
        """Change how often and when a member's task digest comes, or leave the next one out.

        Turning it on or off changes the member's e-mail preference for `tasks.digest`.
        """
        given = self.body(DigestIn)
        member = subject_of(request, self.query(AboutQuery))
        schedules.change(member, **given)
        return Response(word(member))


class SendDigest(Door):
    required_scope = "preferences.write"

    @operation(out=DigestOut, status=202, query=AboutQuery, answer=SHOWN, also=(409,))
    def post(self, request: ApiRequest) -> Response:
        """Send a member their task digest now, besides the scheduled ones. At most one a minute."""
        member = subject_of(request, self.query(AboutQuery))
        sending_now.send(member)
        return Response(word(member), status=202)


def word(member: Membership) -> dict[str, Any]:
    with translation.override(member.spoken_language), timezone.override(member.zone):
        found = standing.of(member)
        return {
            "member": member.pk,
            "frequency": found.frequency,
            "hour": found.row.hour,
            "time_zone": found.row.zone,
            "is_on": found.is_on,
            "origin": found.cell.origin,
            "is_changeable": found.is_changeable,
            "next_at": found.row.next_at,
            "skips_next": found.is_skipped,
            "tasks_so_far": found.tasks,
            "last": _word_last(found.last) if found.last else None,
        }


def _word_last(last: standing.Last) -> dict[str, Any]:
    return {
        "on": last.run.on,
        "due_at": last.run.due_at,
        "state": last.state,
        "sentence": last.sentence,
        "overdue": last.run.overdue,
        "due_today": last.run.today,
        "upcoming": last.run.upcoming,
    }
