"""Workflows: their own notifications, reviews, and the Friday mail about enrolment."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from notifications.types.base import Topic

TOPIC = Topic("workflows", _("Workflows"))

NOTIFIED = TOPIC.type(
    "notified",
    label=_("A workflow sends you a notification"),
    title=_("{subject}"),
    body=_("{message} (from the workflow “{workflow}”)"),
    example={
        "subject": "Hofmann Bakeries has been silent for 30 days",
        "message": "Time for a call?",
        "workflow": "Quiet customers",
        "url": "/1001/companies/70/",
    },
    defaults={"bell", "popup", "email"},
    requirements=("N-154",),
)

REVIEW_NEEDED = TOPIC.type(
    "review_needed",
    label=_("A workflow needs review"),
    title=_("The workflow “{workflow}” needs review"),
    body=_("Reason: {reason}."),
    example={
        "workflow": "Welcome series",
        "reason": "the e-mail it sends was archived",
        "url": "/1001/workflows/16/",
    },
    defaults={"bell", "email"},
    requirements=("N-155",),
)

FRIDAY_SUMMARY = TOPIC.type(
    "friday_summary",
    label=_("An e-mail every Friday if the enrolment of a workflow has changed"),
    title=_("Enrolment changed in {changed} of your workflows"),
    body="{workflows}",
    example={
        "changed": 2,
        "workflows": "Welcome series (48 in, 21 out), Quiet customers (6 out)",
        "url": "/1001/workflows/",
    },
    only={"email"},
    requirements=("N-156",),
)
