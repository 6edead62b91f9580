"""Feedback surveys: responses to each kind of survey."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from notifications.types.base import Topic

TOPIC = Topic("feedback", _("Feedback surveys"))

LOYALTY_RESPONSE = TOPIC.type(
    "loyalty_response",
    label=_("A customer-loyalty (NPS) response is submitted"),
    title=_("{respondent} gave {score} of 10 in “{survey}”"),
    body=_("“{comment}”"),
    example={
        "respondent": "Oskar Nyström",
        "score": 9,
        "survey": "Would you recommend us?",
        "comment": "Quick answers, every time.",
        "url": "/1001/feedback/surveys/2/responses/481/",
    },
    defaults={"bell", "email"},
    requirements=("N-088",),
)

SATISFACTION_RESPONSE = TOPIC.type(
    "satisfaction_response",
    label=_("A customer-satisfaction response is submitted"),
    title=_("{respondent} answered “{survey}”: {answer}"),
    body=_("“{comment}”"),
    example={
        "respondent": "Yuki Tanaka",
        "answer": "satisfied",
        "survey": "After your first delivery",
        "comment": "All on time, one box was damaged.",
        "url": "/1001/feedback/surveys/4/responses/490/",
    },
    defaults={"bell", "email"},
    requirements=("N-089",),
)

SUPPORT_RESPONSE = TOPIC.type(
    "support_response",
    label=_("A customer-support response is submitted"),
    title=_("{respondent} rated the help with “{ticket}”: {answer}"),
    example={
        "respondent": "Tomás Ferreira",
        "ticket": "Refund for order 20418",
        "answer": "very easy",
        "url": "/1001/feedback/surveys/5/responses/502/",
    },
    defaults={"bell", "email"},
    requirements=("N-090",),
)

CUSTOM_RESPONSE = TOPIC.type(
    "custom_response",
    label=_("A custom-survey response is submitted"),
    title=_("{respondent} answered “{survey}”"),
    example={
        "respondent": "Grace Okafor",
        "survey": "Workshop in May: your wishes",
        "url": "/1001/feedback/surveys/9/responses/515/",
    },
    defaults={"bell"},
    requirements=("N-091",),
)
