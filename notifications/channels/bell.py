"""The bell in the navigation bar (N-019, N-020). The notification's own row is its delivery."""

from django.utils.translation import gettext_lazy as _


class Bell:
    key = "bell"
    bit = 1
    label = _("Bell")
