"""Account: what an administrator changes for a member."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from notifications.types.base import Topic

TOPIC = Topic("account", _("Account"))

PREFERENCES_CHANGED_BY_ADMIN = TOPIC.type(
    "preferences_changed_by_admin",
    label=_("A super admin updates your notification settings"),
    title=_("{actor} updated your notification settings"),
    body=_("What changed: {changes}."),
    example={
        "actor": "Alice Moreau",
        "changes": "deals and tasks, by e-mail",
        "url": "/1001/settings/notifications/email/",
    },
    defaults={"bell"},
    required={"email"},
    requirements=("N-045",),
)
