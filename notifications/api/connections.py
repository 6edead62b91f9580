"""Other apps (N-039): a member's connections, made, tested and taken away. What they are entrusted with never shows."""

from typing import Any

from rest_framework import serializers
from rest_framework.response import Response

from accounts.api.doors import ApiRequest, Door
from accounts.api.fields import Strict, Text
from accounts.api.schema import operation
from notifications.api.naming import AboutQuery, subject_of
from notifications.other_apps import connecting, webhooks
from notifications.other_apps.connecting import Standing

SCOPES = {  # writing has a scope of its own: whoever connects an app reads there what the member is told
    "GET": "preferences.read",
    "PUT": "connections.write",
    "POST": "connections.write",
    "DELETE": "connections.write",
}


class ConnectionOut(serializers.Serializer[Any]):
    app = serializers.CharField(help_text="The channel's key, such as `webhook`.")
    label = serializers.CharField(help_text="The app's name.")  # type: ignore[assignment]
    is_available = serializers.BooleanField(help_text="Whether this installation is set up for it.")
    needs = serializers.ListField(
        child=serializers.CharField(), help_text="What PUT takes to connect it; empty: on the settings page only."
    )
    is_connected = serializers.BooleanField()
    where = serializers.CharField(help_text="Where it leads, in words.", allow_blank=True)
    connected_at = serializers.DateTimeField(allow_null=True)
    broken_at = serializers.DateTimeField(allow_null=True, help_text="Since when nothing goes there.")
    last_success_at = serializers.DateTimeField(allow_null=True)
    last_error = serializers.CharField(allow_blank=True)


class ConnectionList(serializers.Serializer[Any]):
    member = serializers.IntegerField()
    connections = ConnectionOut(many=True)


class ConnectionMade(ConnectionOut):
    signing_secret = serializers.CharField(
        allow_null=True, help_text="A new webhook's own secret, this once; null: there is none, or it stayed."
    )


class OfferIn(Strict):
    """What the app `needs`."""

    url = Text(required=False, max_length=2000, help_text="The address of a webhook.")
    token = Text(required=False, max_length=200, help_text="The token of a Telegram bot.")
    chat = Text(required=False, max_length=100, help_text="The chat that the bot writes to.")


class Tested(serializers.Serializer[Any]):
    said = serializers.CharField(help_text="Where it went.")


class NewSecret(serializers.Serializer[Any]):
    signing_secret = serializers.CharField()
    old_signs_until = serializers.DateTimeField()


SHOWN = {
    "app": "webhook",
    "label": "Webhook",
    "is_available": True,
    "needs": ["url"],
    "is_connected": True,
    "where": "hooks.example.com",
    "connected_at": "2026-11-02T09:30:00Z",
    "broken_at": None,
    "last_success_at": "2026-11-03T08:00:12Z",
    "last_error": "",
}
SECRET = "whsec_…"  # noqa: S105 (an example)


class AllConnections(Door):
    required_scope = SCOPES

    @operation(out=ConnectionList, query=AboutQuery, answer={"member": 12, "connections": [SHOWN]})
    def get(self, request: ApiRequest) -> Response:
        """Show every other app and how a member's connection to it stands."""
        member = subject_of(request, self.query(AboutQuery))
        return Response(
            {"member": member.pk, "connections": [word(standing) for standing in connecting.standings(member)]}
        )


class OneConnection(Door):
    required_scope = SCOPES

    @operation(out=ConnectionOut, query=AboutQuery, answer=SHOWN)
    def get(self, request: ApiRequest, app: str) -> Response:
        """Show how a member's connection to one app stands."""
        member, channel = subject_of(request, self.query(AboutQuery)), connecting.app(app)
        return Response(word(Standing(channel, member.connections.filter(channel=channel.key).first())))

    @operation(
        out=ConnectionMade,
        body=OfferIn,
        query=AboutQuery,
        example={"url": "https://hooks.example.com/bellhop"},
        answer={**SHOWN, "signing_secret": SECRET},
        also=(409,),
    )
    def put(self, request: ApiRequest, app: str) -> Response:
        """Connect an app, or lead its connection somewhere else.

        A new webhook's signing secret is in the answer, this once. Slack is connected on the settings page only.
        """
        given = self.body(OfferIn)
        member, channel = subject_of(request, self.query(AboutQuery)), connecting.app(app)
        made = connecting.connect(member, channel, given)
        return Response({**word(Standing(channel, made.connection)), "signing_secret": made.shown_once or None})

    @operation(status=204, query=AboutQuery)
    def delete(self, request: ApiRequest, app: str) -> Response:
        """Disconnect an app and forget what it was entrusted with."""
        connecting.disconnect(subject_of(request, self.query(AboutQuery)), connecting.app(app))
        return Response(status=204)


class TestConnection(Door):
    required_scope = SCOPES

    @operation(out=Tested, query=AboutQuery, answer={"said": "Sent to hooks.example.com."}, also=(409,))
    def post(self, request: ApiRequest, app: str) -> Response:
        """Send a test and wait for what comes of it. One in ten seconds."""
        member = subject_of(request, self.query(AboutQuery))
        return Response({"said": connecting.send_test(member, connecting.app(app))})


class RotateSecret(Door):
    required_scope = SCOPES

    @operation(
        out=NewSecret,
        query=AboutQuery,
        answer={"signing_secret": SECRET, "old_signs_until": "2026-11-03T09:30:00Z"},
        also=(409,),
    )
    def post(self, request: ApiRequest) -> Response:
        """Make a new signing secret for a webhook. The one before it signs beside it for 24 hours."""
        member = subject_of(request, self.query(AboutQuery))
        new = webhooks.rotate(member)
        until = webhooks.old_until(connecting.connection_of(member, webhooks.webhook()))
        return Response({"signing_secret": new, "old_signs_until": until})


def word(standing: Standing) -> dict[str, Any]:
    channel, row = standing.channel, standing.connection
    return {
        "app": channel.key,
        "label": str(channel.label),
        "is_available": not standing.missing,
        "needs": [blank.name for blank in channel.app.blanks],
        "is_connected": row is not None,
        "where": row.label if row else "",
        "connected_at": row.created_at if row else None,
        "broken_at": row.broken_at if row else None,
        "last_success_at": row.last_success_at if row else None,
        "last_error": row.last_error if row else "",
    }
