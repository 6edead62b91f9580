"""SEO analysis: scans of the account's domains."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from notifications.types.base import Topic

TOPIC = Topic("seo", _("SEO analysis"))

SCAN_FINISHED = TOPIC.type(
    "scan_finished",
    label=_("An SEO scan of your domain has finished"),
    title=_("The SEO scan of {domain} has finished"),
    body=_("Recommendations: {recommendations}."),
    example={"domain": "fjordline.example", "recommendations": 9, "url": "/1001/seo/scans/13/"},
    defaults={"bell"},
    requirements=("N-130",),
)
