"""Load the demo accounts and some first notifications, once."""

from typing import Any

from django.core.management.base import BaseCommand

from accounts import demo
from accounts.models import Membership
from notifications import events
from notifications.events import Audience

STORIES = [
    "contacts.contact_assigned",
    "deals.stage_changed",
    "tasks.due",
    "comments.mentioned",
    "lists.ready",
]


class Command(BaseCommand):
    help = "Load two demo companies with people, teams and a few notifications. Does nothing the second time."

    def handle(self, *args: Any, **options: Any) -> None:
        if not demo.load():
            return
        alice = Membership.objects.get(account__hub_id=1001, user__email="alice@example.com")
        bob = Membership.objects.get(account__hub_id=1001, user__email="bob@example.com")
        from notifications import types

        for key in STORIES:
            if kind := types.TYPES.get(key):
                events.emit(
                    kind,
                    audience=Audience(members=(alice.pk, bob.pk)),
                    data=kind.example,
                    account=alice.account,
                )
