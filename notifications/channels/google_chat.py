"""Google Chat (N-039): a message in the space whose incoming webhook the member pasted."""

from django.utils.translation import gettext_lazy as _

from notifications.channels.connected import Connected


class GoogleChat(Connected):
    key = "google_chat"
    bit = 128
    label = _("Google Chat")
    icon = "message"
    spoken_in = "chats"
