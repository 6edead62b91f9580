"""Deals: assignments, stages, mentions."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from notifications.types.base import ASSIGNMENT_WINDOW, Topic

TOPIC = Topic("deals", _("Deals"))

ASSIGNED = TOPIC.type(
    "assigned",
    label=_("A deal is assigned to you"),
    title=_("{actor} assigned you the deal “{deal}”"),
    body=_("{amount}, in {stage}."),
    example={
        "actor": "Ann",
        "deal": "Marlow & Finch, 40 seats",
        "amount": "€ 18,400",
        "stage": "Qualified",
        "url": "/1001/deals/12/",
    },
    defaults={"bell", "popup", "email"},
    window=ASSIGNMENT_WINDOW,
    requirements=("N-079",),
)

STAGE_CHANGED = TOPIC.type(
    "stage_changed",
    label=_("A deal you own or follow moves to another stage"),
    title=_("{actor} moved “{deal}” to {stage}"),
    example={"actor": "Ann", "deal": "Nordic Oak 2027", "stage": "Contract sent", "url": "/1001/deals/7/"},
    defaults={"bell", "email"},
    requirements=("N-080",),
)

MENTIONED = TOPIC.type(
    "mentioned",
    label=_("You are @mentioned on a deal record"),
    title=_("{actor} mentioned you on the deal “{deal}”"),
    body=_("“{excerpt}”"),
    example={
        "actor": "Bilal Haddad",
        "deal": "Nordic Oak 2027",
        "excerpt": "@Ann, legal wants one more week.",
        "url": "/1001/deals/7/activities/960/",
    },
    defaults={"bell", "popup", "email"},
    requirements=("N-081",),
)
