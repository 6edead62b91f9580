"""More apps (N-039): another service that Apprise knows, from a short list of those that can be guarded."""

from django.utils.translation import gettext_lazy as _

from notifications.channels.connected import Connected


class MoreApps(Connected):
    key = "apprise"
    bit = 2048
    label = _("More apps")
    icon = "apps"
    spoken_in = "chats"
