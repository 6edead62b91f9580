"""Events: taking them from outside, and saying what became of them."""

from typing import Any

from django.db.models import Count
from django.shortcuts import get_object_or_404
from django.urls import reverse
from rest_framework import serializers
from rest_framework.response import Response

from accounts.api.doors import ApiRequest, Door
from accounts.api.fields import MemberRef
from accounts.api.paging import PageQuery, page
from accounts.api.schema import operation, page_of
from notifications import emitting, events, outcomes, types
from notifications.api.drafting import BatchIn, EventIn, check_key, drafts, idempotency
from notifications.models import Delivery, Event

KIND = types.TYPES["deals.stage_changed"]
EXAMPLE: dict[str, Any] = {
    "type": KIND.key,
    "data": dict(KIND.example),
    "audience": {"members": ["bob@example.com"]},
    "actor": "alice@example.com",
}


class Accepted(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    url = serializers.CharField(help_text="Where to read what became of it.")
    is_replay = serializers.BooleanField(help_text="The key had made this event before; nobody is told again.")


class AcceptedBatch(serializers.Serializer[Any]):
    events = Accepted(many=True)


class EventOut(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    type = serializers.CharField()
    actor = serializers.IntegerField(allow_null=True, help_text="The member who did it.")
    occurred_at = serializers.DateTimeField()
    created_at = serializers.DateTimeField()
    told_at = serializers.DateTimeField(allow_null=True, help_text="When every recipient was decided; null: not yet.")
    recipients = serializers.IntegerField(help_text="Decided so far.")


class ChannelOut(serializers.Serializer[Any]):
    on = serializers.IntegerField()
    on_by = serializers.DictField(child=serializers.IntegerField(), help_text="By the layer that decided.")
    off = serializers.IntegerField()
    off_by = serializers.DictField(child=serializers.IntegerField())


class OutcomeOut(serializers.Serializer[Any]):
    channels = serializers.DictField(child=ChannelOut())
    held = serializers.DictField(
        child=serializers.IntegerField(), help_text="Recipients who were told nothing, by reason."
    )
    deliveries = serializers.DictField(
        child=serializers.DictField(child=serializers.IntegerField()),
        help_text="Per channel, by status; `capped` were held back by the daily limit.",
    )


class EventWithOutcome(EventOut):
    data = serializers.DictField()  # type: ignore[assignment]
    audience = serializers.DictField()
    outcome = OutcomeOut()


ACCEPTED = {"id": 4711, "url": "/api/v1/events/4711/", "is_replay": False}
SHOWN = {
    "id": 4711,
    "type": KIND.key,
    "actor": 7,
    "occurred_at": "2027-03-09T08:30:00Z",
    "created_at": "2027-03-09T08:30:00Z",
    "told_at": "2027-03-09T08:30:01Z",
    "recipients": 3,
}
OUTCOME = {
    "channels": {"email": {"on": 1, "on_by": {"built_in": 1}, "off": 1, "off_by": {"own": 1}}},
    "held": {"own_act": 1},
    "deliveries": {"email": {"sent": 1}},
}


class EventQuery(PageQuery):
    type = serializers.CharField(required=False, max_length=80, help_text="A notification type.")
    actor = MemberRef(required=False)


class Events(Door):
    required_scope = {"GET": "events.read", "POST": "events.write"}

    @operation(
        out=Accepted,
        status=202,
        body=EventIn,
        example=EXAMPLE,
        answer=ACCEPTED,
        parameters=idempotency(202),
    )
    def post(self, request: ApiRequest) -> Response:
        """Emit an event.

        It is told to everybody whom the audience names, each as they prefer, a moment after the answer. Members and
        the actor are named by id or e-mail address. The data has exactly the fields of the type, at most 16 KiB.
        """
        key = check_key(request.headers.get("Idempotency-Key"), field="Idempotency-Key")
        (draft,) = drafts(request.account, [{**self.body(EventIn), "key": key}])
        try:
            event = events.emit(
                draft.type,
                account=request.account,
                audience=draft.audience,
                data=draft.data,
                by=draft.by,
                key=draft.key,
                occurred_at=draft.occurred_at,
            )
        except events.KeyReused as refused:
            refused.fields = {"Idempotency-Key": refused.fields["key"]}
            raise
        headers = {"Idempotency-Replayed": "true"} if event.is_replay else None
        return Response(accepted(event), status=202, headers=headers)

    @operation(out=page_of(EventOut), query=EventQuery, answer={"results": [SHOWN], "next": None})
    def get(self, request: ApiRequest) -> Response:
        """List the account's events, newest first."""
        asked = self.query(EventQuery)
        rows = Event.objects.filter(account=request.account).defer("data", "audience", "layers", "outcome")
        if "type" in asked:
            rows = rows.filter(type=asked["type"])
        if "actor" in asked:
            ref = asked["actor"]
            rows = rows.filter(**({"actor_id": ref} if isinstance(ref, int) else {"actor__user__email": ref}))
        return page(request, rows, asked, word=word)


class EventBatch(Door):
    required_scope = "events.write"
    throttle_scope = "batch"
    largest_body = 10 * 1024 * 1024

    @operation(
        out=AcceptedBatch,
        status=202,
        body=BatchIn,
        example={"events": [{**EXAMPLE, "key": "deal-7-stage-3"}]},
        answer={"events": [ACCEPTED]},
    )
    def post(self, request: ApiRequest) -> Response:
        """Emit up to 500 events, all or none.

        Each event is as for emitting one, with its own idempotency key in the field `key`. If anything is wrong
        with any of them nothing is accepted, and `errors` names every problem as `events[3].data.deal`.
        """
        items = self.body(BatchIn)["events"]
        for index, item in enumerate(items):
            item["key"] = check_key(item.get("key"), field=f"events[{index}].key")
        made = emitting.emit_many(request.account, drafts(request.account, items, prefix="events[{}]."))
        return Response({"events": [accepted(event) for event in made]}, status=202)


class OneEvent(Door):
    required_scope = "events.read"

    @operation(
        out=EventWithOutcome,
        answer={
            **SHOWN,
            "data": EXAMPLE["data"],
            "audience": {"members": [7, 12], "teams": [], "primary_teams": [], "permissions": [], "everyone": False},
            "outcome": OUTCOME,
        },
    )
    def get(self, request: ApiRequest, event_id: int) -> Response:
        """Show an event and what became of it.

        `outcome` counts the recipients per channel by the layer that decided (`own`, `default`, `lock`, …), those
        held back by reason, and the deliveries by status.
        """
        event = get_object_or_404(Event, account=request.account, pk=event_id)
        deliveries: dict[str, dict[str, int]] = {}
        counted = Delivery.objects.filter(event=event).values_list("channel", "status").annotate(count=Count("pk"))
        for channel, status, count in counted.order_by("channel", "status"):
            deliveries.setdefault(channel, {})[status] = count
        outcome = {**outcomes.summarise(event.outcome, event.layers), "deliveries": deliveries}
        return Response({**word(event), "data": event.data, "audience": event.audience, "outcome": outcome})


def accepted(event: Event) -> dict[str, Any]:
    return {"id": event.pk, "url": reverse("api:event", args=[event.pk]), "is_replay": event.is_replay}


def word(event: Event) -> dict[str, Any]:
    return {
        "id": event.pk,
        "type": event.type,
        "actor": event.actor_id,
        "occurred_at": event.occurred_at,
        "created_at": event.created_at,
        "told_at": event.fanned_out_at,
        "recipients": event.recipients,
    }
