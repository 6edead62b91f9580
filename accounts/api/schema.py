"""The API's description, drawn from the doors: summary and text from docstrings, scopes and refusals added to all."""

from collections.abc import Callable, Mapping
from typing import Any, Literal, TypeVar

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import get_doc
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse, extend_schema, inline_serializer
from rest_framework import serializers

from accounts.api.authentication import ACCOUNT_HEADER
from accounts.api.doors import Door
from accounts.api.fields import Strict
from accounts.api.problems import MEDIA_TYPE

F = TypeVar("F", bound=Callable[..., Any])


class ProblemField(serializers.Serializer[Any]):
    field = serializers.CharField(help_text="What is wrong: `events[3].data.deal`, a query parameter or a header.")
    message = serializers.CharField(help_text="What would be right.")


class Problem(serializers.Serializer[Any]):
    """RFC 9457."""

    type = serializers.CharField(help_text="A stable path that names the kind of problem.")
    title = serializers.CharField()
    status = serializers.IntegerField()
    code = serializers.CharField(help_text="The kind of problem, for programs.")
    detail = serializers.CharField(help_text="One sentence for people.")
    errors = ProblemField(many=True)  # type: ignore[assignment]


PROBLEMS: Mapping[int, tuple[str, str, str, list[tuple[str, str]]]] = {  # status → what, code, sentence, fields
    400: ("The request cannot be read.", "parse_error", "The body is not JSON: unexpected end of data.", []),
    401: ("No key and no session, or one that is not known.", "not_authenticated", "Send an API key, or sign in.", []),
    403: ("The caller may not do this.", "missing_scope", "This needs the scope “events.write”.", []),
    404: ("There is no such thing in this account.", "not_found", "There is nothing at this address.", []),
    409: ("It cannot be done as things stand.", "cannot_undo", "This was undone already.", []),
    410: ("It is over.", "export_expired", "This export has expired.", []),
    411: ("The body came in chunks.", "length_required", "Say how long the body is, in Content-Length.", []),
    413: ("The body is too large.", "body_too_large", "The body is larger than 1048576 bytes.", []),
    415: ("The body is not application/json.", "unsupported_media_type", "Unsupported media type “text/plain”.", []),
    422: (
        "Something in the request is not right; `errors` names each field.",
        "invalid_event",
        "The event was not accepted.",
        [("data.deal", "This field is missing. It takes text or a whole number, for example: Nordic Oak 2027")],
    ),
    429: ("Too many requests; `Retry-After` says when to go on.", "throttled", "Request was throttled.", []),
}


SURPLUS = (
    "invalid",
    "What was sent does not fit.",
    [("colour", "There is no such field here. The fields are cursor, limit.")],
)


def operation(
    *,
    out: Any = None,
    status: int = 200,
    body: type[Strict] | None = None,
    query: type[Strict] | None = None,
    also: tuple[int, ...] = (),
    example: Any = None,
    answer: Any = None,
    parameters: tuple[OpenApiParameter, ...] = (),
    media: str = "",
) -> Callable[[F], F]:
    """Describe a method of a door: what it takes and answers, with an example of each, and its own refusals.

    `media`: what the answer is instead of JSON.
    """
    examples = []
    if example is not None:
        examples.append(OpenApiExample("Request", value=example, request_only=True))
    if answer is not None:
        examples.append(OpenApiExample("Answer", value=answer, response_only=True, status_codes=[str(status)]))
    extensions = {"x-refusals": sorted({*also, *([411, 413, 415, 422] if body else []), *([422] if query else [])})}
    described: Callable[[F], F] = extend_schema(
        request=body,
        responses={(status, media) if media else status: OpenApiResponse(out, description=REASONS[status])},
        parameters=[*([query] if query else []), *parameters],
        examples=examples,
        extensions=extensions,
    )
    return described


REASONS = {200: "Done.", 201: "Made.", 202: "Accepted; it is told in a moment.", 204: "Gone."}


def page_of(item: type[serializers.Serializer[Any]]) -> serializers.Serializer[Any]:
    """The shape of a list's page."""
    return inline_serializer(
        f"{item.__name__}Page",
        {
            "results": item(many=True),
            "next": serializers.CharField(allow_null=True, help_text="The address of the next page; null: no more."),
        },
    )


