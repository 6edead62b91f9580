"""Tickets: assignments, statuses, mentions.

Assignments go to whoever stands in the owner property or in any custom user property (N-146).
"""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from notifications.types.base import ASSIGNMENT_WINDOW, Topic

TOPIC = Topic("tickets", _("Tickets"))

ASSIGNED = TOPIC.type(
    "assigned",
    label=_("A ticket is assigned to you"),
    title=_("{actor} assigned you the ticket “{ticket}”"),
    body=_("Priority: {priority}."),
    example={
        "actor": "Dewi Pratama",
        "ticket": "Label printer offline",
        "priority": "high",
        "url": "/1001/tickets/830/",
    },
    defaults={"bell", "popup", "email"},
    window=ASSIGNMENT_WINDOW,
    requirements=("N-143",),
)

STATUS_CHANGED = TOPIC.type(
    "status_changed",
    label=_("A ticket you own or follow moves to another status"),
    title=_("{actor} moved “{ticket}” to {status}"),
    example={
        "actor": "Bilal Haddad",
        "ticket": "Refund for order 20418",
        "status": "Waiting for customer",
        "url": "/1001/tickets/812/",
    },
    defaults={"bell", "email"},
    requirements=("N-144",),
)

MENTIONED = TOPIC.type(
    "mentioned",
    label=_("You are @mentioned on a ticket record"),
    title=_("{actor} mentioned you on the ticket “{ticket}”"),
    body=_("“{excerpt}”"),
    example={
        "actor": "Alice Moreau",
        "ticket": "Login page blank on tablets",
        "excerpt": "@Ann, did we see this before?",
        "url": "/1001/tickets/841/activities/990/",
    },
    defaults={"bell", "popup", "email"},
    requirements=("N-145",),
)
