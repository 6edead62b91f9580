"""Academy: news about a member's own certifications, awards and exercises."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from notifications.types.base import Topic

TOPIC = Topic("academy", _("Academy"))

CERTIFICATION_UPDATED = TOPIC.type(
    "certification_updated",
    label=_("Your certifications have an update"),
    title=_("Your certification “{certification}”: {news}"),
    body=_("Valid until {valid_until}."),
    example={
        "certification": "Inbound Service",
        "news": "passed",
        "valid_until": "14 March 2028",
        "url": "/1001/academy/certifications/12/",
    },
    defaults={"bell", "email"},
    requirements=("N-042",),
)

AWARD_UPDATED = TOPIC.type(
    "award_updated",
    label=_("Your awards have an update"),
    title=_("Your award “{award}”: {news}"),
    example={"award": "Fastest first reply", "news": "granted", "url": "/1001/academy/awards/3/"},
    defaults={"bell"},
    requirements=("N-043",),
)

EXERCISE_UPDATED = TOPIC.type(
    "exercise_updated",
    label=_("Your exercises have an update"),
    title=_("Your exercise “{exercise}”: {news}"),
    example={"exercise": "Write a follow-up mail", "news": "reviewed", "url": "/1001/academy/exercises/41/"},
    defaults={"bell"},
    requirements=("N-044",),
)
