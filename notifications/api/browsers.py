"""The browsers in which a person allowed notifications. They are the person's, in whatever account, so no key may."""

from typing import Any

from rest_framework import serializers
from rest_framework.response import Response

from accounts.api.doors import ApiRequest, Door
from accounts.api.fields import Strict, Text
from accounts.api.schema import operation
from accounts.models import Membership, User
from notifications import outgoing
from notifications.models import BrowserSubscription
from notifications.push import subscribing
from notifications.push.subscribing import Offer


class KeysIn(Strict):
    p256dh = Text(max_length=130)
    auth = Text(max_length=40)


class BrowserIn(Strict):
    endpoint = Text(max_length=outgoing.LONGEST, help_text="Where its push service takes pushes for it.")
    expirationTime = serializers.FloatField(  # noqa: N815 (as browsers name it)
        required=False, allow_null=True, help_text="As `PushSubscription.toJSON()` has it. Not used: services tell us."
    )
    keys = KeysIn(help_text="As `PushSubscription.toJSON()` has them.")
    replaces = Text(
        required=False, max_length=outgoing.LONGEST, help_text="The endpoint that the same browser had before."
    )
    asked = serializers.BooleanField(
        default=False, help_text="The person has just asked for it there: only so one that they forgot comes back."
    )


class BrowserOut(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    name = serializers.CharField(help_text="Such as “Firefox on Linux”; empty where it did not say.")
    endpoint_digest = serializers.CharField(help_text="SHA-256 of the endpoint in hex: by it a browser finds itself.")
    created_at = serializers.DateTimeField()
    seen_at = serializers.DateTimeField()
    last_success_at = serializers.DateTimeField(allow_null=True, help_text="When a push service last took a push.")
    last_error = serializers.CharField(help_text="What a push service last refused it with; empty: nothing.")
    is_silent = serializers.BooleanField(help_text="Nothing got through for a week.")


class BrowsersOut(serializers.Serializer[Any]):
    results = BrowserOut(many=True)


class Told(serializers.Serializer[Any]):
    said = serializers.CharField(help_text="One sentence for people.")


SHOWN = {
    "id": 12,
    "name": "Firefox on Linux",
    "endpoint_digest": "1f825aa2f0020ef7cf91dfa30da4668d791c5d4824fc8e41354b89ec05795ab3",
    "created_at": "2027-03-01T08:30:00Z",
    "seen_at": "2027-03-09T08:00:00Z",
    "last_success_at": "2027-03-09T08:30:00Z",
    "last_error": "",
    "is_silent": False,
}
OFFERED = {
    "endpoint": "https://updates.push.services.mozilla.com/wpush/v2/gAAAAA",
    "keys": {
        "p256dh": "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
        "auth": "BTBZMqHH6r4Tts7J_aSIgg",
    },
}


SENT = "Sent. If nothing shows, your operating system may be holding it back."


class OfAPerson(Door):
    """Whoever is signed in: browsers are theirs."""

    required_scope = {"GET": "preferences.read", "POST": "preferences.write", "DELETE": "preferences.write"}
    people_only = True

    def person(self, request: ApiRequest) -> tuple[Membership, User]:
        assert request.member is not None
        return request.member, request.member.user


class Browsers(OfAPerson):
    @operation(out=BrowsersOut, answer={"results": [SHOWN]})
    def get(self, request: ApiRequest) -> Response:
        """List the browsers in which one has allowed notifications, the one seen last first."""
        _member, person = self.person(request)
        rows = person.browser_subscriptions.order_by("-seen_at", "-pk")
        return Response({"results": [word(row) for row in rows]})

    @operation(out=BrowserOut, body=BrowserIn, example=OFFERED, answer=SHOWN, also=(409,))
    def post(self, request: ApiRequest) -> Response:
        """Take this browser in, or notice that it is known. Only https addresses of push services are accepted."""
        given = self.body(BrowserIn)
        _member, person = self.person(request)
        row = subscribing.keep(
            person,
            Offer(given["endpoint"], given["keys"]["p256dh"], given["keys"]["auth"]),
            user_agent=request.headers.get("User-Agent", ""),
            session_key=request.session.session_key,
            replaces=given.get("replaces", ""),
            is_asked=given["asked"],
        )
        return Response(word(row))


class OneBrowser(OfAPerson):
    @operation(status=204)
    def delete(self, request: ApiRequest, browser_id: int) -> Response:
        """Forget a browser: nothing is pushed to it any more."""
        _member, person = self.person(request)
        subscribing.forget(person, browser_id)
        return Response(status=204)


class BrowserTest(OfAPerson):
    @operation(out=Told, answer={"said": SENT}, also=(409,))
    def post(self, request: ApiRequest, browser_id: int) -> Response:
        """Send a test to a browser, and say whether its push service took it."""
        member, person = self.person(request)
        return Response({"said": subscribing.send_test(member, subscribing.known(person, pk=browser_id))})


def word(row: BrowserSubscription) -> dict[str, Any]:
    """A browser as the API shows it: never its address."""
    return {
        "id": row.pk,
        "name": row.browser,
        "endpoint_digest": row.digest,
        "created_at": row.created_at,
        "seen_at": row.seen_at,
        "last_success_at": row.last_success_at,
        "last_error": row.last_error,
        "is_silent": row.is_silent,
    }
