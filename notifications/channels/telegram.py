"""Telegram (N-039): a message from the member's own bot."""

from django.utils.translation import gettext_lazy as _

from notifications.channels.connected import Connected


class Telegram(Connected):
    key = "telegram"
    bit = 512
    label = _("Telegram")
    icon = "message"
    spoken_in = "chats"
