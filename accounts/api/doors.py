"""The frame of every door: who is asking, may they, then the door's own words."""

from collections.abc import Mapping
from functools import cache
from typing import Any, ClassVar

from django.utils.cache import add_never_cache_headers
from django.utils.translation import gettext as _
from rest_framework import exceptions
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.api.authentication import Caller, KeyAuthentication, MemberAuthentication
from accounts.api.fields import Strict
from accounts.api.json import LARGEST_BODY
from accounts.api.problems import MissingScope
from accounts.api.throttles import CallerThrottle
from accounts.models import Account, Membership


class ApiRequest(Request):
    """A request whose caller is known."""

    auth: Caller
    account: Account
    member: Membership | None
    scopes: frozenset[str]


class LengthRequired(exceptions.APIException):
    """A body in chunks: whoever serves us may not hand those on, so nobody does."""

    status_code = 411
    default_code = "length_required"


class HasScope(BasePermission):
    """Whether the caller has the scope that the view states for the method."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        caller = request.auth
        if not isinstance(caller, Caller):
            return False
        assert isinstance(view, Door)
        scope = view.scope_of(request.method or "")
        if scope and scope not in caller.scopes:
            raise MissingScope(scope)
        if view.people_only and caller.member is None:
            raise exceptions.PermissionDenied(
                _("This belongs to a person, whatever account they work in: it takes their session, no key."),
                code="people_only",
            )
        if view.admins_only and not caller.is_admin:
            raise exceptions.PermissionDenied(
                _("Only super admins change what holds for the whole account."), code="super_admins_only"
            )
        return True


class Door(APIView):
    """One address of the API. States the scope it needs, for all methods or for each."""

    required_scope: ClassVar[str | Mapping[str, str]]
    admins_only: ClassVar[bool] = False
    people_only: ClassVar[bool] = False  # no keys: what is behind it belongs to a person, not to one account
    largest_body: ClassVar[int] = LARGEST_BODY
    authentication_classes = (KeyAuthentication, MemberAuthentication)
    permission_classes = (HasScope,)
    throttle_classes = (CallerThrottle,)
    http_method_names = ["get", "post", "patch", "put", "delete", "head"]
    request: ApiRequest

    @classmethod
    def scope_of(cls, method: str) -> str:
        """The scope a method needs; empty for methods there are not."""
        if isinstance(cls.required_scope, str):
            return cls.required_scope
        return cls.required_scope.get("GET" if method == "HEAD" else method, "")

    def body(self, shape: type[Strict]) -> dict[str, Any]:
        """What was sent, in this shape, or a refusal that names each wrong field."""
        return _checked(shape, self.request.data)

    def query(self, shape: type[Strict]) -> dict[str, Any]:
        """What the query string asks for, in this shape."""
        return _checked(shape, self.request.query_params.dict())

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        if "chunked" in request.META.get("HTTP_TRANSFER_ENCODING", "") and not request.META.get("CONTENT_LENGTH"):
            raise LengthRequired(_("Say how long the body is, in Content-Length."))
        super().initial(request, *args, **kwargs)
        caller = request.auth
        assert isinstance(caller, Caller)
        self.request.account, self.request.member, self.request.scopes = caller.account, caller.member, caller.scopes

    def permission_denied(self, request: Request, message: str | None = None, code: str | None = None) -> Any:
        if request.auth is None:
            raise exceptions.NotAuthenticated(_("Send an API key, or sign in."))
        raise exceptions.PermissionDenied(message, code)

    def finalize_response(self, request: Request, response: Response, *args: Any, **kwargs: Any) -> Response:
        answer = super().finalize_response(request, response, *args, **kwargs)
        if not answer.has_header("Cache-Control"):
            add_never_cache_headers(answer)
        return answer


def _checked(shape: type[Strict], data: Any) -> dict[str, Any]:
    checked: dict[str, Any] = _made(shape).run_validation(data)
    return checked


@cache
def _made(shape: type[Strict]) -> Strict:
    """One of each shape for all requests: validating leaves no trace in it, and making one costs more."""
    return shape()
