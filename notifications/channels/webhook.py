"""Webhook (N-039): a signed POST to the member's own endpoint, after the Standard Webhooks specification."""

from django.utils.translation import gettext_lazy as _

from notifications.channels.connected import Connected


class Webhook(Connected):
    key = "webhook"
    bit = 1024
    label = _("Webhook")
    icon = "code"
    spoken_in = "webhooks"
    interrupts = False
    takes_each = True
    at_once = 500  # all that are claimed together
