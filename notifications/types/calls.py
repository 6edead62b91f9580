"""Calls: inbound calls to the account's phone numbers."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from notifications.types.base import Topic

TOPIC = Topic("calls", _("Calls"))

INBOUND_LOGGED = TOPIC.type(
    "inbound_logged",
    label=_("An inbound call to your account phone number is logged"),
    title=_("Call from {caller}, {outcome}"),
    body=_("To {number}, {duration}."),
    example={
        "caller": "Mia Lind",
        "outcome": "no answer",
        "number": "+45 70 20 30 40",
        "duration": "0:48 min",
        "url": "/1001/calls/512/",
    },
    defaults={"bell", "popup"},
    requirements=("N-053",),
)
