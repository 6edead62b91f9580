"""Ads: a member's own ad sequences start and pause."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from notifications.types.base import Topic

TOPIC = Topic("ads", _("Ads"))

SEQUENCE_STARTED = TOPIC.type(
    "sequence_started",
    label=_("One of your ad sequences is started"),
    title=_("Your ad sequence “{sequence}” has started"),
    body=_("It runs on {network}."),
    example={"sequence": "Spring launch", "network": "LinkedIn", "url": "/1001/ads/sequences/18/"},
    defaults={"bell"},
    requirements=("N-046",),
)

SEQUENCE_PAUSED = TOPIC.type(
    "sequence_paused",
    label=_("One of your ad sequences is paused"),
    title=_("Your ad sequence “{sequence}” is paused"),
    body=_("Reason: {reason}."),
    example={
        "sequence": "Webinar retargeting",
        "reason": "the daily budget is used up",
        "url": "/1001/ads/sequences/22/",
    },
    defaults={"bell", "email"},
    requirements=("N-047",),
)
