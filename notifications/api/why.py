"""Why a member got a notification, or did not."""

from typing import Any

from django.shortcuts import get_object_or_404
from rest_framework import serializers
from rest_framework.response import Response

from accounts.api.doors import ApiRequest, Door
from accounts.api.schema import operation
from notifications import why
from notifications.api.naming import AboutQuery, subject_of
from notifications.models import Event, Held, Hushed
from notifications.why import Verdict


class DeliveryOut(serializers.Serializer[Any]):
    status = serializers.CharField(
        help_text="`capped`: held back by the daily limit; `held`: for quiet hours or a pause; `error` says so. "
        "`merged`: told in the mail of another event, `merged_into`."
    )
    merged_into = serializers.IntegerField(allow_null=True, help_text="The event whose mail told this one too.")
    together_with = serializers.ListField(
        child=serializers.IntegerField(), help_text="The other events that are told in the same mail."
    )
    held_until = serializers.DateTimeField(allow_null=True)
    sent_to = serializers.CharField()
    sent_at = serializers.DateTimeField(allow_null=True)
    attempts = serializers.IntegerField()
    error = serializers.CharField()


class VerdictOut(serializers.Serializer[Any]):
    channel = serializers.CharField()
    on = serializers.BooleanField()
    layer = serializers.CharField(allow_null=True, help_text="Who decided; null: held back before anybody was asked.")
    sentence = serializers.CharField()
    held_by = serializers.CharField(
        allow_null=True, help_text="For the pop-up: `quiet` or `paused` while it waits, `…_over` afterwards."
    )
    delivery = DeliveryOut(allow_null=True)


class WhyOut(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    member = serializers.IntegerField()
    is_recipient = serializers.BooleanField()
    is_pending = serializers.BooleanField(help_text="Not everybody was told yet.")
    held = serializers.CharField(allow_null=True, help_text="Why nothing was told at all.")
    sentence = serializers.CharField()
    verdicts = VerdictOut(many=True)


class Why(Door):
    required_scope = "notifications.read"

    @operation(
        out=WhyOut,
        query=AboutQuery,
        answer={
            "id": 4711,
            "member": 12,
            "is_recipient": True,
            "is_pending": False,
            "held": None,
            "sentence": "You got this by: Bell.",
            "verdicts": [
                {
                    "channel": "bell",
                    "on": True,
                    "layer": "built_in",
                    "sentence": "On — the built-in default",
                    "held_by": None,
                    "delivery": None,
                }
            ],
        },
    )
    def get(self, request: ApiRequest, event_id: int) -> Response:
        """Say why a member was told of an event, or was not.

        Each channel with its verdict and the layer that decided, as recorded when the event was told.
        """
        member = subject_of(request, self.query(AboutQuery))
        event = get_object_or_404(Event, account=request.account, pk=event_id)
        said = why.explain(event, member)
        return Response(
            {
                "id": event.pk,
                "member": member.pk,
                "is_recipient": said.is_recipient,
                "is_pending": said.is_pending,
                "held": None if said.held == Held.NOT else said.held.name.lower(),
                "sentence": said.sentence,
                "verdicts": [word(verdict) for verdict in said.verdicts],
            }
        )


def held_by(hushed: int) -> str | None:
    """What held a notification, as the API names it."""
    return None if hushed == Hushed.NOT else Hushed(hushed).name.lower()


def word(verdict: Verdict) -> dict[str, Any]:
    sent = verdict.delivery
    return {
        "channel": verdict.channel.key,
        "on": verdict.is_on,
        "layer": verdict.layer,
        "sentence": verdict.sentence,
        "held_by": held_by(verdict.hushed),
        "delivery": sent
        and {
            "status": sent.status,
            "merged_into": verdict.mail.event_id if verdict.mail else None,
            "together_with": [event.pk for event in verdict.together],
            "held_until": sent.due_at if verdict.is_held else None,
            "sent_to": sent.sent_to,
            "sent_at": sent.sent_at,
            "attempts": sent.attempts,
            "error": verdict.held_back or sent.error,
        },
    }
