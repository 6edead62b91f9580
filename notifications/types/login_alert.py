"""Login alert: risky access to a member's account. Its e-mail cannot be turned off."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from notifications.types.base import Topic

TOPIC = Topic("login_alert", _("Login alert"))

UNUSUAL_ACCESS = TOPIC.type(
    "unusual_access",
    label=_("Your account is accessed in an unusual or risky way"),
    title=_("Unusual sign-in from {place}"),
    body=_("{why}. {time}, {device}. If this was not you, end that session and change your password."),
    example={
        "place": "Valparaíso, Chile",
        "time": "22 November 2026, 03:12",
        "device": "Firefox on Linux",
        "why": "A browser you had not used before",
        "url": "/accounts/sessions/",
    },
    defaults={"bell", "popup"},
    required={"email"},
    requirements=("N-112",),
)
