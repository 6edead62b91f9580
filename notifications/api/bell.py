"""A member's notifications: list, show, state, and what one can do with them."""

from collections.abc import Callable, Sequence
from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from rest_framework import serializers
from rest_framework.response import Response

from accounts.api.doors import ApiRequest, Door
from accounts.api.fields import AskedFlag, Moment, Strict, Whole
from accounts.api.paging import PageQuery, page
from accounts.api.schema import operation, page_of
from accounts.models import Membership
from notifications import bell, channels, live, rendering, types
from notifications.api.naming import AboutQuery, subject_of
from notifications.api.why import held_by
from notifications.models import Notification

MOST_IDS = 1000


class NotificationQuery(AboutQuery, PageQuery):
    topic = serializers.CharField(required=False, max_length=80, help_text="A topic, such as `deals`.")
    type = serializers.CharField(required=False, max_length=80, help_text="A notification type.")
    unread = AskedFlag(required=False)
    archived = AskedFlag(required=False, help_text="Archived ones, or not; not unless said.")
    since = Moment(required=False, help_text="Only what happened at this moment or later.")


class NotificationOut(serializers.Serializer[Any]):
    id = serializers.IntegerField(help_text="The event's id: an event is one notification for each recipient.")
    type = serializers.CharField()
    topic = serializers.CharField()
    title = serializers.CharField()
    body = serializers.CharField()
    url = serializers.CharField()
    actor = serializers.IntegerField(allow_null=True)
    channels = serializers.ListField(child=serializers.CharField())
    held_by = serializers.CharField(
        allow_null=True, help_text="`quiet` or `paused` while its pop-up waits, `…_over` afterwards."
    )
    occurred_at = serializers.DateTimeField()
    read_at = serializers.DateTimeField(allow_null=True)
    archived_at = serializers.DateTimeField(allow_null=True)


class State(serializers.Serializer[Any]):
    unread = serializers.IntegerField(help_text=f"Counted to {live.MOST_UNREAD}: that many or more.")
    newest = serializers.IntegerField(help_text="The id of the newest notification; 0: there is none.")


class Changed(State):
    changed = serializers.IntegerField(help_text="How many were different before.")


class Ids(Strict):
    ids = serializers.ListField(child=Whole(), min_length=1, max_length=MOST_IDS)


class UpTo(Strict):
    up_to = Whole(min_value=0, help_text="The newest id that was seen. What came later stays unread.")


SHOWN = {
    "id": 4711,
    "type": "deals.stage_changed",
    "topic": "Deals",
    "title": "Ann moved “Nordic Oak 2027” to Contract sent",
    "body": "",
    "url": "https://bellhop.example.com/1001/deals/7/",
    "actor": 7,
    "channels": ["bell", "email"],
    "held_by": None,
    "occurred_at": "2027-03-09T08:30:00Z",
    "read_at": None,
    "archived_at": None,
}
STATE = {"unread": 3, "newest": 4711}


class Notifications(Door):
    required_scope = "notifications.read"

    @operation(out=page_of(NotificationOut), query=NotificationQuery, answer={"results": [SHOWN], "next": None})
    def get(self, request: ApiRequest) -> Response:
        """List a member's notifications, newest first."""
        asked = self.query(NotificationQuery)
        member = subject_of(request, asked)
        rows = _filtered(bell.of(member).select_related("event"), asked)
        return page(request, rows, asked, by="event_id", word=lambda row: word(row, language=member.spoken_language))


class OneNotification(Door):
    required_scope = "notifications.read"

    @operation(out=NotificationOut, query=AboutQuery, answer=SHOWN)
    def get(self, request: ApiRequest, event_id: int) -> Response:
        """Show one of a member's notifications."""
        member = subject_of(request, self.query(AboutQuery))
        row = get_object_or_404(bell.of(member).select_related("event"), event_id=event_id)
        return Response(word(row, language=member.spoken_language))


class BellState(Door):
    required_scope = "notifications.read"

    @operation(out=State, query=AboutQuery, answer=STATE)
    def get(self, request: ApiRequest) -> Response:
        """Show how many notifications are unread, and which is the newest."""
        return Response(_state(subject_of(request, self.query(AboutQuery))))


class Marking(Door):
    """An act on notifications by their ids. Ids the member does not have change nothing."""

    required_scope = "notifications.write"

    def mark(self, request: ApiRequest, act: Callable[[Membership, Sequence[int]], int]) -> Response:
        ids = self.body(Ids)["ids"]
        member = subject_of(request, self.query(AboutQuery))
        changed = act(member, list(dict.fromkeys(ids)))
        return Response({"changed": changed, **_state(member)})


_marks = operation(
    out=Changed, body=Ids, query=AboutQuery, example={"ids": [4711, 4712]}, answer={"changed": 2, **STATE}
)


class Read(Marking):
    @_marks
    def post(self, request: ApiRequest) -> Response:
        """Mark notifications read. Ids the member does not have change nothing."""
        return self.mark(request, bell.mark_read)


class Unread(Marking):
    @_marks
    def post(self, request: ApiRequest) -> Response:
        """Mark notifications unread. Ids the member does not have change nothing."""
        return self.mark(request, bell.mark_unread)


class Archive(Marking):
    @_marks
    def post(self, request: ApiRequest) -> Response:
        """Archive notifications; they count as read. Ids the member does not have change nothing."""
        return self.mark(request, bell.archive)


class Unarchive(Marking):
    @_marks
    def post(self, request: ApiRequest) -> Response:
        """Take notifications back out of the archive. Ids the member does not have change nothing."""
        return self.mark(request, bell.unarchive)


class ReadAll(Door):
    required_scope = "notifications.write"

    @operation(
        out=Changed,
        body=UpTo,
        query=AboutQuery,
        example={"up_to": 4711},
        answer={"changed": 3, "unread": 0, "newest": 4711},
    )
    def post(self, request: ApiRequest) -> Response:
        """Mark everything read, up to the newest one seen."""
        up_to = self.body(UpTo)["up_to"]
        member = subject_of(request, self.query(AboutQuery))
        changed = bell.mark_all_read(member, up_to=up_to)
        return Response({"changed": changed, **_state(member)})


def _filtered(rows: QuerySet[Notification], asked: dict[str, Any]) -> QuerySet[Notification]:
    rows = rows.filter(archived_at__isnull=not asked.get("archived", False))
    if "topic" in asked:
        rows = rows.filter(
            event__type__in=[key for key, kind in types.TYPES.items() if kind.topic.key == asked["topic"]]
        )
    if "type" in asked:
        rows = rows.filter(event__type=asked["type"])
    if "unread" in asked:
        rows = rows.filter(read_at__isnull=asked["unread"])
    if "since" in asked:
        rows = rows.filter(event__occurred_at__gte=asked["since"])
    return rows


def _state(member: Membership) -> dict[str, int]:
    (state,) = live.state_of([member.pk])
    return {"unread": state["unread"], "newest": state["newest"]}


def word(row: Notification, *, language: str) -> dict[str, Any]:
    event = row.event
    message = rendering.render(event.type, event.data, language=language)
    return {
        "id": event.pk,
        "type": event.type,
        "topic": message.topic,
        "title": message.title,
        "body": message.body,
        "url": message.url,
        "actor": event.actor_id,
        "channels": channels.keys_of(row.channels),
        "held_by": held_by(row.hushed),
        "occurred_at": event.occurred_at,
        "read_at": row.read_at,
        "archived_at": row.archived_at,
    }
