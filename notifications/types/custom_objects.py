"""Custom objects: assignments and mentions on records of a kind that the account defined itself."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from notifications.types.base import ASSIGNMENT_WINDOW, Topic

TOPIC = Topic("custom_objects", _("Custom objects"))

RECORD_ASSIGNED = TOPIC.type(
    "record_assigned",
    label=_("A custom-object record is assigned to you"),
    title=_("{actor} assigned you “{record}” ({kind})"),
    example={
        "actor": "Chiara Ricci",
        "record": "Quay 4, berth 12",
        "kind": "Berth",
        "url": "/1001/objects/berths/12/",
    },
    defaults={"bell", "popup", "email"},
    window=ASSIGNMENT_WINDOW,
    requirements=("N-071",),
)

MENTIONED = TOPIC.type(
    "mentioned",
    label=_("You are @mentioned on a custom-object record"),
    title=_("{actor} mentioned you on “{record}” ({kind})"),
    body=_("“{excerpt}”"),
    example={
        "actor": "Alice Moreau",
        "record": "Lease 2026-118",
        "kind": "Lease",
        "excerpt": "@Ann, the second signature is missing.",
        "url": "/1001/objects/leases/118/activities/953/",
    },
    defaults={"bell", "popup", "email"},
    requirements=("N-072",),
)
