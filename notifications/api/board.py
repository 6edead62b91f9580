"""The delivery board: how each channel does, sending a range of failures again, and whom required notices miss."""

from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from rest_framework import serializers
from rest_framework.response import Response

from accounts.api.doors import ApiRequest, Door
from accounts.api.fields import Flag, Moment, Strict, Text
from accounts.api.paging import PageQuery, page
from accounts.api.schema import operation, page_of
from notifications import board, redriving, unreached
from notifications.board import Lane
from notifications.models import Redrive
from notifications.redriving import Draft, Range
from notifications.unreached import Unreached


class OversightDoor(Door):
    """Open to super admins, and to keys with the scope."""

    required_scope = {"GET": "deliveries.read", "POST": "deliveries.write"}
    admins_only = True


class BoardQuery(Strict):
    span = serializers.ChoiceField(
        choices=list(board.SPANS), required=False, help_text="`day`: 24 hours, by the hour. `week`: 7 days, by the day."
    )


class ReasonOut(serializers.Serializer[Any]):
    words = serializers.CharField()
    count = serializers.IntegerField()


class StepOut(serializers.Serializer[Any]):
    begins_at = serializers.DateTimeField()
    sent = serializers.IntegerField()
    failed = serializers.IntegerField()


class LaneOut(serializers.Serializer[Any]):
    channel = serializers.CharField()
    due = serializers.IntegerField(help_text="Due and not taken up yet, now.")
    oldest_at = serializers.DateTimeField(allow_null=True, help_text="When the oldest of those was made.")
    retrying = serializers.IntegerField(help_text="Waiting for their next attempt, now.")
    held = serializers.IntegerField(help_text="Waiting for their time, now.")
    is_more = serializers.BooleanField(help_text="More wait than were counted.")
    under_way = serializers.IntegerField()
    sent = serializers.IntegerField(help_text="Within the span, as everything below.")
    failed = serializers.IntegerField()
    capped = serializers.IntegerField()
    dropped = serializers.IntegerField()
    retries = serializers.IntegerField()
    median_seconds = serializers.FloatField(allow_null=True, help_text="From made to sent.")
    p95_seconds = serializers.FloatField(allow_null=True)
    reasons = ReasonOut(many=True)
    steps = StepOut(many=True)


class BoardOut(serializers.Serializer[Any]):
    since = serializers.DateTimeField()
    counted_since = serializers.DateTimeField(
        allow_null=True, help_text="Where there was too much to count: nothing older was counted. Else null."
    )
    channels = LaneOut(many=True)


class RangeIn(Strict):
    channel = Text(max_length=20)
    begins_at = Moment(help_text="Deliveries made from here on …")
    ends_at = Moment(help_text=f"… and before this. At most {redriving.LONGEST.days} days later.")
    type = Text(required=False, max_length=80, help_text="Only this type.")
    may_repeat = Flag(required=False, help_text="Also those that may have arrived already: they may arrive twice.")
    dry_run = Flag(required=False, help_text="Only count.")


