"""A member's phones with a native application: register, list, forget (N-037)."""

from typing import Any

from django.shortcuts import get_object_or_404
from rest_framework import serializers
from rest_framework.response import Response

from accounts.api.doors import ApiRequest, Door
from accounts.api.fields import Strict, Text
from accounts.api.paging import PageQuery, page
from accounts.api.schema import operation, page_of
from notifications.api.naming import AboutQuery, subject_of
from notifications.models import Device, Platform
from notifications.native import devices, jobs


class DeviceQuery(AboutQuery, PageQuery):
    pass


class DeviceIn(Strict):
    platform = serializers.ChoiceField(choices=Platform.choices)
    token = Text(max_length=4096, help_text="The registration token (FCM) or device token in hex (APNs).")
    name = Text(max_length=120, required=False, help_text="What the person calls the phone.")
    app = Text(max_length=200, required=False, help_text="The application's bundle or package id.")
    replaces = Text(
        max_length=4096, required=False, help_text="The token that the same phone had before; it is forgotten."
    )


class DeviceOut(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    platform = serializers.ChoiceField(choices=Platform.choices)
    name = serializers.CharField()
    app = serializers.CharField()
    is_reachable = serializers.BooleanField(help_text="Whether this installation has credentials for the platform.")
    registered_at = serializers.DateTimeField()
    seen_at = serializers.DateTimeField()
    last_success_at = serializers.DateTimeField(allow_null=True)
    last_error = serializers.CharField(help_text="What the service answered last, where it did not take it.")


EXAMPLE = {"platform": "apns", "token": "740f4707bebcf74f9b7c25d48e3358945f6aa01da5ddb387462c7eaf61bb78ad"}
SHOWN = {
    "id": 7,
    "platform": "apns",
    "name": "Ann’s iPhone",
    "app": "com.example.bellhop",
    "is_reachable": True,
    "registered_at": "2027-03-09T08:30:00Z",
    "seen_at": "2027-03-09T08:30:00Z",
    "last_success_at": None,
    "last_error": "",
}


class Devices(Door):
    """The token itself is never returned."""

    required_scope = {"GET": "notifications.read", "POST": "notifications.write"}

    @operation(out=page_of(DeviceOut), query=DeviceQuery, answer={"results": [SHOWN], "next": None})
    def get(self, request: ApiRequest) -> Response:
        """List a member's devices, newest first. With a key: those registered with a key of the account."""
        asked = self.query(DeviceQuery)
        member = subject_of(request, asked)
        rows = devices.visible_to(member, program=request.member is None)
        return page(request, rows, asked, by="id", word=word)

    @operation(
        out=DeviceOut,
        status=201,
        body=DeviceIn,
        query=AboutQuery,
        example=EXAMPLE | {"name": "Ann’s iPhone", "app": "com.example.bellhop"},
        answer=SHOWN,
    )
    def post(self, request: ApiRequest) -> Response:
        """Register a device, or say that it is still there. Send it each time the application is opened.

        A token that is known is the same device: it gets the new name, and belongs to this member from now on.
        With a key it hears of this account alone; with a session of all accounts of the person.
        """
        given = self.body(DeviceIn)
        member = subject_of(request, self.query(AboutQuery))
        registered = devices.register(
            member,
            given["platform"],
            given["token"],
            name=given.get("name", ""),
            app=given.get("app", ""),
            replaces=given.get("replaces", ""),
            program=request.member is None,
        )
        return Response(word(registered.device), status=201)


class OneDevice(Door):
    required_scope = {"GET": "notifications.read", "DELETE": "notifications.write"}

    @operation(out=DeviceOut, query=AboutQuery, answer=SHOWN)
    def get(self, request: ApiRequest, device_id: int) -> Response:
        """Show one of a member's devices."""
        return Response(word(self._device(request, device_id)))

    @operation(status=204, query=AboutQuery)
    def delete(self, request: ApiRequest, device_id: int) -> Response:
        """Forget a device: it gets no notifications any more, until it registers again."""
        self._device(request, device_id).delete()
        return Response(status=204)

    def _device(self, request: ApiRequest, device_id: int) -> Device:
        member = subject_of(request, self.query(AboutQuery))
        return get_object_or_404(devices.visible_to(member, program=request.member is None), pk=device_id)


def word(row: Device) -> dict[str, Any]:
    return {
        "id": row.pk,
        "platform": row.platform,
        "name": row.name,
        "app": row.app,
        "is_reachable": not jobs.why_not(row.platform),
        "registered_at": row.created_at,
        "seen_at": row.seen_at,
        "last_success_at": row.last_success_at,
        "last_error": row.last_error,
    }
