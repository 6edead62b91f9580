"""What browsers fetch of the application itself: the same for everybody, whatever account."""

from django.urls import path, register_converter

from notifications.views import installing


class WayConverter:
    regex = "|".join(installing.WAYS)

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value


register_converter(WayConverter, "way")

urlpatterns = [
    path("manifest.webmanifest", installing.manifest, name="manifest"),
    path("offline/", installing.offline, name="offline"),
    path("app/<way:to>/", installing.way, name="app-way"),
]
