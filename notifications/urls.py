"""The addresses of notifications, an area a file."""

from django.urls import include, path

from notifications.views import apps

app_name = "notifications"
urlpatterns = [
    path("<int:hub_id>/notifications/", include("notifications.bell_urls")),
    path("<int:hub_id>/notifications/", include("notifications.why_urls")),
    path("<int:hub_id>/settings/notifications/", include("notifications.settings_urls")),
    path("", include("notifications.mail_urls")),
    path("", include("notifications.push_urls")),
    path("", include("notifications.app_urls")),
    path("apps/slack/callback/", apps.slack_callback, name="slack-callback"),
    path("developers/types/", include("notifications.reference_urls")),
]
