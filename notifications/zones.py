"""A member's clocks change when theirs or the account's time zone is set: their quiet hours are other moments then."""

from typing import Any

from django.db.models.signals import post_save

from accounts.models import Account, Membership
from notifications import quiet


def watch() -> None:
    """Notice zones that are set, whichever door does it. `accounts` lies below and cannot say so itself."""
    post_save.connect(_member, sender=Membership, dispatch_uid="quiet hours of a member whose zone changed")
    post_save.connect(_account, sender=Account, dispatch_uid="quiet hours of an account whose zone changed")


def _member(instance: Membership, created: bool = False, update_fields: Any = None, **_: Any) -> None:
    if not created and (update_fields is None or "time_zone" in update_fields):
        quiet.zone_changed(member=instance)


def _account(instance: Account, created: bool = False, update_fields: Any = None, **_: Any) -> None:
    if not created and (update_fields is None or "time_zone" in update_fields):
        quiet.zone_changed(account=instance)
