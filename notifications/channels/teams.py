"""Microsoft Teams (N-039): a card in the chat or channel whose Workflows webhook the member pasted."""

from django.utils.translation import gettext_lazy as _

from notifications.channels.connected import Connected


class Teams(Connected):
    key = "teams"
    bit = 64
    label = _("Microsoft Teams")
    icon = "message"
    spoken_in = "chats"
