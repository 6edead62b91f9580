"""The pages of the records."""

from django.urls import URLPattern, URLResolver, include, path

app_name = "crm"
urlpatterns: list[URLPattern | URLResolver] = [
    path("<int:hub_id>/settings/task-digest/", include("crm.digest_urls")),
]
