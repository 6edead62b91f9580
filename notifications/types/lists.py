"""Lists: processing has finished."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from notifications.types.base import Topic

TOPIC = Topic("lists", _("Lists"))

READY = TOPIC.type(
    "ready",
    label=_("A list has finished processing and is ready for use"),
    title=_("Your list “{list}” is ready"),
    body=_("Members: {members}."),
    example={"list": "Customers in Denmark", "members": 4182, "url": "/1001/lists/29/"},
    defaults={"bell"},
    requirements=("N-111",),
)
