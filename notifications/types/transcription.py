"""Transcription: what was said in recorded calls."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from notifications.types.base import Topic

TOPIC = Topic("transcription", _("Transcription"))

TERMS_FOUND = TOPIC.type(
    "terms_found",
    label=_("Tracked terms are found in a call"),
    title=_("Tracked terms in the call “{call}”"),
    body=_("Found: {terms}."),
    example={
        "call": "Renewal with Fjordline",
        "terms": "discount, notice period",
        "url": "/1001/calls/520/transcript/",
    },
    defaults={"bell"},
    requirements=("N-147",),
)

TRANSCRIPT_READY = TOPIC.type(
    "transcript_ready",
    label=_("The transcript of your recording is ready"),
    title=_("The transcript of “{call}” is ready"),
    body=_("Length: {duration}."),
    example={"call": "Workshop, first session", "duration": "42 min", "url": "/1001/calls/526/transcript/"},
    defaults={"bell"},
    requirements=("N-148",),
)

TERMS_REPORTABLE = TOPIC.type(
    "terms_reportable",
    label=_("Tracked terms are ready for reporting"),
    title=_("Your tracked terms “{terms}” are ready for reports"),
    example={"terms": "Competitors", "url": "/1001/settings/calls/tracked-terms/3/"},
    defaults={"bell"},
    requirements=("N-149",),
)
