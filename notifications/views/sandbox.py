"""The outbox of an installation without a mail server: what would have gone out, as it would have gone out.

Open to everybody on the machine it runs on, signed in or not, because it is where password-reset mails arrive too;
anywhere else, and in production, there is no such page.
"""

from collections.abc import Callable
from functools import wraps
from ipaddress import ip_address
from typing import Concatenate, ParamSpec

from csp.constants import SELF
from csp.decorators import csp_update
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.cache import never_cache
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_safe

from notifications import sandbox
from notifications.models import SandboxMail

P = ParamSpec("P")
NEWEST_ID = 2**63 - 1
# A stored mail may hold anything: no scripts, nothing loaded from outside; links open in a tab of their own.
MAIL_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'self'; sandbox allow-popups allow-popups-to-escape-sandbox"
)


def _here_only(view: Callable[Concatenate[HttpRequest, P], HttpResponse]) -> Callable[..., HttpResponse]:
    @require_safe
    @never_cache
    @wraps(view)
    def guarded(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        if not (sandbox.is_open() and _is_from_here(request)):
            raise Http404
        response = view(request, *args, **kwargs)
        response["Referrer-Policy"] = "no-referrer"
        return response

    return guarded


def _is_from_here(request: HttpRequest) -> bool:
    """Whether the request comes from this machine. Over a unix socket there is no address."""
    address = request.META.get("REMOTE_ADDR", "")
    try:
        return not address or ip_address(address).is_loopback
    except ValueError:
        return False


@_here_only
def outbox(request: HttpRequest) -> HttpResponse:
    """All mails, newest first; `?before=` leads to older ones."""
    given = request.GET.get("before", "")
    before = min(int(given), NEWEST_ID) if given.isascii() and given.isdecimal() and len(given) < 20 else None
    return render(request, "notifications/sandbox.html", {"page": sandbox.page(before=before), "before": before})


@csp_update({"frame-src": [SELF]})
@_here_only
def show(request: HttpRequest, pk: int) -> HttpResponse:
    """One mail: `?part=` html (in a sandboxed frame), text or headers."""
    kept = get_object_or_404(SandboxMail, pk=pk)
    opened = sandbox.opened(kept)
    parts = ["html", "text", "headers"] if opened.html else ["text", "headers"]
    part = request.GET.get("part", "")
    return render(
        request,
        "notifications/sandbox_mail.html",
        {"mail": kept, "opened": opened, "parts": parts, "part": part if part in parts else parts[0]},
    )


@_here_only
@xframe_options_sameorigin
def html(_request: HttpRequest, pk: int) -> HttpResponse:
    """The HTML of a mail, alone, under a policy of its own."""
    opened = sandbox.opened(get_object_or_404(SandboxMail, pk=pk))
    if not opened.html:
        raise Http404
    return HttpResponse(opened.html, headers={"Content-Security-Policy": MAIL_POLICY})


@_here_only
def raw(_request: HttpRequest, pk: int) -> HttpResponse:
    """The mail as it went over the wire, to be opened with a mail program."""
    kept = get_object_or_404(SandboxMail, pk=pk)
    return HttpResponse(
        bytes(kept.raw),
        content_type="message/rfc822",
        headers={"Content-Disposition": f'attachment; filename="mail-{kept.pk}.eml"'},
    )