class DoorSchema(AutoSchema):
    """Says of every operation what it needs and how it refuses."""

    @property
    def _method_doc(self) -> tuple[str, str]:
        first, _blank, rest = get_doc(getattr(self.view, self.method.lower())).partition("\n")
        return first.strip().rstrip("."), rest.strip()

    def get_summary(self) -> str:
        return self._method_doc[0]

    def get_description(self) -> str:  # type: ignore[override]
        lines = [self._method_doc[1]]
        if isinstance(self.view, Door):
            scope = self.view.scope_of(self.method)
            lines.append(f"Needs the scope `{scope}`." if scope else "Any key or session will do.")
            if self.view.people_only:
                lines.append("With a session only, no key.")
            if self.view.admins_only:
                lines.append("With a session: super admins only.")
        return "\n\n".join(line for line in lines if line)

    def get_operation_id(self) -> str:
        return f"{self.method.lower()}-" + "-".join(self.path.removeprefix("/api/v1/").strip("/").split("/")).replace(
            "{", ""
        ).replace("}", "").replace("_", "-")

    def get_tags(self) -> list[str]:
        parts = self.path.removeprefix("/api/v1/").split("/")
        return [parts[parts[0] == "crm"].replace("-", " ").capitalize()]

    def _get_response_bodies(self, direction: Literal["request", "response"] = "response") -> dict[str, Any]:
        bodies: dict[str, Any] = super()._get_response_bodies(direction)
        if isinstance(self.view, Door):
            own = self.get_extensions().get("x-refusals", ())
            for status in sorted({400, 401, 403, 404, 429, *own}):
                bodies[str(status)] = self._problem(status)
        return bodies

    def _problem(self, status: int) -> dict[str, Any]:
        what, code, sentence, fields = PROBLEMS[status]
        if status == 403 and isinstance(self.view, Door) and (scope := self.view.scope_of(self.method)):
            sentence = sentence.replace("events.write", scope)
        if status == 422 and "/events/" not in self.path:
            code, sentence, fields = SURPLUS
        value = {
            "type": f"/api/problems/{code}",
            "title": code.replace("_", " ").capitalize(),
            "status": status,
            "code": code,
            "detail": sentence,
            "errors": [{"field": name, "message": message} for name, message in fields],
        }
        response = OpenApiResponse(Problem, what, examples=[OpenApiExample("Problem", value=value)])
        made: dict[str, Any] = self._get_response_for_code(  # type: ignore[no-untyped-call]
            response, str(status), [MEDIA_TYPE]
        )
        if status == 429:
            made["headers"] = {"Retry-After": {"schema": {"type": "integer"}, "description": "Seconds to wait."}}
        if status == 401:
            made["headers"] = {"WWW-Authenticate": {"schema": {"type": "string"}}}
        return made

    def _map_basic_serializer(self, serializer: Any, direction: str) -> dict[str, Any]:
        schema: dict[str, Any] = super()._map_basic_serializer(  # type: ignore[no-untyped-call]
            serializer, direction
        )
        if isinstance(serializer, Strict):
            schema["additionalProperties"] = False
        return schema


def without_marks(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """The finished description without the notes that `operation` left for `DoorSchema`."""
    for methods in result["paths"].values():
        for described in methods.values():
            if isinstance(described, dict):
                described.pop("x-refusals", None)
    return result


def with_shared_problems(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """The finished description with each problem written once: most doors answer the same ones in the same words."""
    shared = result["components"].setdefault("responses", {})
    names: dict[str, str] = {}
    for methods in result["paths"].values():
        for described in methods.values():
            if isinstance(described, dict):
                _share(described.get("responses", {}), shared, names)
    return result


def _share(responses: dict[str, Any], shared: dict[str, Any], names: dict[str, str]) -> None:
    for status, response in responses.items():
        if MEDIA_TYPE not in response.get("content", {}):
            continue
        words = repr(response)
        if words not in names:
            names[words] = f"Problem{status}-{len(names) + 1}"
            shared[names[words]] = response
        responses[status] = {"$ref": f"#/components/responses/{names[words]}"}


class KeyScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = "accounts.api.authentication.KeyAuthentication"
    name = "key"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        return {
            "type": "http",
            "scheme": "bearer",
            "bearerFormat": "bh_…",
            "description": "An API key of an account. What it may do is in its scopes.",
        }


class SessionScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = "accounts.api.authentication.MemberAuthentication"
    name = "session"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        from django.conf import settings

        return {
            "type": "apiKey",
            "in": "cookie",
            "name": settings.SESSION_COOKIE_NAME,
            "description": (
                "A signed-in member. What changes something carries the CSRF token in `X-CSRFToken`. A member of "
                f"several accounts names one by its Hub ID in the header `{ACCOUNT_HEADER}`."
            ),
        }
