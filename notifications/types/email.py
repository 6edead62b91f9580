"""E-mail: what happens to the mails a member sends. Nobody is told of their own opens."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from notifications.types.base import Topic

TOPIC = Topic("email", _("E-mail"))

CLICKED = TOPIC.type(
    "clicked",
    label=_("Someone clicks a link in your e-mail"),
    title=_("{reader} clicked a link in “{subject}”"),
    body="{link}",
    example={
        "reader": "Mia Lind",
        "subject": "Our offer for the spring",
        "link": "fjordline.example/price-list",
        "url": "/1001/contacts/311/activities/971/",
    },
    defaults={"bell", "popup"},
    for_seat="paid",
    requirements=("N-085",),
)

OPENED = TOPIC.type(
    "opened",
    label=_("Someone opens your e-mail"),
    title=_("{reader} opened “{subject}”"),
    example={
        "reader": "Someone",
        "subject": "Notes from Tuesday",
        "url": "/1001/contacts/340/activities/974/",
    },
    defaults={"bell"},
    requirements=("N-086",),
)

REPLIED = TOPIC.type(
    "replied",
    label=_("Someone replies to your e-mail"),
    title=_("{sender} replied to “{subject}”"),
    body=_("“{excerpt}”"),
    example={
        "sender": "Grace Okafor",
        "subject": "A date for the workshop",
        "excerpt": "The 9th is fine. We will be six people.",
        "url": "/1001/contacts/340/activities/977/",
    },
    defaults={"bell", "popup"},
    requirements=("N-087",),
)
