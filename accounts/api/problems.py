"""Every refusal as an RFC 9457 problem: one shape, whatever went wrong and wherever."""

import logging
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Any

from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.db import IntegrityError, OperationalError
from django.http import Http404
from django.utils.translation import gettext as _
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import set_rollback

from accounts.errors import DomainError

MEDIA_TYPE = "application/problem+json"
log = logging.getLogger(__name__)


class MissingScope(exceptions.APIException):
    """The caller is known but may not do this."""

    status_code = 403
    default_code = "missing_scope"

    def __init__(self, scope: str) -> None:
        super().__init__(_("This needs the scope “%(scope)s”.") % {"scope": scope})
        self.auth_header = f'Bearer realm="Bellhop", error="insufficient_scope", scope="{scope}"'


def problem(
    status: int,
    code: str,
    detail: str,
    *,
    errors: Mapping[str, list[str]] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """An answer that says what is wrong: `code` for programs, `detail` and `errors` for people."""
    body = {
        "type": f"/api/problems/{code}",
        "title": code.replace("_", " ").capitalize(),
        "status": status,
        "code": code,
        "detail": detail,
        "errors": [{"field": name, "message": line} for name, lines in (errors or {}).items() for line in lines],
    }
    return Response(body, status=status, headers=dict(headers or {}), content_type=MEDIA_TYPE)


def answer(error: Exception, context: Mapping[str, Any]) -> Response:
    """Word an exception. What nobody expected is logged and told without details."""
    set_rollback()
    if isinstance(error, DomainError):
        return problem(error.status, error.code, str(error), errors=error.fields, headers=_pause(error))
    if isinstance(error, Http404 | exceptions.NotFound):
        return problem(404, "not_found", _("There is nothing at this address."))
    if isinstance(error, PermissionDenied):
        error = exceptions.PermissionDenied()
    if isinstance(error, RequestDataTooBig):
        return problem(413, "body_too_large", _("The body is too large."))
    if isinstance(error, SuspiciousOperation):
        return problem(400, "bad_request", _("This request cannot be read."))
    if isinstance(error, exceptions.ValidationError):
        return problem(422, "invalid", _("What was sent does not fit."), errors=dict(flat(error.detail)))
    if isinstance(error, exceptions.APIException):
        return _of_drf(error)
    if isinstance(error, IntegrityError):
        log.warning("two callers met: %s", error)
        return problem(409, "conflict", _("Somebody changed this at the same moment. Try again."))
    if isinstance(error, OperationalError):
        log.error("the database does not answer: %s", error)
        return problem(503, "unavailable", _("The database does not answer. Try again."), headers={"Retry-After": "1"})
    log.error("the API could not answer", exc_info=error)
    return problem(500, "internal_error", _("Something went wrong on our side. It has been logged."))


def _of_drf(error: exceptions.APIException) -> Response:
    headers = _pause(error)
    if header := getattr(error, "auth_header", ""):
        headers["WWW-Authenticate"] = header
    code = error.get_codes()
    return problem(
        error.status_code,
        code if isinstance(code, str) else HTTPStatus(error.status_code).phrase.lower().replace(" ", "_"),
        str(error.detail),
        headers=headers,
    )


def _pause(error: Exception) -> dict[str, str]:
    """When to go on, where the refusal says so."""
    wait = getattr(error, "wait", None)
    return {} if wait is None else {"Retry-After": str(max(1, int(wait)))}


def flat(detail: Any, field: str = "") -> Iterator[tuple[str, list[str]]]:
    """DRF's nested messages as `events[3].data.deal` → its messages. What is about no field is about the body."""
    if isinstance(detail, Mapping):
        for name, below in detail.items():
            if name == "non_field_errors":
                yield from flat(below, field)
            elif isinstance(name, int):
                yield from flat(below, f"{field}[{name}]")
            else:
                yield from flat(below, f"{field}.{name}" if field else name)
    elif any(isinstance(below, Mapping | list) for below in detail):
        for index, below in enumerate(detail):
            if below:
                yield from flat(below, f"{field}[{index}]")
    elif detail:
        yield field or "body", [str(line) for line in detail]
