"""The API's addresses: what the apps offer, its description, and a worded 404 for everything else."""

from typing import Any

from csp.constants import SELF
from csp.decorators import csp_update
from django.http import Http404
from django.urls import Resolver404, URLPattern, URLResolver, include, path, re_path, resolve
from django.utils.translation import gettext as _
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.api.problems import problem


class Schema(SpectacularAPIView):
    """The OpenAPI description, for everybody: it holds nothing of any account."""

    content_negotiation_class = DefaultContentNegotiation


class Docs(SpectacularSwaggerSplitView):
    """The same to read and try out, without assets from elsewhere."""

    content_negotiation_class = DefaultContentNegotiation


class Nowhere(APIView):
    """Every address below /api/ that there is not."""

    authentication_classes = ()
    permission_classes = ()

    def dispatch(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        self.http_method_names = [(request.method or "get").lower()]
        setattr(self, self.http_method_names[0], self.nothing)
        return super().dispatch(request, *args, **kwargs)

    def nothing(self, request: Request, **_kwargs: object) -> Response:
        return problem(404, "not_found", _missing(request.path))


def _missing(address: str) -> str:
    if not address.endswith("/"):
        try:
            found = resolve(f"{address}/")
        except (Http404, Resolver404):
            return _("There is nothing at this address.")
        if found.url_name != "nowhere":
            return _("There is nothing at this address. With a “/” at its end there is.")
    return _("There is nothing at this address.")


app_name = "api"
urlpatterns: list[URLPattern | URLResolver] = [
    path("v1/", include("accounts.api.urls")),
    path("v1/", include("notifications.api.urls")),
    path("v1/", include("crm.api.urls")),
    path("v1/schema/", Schema.as_view(), name="schema"),
    path(
        "v1/docs/",
        csp_update({"style-src": [SELF, "'unsafe-inline'"]})(Docs.as_view(url_name="api:schema")),
        name="docs",
    ),
    re_path("", Nowhere.as_view(), name="nowhere"),
]
