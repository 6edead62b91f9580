"""Slack (N-039): a direct message from the account's own Slack application, connected over OAuth."""

from django.utils.translation import gettext_lazy as _

from notifications.channels.connected import Connected


class Slack(Connected):
    key = "slack"
    bit = 32
    label = _("Slack")
    icon = "message"
    spoken_in = "slack"
