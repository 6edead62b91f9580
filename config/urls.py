"""Every address of Bellhop, by app."""

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path

from config.health import healthz, workers

urlpatterns: list[URLPattern | URLResolver] = [
    path("healthz/", healthz, name="healthz"),
    path("healthz/workers/", workers, name="healthz-workers"),
    path("admin/", admin.site.urls),
    path("accounts/", include("allauth.urls")),
    path("api/", include("config.api")),
    path("", include("notifications.urls")),
    path("", include("crm.urls")),
    path("", include("accounts.urls")),
]
