"""Form submissions. Only for members who have the forms tool (N-093)."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from notifications.types.base import Topic

TOPIC = Topic("forms", _("Form submissions"))

SUBMITTED = TOPIC.type(
    "submitted",
    label=_("A visitor or contact submits your form"),
    title=_("{submitter} filled in “{form}”"),
    body=_("On the page {page}."),
    example={
        "submitter": "Jonas Weber",
        "form": "Ask for a quote",
        "page": "fjordline.example/prices",
        "url": "/1001/forms/6/submissions/233/",
    },
    defaults={"bell", "email"},
    needs_permission="forms",
    requirements=("N-092", "N-093"),
)