class RedriveOut(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    channel = serializers.CharField()
    type = serializers.CharField(help_text="Empty: all types.")
    begins_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField()
    may_repeat = serializers.BooleanField(help_text="Also what may have arrived already.")
    failed = serializers.IntegerField(help_text="Failed deliveries that were to go when it was asked for.")
    sent_again = serializers.IntegerField(help_text="So far.")
    made_by = serializers.IntegerField(allow_null=True, help_text="The member; null: a program or the operator.")
    made_at = serializers.DateTimeField()
    finished_at = serializers.DateTimeField(allow_null=True)


class LeftAlone(serializers.Serializer[Any]):
    sent = serializers.IntegerField()
    capped = serializers.IntegerField()
    dropped = serializers.IntegerField()
    under_way = serializers.IntegerField()


class Redriven(serializers.Serializer[Any]):
    failed = serializers.IntegerField(help_text="How many go again.")
    uncertain = serializers.IntegerField(
        help_text="Failed ones that may have arrived already. They go again, and count above, with `may_repeat` only."
    )
    left_alone = LeftAlone()
    redrive = RedriveOut(allow_null=True, help_text="The record; null: it was a dry run.")


class UnreachedOut(serializers.Serializer[Any]):
    sort = serializers.ChoiceField(choices=[str(sort) for sort in unreached.Sort])
    member = serializers.IntegerField()
    email = serializers.CharField()
    type = serializers.CharField(allow_null=True)
    channel = serializers.CharField(allow_null=True)
    at = serializers.DateTimeField(allow_null=True)
    why = serializers.CharField()
    advice = serializers.CharField()
    count = serializers.IntegerField()


class UnreachedPage(serializers.Serializer[Any]):
    results = UnreachedOut(many=True)
    is_more = serializers.BooleanField(help_text=f"There is more of a sort than the {unreached.MOST} listed.")


LANE = {
    "channel": "email",
    "due": 3,
    "oldest_at": "2027-03-09T08:29:58Z",
    "retrying": 1,
    "held": 0,
    "is_more": False,
    "under_way": 2,
    "sent": 1204,
    "failed": 7,
    "capped": 0,
    "dropped": 4,
    "retries": 9,
    "median_seconds": 0.8,
    "p95_seconds": 3.1,
    "reasons": [{"words": "No such mailbox", "count": 6}, {"words": "The mailbox is full", "count": 1}],
    "steps": [{"begins_at": "2027-03-09T08:00:00Z", "sent": 51, "failed": 1}],
}
ASKED = {"channel": "email", "begins_at": "2027-03-09T06:00:00Z", "ends_at": "2027-03-09T08:30:00Z"}
RECORD = {
    "id": 4,
    **ASKED,
    "type": "",
    "may_repeat": False,
    "failed": 1204,
    "sent_again": 0,
    "made_by": 7,
    "made_at": "2027-03-09T08:31:00Z",
    "finished_at": None,
}


class DeliveryBoard(OversightDoor):
    @operation(
        out=BoardOut,
        query=BoardQuery,
        answer={"since": "2027-03-08T09:00:00Z", "counted_since": None, "channels": [LANE]},
    )
    def get(self, request: ApiRequest) -> Response:
        """Show how each channel does: what waits now, and what was sent, took how long and failed within the span."""
        seen = board.look(request.account, board.SPANS[self.query(BoardQuery).get("span", "day")])
        lanes = [word_lane(lane) for lane in seen.lanes]
        return Response({"since": seen.since, "counted_since": seen.cut_at, "channels": lanes})


class Redrives(OversightDoor):
    @operation(out=page_of(RedriveOut), query=PageQuery, answer={"results": [RECORD], "next": None})
    def get(self, request: ApiRequest) -> Response:
        """List the ranges that were sent again, newest first."""
        return page(request, _redrives(request), self.query(PageQuery), word=word_redrive)

    @operation(
        out=Redriven,
        body=RangeIn,
        example=ASKED,
        answer={
            "failed": 1204,
            "uncertain": 2,
            "left_alone": {"sent": 30500, "capped": 0, "dropped": 12, "under_way": 3},
            "redrive": RECORD,
        },
        also=(409,),
    )
    def post(self, request: ApiRequest) -> Response:
        """Send again what failed on a channel in a range of time, or with `dry_run` only count it.

        Only deliveries that have failed go again; the others stay as they are. Those that may have arrived all the
        same stay too, unless `may_repeat` says otherwise. It is worked off in the background: the record says how
        far it has come.
        """
        given = self.body(RangeIn)
        is_draft = given.pop("dry_run", False)
        wanted = Range(**given)
        counted = redriving.draft(request.account, wanted)
        made = None if is_draft else redriving.start(request.account, wanted, by=request.member)
        return Response(word_draft(counted, made))


class OneRedrive(OversightDoor):
    @operation(out=RedriveOut, answer=RECORD)
    def get(self, request: ApiRequest, redrive_id: int) -> Response:
        """Show how far a range has come."""
        return Response(word_redrive(get_object_or_404(_redrives(request), pk=redrive_id)))


class RequiredNotices(OversightDoor):
    @operation(
        out=UnreachedPage,
        answer={
            "results": [
                {
                    "sort": "notice",
                    "member": 12,
                    "email": "bob@example.com",
                    "type": "system.billing_message",
                    "channel": "email",
                    "at": "2027-03-09T08:30:00Z",
                    "why": "No such mailbox",
                    "advice": "Tell the person another way; then put right why it failed and send it again.",
                    "count": 2,
                }
            ],
            "is_more": False,
        },
    )
    def get(self, request: ApiRequest) -> Response:
        """List the required notices of the last 30 days that could reach nobody, and whom the next would not reach."""
        found = unreached.find(request.account)
        return Response({"results": [word_unreached(row) for row in found.rows], "is_more": found.is_more})


def _redrives(request: ApiRequest) -> QuerySet[Redrive]:
    return Redrive.objects.filter(account=request.account)


def word_lane(lane: Lane) -> dict[str, Any]:
    return {
        "channel": lane.channel.key,
        "due": lane.due,
        "oldest_at": lane.oldest,
        "retrying": lane.retrying,
        "held": lane.held,
        "is_more": lane.is_more,
        "under_way": lane.under_way,
        "sent": lane.sent,
        "failed": lane.failed,
        "capped": lane.capped,
        "dropped": lane.dropped,
        "retries": lane.retries,
        "median_seconds": lane.median,
        "p95_seconds": lane.slowest,
        "reasons": [{"words": one.words, "count": one.count} for one in lane.reasons],
        "steps": [{"begins_at": step.begins_at, "sent": step.sent, "failed": step.failed} for step in lane.steps],
    }


def word_draft(counted: Draft, made: Redrive | None) -> dict[str, Any]:
    names = ("sent", "capped", "dropped", "under_way")
    return {
        "failed": made.failed if made else counted.failed,
        "uncertain": counted.uncertain,
        "left_alone": {name: getattr(counted, name) for name in names},
        "redrive": word_redrive(made) if made else None,
    }


def word_redrive(redrive: Redrive) -> dict[str, Any]:
    return {
        "id": redrive.pk,
        "channel": redrive.channel,
        "type": redrive.type,
        "begins_at": redrive.begins_at,
        "ends_at": redrive.ends_at,
        "may_repeat": redrive.may_repeat,
        "failed": redrive.failed,
        "sent_again": redrive.sent_again,
        "made_by": redrive.made_by_id,
        "made_at": redrive.made_at,
        "finished_at": redrive.finished_at,
    }


def word_unreached(row: Unreached) -> dict[str, Any]:
    return {
        "sort": str(row.sort),
        "member": row.member_id,
        "email": row.email,
        "type": row.kind.key if row.kind else None,
        "channel": row.channel.key if row.channel else None,
        "at": row.at,
        "why": row.why,
        "advice": row.advice,
        "count": row.count,
    }
