"""Comments on activities. Also what the older lists call comments under General (N-094, N-097)."""

from __future__ import annotations

from datetime import timedelta

from django.utils.translation import gettext_lazy as _

from notifications.types.base import Merging, Topic

TOPIC = Topic(
    "comments",
    _("Comments"),
    note=_("Comments within a minute in one thread, up to three, come as one e-mail."),
)

ACTIVITY_COMMENTED = TOPIC.type(
    "activity_commented",
    label=_("A new comment is on an activity you logged, commented on or take part in"),
    title=_("{actor} commented on “{activity}”"),
    body=_("“{excerpt}”"),
    example={
        "actor": "Chiara Ricci",
        "activity": "Call with Fjordline about the renewal",
        "excerpt": "They confirmed the June start by mail.",
        "url": "/1001/contacts/311/activities/902/#comment-7",
    },
    defaults={"bell", "email"},
    merges=Merging(
        within=timedelta(seconds=60),
        most=3,
        title=_("{count} new comments on “{activity}”"),
        heading=_("New comments"),
        line=_("{actor}: “{excerpt}”"),
    ),
    requirements=("N-062", "N-064", "N-097"),
)

MENTIONED = TOPIC.type(
    "mentioned",
    label=_("You are @mentioned in a comment"),
    title=_("{actor} mentioned you in a comment on “{activity}”"),
    body=_("“{excerpt}”"),
    example={
        "actor": "Alice Moreau",
        "activity": "Meeting notes, Nordic Oak",
        "excerpt": "@Bob, can you send them the data sheet?",
        "url": "/1001/deals/7/activities/914/#comment-1",
    },
    defaults={"bell", "popup", "email"},
    requirements=("N-063", "N-094"),
)
