"""A sign-in that is unusual for the person is told to them (N-112)."""

import logging
from typing import Any

from allauth.account.signals import user_logged_in
from django.db import DatabaseError, transaction
from django.http import HttpRequest, HttpResponseBase
from django.urls import reverse
from django.utils import formats, timezone, translation
from django.utils.text import capfirst, get_text_list
from django.utils.translation import gettext as _

from accounts import sign_ins
from accounts.models import SignIn, User
from notifications import events, types

log = logging.getLogger(__name__)


def watch() -> None:
    """Notice every sign-in that went all the way, second factor included."""
    user_logged_in.connect(_signed_in, dispatch_uid="sign-ins are kept and judged")


def _signed_in(request: HttpRequest, user: User, response: HttpResponseBase | None = None, **_more: Any) -> None:
    """Never in the way of signing in: what cannot be written down is not judged."""
    try:
        with transaction.atomic():
            tell(sign_ins.record(request, user))
    except DatabaseError:
        log.exception("A sign-in could not be written down")
    if response is not None:
        sign_ins.remember(request, response)


def tell(sign_in: SignIn) -> None:
    """Tell the person about a sign-in that was unusual for them; nothing where it was not. Once, however often."""
    member = sign_ins.member_of(sign_in.user)
    if not sign_in.risks or member is None:
        return
    with translation.override(member.spoken_language), timezone.override(member.zone):
        events.emit(
            types.login_alert.UNUSUAL_ACCESS,
            audience=[member],
            key=f"sign-in:{sign_in.pk}",
            data={
                "place": sign_in.place,
                "time": formats.date_format(timezone.localtime(sign_in.at), "DATETIME_FORMAT"),
                "device": sign_in.browser,
                "why": capfirst(get_text_list(sign_ins.reasons(sign_in.risks), _("and"))),
                "url": reverse("accounts:sign-in", args=[sign_in.pk]),
            },
        )
