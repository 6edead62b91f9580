"""Leads: assignments."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from notifications.types.base import ASSIGNMENT_WINDOW, Topic

TOPIC = Topic("leads", _("Leads"))

ASSIGNED = TOPIC.type(
    "assigned",
    label=_("A lead is assigned to you"),
    title=_("{actor} assigned you the lead “{lead}”"),
    body=_("Came in through {source}."),
    example={
        "actor": "Alice Moreau",
        "lead": "Hofmann Bakeries",
        "source": "the form “Ask for a quote”",
        "url": "/1001/leads/76/",
    },
    defaults={"bell", "popup", "email"},
    window=ASSIGNMENT_WINDOW,
    requirements=("N-110",),
)
