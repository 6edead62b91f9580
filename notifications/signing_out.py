"""A sign-in or a membership that ends takes its open sockets with it, whichever way it ends, and its pushes."""

from typing import Any

from allauth.usersessions.models import UserSession
from django.contrib.auth.signals import user_logged_out
from django.db import transaction
from django.db.models.signals import post_delete, post_save
from django.http import HttpRequest

from accounts.models import Membership, User
from notifications import live
from notifications.push import subscribing


def watch() -> None:
    """Notice sign-outs, sign-ins that were ended from the page of sessions, and people who lost their access."""
    user_logged_out.connect(_signed_out, dispatch_uid="sockets of a sign-in that ended")
    post_delete.connect(_ended, sender=UserSession, dispatch_uid="sockets of a session that was ended")
    post_save.connect(_deactivated, sender=Membership, dispatch_uid="sockets of a deactivated member")
    post_save.connect(_barred, sender=User, dispatch_uid="sockets of a person who may not sign in")


def _signed_out(request: HttpRequest | None = None, **_: Any) -> None:
    if request is not None and hasattr(request, "session"):
        live.close(session_key=request.session.session_key)
        subscribing.forget_sign_in(request.session.session_key)


def _ended(instance: UserSession, **_: Any) -> None:
    subscribing.forget_sign_in(instance.session_key)
    transaction.on_commit(lambda: live.close(session_key=instance.session_key), robust=True)


def _deactivated(instance: Membership, created: bool = False, **_: Any) -> None:
    if not created and not instance.is_active:
        transaction.on_commit(lambda: live.close(members=[instance.pk]), robust=True)


def _barred(instance: User, created: bool = False, **_: Any) -> None:
    if not created and not instance.is_active:
        members = list(instance.memberships.values_list("pk", flat=True))
        transaction.on_commit(lambda: live.close(members=members), robust=True)
