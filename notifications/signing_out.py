"""A sign-in that ends takes its open sockets with it, whichever way it ends."""

from typing import Any

from allauth.usersessions.models import UserSession
from django.contrib.auth.signals import user_logged_out
from django.db import transaction
from django.db.models.signals import post_delete
from django.http import HttpRequest

from notifications import live


def watch() -> None:
    """Notice sign-outs, and sign-ins that were ended from the page of sessions."""
    user_logged_out.connect(_signed_out, dispatch_uid="sockets of a sign-in that ended")
    post_delete.connect(_ended, sender=UserSession, dispatch_uid="sockets of a session that was ended")


def _signed_out(request: HttpRequest | None = None, **_: Any) -> None:
    if request is not None and hasattr(request, "session"):
        live.close(session_key=request.session.session_key)


def _ended(instance: UserSession, **_: Any) -> None:
    transaction.on_commit(lambda: live.close(session_key=instance.session_key), robust=True)
