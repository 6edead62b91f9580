"""The API's addresses: what the apps offer, its description, and a worded 404 for everything else."""

from django.urls import URLPattern, URLResolver, include, path

app_name = "api"
urlpatterns: list[URLPattern | URLResolver] = [
    path("", include("notifications.api.urls")),
]
