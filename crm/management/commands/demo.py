"""The demo of the apps below, and records to look around in. Stands in for their command of the same name."""

from typing import Any

from accounts.models import Account
from crm import demo
from notifications.management.commands.demo import Command as WithoutRecords


class Command(WithoutRecords):
    help = "Load two demo companies with people, teams, records and notifications. Does nothing the second time."

    def handle(self, *args: Any, **options: Any) -> None:
        is_first = not Account.objects.filter(hub_id__in=[1001, 1002]).exists()
        super().handle(*args, **options)
        if is_first:
            demo.load()
