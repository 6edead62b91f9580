"""The reference for developers at /developers/types/: generated from the catalogue, so it is always true."""

from functools import lru_cache

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_safe

from notifications import previews, types
from notifications.mail import writing

# The mail as a mail program shows it: no scripts, nothing from outside.
MAIL_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'; sandbox allow-popups"
)


@login_required
@require_safe
def types_page(request: HttpRequest) -> HttpResponse:
    """All topics and types, each with its example as every channel tells it."""
    context = {"topics": types.TOPICS, "count": len(types.TYPES), "body": _body(get_language() or "en")}
    return render(request, "notifications/reference.html", context)


@lru_cache(maxsize=8)
def _body(language: str) -> SafeString:
    """The long part of the page: the catalogue does not change while we run, so it is written once per language."""
    catalogue = previews.catalogue(language=language)
    return mark_safe(render_to_string("notifications/reference_types.html", {"catalogue": catalogue}))  # noqa: S308


@login_required
@require_safe
@xframe_options_sameorigin
def mail(request: HttpRequest, type_key: str) -> HttpResponse:
    """The whole mail of a type's example, addressed to the person who looks."""
    kind = types.get(type_key)
    if kind is None or "email" not in kind.offered or not request.user.is_authenticated:
        raise Http404
    language = get_language() or "en"
    carried = previews.parcel(kind, name=request.user.get_full_name(), address=request.user.email, language=language)
    (page, _type), *_rest = writing.write(carried).as_message().alternatives
    return HttpResponse(page, headers={"Content-Security-Policy": MAIL_POLICY, "Referrer-Policy": "no-referrer"})
