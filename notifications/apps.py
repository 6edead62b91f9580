from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class NotificationsConfig(AppConfig):
    name = "notifications"
    verbose_name = _("Notifications")

    def ready(self) -> None:
        from notifications import signing_in, signing_out, zones

        signing_in.watch()
        signing_out.watch()
        zones.watch()
