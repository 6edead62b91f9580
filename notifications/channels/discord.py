"""Discord (N-039): a message in the channel whose webhook the member pasted."""

from django.utils.translation import gettext_lazy as _

from notifications.channels.connected import Connected


class Discord(Connected):
    key = "discord"
    bit = 256
    label = _("Discord")
    icon = "message"
    spoken_in = "chats"
