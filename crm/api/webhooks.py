"""Webhooks on change: registered, changed, tested and removed. Their secrets show once."""

from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.response import Response

from accounts.api.doors import ApiRequest, Door
from accounts.api.fields import Flag, Strict, Text
from accounts.api.paging import PageQuery, page
from accounts.api.schema import operation, page_of
from crm.models import Webhook, WebhookPost, WebhookTry, What
from crm.webhooks import looking_back, registering

SCOPES = {"GET": "webhooks.read", "POST": "webhooks.write", "PATCH": "webhooks.write", "DELETE": "webhooks.write"}
HAPPENINGS = ", ".join(f"`{what}`" for what in What.values)


def _kinds(**more: Any) -> Any:
    return serializers.ListField(
        child=Text(max_length=60), max_length=200, help_text="Keys of kinds; none: all of them.", **more
    )


def _happenings(**more: Any) -> Any:
    return serializers.ListField(
        child=Text(max_length=10), max_length=50, help_text=f"{HAPPENINGS}; none: everything.", **more
    )


class WebhookIn(Strict):
    url = Text(max_length=2000, help_text="A public https address, port 443 or 8443.")
    kinds = _kinds(required=False)
    happenings = _happenings(required=False)


class WebhookChange(Strict):
    """Any of these; at least one."""

    url = Text(max_length=2000, required=False)
    kinds = _kinds(required=False)
    happenings = _happenings(required=False)
    is_on = Flag(required=False, help_text="What happens while it is off is not posted, then or later.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if not attrs:
            raise ValidationError({"url": ["Say what should change: url, kinds, happenings or is_on."]})
        return attrs


class WebhookOut(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    url = serializers.CharField()
    kinds = serializers.ListField(child=serializers.CharField())
    happenings = serializers.ListField(child=serializers.CharField())
    is_on = serializers.BooleanField()
    off_because = serializers.CharField(allow_blank=True, help_text="Why it stopped by itself.")
    failing_since = serializers.DateTimeField(allow_null=True, help_text="Since when nothing gets through.")
    last_success_at = serializers.DateTimeField(allow_null=True)
    waiting = serializers.IntegerField(help_text="Posts on their way.")
    created_at = serializers.DateTimeField()


class WebhookMade(WebhookOut):
    signing_secret = serializers.CharField(help_text="This once.")


class WebhookSecret(serializers.Serializer[Any]):
    signing_secret = serializers.CharField(help_text="The one before it signs beside it for 24 hours.")


class AttemptOut(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    post = serializers.IntegerField(allow_null=True, help_text="What was posted; null: a test.")
    record = serializers.IntegerField(allow_null=True)
    happening = serializers.CharField(allow_null=True)
    number = serializers.IntegerField(help_text="Which attempt it was.")
    is_taken = serializers.BooleanField()
    status = serializers.IntegerField(allow_null=True, help_text="What was answered; null: nothing.")
    words = serializers.CharField(allow_blank=True, help_text="The beginning of the answer, or what went wrong.")
    milliseconds = serializers.IntegerField(allow_null=True)
    at = serializers.DateTimeField()


class PostOut(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    state = serializers.CharField(help_text="`due`, `taken` or `failed`.")
    due_at = serializers.DateTimeField()


SHOWN = {
    "id": 4,
    "url": "https://hooks.example.com/bellhop",
    "kinds": ["deals"],
    "happenings": ["created", "changed"],
    "is_on": True,
    "off_because": "",
    "failing_since": None,
    "last_success_at": "2026-11-22T09:30:02Z",
    "waiting": 0,
    "created_at": "2026-11-02T09:30:00Z",
}
SECRET = "whsec_…"  # noqa: S105 (an example)
ATTEMPT = {
    "id": 91,
    "post": 88,
    "record": 7,
    "happening": "changed",
    "number": 2,
    "is_taken": False,
    "status": 503,
    "words": "hooks.example.com answered 503: out of order",
    "milliseconds": 112,
    "at": "2026-11-22T09:30:32Z",
}


class Webhooks(Door):
    required_scope = SCOPES
    admins_only = True

    @operation(out=page_of(WebhookOut), query=PageQuery, answer={"results": [SHOWN], "next": None})
    def get(self, request: ApiRequest) -> Response:
        """List webhooks, newest first."""
        return page(request, _all(request), self.query(PageQuery), word=word)

    @operation(
        out=WebhookMade,
        status=201,
        body=WebhookIn,
        example={"url": SHOWN["url"], "kinds": ["deals"], "happenings": ["created", "changed"]},
        answer={**SHOWN, "signing_secret": SECRET},
    )
    def post(self, request: ApiRequest) -> Response:
        """Register an endpoint that hears what happens to records.

        Its signing secret is in the answer, this once. Posts are signed after the Standard Webhooks specification.
        """
        given = self.body(WebhookIn)
        webhook, key = registering.register(
            request.account,
            url=given["url"],
            kinds=given.get("kinds", ()),
            whats=given.get("happenings", ()),
            by=request.member,
        )
        return Response({**word(webhook), "signing_secret": key}, status=201)


class OneWebhook(Door):
    required_scope = SCOPES
    admins_only = True

    @operation(out=WebhookOut, answer=SHOWN)
    def get(self, request: ApiRequest, webhook_id: int) -> Response:
        """Show a webhook and how it does."""
        return Response(word(_one(request, webhook_id)))

    @operation(out=WebhookOut, body=WebhookChange, example={"is_on": False}, answer={**SHOWN, "is_on": False})
    def patch(self, request: ApiRequest, webhook_id: int) -> Response:
        """Change a webhook, or turn it on or off."""
        given = self.body(WebhookChange)
        if "happenings" in given:
            given["whats"] = given.pop("happenings")
        return Response(word(registering.change(_one(request, webhook_id), by=request.member, **given)))

    @operation(status=204)
    def delete(self, request: ApiRequest, webhook_id: int) -> Response:
        """Remove a webhook, its log and what is on its way."""
        registering.remove(_one(request, webhook_id), by=request.member)
        return Response(status=204)


class RotateWebhook(Door):
    required_scope = SCOPES
    admins_only = True

    @operation(out=WebhookSecret, answer={"signing_secret": SECRET}, also=(409,))
    def post(self, request: ApiRequest, webhook_id: int) -> Response:
        """Make a new signing secret. The one before it signs beside it for 24 hours."""
        return Response({"signing_secret": registering.rotate(_one(request, webhook_id), by=request.member)})


class TestWebhook(Door):
    required_scope = SCOPES
    admins_only = True

    @operation(out=AttemptOut, answer={**ATTEMPT, "post": None, "record": None, "happening": None}, also=(409,))
    def post(self, request: ApiRequest, webhook_id: int) -> Response:
        """Send a test and wait for what comes of it. One in ten seconds."""
        return Response(word_attempt(looking_back.send_test(_one(request, webhook_id), by=request.member)))


class WebhookAttempts(Door):
    required_scope = SCOPES
    admins_only = True

    @operation(out=page_of(AttemptOut), query=PageQuery, answer={"results": [ATTEMPT], "next": None})
    def get(self, request: ApiRequest, webhook_id: int) -> Response:
        """List the attempts of the last 30 days, newest first."""
        rows = WebhookTry.objects.filter(webhook=_one(request, webhook_id)).select_related("post")
        return page(request, rows, self.query(PageQuery), word=word_attempt)


class SendWebhookPost(Door):
    required_scope = SCOPES
    admins_only = True

    @operation(
        out=PostOut, status=202, also=(409,), answer={"id": 88, "state": "due", "due_at": "2026-11-22T09:40:00Z"}
    )
    def post(self, request: ApiRequest, webhook_id: int, post_id: int) -> Response:
        """Send again what has failed, with the same `webhook-id`."""
        webhook = _one(request, webhook_id)
        get_object_or_404(WebhookPost, webhook=webhook, pk=post_id)
        one = looking_back.send_again(webhook, post_id, by=request.member)
        return Response({"id": one.pk, "state": one.state, "due_at": one.due_at}, status=202)


def word(webhook: Webhook) -> dict[str, Any]:
    return {
        "id": webhook.pk,
        "url": webhook.url,
        "kinds": webhook.kinds,
        "happenings": webhook.whats,
        "is_on": webhook.is_on,
        "off_because": webhook.off_because,
        "failing_since": webhook.failing_since,
        "last_success_at": webhook.last_success_at,
        "waiting": looking_back.waiting(webhook),
        "created_at": webhook.created_at,
    }


def word_attempt(one: WebhookTry) -> dict[str, Any]:
    return {
        "id": one.pk,
        "post": one.post_id,
        "record": one.post.record_id if one.post else None,
        "happening": one.post.what if one.post else None,
        "number": one.number,
        "is_taken": one.is_taken,
        "status": one.status,
        "words": one.words,
        "milliseconds": one.milliseconds,
        "at": one.at,
    }


def _all(request: ApiRequest) -> QuerySet[Webhook]:
    return Webhook.objects.filter(account=request.account).select_related("account")


def _one(request: ApiRequest, webhook_id: int) -> Webhook:
    return get_object_or_404(_all(request), pk=webhook_id)
