"""The mails that let a person in: an invitation, or a link to choose a new password."""

import logging
import smtplib

from allauth.account import app_settings
from allauth.account.utils import user_pk_to_url_str
from django.conf import settings
from django.core.mail import send_mail
from django.db import transaction
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _

from accounts.models import Membership, User

log = logging.getLogger(__name__)


def send_after_commit(member: Membership, *, by: Membership | None) -> None:
    """Mail the invitation once the membership is committed. A mail server that is down does not undo the membership."""
    transaction.on_commit(lambda: send(member, by=by), robust=True)


def password_link(user: User) -> str:
    """The page on which a person chooses a password. It works once, for some days."""
    key = app_settings.PASSWORD_RESET_TOKEN_GENERATOR().make_token(user)
    path = reverse("account_reset_password_from_key", kwargs={"uidb36": user_pk_to_url_str(user), "key": key})
    return f"{settings.BASE_URL}{path}"


def send_password_link(user: User) -> bool:
    """Mail a person the link to choose a new password. Returns whether the mail could be handed over."""
    lines = [
        _("Hello %(name)s,") % {"name": user.get_short_name()},
        _("an administrator sent you this link to choose a new password:"),
        password_link(user),
        _("If you did not expect it, leave it alone: your password stays as it is."),
    ]
    return _mail(user, _("Choose a new password"), lines)


def send(member: Membership, *, by: Membership | None = None) -> bool:
    """Mail a member how to come in. Returns whether the mail could be handed over."""
    user, account = member.user, member.account
    with translation.override(member.spoken_language):
        if by is None:
            news = _("you were added to %(account)s on Bellhop.") % {"account": account.name}
        else:
            news = _("%(who)s added you to %(account)s on Bellhop.") % {"who": by.name, "account": account.name}
        if user.has_usable_password():
            way_in = [_("Sign in as always:"), f"{settings.BASE_URL}/{account.hub_id}/"]
        else:
            way_in = [_("Choose a password to come in:"), password_link(user)]
        greeting = _("Hello %(name)s,") % {"name": user.get_short_name()}
        return _mail(user, _("You were added to %(account)s") % {"account": account.name}, [greeting, news, *way_in])


def _mail(user: User, subject: str, lines: list[str]) -> bool:
    try:
        send_mail(" ".join(subject.split()), "\n\n".join(lines), settings.DEFAULT_FROM_EMAIL, [user.email])
    except (OSError, smtplib.SMTPException) as error:
        log.warning("a mail to person %s could not be sent: %s", user.pk, error)
        return False
    return True
