"""Chat and e-mail conversations of the conversations inbox.

Whoever emits these asks `inbox/hearing.py` who hears: nobody who never opened the inbox (N-060) and, of unassigned
conversations, nobody whose team membership is not their primary one (N-061).
"""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from notifications.types.base import Topic

TOPIC = Topic(
    "conversations",
    _("Chat and e-mail conversations"),
    note=_("You get these once you have opened the conversations inbox."),
)

ASSIGNED = TOPIC.type(
    "assigned",
    label=_("A conversation is assigned to you"),
    title=_("{actor} assigned you the conversation with {contact}"),
    body="{subject}",
    example={
        "actor": "Alice Moreau",
        "contact": "Tomás Ferreira",
        "subject": "Refund for order 20418",
        "url": "/1001/inbox/3/conversations/640/",
    },
    defaults={"bell", "popup", "email"},
    requirements=("N-055",),
)

REASSIGNED = TOPIC.type(
    "reassigned",
    label=_("A conversation is reassigned to you"),
    title=_("{actor} passed you the conversation with {contact}"),
    body=_("Until now with {previous}: {subject}"),
    example={
        "actor": "Bilal Haddad",
        "contact": "Grace Okafor",
        "previous": "Chiara Ricci",
        "subject": "Invoice 2291 shows the wrong address",
        "url": "/1001/inbox/3/conversations/655/",
    },
    defaults={"bell", "popup", "email"},
    requirements=("N-056",),
)

REPLIED = TOPIC.type(
    "replied",
    label=_("There is a reply in a conversation"),
    title=_("{contact} replied: {subject}"),
    body=_("“{excerpt}”"),
    example={
        "contact": "Yuki Tanaka",
        "subject": "Delivery on Thursday?",
        "excerpt": "Thursday morning suits us. Shall I send the pallet list?",
        "url": "/1001/inbox/3/conversations/648/",
    },
    defaults={"bell", "popup"},
    requirements=("N-057",),
)

UNASSIGNED_CREATED = TOPIC.type(
    "unassigned_created",
    label=_("A new unassigned conversation is in the inbox"),
    title=_("New in {inbox}: {contact}"),
    body=_("“{excerpt}”"),
    example={
        "inbox": "Support",
        "contact": "Visitor from Rotterdam",
        "excerpt": "Hello, does the plan include weekend support?",
        "url": "/1001/inbox/3/conversations/661/",
    },
    defaults={"bell", "popup"},
    requirements=("N-058",),
)

MENTIONED = TOPIC.type(
    "mentioned",
    label=_("You are @mentioned in a conversation"),
    title=_("{actor} mentioned you in the conversation with {contact}"),
    body=_("“{excerpt}”"),
    example={
        "actor": "Dewi Pratama",
        "contact": "Oskar Nyström",
        "excerpt": "@Ann, may we offer him the old price?",
        "url": "/1001/inbox/3/conversations/602/",
    },
    defaults={"bell", "popup", "email"},
    requirements=("N-059",),
)
