"""Data quality: what the checks over all records find."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from notifications.types.base import Topic

TOPIC = Topic("data_quality", _("Data quality"))

ANOMALY_DETECTED = TOPIC.type(
    "anomaly_detected",
    label=_("An anomaly is detected in a property"),
    title=_("Unusual values in “{property}”"),
    body="{finding}",
    example={
        "property": "Phone number",
        "finding": "Emptied on 1,240 contacts since yesterday; 15 a day are usual.",
        "url": "/1001/data-quality/anomalies/27/",
    },
    defaults={"bell", "email"},
    requirements=("N-077",),
)

DUPLICATE_FOUND = TOPIC.type(
    "duplicate_found",
    label=_("A check finds duplicate records"),
    title=_("Duplicates found among your {kind}"),
    body=_("Pairs to look at: {pairs}."),
    example={"kind": "companies", "pairs": 37, "url": "/1001/data-quality/duplicates/"},
    defaults={"bell"},
    requirements=("N-078",),
)
