"""A time zone that is set changes a member's clocks: their timed mails are due at other moments then."""

from typing import Any

from django.db.models.signals import post_save

from accounts.models import Account, Membership
from crm.digests import schedules
from crm.workflows import scheduling


def watch() -> None:
    """Notice zones that are set, whichever door does it. What goes past this is noticed when a row is due."""
    post_save.connect(_member, sender=Membership, dispatch_uid="digests of a member whose zone changed")
    post_save.connect(_account, sender=Account, dispatch_uid="digests of an account whose zone changed")


def _member(instance: Membership, created: bool = False, update_fields: Any = None, **_: Any) -> None:
    if not created and (update_fields is None or "time_zone" in update_fields):
        schedules.zone_changed(member=instance)


def _account(instance: Account, created: bool = False, update_fields: Any = None, **_: Any) -> None:
    if not created and (update_fields is None or "time_zone" in update_fields):
        schedules.zone_changed(account=instance)
        scheduling.zone_changed(instance)
