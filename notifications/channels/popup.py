"""The card that slides into the tab in use (N-023). It travels with the live hint."""

from django.utils.translation import gettext_lazy as _


class Popup:
    key = "popup"
    bit = 2
    label = _("Pop-up")
    interrupts = True
